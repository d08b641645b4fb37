import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from making import SOME_TIME, make_listen
from soundalike.domain.errors import StoreError
from soundalike.domain.files import Root
from soundalike.domain.listens import Erasure
from soundalike.domain.types import RootName, UserId
from soundalike.domain.users import User
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


def files_with(folder: Path, text: str) -> list[str]:
    return [path.name for path in folder.iterdir() if text.encode() in path.read_bytes()]


def test_what_is_erased_is_in_no_file_while_the_store_stays_open(tmp_path: Path) -> None:
    listen = make_listen(7)
    user = User(id=UserId("the-id-of-eve"), name="Eve", password_hash="x", created_at=SOME_TIME)  # noqa: S106 - none
    with closing(SqliteStore(tmp_path / "library.sqlite")) as store:
        store.add_listens([listen])
        store.add_user(user)
        assert files_with(tmp_path, listen.id) == files_with(tmp_path, user.id) == ["library.sqlite-wal"]
        store.erase_listens(Erasure(listen.user_id, 1, 1))
        assert files_with(tmp_path, listen.id) == []
        store.remove_user(user.id)
        assert files_with(tmp_path, user.id) == []


def test_an_erasure_waits_for_no_reader(tmp_path: Path) -> None:
    listen = make_listen(7)
    with closing(SqliteStore(tmp_path / "library.sqlite")) as store:
        store.add_listens([listen])
        with closing(sqlite3.connect(tmp_path / "library.sqlite", isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT * FROM listen").fetchall()
            store.erase_listens(Erasure(listen.user_id, 1, 1))
            assert list(store.listens_of(listen.user_id)) == []
            assert files_with(tmp_path, listen.id) == ["library.sqlite-wal"]
        store.erase_listens(Erasure(listen.user_id, 1, 2))
        assert files_with(tmp_path, listen.id) == []
