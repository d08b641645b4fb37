"""Store, artefacts and key of one library share its id, and none is taken for another library's."""

from dataclasses import dataclass

import pytest

from fakes import MemoryStore
from making import make_track
from soundalike.domain.errors import ForeignLibraryError, UnfinishedCopyError
from soundalike.domain.library_mark import UNMARKED, LibraryMark
from soundalike.domain.types import LibraryId
from soundalike.services.library.library_id import settle_library_id

OURS, OTHER, NEW = (LibraryId(digit * 32) for digit in "abc")


@dataclass
class Found:
    """Something beside the store."""

    library_id: LibraryId | None = None
    name: str = "the session key '/data/session.key'"

    def take_up(self, library_id: LibraryId) -> None:
        self.library_id = library_id


def settle(store: MemoryStore, *belongings: Found) -> LibraryId:
    return settle_library_id(store, belongings, store_name="/data/library.sqlite", new_id=NEW)


def marked(mark: LibraryMark) -> MemoryStore:
    store = MemoryStore()
    store.set_library_mark(mark, replacing=UNMARKED)
    return store


def test_a_new_library_gets_an_id_that_stays() -> None:
    store = MemoryStore()
    assert settle(store) == NEW
    assert settle_library_id(store, [], store_name="", new_id=OTHER) == NEW
    assert store.library_mark() == LibraryMark(NEW)


@pytest.mark.parametrize("found", [Found(), Found(OURS)])
def test_a_new_store_beside_something_of_a_library_is_refused_and_stays_as_it_is(found: Found) -> None:
    store, before = MemoryStore(), found.library_id
    with pytest.raises(ForeignLibraryError) as refused:
        settle(store, found)
    for words in (
        "/data/library.sqlite is missing or empty",
        f"{found.name} belongs to a library",
        "put",
        "move",
    ):
        assert words in str(refused.value)
    assert store.library_mark() == UNMARKED
    assert found.library_id == before


def test_what_has_no_id_takes_up_that_of_the_store() -> None:
    found = Found()
    assert settle(marked(LibraryMark(OURS)), found, Found(OURS)) == OURS
    assert found.library_id == OURS


def test_what_belongs_to_another_library_is_refused() -> None:
    newer = Found()
    with pytest.raises(ForeignLibraryError, match="belongs to another library than the store"):
        settle(marked(LibraryMark(OURS)), Found(OTHER), newer)
    assert newer.library_id is None


def test_an_unfinished_copy_is_refused() -> None:
    store = marked(LibraryMark(OURS, is_unfinished=True))
    store.save_track(make_track())
    with pytest.raises(UnfinishedCopyError, match=r"a copy that was not finished: run .*store copy"):
        settle(store, Found(OURS))


def test_of_two_first_starts_at_once_both_get_the_same_id() -> None:
    class Raced(MemoryStore):
        def set_library_mark(self, mark: LibraryMark, *, replacing: LibraryMark) -> bool:
            super().set_library_mark(LibraryMark(OURS), replacing=UNMARKED)  # the other process
            return super().set_library_mark(mark, replacing=replacing)

    assert settle(Raced()) == OURS
