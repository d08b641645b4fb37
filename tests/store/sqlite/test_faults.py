import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest

from making import SOME_TIME, make_listen, make_track, make_vectors
from soundalike.domain.entries import EntryKind, Group
from soundalike.domain.errors import SchemaMismatchError, StoreBusyError, StoreError, StoreVersionError
from soundalike.domain.listens import Erasure
from soundalike.domain.profiles import refold
from soundalike.domain.tags import ExternalId, ExternalIdKind, Tags
from soundalike.domain.tracks import Sort
from soundalike.domain.types import RelativePath, RootName, UserId
from soundalike.domain.users import Credential, CredentialKind, User
from soundalike.store.sqlite.schema import APPLICATION_ID, MIGRATIONS
from soundalike.store.sqlite.store import SqliteStore

NOBODY = 65534
FMA = ExternalId(ExternalIdKind.FMA, "7")
ROOT, WHOLE, SORT = RootName("music"), RelativePath(b""), Sort()
TESTS = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(TESTS)}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "library.sqlite"


def fill(path: Path, count: int = 1) -> None:
    with closing(SqliteStore(path)) as store:
        for number in range(count):
            store.save_track(make_track(f"t{number}"), make_vectors())
        add_personal(store, count)


def pragma(path: Path, name: str) -> object:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(f"PRAGMA {name}").fetchone()[0]


def test_the_folder_is_made_and_the_file_marked_as_ours(tmp_path: Path) -> None:
    path = tmp_path / "new" / "data" / "library.sqlite"
    fill(path)
    assert pragma(path, "application_id") == APPLICATION_ID
    assert pragma(path, "user_version") == len(MIGRATIONS)
    assert pragma(path, "journal_mode") == "wal"


def test_a_path_that_is_not_utf_8_is_accepted(tmp_path: Path) -> None:
    fill(tmp_path / "caf\udce9?mode=memory#%20" / "library.sqlite")
    assert (tmp_path / "caf\udce9?mode=memory#%20" / "library.sqlite").stat().st_size > 0


def test_closing_leaves_one_file(path: Path) -> None:
    fill(path)
    assert [file.name for file in path.parent.iterdir()] == ["library.sqlite"]


def test_closing_twice_is_allowed_and_later_use_is_an_error(path: Path) -> None:
    store = SqliteStore(path)
    store.close()
    store.close()
    with pytest.raises(StoreError, match="closed"):
        store.count_tracks()


def test_an_empty_file_becomes_a_store(path: Path) -> None:
    path.touch()
    fill(path)
    assert pragma(path, "integrity_check") == "ok"


def test_another_programs_database_is_refused_untouched(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE secrets (a)")
    before = path.read_bytes()
    with pytest.raises(StoreVersionError, match=r"library\.sqlite.*another program"):
        SqliteStore(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"not a database, but rather long\n" * 1000, b"\xff" * 4096])
def test_a_file_that_is_not_a_database_is_reported(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"library\.sqlite.*move it away"):
        SqliteStore(path)
    assert path.read_bytes() == content


def test_a_damaged_store_is_reported(path: Path) -> None:
    fill(path, 200)
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\x5a" * (len(whole) - 4096))
    with pytest.raises(StoreError, match=r"library\.sqlite.*damaged"), closing(SqliteStore(path)) as store:
        use_all(store)


def test_a_flipped_byte_is_reported_or_does_not_matter(path: Path) -> None:
    fill(path, 40)
    whole = path.read_bytes()
    random = np.random.default_rng(0)
    reported = 0
    for _ in range(150):
        damaged = bytearray(whole)
        damaged[random.integers(100, len(whole))] ^= 1 << random.integers(8)
        path.write_bytes(damaged)
        try:
            with closing(SqliteStore(path)) as store:
                use_all(store)
        except StoreError:
            reported += 1
    assert reported > 0


def test_a_truncated_store_is_reported(path: Path) -> None:
    fill(path, 200)
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(StoreError, match=r"library\.sqlite.*damaged"), closing(SqliteStore(path)) as store:
        use_all(store)


def add_personal(store: SqliteStore, count: int) -> None:
    listens = [make_listen(number, user_id=f"user{number % 5}", at_ms=number) for number in range(count)]
    store.add_listens(listens)
    for user_id in store.listen_counts():
        store.save_profile(refold(user_id, store.listens_of(user_id)), replacing=None)
        user = User(id=user_id, name=user_id, password_hash="hash", created_at=SOME_TIME)  # noqa: S106 - no secret
        store.add_user(user)
        store.add_credential(
            Credential(
                kind=CredentialKind.TOKEN,
                id="k",
                user_id=user_id,
                label="",
                secret_hash=user_id,
                created_at=SOME_TIME,
            )
        )


