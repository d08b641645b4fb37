import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from soundalike.domain.errors import StoreError
from soundalike.domain.files import Root
from soundalike.domain.types import RootName
from soundalike.store.sqlite import search as sqlite_search
from soundalike.store.sqlite.connections import Connections
from soundalike.store.sqlite.store import SqliteStore
from store.contract import DurableStoreContract
from store.contract_catalogue import FiltersContract
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


def test_vectors_of_an_unknown_track_are_refused(tmp_path: Path) -> None:
    connections = Connections(tmp_path / "library.sqlite", busy_timeout_s=1)
    insert = "INSERT INTO word (word, track) VALUES (x'61', 99)"
    with pytest.raises(StoreError, match="FOREIGN KEY"), connections.writing() as connection:
        connection.execute(insert)
    connections.close()


class TestSearchForWhatMostTracksHold(SqliteFixtures, SearchContract, OrderContract, FiltersContract):
    """The same promises, by testing tracks in order instead of sorting matches."""

    @pytest.fixture(autouse=True)
    def _few_are_many(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sqlite_search, "_MANY", 0)
        monkeypatch.setattr(sqlite_search, "_MANY_LISTED", 0)


def test_only_the_owner_can_read_the_files(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path / "library.sqlite")) as store:
        store.save_root(Root(RootName("music"), tmp_path))
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == {f"library.sqlite{end}": 0o600 for end in ("", "-wal", "-shm")}
