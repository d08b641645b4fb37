import pytest

from fakes import MemoryStore
from making import make_schema, make_track, make_vectors
from soundalike.domain.errors import UnknownFeatureSetError
from soundalike.services.library.feature_sets import forget_set


@pytest.fixture
def store() -> MemoryStore:
    store = MemoryStore()
    for number in range(3):
        store.save_track(
            make_track(f"t{number}"),
            *(make_vectors(make_schema(name=name, version=version)) for name, version in SETS[: number + 1]),
        )
    return store


SETS = [("a", 1), ("a", 10), ("a-v1", 1)]


@pytest.mark.parametrize(
    ("name", "forgotten", "left"),
    [
        ("a-v10", ["a-v10"], ["a-v1", "a-v1-v1"]),
        ("a", ["a-v1", "a-v10"], ["a-v1-v1"]),
        ("a-v1-v1", ["a-v1-v1"], ["a-v1", "a-v10"]),
    ],
)
def test_a_set_is_forgotten_by_its_key_or_all_its_versions_by_its_name(
    store: MemoryStore, name: str, forgotten: list[str], left: list[str]
) -> None:
    before = {one.key: one for one in store.feature_sets()}
    assert [one.key for one in forget_set(store, name)] == forgotten
    assert {one.key: one for one in store.feature_sets()} == {key: before[key] for key in left}


@pytest.mark.parametrize("name", ["", "b", "a-v2", "A", "-v1"])
def test_an_unknown_set_is_an_error_that_lists_the_sets(store: MemoryStore, name: str) -> None:
    with pytest.raises(UnknownFeatureSetError, match=r"a-v1 \(3 tracks\), a-v1-v1 \(1 track\), a-v10 \(2"):
        forget_set(store, name)
    assert len(store.feature_sets()) == 3


def test_a_library_without_sets_says_so() -> None:
    with pytest.raises(UnknownFeatureSetError, match="'timbre'; nothing has been analysed yet"):
        forget_set(MemoryStore(), "timbre")
