"""A store of version 2 is backed up and migrated whole, and the program of then writes nothing into it."""

import logging
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from fakes import MemoryStore
from making import make_listen
from soundalike.audio.features.timbre import Timbre
from soundalike.domain.catalogue import own_entry
from soundalike.domain.entries import EntrySort
from soundalike.domain.errors import StoreError, StoreUnfitError
from soundalike.domain.files import FileStamp
from soundalike.domain.library_mark import LibraryMark, library_id_of_before
from soundalike.domain.listens import Erasure
from soundalike.domain.times import to_ms
from soundalike.domain.types import TrackId, UserId
from soundalike.store.sqlite import migration
from soundalike.store.sqlite.connections import Connections
from soundalike.store.sqlite.schema import MIGRATIONS
from soundalike.store.sqlite.store import SqliteStore
from store.asking import ADA
from store.contract_settling import settle_all
from store.sqlite.version_2 import READS, WRITES, add_listens

TESTS = Path(__file__).parents[2]
FIXTURE = TESTS / "compatibility" / "version-1" / "library.sqlite"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(TESTS)}

SCHEMA = Timbre().schema

Answers = dict[str, list[tuple[object, ...]]]

MIGRATE = """
import sys
from pathlib import Path
from soundalike.store.sqlite.store import SqliteStore

SqliteStore(Path(sys.argv[1])).close()
"""

# Migrates a store in processes that are killed, the last two in its backup, the others in its statements.
MIGRATE_AND_DIE = """
import os, signal, sys
from pathlib import Path
from soundalike.store.sqlite import backup, migration
from soundalike.store.sqlite.store import SqliteStore

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

*before, last = migration.MIGRATIONS
for attempt in range(10):
    if (child := os.fork()) == 0:
        if attempt < 8:
            place = attempt * len(last) // 7
            migration.MIGRATIONS = (*before, (*last[:place], die, *last[place:]))
        elif attempt == 8:
            backup._flush = die
        else:
            backup._log.warning = die
        SqliteStore(Path(sys.argv[1]))
        os._exit(0)
    print(os.waitpid(child, 0)[1])
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a store that the program of version 2 has filled."""
    return Path(shutil.copy(FIXTURE, tmp_path / "library.sqlite"))


@pytest.fixture
def backup(path: Path) -> Path:
    return path.with_name("library.sqlite.backup-2")


def read(path: Path) -> Answers:
    """Return what the program of version 2 reads."""
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        return {sql: connection.execute(sql, values).fetchall() for sql, values in READS}


def version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def migrate(path: Path) -> None:
    SqliteStore(path).close()


def names(path: Path) -> list[str]:
    return sorted(found.name for found in path.parent.iterdir())


def test_the_program_of_version_2_reads_the_same_from_a_migrated_store(path: Path) -> None:
    before = read(path)
    assert all(before.values())
    migrate(path)
    assert version(path) == len(MIGRATIONS)
    assert read(path) == before


@pytest.mark.parametrize(("sql", "values"), WRITES)
def test_the_program_of_version_2_writes_nothing_into_a_migrated_store(
    path: Path, sql: str, values: tuple[object, ...]
) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(sql, values).fetchall()
        assert connection.total_changes, "it was one of its writes"
    migrate(path)
    before = read(path)
    connections = Connections(path, busy_timeout_s=1)
    with pytest.raises(StoreError) as refused, connections.writing() as connection:
        connection.execute(sql, values).fetchall()
    connections.close()
    # Any other kind would not be answered as 503 by `StoredLog`, or make browsers give up.
    assert type(refused.value) is StoreError
    assert read(path) == before


def test_of_a_batch_with_an_erased_listen_the_program_of_version_2_takes_none(path: Path) -> None:
    listens = [(user, 1, f"new of {user}", "t000", "liked", None) for user in ("ada", "bob")]
    with closing(sqlite3.connect(path)) as connection:
        assert add_listens(connection, listens) == 1, "bob's is erased"
    migrate(path)
    connections = Connections(path, busy_timeout_s=1)
    # One that passed would show the consumer that the store works, and the others would be dead letters.
    for listen in listens:
        with pytest.raises(StoreError) as refused, connections.writing() as connection:
            add_listens(connection, [listen])
        assert type(refused.value) is StoreError
    connections.close()


def test_a_store_that_holds_something_gets_an_id_that_stays(path: Path) -> None:
    with closing(SqliteStore(path)) as store:
        mark = store.library_mark()
    assert mark == LibraryMark(library_id_of_before("t000"))
    with closing(SqliteStore(path)) as store:
        assert store.library_mark() == mark
        _, changed = store.changed_since(0)
    assert len(changed) == len(read(path)["SELECT n FROM tracks ORDER BY CAST(id AS BLOB)"])


