"""Stores of older versions open with all their data, newer ones are refused."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from making import SOME_TIME, file_of, make_listen, make_location, make_schema, make_track, make_vectors
from soundalike.domain.catalogue import own_entry
from soundalike.domain.errors import StoreError, StoreVersionError
from soundalike.domain.files import FileProblem, ProblemReason, Root
from soundalike.domain.tracks import Sort, Track
from soundalike.domain.types import RelativePath, TrackId, UserId
from soundalike.store.sqlite import migration as sqlite_migration
from soundalike.store.sqlite.schema import MIGRATIONS
from soundalike.store.sqlite.store import SqliteStore
from store.asking import MUSIC, same_vectors, search

VERSION_1 = Path(__file__).with_name("version_1.sql")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "library.sqlite"


@pytest.fixture
def old_path(path: Path) -> Path:
    """Return a store that was written before there were listens."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(VERSION_1.read_text(encoding="utf-8"))
    return path


def fill(path: Path) -> None:
    with closing(SqliteStore(path)) as store:
        store.save_track(make_track("t0"), make_vectors())


def pragma(path: Path, name: str) -> object:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(f"PRAGMA {name}").fetchone()[0]


def as_migrated(track: Track) -> Track:
    """Return a track whose tags are to be read again, with the entry that its old ones give it."""
    file = replace(file_of(track), tags_stamp="")
    return replace(track, file=file, tags_version=0, entry=own_entry(track.tags))


def tables(path: Path) -> set[tuple[str, str, str]]:
    """Return type, name and making of every table and index."""
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT type, name, sql FROM sqlite_master").fetchall()
    return {(kind, name, " ".join((sql or "").split())) for kind, name, sql in rows}


def test_a_store_of_version_1_opens_with_all_its_data(old_path: Path) -> None:
    gone = make_track("t2", title="Gone \ud800", album=None, vanished_at=SOME_TIME)
    for _ in range(2):
        with closing(SqliteStore(old_path)) as store:
            assert store.roots() == (Root(MUSIC, Path("/music")),)
            there = make_track("t1", title="Größe", artist=None, year=1999)
            assert store.track(TrackId("t1")) == as_migrated(there)
            assert store.track(TrackId("t2")) == as_migrated(gone)
            assert search(store, "grosse") == search(store, "") == ["t1"]
            vectors = store.vectors_of(TrackId("t1"), make_schema())
            assert same_vectors(vectors, make_vectors(seed=1))
            problem = FileProblem(location=make_location(b"bad.mp3"), reason=ProblemReason.EMPTY)
            assert list(store.problems_under(MUSIC, RelativePath(b""))) == [problem]
        assert pragma(old_path, "user_version") == len(MIGRATIONS)
        assert pragma(old_path, "integrity_check") == "ok"


def test_a_migrated_store_stores_listens_and_accounts(old_path: Path) -> None:
    with closing(SqliteStore(old_path)) as store:
        assert not store.has_users()
        assert store.listen_counts() == store.profile_counts() == {}
        assert store.add_listens([make_listen()]) == (make_listen(),)
    with closing(SqliteStore(old_path)) as store:
        assert list(store.listens_of(UserId("ada"))) == [make_listen()]


def test_a_migrated_store_equals_a_new_one(old_path: Path, tmp_path: Path) -> None:
    new_path = tmp_path / "new.sqlite"
    SqliteStore(old_path).close()
    SqliteStore(new_path).close()
    assert tables(old_path) == tables(new_path)


def test_a_newer_store_is_refused_untouched(path: Path) -> None:
    fill(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreVersionError, match=rf"library\.sqlite.*99.*{len(MIGRATIONS)}"):
        SqliteStore(path)
    assert pragma(path, "user_version") == 99


def test_an_older_store_is_migrated_with_all_its_data(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(path)
    steps = (
        *MIGRATIONS,
        ("ALTER TABLE track ADD COLUMN mood TEXT", "CREATE INDEX by_mood ON track (mood)"),
    )
    monkeypatch.setattr(sqlite_migration, "MIGRATIONS", steps)
    with closing(SqliteStore(path)) as store:
        assert store.track(TrackId("t0")) == make_track("t0")
    assert pragma(path, "user_version") == len(MIGRATIONS) + 1


def test_a_migration_that_fails_changes_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(path)
    monkeypatch.setattr(sqlite_migration, "MIGRATIONS", (*MIGRATIONS, ("DROP TABLE word", "nonsense")))
    with pytest.raises(StoreError, match="syntax"):
        SqliteStore(path)
    monkeypatch.undo()
    with closing(SqliteStore(path)) as store:
        assert store.find_tracks(["title"], sort=Sort(), limit=5).total == 1
