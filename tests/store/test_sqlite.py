from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from soundalike.store.sqlite import SqliteStore
from store.contract import DurableStoreContract


class TestSqliteStore(DurableStoreContract):
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