def test_a_migrated_store_lists_artists_albums_and_genres_at_once(path: Path) -> None:
    expected = MemoryStore()
    with closing(SqliteStore(path)) as store:
        for one in store.stored_tracks():
            expected.save_track(replace(one, entry=own_entry(one.tags)))
        settle_all(expected)
        assert store.unsettled(10) == {}
        assert list(store.stored_tracks()) == list(expected.stored_tracks())
        for page in ("find_artists", "find_albums", "find_genres"):
            found, wanted = (getattr(one, page)(sort=EntrySort(), limit=100) for one in (store, expected))
            assert found == wanted
            assert found.total > 0


def test_a_track_has_the_form_of_version_3(path: Path) -> None:
    # A later version that changes the form has to bring its own statements, not change those of this step.
    migrate(path)
    entry = {
        "artist_ids", "album_id", "album_artist_id", "genre_ids", "is_compilation", "recording",
        "is_preferred", "preferred_for", "title_key", "artist_key", "album_key", "year",
    }  # fmt: skip
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        row = dict(connection.execute("SELECT * FROM track WHERE id = 't001'").fetchone())
        feature = connection.execute("SELECT * FROM feature WHERE track = ?", (row["n"],)).fetchone()
    assert {name: value for name, value in row.items() if name not in {*entry, "change"}} == {
        "n": 2, "id": "t001", "root": "disk", "path": b"a/\xff1.mp3", "part": "", "target": None,
        "size_bytes": 1000, "mtime_ns": "1700000000123456789", "tags_stamp": "",
        "audio_hash": "hash of t001", "media_type": "audio/mpeg",
        "title": "Ünïcode \udcff 1".encode(errors="surrogatepass"),
        "tags": (
            r'{"album":"Album 1","artists":["Artist 0"],"genres":["Genre 1"],'
            r'"title":"\u00dcn\u00efcode \udcff 1","year":1961}'
        ),
        "imported": None, "tags_version": 0, "duration_ms": 30_000, "added_ms": 1_767_323_045_678,
        "vanished_ms": None, "has_file": 1,
    }  # fmt: skip
    assert row.keys() > entry
    patches = '{"roles":["whole","half","half"],"starts_ms":[0,0,15000],"lengths_ms":[30000,15000,15000]}'
    assert {name: feature[name] for name in ("dtype", "patches")} == {"dtype": "float32", "patches": patches}
    assert len(feature["vectors"]) == 3 * 4 * feature["width"]


def test_a_damaged_track_is_named_and_migrated_without_what_is_damaged(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sound = Path(shutil.copy(path, path.with_name("sound")))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE tracks SET mtime_ns = 'yesterday' WHERE id = 't000'")
        connection.execute(
            "UPDATE tracks SET title = CAST(x'FF' AS TEXT), year = 'soon', added_ms = 1e300 WHERE id = 't001'"
        )
        connection.execute("UPDATE tracks SET path = 'text' WHERE id = 't002'")
    ids = [TrackId(f"t00{number}") for number in range(4)]
    with closing(SqliteStore(sound)) as store:
        first, second, third, fourth = (store.tracks(ids)[one] for one in ids)
        vectors = store.vectors_of(ids[0], SCHEMA)
    with closing(SqliteStore(path)) as store:
        found = store.tracks(ids)
        kept = store.vectors_of(ids[0], SCHEMA)
    assert kept is not None
    assert vectors is not None
    assert kept.values.tobytes() == vectors.values.tobytes()
    assert [one for one in ids if f"track {one} is damaged" in caplog.text] == ids[:3]
    assert first.file is not None
    # With another size than its file's, the next scan reads it again.
    assert found[ids[0]] == replace(first, file=replace(first.file, stamp=FileStamp(0, 0)))
    mended = found[ids[1]]
    assert (mended.title, mended.artist, mended.album) == ("t001", second.artist, second.album)
    assert (mended.year, to_ms(mended.added_at), mended.vanished_at) == (None, 0, None)
    assert (found[ids[2]].file, found[ids[2]].title) == (None, third.title)
    assert found[ids[3]] == fourth


def test_the_earliest_account_becomes_the_admin(path: Path) -> None:
    migrate(path)
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT is_admin FROM user ORDER BY created_ms, id").fetchall()
    assert rows == [(1,), *[(0,)] * (len(rows) - 1)]


def test_the_backup_is_the_store_before_with_what_its_journal_had(
    path: Path, backup: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(sqlite3.connect(path)) as running:
        running.execute("PRAGMA journal_mode = WAL")
        running.execute("PRAGMA wal_autocheckpoint = 0")
        running.execute("INSERT INTO roots VALUES ('late', x'2F')")
        running.commit()
        before = read(path)
        with caplog.at_level(logging.WARNING):
            migrate(path)
    assert [record.getMessage() for record in caplog.records] == [
        (
            f"the store is being migrated from version 2; its backup is {backup}, "
            "which any erasure of a user's data deletes"
        )
    ]
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    alone = Path(shutil.move(backup, path.parent / "alone"))
    assert version(alone) == 2
    assert read(alone) == before


def test_what_may_only_be_read_is_not_backed_up(path: Path) -> None:
    reading = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, isolation_level=None)
    with closing(reading), pytest.raises(sqlite3.OperationalError, match="readonly"):
        migration.migrate(reading, path)
    assert names(path) == ["library.sqlite"]
    assert version(path) == 2


def test_one_backup_is_kept_and_what_a_killed_process_left_goes(path: Path, backup: Path) -> None:
    for name in ("backup-1", "backup-1.unfinished", "backup-2.unfinished"):
        path.with_name(f"{path.name}.{name}").write_text("old")
    others = [path.with_name(name) for name in ("library.sqlite.backup-20261130", "library.sqlite2.backup-1")]
    for other in others:
        other.write_text("a person's, another store's")
    migrate(path)
    assert names(path) == ["library.sqlite", backup.name, *(other.name for other in others)]


def test_a_new_store_needs_no_backup(tmp_path: Path) -> None:
    (tmp_path / "library.sqlite").touch()
    migrate(tmp_path / "library.sqlite")
    assert names(tmp_path / "library.sqlite") == ["library.sqlite"]


def test_without_space_for_the_backup_nothing_is_changed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = read(path)
    with monkeypatch.context() as patched:
        patched.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1_900_000))
        patched.setattr("soundalike.store.sqlite.backup._SPACE", 100)
        megabytes = path.stat().st_size * 100 / 1e6
        with pytest.raises(StoreUnfitError, match=rf"needs {megabytes:,.1f} MB.*only 1\.9 MB are free"):
            migrate(path)
    assert names(path) == ["library.sqlite"]
    assert version(path) == 2
    assert read(path) == before
    migrate(path)


