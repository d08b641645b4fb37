"""Copies that are watched and killed: what tests of the copier have in common."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import pytest

from filled_store import no_progress
from soundalike.domain.ports.library import Store
from soundalike.domain.types import LibraryId
from soundalike.services.entities import ENTITIES
from soundalike.services.store_copy.copier import Copier, CopyReport

WRITES = frozenset(
    {
        "add_listens", "add_credential", "add_user", "drop_vectors", "erase_listens", "save_stored_tracks",
        "mark_vanished", "remove_problems", "remove_credential", "remove_user", "save_password",
        "save_admin", "save_problem", "save_profile", "save_root", "save_stored_vectors",
        "save_successors", "remove_successor", "save_track", "set_library_mark", "save_advised",
        "remove_tracks", "add_ended_session", "forget_ended_sessions",
    }
)  # fmt: skip
NEW_ID = LibraryId("5" * 32)
NAMES = ("the old store", "the new store")
BATCHES = {"tracks": 7, "successors": 1, "vectors": 5, "listens": 11}
SMALL_BATCHES = [replace(one, batch=BATCHES.get(one.kind, one.batch)) for one in ENTITIES]


class KilledError(BaseException):
    """Ends a copy as a kill does: nothing may catch it."""


class WatchedStore:
    """A store that reports every call before and after it is made."""

    def __init__(self, store: Store, before: Callable[[str], None], after: Callable[[str], None]) -> None:
        self._store, self._before, self._after = store, before, after

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            self._before(name)
            result = method(*args, **kwargs)
            self._after(name)
            return result

        return call


def nothing(_name: str) -> None:
    pass


def watched(
    store: Store, *, before: Callable[[str], None] = nothing, after: Callable[[str], None] = nothing
) -> Store:
    return cast("Store", WatchedStore(store, before, after))


class Writes:
    """Counts the writes into a store, and kills the writer after a number of them."""

    def __init__(self, most: int | None = None) -> None:
        self.names: list[str] = []
        self._most = most

    def __call__(self, name: str) -> None:
        if name in WRITES:
            if len(self.names) == self._most:
                raise KilledError
            self.names.append(name)


def copy(source: Store, target: Store) -> CopyReport:
    return Copier(source, target, names=NAMES, new_id=NEW_ID, entities=SMALL_BATCHES).copy(no_progress)


def written(report: CopyReport) -> dict[str, int]:
    return {kind.kind: kind.written for kind in report.kinds if kind.written}


def without_listens(names: list[str]) -> list[str]:
    return [name for name in names if name != "add_listens"]


def leave_half(source: Store, target: Store) -> None:
    """Copy all but the roots, as a copy that is killed at the end."""

    def kill(name: str) -> None:
        if name == "save_root":
            raise KilledError

    with pytest.raises(KilledError):
        copy(source, watched(target, before=kill))
