"""Erased bytes leave the files while the store stays open: file, journal, index, and a migration's backup."""

import random
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from filled_store import checksums_of, fill
from making import make_listen
from soundalike.domain.listens import Erasure
from soundalike.domain.profiles import refold
from soundalike.domain.types import UserId
from soundalike.store.sqlite.scrubbing import ACCOUNTS, LISTENERS
from soundalike.store.sqlite.store import SqliteStore
from store.contract_accounts import make_token, make_user

PATIENCE_S = 60.0
PAUSE_S = 0.01
NEVER_S = 3600.0

EVE = UserId("the-id-of-eve")
NAME, LABEL, HASH = "Evangeline", "a script of the kitchen", "$argon2id$v=19$of the first password"
LISTENS = [
    make_listen(0xE000 + number, user_id=EVE, track_id=f"the-tune-{number}", at_ms=number)
    for number in range(40)
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "library.sqlite"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    with closing(SqliteStore(path, scrubbing_pause_s=PAUSE_S)) as store:
        add_eve(store)
        yield store


def add_eve(store: SqliteStore) -> None:
    store.add_user(replace(make_user(NAME, user_id=EVE), password_hash=HASH))
    store.add_credential(replace(make_token(user_id=EVE), id="the-token", label=LABEL))
    store.add_listens(LISTENS)
    store.save_profile(refold(EVE, LISTENS), replacing=None)


def files_with(folder: Path, text: str) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if text.encode() in path.read_bytes())


def counted(folder: Path, text: str) -> int:
    return sum(path.read_bytes().count(text.encode()) for path in folder.iterdir())


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "the condition did not become true"
        time.sleep(0.005)


def wait_until_gone(folder: Path, *texts: str) -> None:
    wait_until(lambda: not any(files_with(folder, text) for text in texts))


def scrubbers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "scrubber"]


def erase_listens(store: SqliteStore) -> None:
    store.erase_listens(Erasure(EVE, 100, 1), is_total=True)


def remove_user(store: SqliteStore) -> None:
    assert store.remove_user(EVE)


def remove_token(store: SqliteStore) -> None:
    assert store.remove_credential(EVE, "the-token")


def change_password(store: SqliteStore) -> None:
    assert store.save_password(EVE, "$argon2id$v=19$of the second")


WAYS: dict[str, tuple[Callable[[SqliteStore], None], tuple[str, ...]]] = {
    "listens": (erase_listens, (LISTENS[0].id, LISTENS[39].id, "the-tune-7")),
    "account": (remove_user, (NAME, NAME.casefold(), HASH, LABEL, "the-token", f"1 of {EVE}")),
    "token": (remove_token, (LABEL, "the-token", f"1 of {EVE}")),
    "password": (change_password, (HASH,)),
}


@pytest.mark.parametrize("way", WAYS)
def test_what_is_erased_is_soon_in_no_file(path: Path, store: SqliteStore, way: str) -> None:
    erase, texts = WAYS[way]
    assert all(files_with(path.parent, text) for text in texts)
    erase(store)
    wait_until_gone(path.parent, *texts)
    assert store.user(EVE) is None or way != "account"


@pytest.mark.parametrize("way", ["listens", "account", "token"])
def test_an_erasure_deletes_the_backup_of_a_migration(path: Path, store: SqliteStore, way: str) -> None:
    backup = path.with_name("library.sqlite.backup-2")
    shutil.copy(path, backup)
    assert not store.remove_credential(EVE, "none")
    assert backup.exists()
    WAYS[way][0](store)
    assert not backup.exists()