def test_a_backup_that_cannot_be_written_is_an_error(path: Path, backup: Path) -> None:
    backup.mkdir()
    with pytest.raises(StoreError, match=r"backup-2.*before it is migrated: Is a directory"):
        migrate(path)
    assert version(path) == 2


def test_an_erasure_deletes_the_backup_once(path: Path, backup: Path) -> None:
    with closing(SqliteStore(path)) as store:
        store.add_listens([make_listen(at_ms=2)])
        assert backup.exists()
        store.erase_listens(Erasure(ADA, 1))
    assert names(path) == ["library.sqlite"]


def test_an_account_that_is_removed_is_in_no_backup(path: Path, backup: Path) -> None:
    with closing(SqliteStore(path)) as store:
        assert backup.exists()
        store.remove_user(UserId(store.users()[0].id))
        assert not backup.exists()


def test_an_erasure_whose_backup_cannot_be_deleted_fails_and_can_be_repeated(
    path: Path, backup: Path
) -> None:
    with closing(SqliteStore(path)) as store:
        listen = make_listen(at_ms=2)
        store.add_listens([listen])
        backup.rename(path.with_name("aside"))
        backup.mkdir()
        with pytest.raises(StoreError, match=r"backup-2 yourself"):
            store.erase_listens(Erasure(ADA, 3))
        assert list(store.listens_of(ADA)) == [listen]
        backup.rmdir()
        store.erase_listens(Erasure(ADA, 3))
        assert list(store.listens_of(ADA)) == []


def test_a_migration_that_is_killed_ten_times_loses_nothing(path: Path, backup: Path) -> None:
    before = read(path)
    killed = subprocess.run(
        [sys.executable, "-c", MIGRATE_AND_DIE, str(path)],
        capture_output=True, text=True, env=ENVIRONMENT, check=True,
    )  # fmt: skip
    assert killed.stdout.split() == ["9"] * 10
    assert version(path) == version(backup) == 2
    assert read(path) == read(backup) == before
    migrate(path)
    assert read(path) == before


def test_of_processes_that_open_an_old_store_at_once_one_migrates_it(path: Path, backup: Path) -> None:
    before = read(path)
    opening = (
        "import sys; from pathlib import Path; from soundalike.store.sqlite.store import SqliteStore as S"
    )
    command = [sys.executable, "-c", f"{opening}; S(Path(sys.argv[1])).close()", str(path)]
    openers = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    said = [opener.communicate()[1] for opener in openers]
    assert [opener.returncode for opener in openers] == [0, 0, 0]
    assert "".join(said).count(str(backup)) == 1
    assert read(path) == read(backup) == before