def use_all(store: SqliteStore) -> None:
    list(store.tracks_under(ROOT, WHOLE))
    with suppress(SchemaMismatchError):  # a flipped fingerprint
        list(store.track_vectors(make_vectors().schema))
    store.find_tracks(["title"], sort=SORT, limit=100)
    store.save_track(make_track("new"))
    for user in store.users():
        store.credentials_of(user.id)
        store.profile(user.id)
        list(store.listens_of(user.id))
    store.profile_counts()
    store.erasures()
    store.add_listens([make_listen(9999)])
    store.erase_listens(Erasure(UserId("user0"), 5))
    store.remove_user(UserId("user1"))


def test_a_folder_instead_of_the_file_is_reported(path: Path) -> None:
    path.mkdir()
    with pytest.raises(StoreError, match=r"library\.sqlite.*--data"):
        SqliteStore(path)


def test_a_file_instead_of_the_folder_is_reported(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    with pytest.raises(StoreError, match=r"data.*--data"):
        SqliteStore(tmp_path / "data" / "library.sqlite")


@contextmanager
def as_nobody() -> Iterator[None]:
    """Drop root's rights over files, if we have them."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_read_only_folder_is_reported(shared: Path) -> None:
    shared.chmod(0o555)
    with as_nobody(), pytest.raises(StoreError, match=r"library\.sqlite.*permissions"):
        SqliteStore(shared / "library.sqlite")
    with as_nobody(), pytest.raises(StoreError, match=r"data.*Permission denied.*--data"):
        SqliteStore(shared / "data" / "library.sqlite")


def test_a_read_only_store_is_reported(shared: Path) -> None:
    path = shared / "library.sqlite"
    fill(path)
    for file_mode, folder_mode in ((0o444, 0o555), (0o000, 0o755), (0o444, 0o777)):
        path.chmod(file_mode)
        shared.chmod(folder_mode)
        with as_nobody(), pytest.raises(StoreError, match=r"library\.sqlite.*permissions"):
            fill(path)


FILL_UNTIL_FULL = """
import resource, signal, sys
from pathlib import Path
from making import make_track, make_vectors
from soundalike.domain.errors import StoreError
from soundalike.store.sqlite.store import SqliteStore
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = SqliteStore(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, 3_000_000))
saved = 0
try:
    for number in range(100_000):
        store.save_track(make_track(f"t{number}"), make_vectors())
        saved += 1
except StoreError as error:
    print(saved, store.count_tracks(), error)
"""


def test_a_full_disk_is_reported_and_loses_nothing(path: Path) -> None:
    output = subprocess.run(
        [sys.executable, "-c", FILL_UNTIL_FULL, path],
        capture_output=True,
        text=True,
        check=True,
        env=ENVIRONMENT,
    ).stdout
    saved, counted, message = output.split(" ", 2)
    assert int(saved) == int(counted) > 10
    assert "library.sqlite" in message
    assert "free" in message
    with closing(SqliteStore(path)) as store:
        assert store.count_tracks() == int(saved)
        store.save_track(make_track("after"))


def test_waiting_for_another_process_ends(path: Path) -> None:
    fill(path)
    with (
        closing(sqlite3.connect(path, isolation_level=None)) as other,
        closing(SqliteStore(path, busy_timeout_s=0.05)) as store,
    ):
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusyError, match=r"library\.sqlite.*0\.05 s"):
            store.save_track(make_track("t1"))
        assert store.count_tracks() == 1
        other.execute("ROLLBACK")
        store.save_track(make_track("t1"))
        assert store.count_tracks() == 2


def test_waiting_to_open_ends(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreBusyError, match=r"library\.sqlite"):
            SqliteStore(path, busy_timeout_s=0.05)


def test_a_failed_write_leaves_the_store_usable_by_every_thread(path: Path) -> None:
    with closing(SqliteStore(path)) as store:
        for _ in range(3):
            with pytest.raises(AttributeError):
                store.save_track(None)  # type: ignore[arg-type] # a bug of a caller
        thread = threading.Thread(target=store.save_track, args=(make_track(),))
        thread.start()
        thread.join()
        assert store.count_tracks() == 1


def test_a_track_whose_tags_are_damaged_can_be_saved_again(path: Path) -> None:
    track = make_track(tags=Tags(title="One", artists=("A",), external_ids=(FMA,)))
    with closing(SqliteStore(path)) as store:
        store.save_track(track)
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("UPDATE track SET tags = '['")
        with pytest.raises(StoreError, match="damaged"):
            store.track(track.id)
        saved = make_track(tags=Tags(title="One", artists=("B",)))
        store.save_track(saved)
        assert store.track(track.id) == saved
        assert store.tracks_with_ids([FMA]) == ()
        assert list(store.tracks_in(Group(EntryKind.ARTIST, "a"))) == []
        assert list(store.tracks_in(Group(EntryKind.ARTIST, "b"))) == [saved]