@pytest.mark.usefixtures("store")
def test_every_table_with_something_of_a_user_is_scrubbed(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        tables = connection.execute(
            "SELECT tables.name FROM pragma_table_list AS tables"
            " JOIN pragma_table_info(tables.name) AS columns"
            " WHERE tables.type = 'table' AND (columns.name = 'user' OR tables.name = 'user')"
        ).fetchall()
    assert {name for (name,) in tables} == LISTENERS | ACCOUNTS


def test_of_a_user_only_the_id_of_the_erasure_is_left(path: Path, store: SqliteStore) -> None:
    erase_listens(store)
    remove_user(store)
    wait_until_gone(path.parent, NAME)
    assert counted(path.parent, EVE) == 1
    assert store.erased(EVE).generation == 1


# With most others, no copy happens to be left.
@pytest.mark.parametrize("seed", [9, 15])
def test_copies_in_the_gaps_of_pages_go_too(tmp_path: Path, seed: int) -> None:
    """Rows that move to another page leave copies behind, which deleting them does not find."""
    chance = random.Random(seed)  # noqa: S311 - a test's
    users = [UserId(f"{chance.getrandbits(64):016x}usr") for _ in range(12)]
    erased, kept = users[:4], users[4:]
    path = tmp_path / "library.sqlite"
    with closing(SqliteStore(path, scrubbing_pause_s=NEVER_S)) as store:
        for first in range(0, 1500, 50):
            store.add_listens(
                [
                    make_listen(
                        number,
                        user_id=chance.choice(users),
                        track_id=f"t{number % 50}",
                        at_ms=chance.randrange(10**9),
                    )
                    for number in range(first, first + 50)
                ]
            )
        for user in users:
            store.save_profile(refold(user, list(store.listens_of(user))), replacing=None)
        ids = [listen.id for user in erased for listen in store.listens_of(user)]
        expected = {user: list(store.listens_of(user)) for user in kept}
        for user in erased:
            store.erase_listens(Erasure(user, 10**9, 1), is_total=True)
    content = path.read_bytes()
    assert [one for one in ids if one.encode() in content] == []
    assert {user: content.count(user.encode()) for user in erased} == dict.fromkeys(erased, 1)
    with closing(SqliteStore(path)) as store:
        assert {user: list(store.listens_of(user)) for user in kept} == expected


def test_what_stays_is_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "library.sqlite"
    with closing(SqliteStore(path, scrubbing_pause_s=PAUSE_S)) as store:
        fill(store)
        expected = checksums_of(store)
        add_eve(store)
        erase_listens(store)
        remove_user(store)
        wait_until_gone(path.parent, NAME, LISTENS[0].id)
        found = checksums_of(store)
    assert found.pop("erasures")[0] == expected.pop("erasures")[0] + 1
    assert found == expected
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_an_erasure_waits_for_no_reader_and_its_bytes_go_when_the_reader_does(
    path: Path, store: SqliteStore
) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM listen").fetchone() == (40,)
        erase_listens(store)
        assert list(store.listens_of(EVE)) == []
        store.add_listens([make_listen(99, user_id="bob")])
        assert files_with(path.parent, LISTENS[0].id) != []
        assert reader.execute("SELECT count(*) FROM listen").fetchone() == (40,)
    wait_until_gone(path.parent, LISTENS[0].id)
    assert store.count_listens(UserId("bob")) == 1


def test_its_bytes_go_when_another_process_has_written(path: Path, store: SqliteStore) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        remove_token(store)
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("DELETE FROM listen WHERE id = ?", (LISTENS[0].id,))
        writer.execute("COMMIT")
    wait_until_gone(path.parent, LABEL)


def test_the_thread_ends_when_it_is_done(path: Path, store: SqliteStore) -> None:
    for _ in range(3):
        erase_listens(store)
        wait_until(lambda: not scrubbers())
        assert files_with(path.parent, LISTENS[0].id) == []
        add = [replace(one, generation=store.erased(EVE).generation) for one in LISTENS]
        assert len(store.add_listens(add)) in {0, 40}


def test_closing_ends_the_thread_with_a_last_attempt(path: Path) -> None:
    with closing(SqliteStore(path)) as other:  # the journal stays, since another process has the store open
        store = SqliteStore(path, scrubbing_pause_s=NEVER_S)
        add_eve(store)
        erase_listens(store)
        remove_user(store)
        store.close()
        assert scrubbers() == []
        assert [files_with(path.parent, text) for text in (NAME, LABEL, LISTENS[0].id)] == [[], [], []]
        assert not other.has_users()


def test_what_a_process_could_not_scrub_is_said_and_done_at_the_next_start(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        store = SqliteStore(path, scrubbing_pause_s=NEVER_S)
        add_eve(store)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM listen").fetchone()
        remove_user(store)
        store.close()
        (record,) = caplog.records
        assert "what was erased may still be in the files" in record.getMessage()
        assert files_with(path.parent, NAME) != []
        with closing(SqliteStore(path, scrubbing_pause_s=PAUSE_S)):
            reader.execute("ROLLBACK")
            wait_until_gone(path.parent, NAME, LABEL)


def test_what_a_killed_process_erased_goes_at_the_next_start(path: Path, tmp_path: Path) -> None:
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    with closing(SqliteStore(path, scrubbing_pause_s=NEVER_S)) as store:
        add_eve(store)
        erase_listens(store)
        remove_user(store)
        for suffix in ("", "-wal"):
            shutil.copy(f"{path}{suffix}", crashed)
    assert files_with(crashed, NAME) != []
    with closing(SqliteStore(crashed / path.name, scrubbing_pause_s=PAUSE_S)) as store:
        wait_until_gone(crashed, NAME, LABEL, LISTENS[0].id)
        assert store.users() == ()
    with closing(SqliteStore(crashed / path.name, scrubbing_pause_s=PAUSE_S)):
        assert scrubbers() == [], "nothing is left to do"


@pytest.mark.parametrize("is_first_killed", [False, True])
def test_of_two_processes_that_erase_neither_forgets_the_other(path: Path, *, is_first_killed: bool) -> None:
    with closing(SqliteStore(path, scrubbing_pause_s=NEVER_S)) as first:
        add_eve(first)
        remove_token(first)
        with closing(SqliteStore(path, scrubbing_pause_s=PAUSE_S)) as second:
            erase_listens(second)
            wait_until_gone(path.parent, LISTENS[0].id, LABEL)
            if not is_first_killed:
                remove_user(first)
        if not is_first_killed:
            first.close()
            assert files_with(path.parent, NAME) == []
