"""A store whose files are removed, replaced or overwritten: nobody is told that something is stored in it."""

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from filled_store import checksums_of, fill
from making import make_listen, make_schema, make_track, make_vectors
from soundalike.domain.errors import StoreError, StoreReplacedError
from soundalike.domain.files import Root
from soundalike.domain.library_mark import LibraryMark
from soundalike.domain.listens import Erasure, Listen
from soundalike.domain.types import LibraryId, RootName
from soundalike.store.sqlite.store import SqliteStore
from store.asking import ADA
from store.contract_accounts import make_token, make_user

JOURNAL, INDEX = "library.sqlite-wal", "library.sqlite-shm"
LISTEN = make_listen(1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "library.sqlite"


@pytest.fixture(scope="module")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The files of two libraries, the second larger."""
    folder = tmp_path_factory.mktemp("libraries")
    paths = folder / "first.sqlite", folder / "second.sqlite"
    for path, count in zip(paths, (40, 80), strict=True):
        with closing(SqliteStore(path)) as store:
            fill(store, tracks=count, listens=3 * count)
            store.set_library_mark(LibraryMark(LibraryId(f"{count:032d}")), replacing=store.library_mark())
    return paths


@pytest.fixture
def store(path: Path, libraries: tuple[Path, Path]) -> Iterator[SqliteStore]:
    """An open store with something in its file and something in its journal."""
    path.parent.mkdir()
    shutil.copy(libraries[0], path)
    with closing(SqliteStore(path)) as store:
        store.save_track(make_track("new"))
        yield store


@pytest.fixture
def other(libraries: tuple[Path, Path], tmp_path: Path) -> Path:
    """The file of another library, larger than that of the first."""
    return Path(shutil.copy(libraries[1], tmp_path / "other.sqlite"))


def back_up(path: Path, backup: Path) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("VACUUM INTO ?", (str(backup),))
    return backup


def add_many(store: SqliteStore, *, first: int = 0) -> None:
    """Add listens of several users in an order that leaves pages split, as those of real people do."""
    for number in range(first, first + 40):
        listens = [
            make_listen(100 * number + one, user_id=f"u{(7 * number + one) % 13}", at_ms=7919 * one % 5000)
            for one in range(20)
        ]
        store.add_listens(listens)


@pytest.fixture
def recent_backup(path: Path, store: SqliteStore, tmp_path: Path) -> Path:
    """A backup of the store, which has one more listen since, and no checkpoint."""
    add_many(store)
    backup = back_up(path, tmp_path / "backup")
    store.add_listens([make_listen(99, at_ms=99)])
    return backup


def delete(path: Path, *suffixes: str) -> None:
    for suffix in suffixes:
        Path(f"{path}{suffix}").unlink()


def move_the_folder(path: Path) -> None:
    path.parent.rename(path.parent.with_name("unmounted"))


def move_the_folder_and_leave_an_empty_one(path: Path) -> None:
    move_the_folder(path)
    path.parent.mkdir()


LOSSES: dict[str, Callable[[Path, Path], object]] = {
    "all files removed": lambda path, _: delete(path, "", "-wal", "-shm"),
    "the file removed": lambda path, _: delete(path, ""),
    "the journal removed": lambda path, _: delete(path, "-wal"),
    "the index removed": lambda path, _: delete(path, "-shm"),
    "the file emptied": lambda path, _: path.write_bytes(b""),
    "the file truncated": lambda path, _: os.truncate(path, path.stat().st_size // 2),
    "the file filled with zeros": lambda path, _: path.write_bytes(bytes(path.stat().st_size)),
    "another store moved there": lambda path, other: other.replace(path),
    "another store copied over it": lambda path, other: shutil.copyfile(other, path),
    "a text copied over it": lambda path, _: path.write_bytes(b"not a database\n" * 100_000),
    "the disk is gone": lambda path, _: move_the_folder(path),
    "the disk is gone from its mount point": lambda path, _: move_the_folder_and_leave_an_empty_one(path),
}


@pytest.mark.parametrize("loss", LOSSES)
def test_nothing_is_acknowledged_into_a_store_that_was_lost(
    path: Path, store: SqliteStore, other: Path, loss: str
) -> None:
    LOSSES[loss](path, other)
    writes: tuple[Callable[[], object], ...] = (
        lambda: store.add_listens([LISTEN]),
        lambda: store.erase_listens(Erasure(ADA, 1, 1)),
        lambda: store.save_track(make_track("t1")),
        lambda: store.save_root(Root(RootName("more"), Path("/more"))),
        lambda: store.add_user(make_user("Eve")),
        lambda: store.save_password(ADA, "another"),
        lambda: store.add_credential(make_token()),
        lambda: store.set_library_mark(LibraryMark(LibraryId("c" * 32)), replacing=store.library_mark()),
    )
    for write in writes:
        with pytest.raises(StoreReplacedError, match=r"library\.sqlite.* while the store was open.*put "):
            write()


def test_nor_into_one_over_which_its_own_backup_was_copied(
    path: Path, store: SqliteStore, tmp_path: Path
) -> None:
    backup = back_up(path, tmp_path / "backup")
    store.add_listens([make_listen(number, at_ms=number) for number in range(10)])
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store.add_listens([make_listen(99, at_ms=99)])
    shutil.copyfile(backup, path)
    with pytest.raises(StoreReplacedError, match="overwritten"):
        store.add_listens([LISTEN])


def test_nor_into_one_over_which_a_backup_of_a_moment_ago_was_copied(
    path: Path, store: SqliteStore, recent_backup: Path
) -> None:
    shutil.copyfile(recent_backup, path)
    with pytest.raises(StoreReplacedError, match="overwritten"):
        store.add_listens([LISTEN])


def test_writing_goes_on_beside_readers_whose_snapshot_keeps_pages_in_the_journal(
    path: Path, store: SqliteStore
) -> None:
    schema = make_schema(6, name="another")
    with ExitStack() as stack:
        for number in range(40):
            store.save_track(make_track(f"before {number}"), make_vectors(schema, number))
            reader = stack.enter_context(closing(sqlite3.connect(path)))
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM track").fetchone()
            store.save_track(make_track(f"after {number}"), make_vectors(schema, number))
            with closing(sqlite3.connect(path)) as other:
                other.execute("PRAGMA wal_checkpoint(PASSIVE)")
            reader.rollback()
    assert store.add_listens([LISTEN]) == (LISTEN,)


def test_a_file_that_cannot_be_read_now_was_not_replaced(
    path: Path, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR_READ
        raise error

    os.utime(path)
    with monkeypatch.context() as broken:
        broken.setattr(sqlite3, "connect", fail)
        with pytest.raises(StoreError, match="failed on its disk") as caught:
            store.add_listens([LISTEN])
    assert not isinstance(caught.value, StoreReplacedError)
    assert store.add_listens([LISTEN]) == (LISTEN,)


@pytest.mark.parametrize("loss", ["another store moved there", "all files removed", "the disk is gone"])
def test_what_is_lost_between_a_write_and_its_end_is_not_acknowledged(
    path: Path, store: SqliteStore, other: Path, loss: str
) -> None:
    def write() -> None:
        with store._connections.writing() as connection:  # noqa: SLF001 - something happens in between
            connection.execute("DELETE FROM listen")
            LOSSES[loss](path, other)

    with pytest.raises(StoreReplacedError):
        write()


def test_writing_goes_on_once_the_files_are_back(path: Path, store: SqliteStore, tmp_path: Path) -> None:
    path.parent.rename(tmp_path / "away")
    with pytest.raises(StoreReplacedError):
        store.add_listens([LISTEN])
    (tmp_path / "away").rename(path.parent)
    assert store.add_listens([LISTEN]) == (LISTEN,)
    assert store.add_listens([LISTEN]) == ()


def test_no_connection_reads_the_file_that_is_there_now(path: Path, store: SqliteStore, other: Path) -> None:
    for lose in (lambda: delete(path, ""), lambda: other.replace(path)):
        lose()
        with store._connections.reading() as first:  # noqa: SLF001 - one is in use, so that another is opened
            assert first.execute("SELECT EXISTS (SELECT 1 FROM user)").fetchone() == (1,)
            with pytest.raises(StoreReplacedError):
                store.has_users()
        assert store.has_users()
    assert not path.with_name("library.sqlite-journal").exists()


@pytest.mark.parametrize(
    "loss", ["another store moved there", "another store copied over it", "the file removed"]
)
def test_closing_leaves_what_is_there_now_as_it_is(path: Path, other: Path, loss: str) -> None:
    store = SqliteStore(path)
    store.add_listens([LISTEN])
    LOSSES[loss](path, other)
    before = {one.name: one.read_bytes() for one in path.parent.iterdir() if one.name != INDEX}
    store.close()
    assert {one.name: one.read_bytes() for one in path.parent.iterdir() if one.name != INDEX} == before


def test_what_others_do_with_the_store_is_no_loss(path: Path, store: SqliteStore) -> None:
    with closing(SqliteStore(path)) as second, closing(sqlite3.connect(path)) as person:
        for number in range(30):
            writer = (store, second)[number % 2]
            assert writer.add_listens([one := make_listen(number, user_id="eve", at_ms=number)]) == (one,)
            if number % 3 == 0:
                person.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            if number % 10 == 0:
                person.execute("VACUUM")
    store.add_listens([LISTEN])


# At a start


@pytest.mark.usefixtures("store")
def test_a_journal_without_its_store_is_refused_and_kept(path: Path, tmp_path: Path) -> None:
    left = tmp_path / "left"
    left.mkdir()
    shutil.copy(path.with_name(JOURNAL), left)
    for empty in (False, True):
        if empty:
            (left / "library.sqlite").touch()
        before = (left / JOURNAL).read_bytes()
        with pytest.raises(
            StoreReplacedError, match=r"missing or empty, but its journal library.sqlite-wal is"
        ):
            SqliteStore(left / "library.sqlite")
        assert (left / JOURNAL).read_bytes() == before
    assert (left / "library.sqlite").read_bytes() == b""


def copy_of(path: Path, folder: Path) -> Path:
    """Copy a store as a crash would leave it."""
    folder.mkdir()
    for name in ("library.sqlite", JOURNAL):
        if path.with_name(name).exists():
            shutil.copy(path.with_name(name), folder)
    return folder / "library.sqlite"


def test_a_backup_beside_a_newer_journal_is_refused_until_that_is_away(
    path: Path, store: SqliteStore, tmp_path: Path
) -> None:
    backup = back_up(path, tmp_path / "backup")
    expected = checksums_of(store)
    store.add_listens([make_listen(number, user_id="eve", at_ms=number) for number in range(50)])
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store.add_listens([make_listen(99, user_id="eve", at_ms=99)])
    crashed = copy_of(path, tmp_path / "crashed")
    shutil.copyfile(backup, crashed)
    before = [crashed.read_bytes(), crashed.with_name(JOURNAL).read_bytes()]
    for _ in range(2):
        with pytest.raises(
            StoreReplacedError, match=r"sqlite-wal belongs to another file.*move .*-wal and .*-shm"
        ):
            SqliteStore(crashed)
    assert [crashed.read_bytes(), crashed.with_name(JOURNAL).read_bytes()] == before
    crashed.with_name(JOURNAL).unlink()
    with closing(SqliteStore(crashed)) as restored:
        assert checksums_of(restored) == expected


def test_a_backup_of_a_moment_ago_beside_the_journal_of_a_crash_is_refused(
    path: Path, recent_backup: Path, tmp_path: Path
) -> None:
    crashed = copy_of(path, tmp_path / "crashed")
    shutil.copyfile(recent_backup, crashed)
    before = [crashed.read_bytes(), crashed.with_name(JOURNAL).read_bytes()]
    with pytest.raises(StoreReplacedError, match="belongs to another file"):
        SqliteStore(crashed)
    assert [crashed.read_bytes(), crashed.with_name(JOURNAL).read_bytes()] == before


def test_a_store_that_a_person_has_vacuumed_opens_after_a_crash(
    path: Path, store: SqliteStore, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(path)) as person:
        for number, checkpoint in enumerate(("PASSIVE", "RESTART", "TRUNCATE", "PASSIVE")):
            add_many(store, first=1000 * number)
            person.execute("VACUUM")
            person.execute(f"PRAGMA wal_checkpoint({checkpoint})")
            for after in range(2):
                crashed = copy_of(path, tmp_path / f"crashed-{number}-{after}")
                expected = checksums_of(store)
                with closing(SqliteStore(crashed)) as opened:
                    assert checksums_of(opened) == expected
                store.add_listens([make_listen(999_000 + number, user_id="eve", at_ms=number)])


def test_an_older_journal_beside_a_newer_store_is_refused(
    path: Path, store: SqliteStore, tmp_path: Path
) -> None:
    store.add_listens([LISTEN])
    crashed = copy_of(path, tmp_path / "crashed")
    store.add_listens([make_listen(2, at_ms=2)])
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copyfile(path, crashed)
    with pytest.raises(StoreReplacedError, match="belongs to another file"):
        SqliteStore(crashed)


@pytest.mark.usefixtures("store")
def test_the_journal_of_another_library_is_refused(path: Path, other: Path, tmp_path: Path) -> None:
    crashed = copy_of(path, tmp_path / "crashed")
    shutil.copyfile(other, crashed)
    with pytest.raises(StoreReplacedError, match="belongs to another file"):
        SqliteStore(crashed)


def test_a_crash_at_any_time_leaves_a_store_that_opens(path: Path, tmp_path: Path) -> None:
    acknowledged: list[Listen] = []
    with closing(SqliteStore(path)) as store, closing(sqlite3.connect(path, isolation_level=None)) as other:
        for number in range(40):
            listen = make_listen(number, at_ms=number)
            acknowledged += store.add_listens([listen])
            if number % 4 == 1:
                other.execute(f"PRAGMA wal_checkpoint({('PASSIVE', 'RESTART', 'TRUNCATE')[number % 3]})")
            if number % 8 == 2:  # a reader lets only a part be moved
                with closing(sqlite3.connect(path, isolation_level=None)) as reader:
                    reader.execute("BEGIN")
                    reader.execute("SELECT count(*) FROM listen").fetchone()
                    acknowledged += store.add_listens([make_listen(1000 + number, at_ms=1000 + number)])
                    other.execute("PRAGMA wal_checkpoint(PASSIVE)")
            crashed = copy_of(path, tmp_path / f"crashed {number}")
            with closing(SqliteStore(crashed)) as opened:
                assert sorted(one.at_ms for one in opened.listens_of(ADA)) == sorted(
                    one.at_ms for one in acknowledged
                )


@pytest.mark.parametrize("share", [0.00001, 0.02, 0.5, 0.99])
def test_a_truncated_file_is_an_error_at_once(path: Path, store: SqliteStore, share: float) -> None:
    store.close()
    whole = path.read_bytes()
    path.write_bytes(whole[: max(1, int(len(whole) * share))])
    before = path.read_bytes()
    with pytest.raises(StoreError, match=r"library\.sqlite"):
        SqliteStore(path)
    assert path.read_bytes() == before
