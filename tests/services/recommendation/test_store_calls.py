"""How often a question reads the store: at most four times, and never a vector."""

from collections import Counter
from typing import Any

import pytest

from services.recommendation.stage import BOB, Stage, names
from soundalike.domain.types import TrackId
from soundalike.services.library.browse import Library
from soundalike.services.library.roots import RootMap
from soundalike.services.listeners.profiles import Profiles
from soundalike.services.recommendation import recommender
from soundalike.services.recommendation.recommender import Recommender

MOST_CALLS = 4


class CountingStore:
    """Counts the calls of another store."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.calls: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._store, name)

        def counted(*given: object, **named: object) -> object:
            self.calls[name] += 1
            return found(*given, **named)

        return counted


@pytest.fixture
def crowd() -> Stage:
    """A library of many artists, and one of its listeners."""
    stage = Stage()
    for prefix, x in (("a", -30), ("b", 0), ("c", 30)):
        stage.add_heap(prefix, 90, x, 0, seed=x + 30)
    stage.build()
    stage.listen(
        *(f"finished {prefix}{number:02}" for prefix in "abc" for number in range(0, 60, 5)),
        *(f"disliked b{number:02}" for number in range(20, 30)),
        ("skipped c07", 1_000),
    )
    return stage


def calls_of(stage: Stage, *, expected: int | None = None, **question: Any) -> Counter[str]:
    """Ask in a process that has cached nothing, and return what it called."""
    counting: Any = CountingStore(stage.store)
    library = Library(counting, RootMap(counting, {}))
    profiles = Profiles(counting, lateness_ms=7 * 24 * 3600 * 1000)
    stage.recommender = Recommender(counting, stage.artefacts, library, profiles, clock=lambda: stage.now)
    found = stage.ask(**question)
    expected = question.get("limit", 10) if expected is None else expected
    assert len(found.recommendations) == expected, names(found)
    calls: Counter[str] = counting.calls
    return calls


def vanish(stage: Stage, share: int) -> None:
    """Let all tracks vanish but every so many."""
    ids = [f"{prefix}{number:02}" for prefix in "abc" for number in range(90)]
    stage.store.mark_vanished([TrackId(one) for at, one in enumerate(ids) if at % share], 0)


QUESTIONS: list[dict[str, Any]] = [
    {},
    {"limit": 100},
    {"adventure": 0.5},
    {"seed": "a07"},
    {"exclude": [f"{prefix}{number:02}" for prefix in "ab" for number in range(90)]},
    {"recent": ["a01", "a02"]},
]


@pytest.mark.parametrize("question", QUESTIONS, ids=str)
def test_a_question_reads_the_store_at_most_four_times(crowd: Stage, question: dict[str, Any]) -> None:
    calls = calls_of(crowd, **question)
    assert calls.total() <= MOST_CALLS, calls
    assert calls == {"profile_version": 1, "profile": 1, "tracks": calls["tracks"]}


@pytest.mark.parametrize("question", QUESTIONS, ids=str)
def test_how_much_is_read_at_first_changes_nothing(
    crowd: Stage, question: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = crowd.ask(**question)
    monkeypatch.setattr(recommender, "_NARROW", 1_000)
    assert crowd.ask(**question) == found


def test_one_read_hydrates_what_an_ordinary_question_needs(crowd: Stage) -> None:
    assert calls_of(crowd, adventure=0.2)["tracks"] == 1


@pytest.mark.parametrize("question", [{}, {"seed": "b00", "adventure": 0.5}], ids=str)
def test_where_most_tracks_have_vanished_one_wider_read_suffices(
    crowd: Stage, question: dict[str, Any]
) -> None:
    vanish(crowd, 10)
    calls = calls_of(crowd, **question)
    assert calls.total() <= MOST_CALLS, calls
    assert calls["tracks"] == 2


def test_a_library_of_one_prolific_artist_is_searched_for_others_by_one_wider_read() -> None:
    stage = Stage()
    stage.add_heap("a", 90, 0, 0, artist="Prolific")
    stage.add_heap("b", 20, 90, 0)
    stage.build()
    stage.listen("finished a03")
    calls = calls_of(stage)
    assert calls.total() <= MOST_CALLS, calls


def test_that_nothing_is_left_of_a_library_costs_no_more(stage: Stage) -> None:
    stage.listen("finished harp03")
    stage.store.mark_vanished([one.track.id for one in stage.ask(limit=100).recommendations], 0)
    stage.store.mark_vanished([TrackId("harp03")], 0)
    calls = calls_of(stage, expected=0)
    assert calls == {"profile_version": 1, "profile": 1, "tracks": 1, "count_tracks": 1}


def test_a_listener_who_is_not_known_yet_costs_no_more(crowd: Stage) -> None:
    vanish(crowd, 10)
    calls = calls_of(crowd, user=BOB)
    assert calls.total() <= MOST_CALLS, calls


def test_a_seed_that_the_artefact_lacks_costs_one_read_of_its_vector(crowd: Stage) -> None:
    crowd.add("new", 0.0, 40.0)
    vanish(crowd, 10)
    calls = calls_of(crowd, seed="new")
    assert calls.total() <= MOST_CALLS, calls
