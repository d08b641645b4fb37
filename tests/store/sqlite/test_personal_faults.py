"""Listens, profiles and accounts where a row is damaged, the disk is full or the store is in use."""

import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from making import make_listen
from soundalike.domain.errors import StoreBusyError, StoreError
from soundalike.domain.listens import Erasure
from soundalike.domain.profiles import LATENESS_MS, refold
from soundalike.services.listeners.profiles import Profiles
from soundalike.store.sqlite.connections import Connections
from soundalike.store.sqlite.store import SqliteStore
from store.asking import ADA, BOB
from store.contract_accounts import make_token, make_user
from store.contract_profiles import has_none, has_profile

TESTS = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(TESTS)}
LISTENS = [make_listen(number, track_id=f"t{number % 2}", at_ms=number) for number in range(3)]
BOBS = [make_listen(number, user_id=BOB, at_ms=number) for number in range(3)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "library.sqlite"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    """Return a store with listens and a profile of two users."""
    with closing(SqliteStore(path)) as store:
        store.add_listens(LISTENS + BOBS)
        store.save_profile(refold(ADA, LISTENS), replacing=None)
        store.save_profile(refold(BOB, BOBS), replacing=None)
        yield store


def damage(path: Path, sql: str, *values: object) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        assert connection.execute(sql, values).rowcount == 1


def stored_body(path: Path) -> bytes:
    with closing(sqlite3.connect(path)) as connection:
        body = connection.execute("SELECT body FROM profile WHERE user = ?", (ADA,)).fetchone()[0]
    assert isinstance(body, bytes)
    return body


def damaged_bodies(body: bytes) -> list[Any]:
    return [
        b"",
        body[:-1],
        b"[]",
        b"{}",
        b"null",
        b"7",
        body.replace(b'"fold":', b'"gold":'),
        body.replace(b'"fold":2', b'"fold":1'),
        body.replace(b'"ada"', b'"bob"'),
        body.replace(b'"finished"', b'"unheard"'),
        body.replace(b'"t0"', b'"t3"'),
        body.replace(b"tracks", b"tr\xffcks"),
        body.replace(b'"tracks":{}', b'"tracks":[]'),
        "text",
        5,
        0.5,
    ]


@pytest.mark.parametrize("number", range(16))
def test_a_damaged_profile_is_removed_and_folded_again(path: Path, store: SqliteStore, number: int) -> None:
    body = stored_body(path)
    bodies = damaged_bodies(body)
    assert len(bodies) == 16
    assert bodies[number] != body
    damage(path, "UPDATE profile SET body = ? WHERE user = ?", bodies[number], ADA)
    assert store.profile(ADA) is None
    assert has_none(store, ADA)
    assert has_profile(store, refold(BOB, BOBS))
    assert Profiles(store, lateness_ms=LATENESS_MS).of(ADA) == refold(ADA, LISTENS)
    assert has_profile(store, refold(ADA, LISTENS))


@pytest.mark.parametrize("number", range(16))
def test_a_damaged_profile_does_not_prevent_listening(path: Path, store: SqliteStore, number: int) -> None:
    bodies = damaged_bodies(stored_body(path))
    damage(path, "UPDATE profile SET body = ? WHERE user = ?", bodies[number], ADA)
    another = make_listen(9, at_ms=9)
    profiles = Profiles(store, lateness_ms=LATENESS_MS)
    profiles.fold(store.add_listens([another]))
    assert profiles.of(ADA) == refold(ADA, [*LISTENS, another])


@pytest.mark.parametrize("count", [b"\xff", "three", 2.5, -1])
def test_a_damaged_count_is_repaired_at_the_next_start(path: Path, store: SqliteStore, count: object) -> None:
    damage(path, "UPDATE profile SET count = ? WHERE user = ?", count, ADA)
    Profiles(store, lateness_ms=LATENESS_MS).catch_up()
    assert store.profile_counts() == {ADA: 3, BOB: 3}


def test_a_profile_that_was_repaired_meanwhile_is_left(
    path: Path, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    repaired = refold(ADA, [*LISTENS, make_listen(9, at_ms=9)])
    version = store.profile_version(ADA)
    damage(path, "UPDATE profile SET body = '' WHERE user = ?", ADA)
    writing = Connections.writing

    def writing_late(connections: Connections, *, is_durable: bool = False) -> Any:
        monkeypatch.undo()
        with closing(SqliteStore(path)) as other:
            assert other.save_profile(repaired, replacing=version)
        return writing(connections, is_durable=is_durable)

    monkeypatch.setattr(Connections, "writing", writing_late)
    assert store.profile(ADA) is None
    assert has_profile(store, repaired)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("kind", "loved"),
        ("kind", b"\xff"),
        ("at_ms", "today"),
        ("position_ms", "middle"),
        ("track", b"\xff"),
    ],
)
def test_a_damaged_listen_is_reported_and_does_not_affect_others(
    path: Path, store: SqliteStore, column: str, value: object
) -> None:
    change = f"UPDATE listen SET {column} = ? WHERE user = ? AND at_ms = 1"  # noqa: S608 - named above
    damage(path, change, value, ADA)
    with pytest.raises(StoreError, match="damaged"):
        list(store.listens_of(ADA))
    assert list(store.listens_of(BOB)) == BOBS


