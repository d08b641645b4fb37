from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from soundalike.store import sqlite_search
from soundalike.store.sqlite import SqliteStore
from store.contract import DurableStoreContract
from store.contract_search import OrderContract, SearchContract


class SqliteFixtures:
    @pytest.fixture
    def reopen(self, tmp_path: Path) -> Iterator[Callable[[], SqliteStore]]:
        opened: list[SqliteStore] = []

        def open_again() -> SqliteStore:
            opened.append(SqliteStore(tmp_path / "library.sqlite"))
            return opened[-1]

        yield open_again
        for store in opened:
            store.close()

    @pytest.fixture
    def store(self, reopen: Callable[[], SqliteStore]) -> SqliteStore:
        return reopen()


class TestSqliteStore(SqliteFixtures, DurableStoreContract):
    pass


class TestSearchForWhatMostTracksHold(SqliteFixtures, SearchContract, OrderContract):
    """The same promises, kept by walking the order instead of sorting what matches."""

    @pytest.fixture(autouse=True)
    def _few_are_many(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sqlite_search, "_MANY", 0)
