"""The id that a library's store, artefacts and key share, so that none is taken for another library's."""

from collections.abc import Sequence
from typing import Protocol

from soundalike.domain.errors import ForeignLibraryError, UnfinishedCopyError
from soundalike.domain.library_mark import UNMARKED, LibraryMark
from soundalike.domain.ports.library import Store
from soundalike.domain.types import LibraryId


class Belonging(Protocol):
    """Something beside a store that belongs to its library, and says so."""

    @property
    def name(self) -> str:
        """What and where it is, for people."""

    @property
    def library_id(self) -> LibraryId | None:
        """The id of its library; None if a version that knew no ids made it."""

    def take_up(self, library_id: LibraryId) -> None:
        """Write the id of its library into it, as far as that can be done."""


def name_library(store: Store, new_id: LibraryId) -> LibraryMark:
    """Give the library of a store an id, if it has none, and return the mark of the store.

    Parameters
    ----------
    store : Store
        The store.
    new_id : LibraryId
        Random.
    """
    store.set_library_mark(LibraryMark(new_id), replacing=UNMARKED)
    return store.library_mark()


def lost_store(belongings: Sequence[Belonging], *, store_name: str) -> ForeignLibraryError:
    """Return the error that what belongs to a library is there, but not its store.

    Parameters
    ----------
    belongings : sequence of Belonging
        What is there.
    store_name : str
        Where the store should be, for people, without secrets.
    """
    names = " and ".join(one.name for one in belongings)
    belong = "belongs" if len(belongings) == 1 else "belong"
    return ForeignLibraryError(
        f"the store {store_name} is missing or empty, but {names} {belong} to a library: put the store of "
        f"that library in its place, from a backup if need be; or, to begin a new library, move {names} away"
    )


def settle_library_id(
    store: Store, belongings: Sequence[Belonging], *, store_name: str, new_id: LibraryId
) -> LibraryId:
    """Return the id of a library; a new one gets it, and what has none takes it up.

    Parameters
    ----------
    store : Store
        Where the library is.
    belongings : sequence of Belonging
        What was there, before the store was opened or after.
    store_name : str
        Where the store is, for people, without secrets.
    new_id : LibraryId
        Random; for a new library.

    Raises
    ------
    UnfinishedCopyError
        If the store is a copy that was not finished.
    ForeignLibraryError
        If the store is new, but something of a library is there; or if something is another library's.
    """
    mark = store.library_mark()
    if mark.is_unfinished:
        msg = (
            f"the store {store_name} is a copy that was not finished: run the 'soundalike store copy' that "
            "began it again, or choose another store"
        )
        raise UnfinishedCopyError(msg)
    if mark.library_id is None and belongings:
        raise lost_store(belongings, store_name=store_name)
    library_id = mark.library_id or name_library(store, new_id).library_id or new_id
    foreign = [one for one in belongings if one.library_id not in {None, library_id}]
    if foreign:
        names = " and ".join(one.name for one in foreign)
        msg = (
            f"{names} {'belongs' if len(foreign) == 1 else 'belong'} to another library than the store "
            f"{store_name}: choose the store of that library, or move {names} away to go on with this one"
        )
        raise ForeignLibraryError(msg)
    for one in belongings:
        if one.library_id is None:
            one.take_up(library_id)
    return library_id