def test_a_damaged_account_is_reported(path: Path, store: SqliteStore) -> None:
    store.add_user(make_user("Ada"))
    store.add_credential(make_token())
    damage(path, "UPDATE user SET created_ms = 'never'")
    damage(path, "UPDATE credential SET created_ms = x'00'")
    for ask in (lambda: store.user(ADA), store.users, lambda: store.credentials_of(ADA)):
        with pytest.raises(StoreError, match="damaged"):
            ask()


def test_nothing_is_written_while_another_process_locks_the_store(path: Path, store: SqliteStore) -> None:
    listen, profile = make_listen(9, at_ms=9), refold(ADA, LISTENS[:1])
    with (
        closing(sqlite3.connect(path, isolation_level=None)) as other,
        closing(SqliteStore(path, busy_timeout_s=0.05)) as waiting,
    ):
        other.execute("BEGIN IMMEDIATE")
        for write in (
            lambda: waiting.add_listens([listen]),
            lambda: waiting.erase_listens(Erasure(ADA, 0)),
            lambda: waiting.save_profile(profile, replacing=waiting.profile_version(ADA)),
            lambda: waiting.add_user(make_user()),
        ):
            with pytest.raises(StoreBusyError, match=r"library\.sqlite.*0\.05 s"):
                write()
        assert list(waiting.listens_of(ADA)) == LISTENS
        assert not waiting.has_users()
        other.execute("ROLLBACK")
        assert waiting.add_listens([listen]) == (listen,)
    assert has_profile(store, refold(ADA, LISTENS))


def test_waiting_for_another_thread_ends(path: Path) -> None:
    connections = Connections(path, busy_timeout_s=0.05)
    blocking, done = threading.Event(), threading.Event()

    def block() -> None:
        with connections.writing():
            blocking.set()
            done.wait()

    blocker = threading.Thread(target=block)
    blocker.start()
    blocking.wait()
    with pytest.raises(StoreBusyError, match=r"library\.sqlite.*0\.05 s"), connections.writing():
        pass
    with connections.reading() as connection:
        assert connection.execute("SELECT count(*) FROM listen").fetchone() == (0,)
    done.set()
    blocker.join()
    with connections.writing() as connection:
        assert connection.execute("DELETE FROM listen").rowcount == 0
    connections.close()


ADD_UNTIL_FULL = """
import resource, signal, sys
from pathlib import Path
from making import make_listen
from soundalike.domain.errors import StoreError
from soundalike.store.sqlite.store import SqliteStore
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = SqliteStore(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
added = 0
try:
    for number in range(0, 1_000_000, 50):
        added += len(store.add_listens([make_listen(number + n, at_ms=number + n) for n in range(50)]))
except StoreError as error:
    print(added, len(list(store.listens_of("ada"))), error)
"""


def test_a_full_disk_is_reported_and_loses_no_listen(path: Path) -> None:
    output = subprocess.run(
        [sys.executable, "-c", ADD_UNTIL_FULL, path],
        capture_output=True,
        text=True,
        check=True,
        env=ENVIRONMENT,
    ).stdout
    added, counted, message = output.split(" ", 2)
    assert int(added) == int(counted) > 100
    assert "library.sqlite" in message
    with closing(SqliteStore(path)) as store:
        assert store.count_listens(ADA) == int(added)
        store.add_listens([make_listen(10**9)])


def test_only_listens_and_erasures_wait_for_the_disk(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    statements: list[str] = []

    class Traced(sqlite3.Connection):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.set_trace_callback(statements.append)

    monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=Traced))
    listen = make_listen()
    profile = refold(ADA, [listen])
    erasure = Erasure(ADA, 0)
    with closing(SqliteStore(path)) as store:
        for write, level in (
            (lambda: store.add_listens([listen]), "FULL"),
            (lambda: store.save_profile(profile, replacing=None), "NORMAL"),
            (lambda: store.erase_listens(erasure), "FULL"),
            (lambda: store.add_user(make_user()), "NORMAL"),
        ):
            statements.clear()
            write()
            levels = [one.rpartition(" ")[2] for one in statements if one.startswith("PRAGMA synchronous")]
            assert levels[-1] == level
            assert statements.index("BEGIN IMMEDIATE") > statements.index(f"PRAGMA synchronous = {level}")


def test_erased_data_leaves_the_file(path: Path) -> None:
    secret = "a-track-that-nobody-shall-know-of"  # noqa: S105 - a track's id
    listens = [make_listen(number, track_id=f"{secret} {number % 7}", at_ms=number) for number in range(300)]
    with closing(SqliteStore(path)) as store:
        store.add_listens(listens)
        store.save_profile(refold(ADA, listens), replacing=None)
    assert secret.encode() in path.read_bytes()
    with closing(SqliteStore(path)) as store:
        store.erase_listens(Erasure(ADA, 299))
    assert secret.encode() not in path.read_bytes()
