"""Killed listeners and several at once: every listen that was acknowledged is there, once and whole."""

import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import numpy as np

from making import make_listen
from soundalike.domain.listens import Listen
from soundalike.domain.profiles import refold
from soundalike.domain.types import UserId
from soundalike.store.sqlite.store import SqliteStore
from store.asking import ADA

TESTS = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(TESTS)}
BATCH = 20

# Adds batches of listens from a number on, folds each, and says its number once it is stored.
LISTEN = """
import sys
from pathlib import Path
from making import make_listen
from soundalike.domain.profiles import fold, new_profile
from soundalike.store.sqlite.store import SqliteStore

path, user, start, stop, step, size = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])
store = SqliteStore(Path(path))
for number in range(start, stop, step):
    sent = [make_listen(n, user_id=user, track_id=f"t{n % 9}", at_ms=n) for n in range(number, number + size)]
    new = store.add_listens(sent)
    print(number, len(new), flush=True)
    while new:
        before = store.profile(user)
        profile = fold(before or new_profile(user), new).profile
        if store.save_profile(profile, replacing=before.version if before else None):
            break
store.close()
"""


def start_listener(path: Path, user: str, *numbers: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", LISTEN, str(path), user, *map(str, numbers)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT
    )


def listen_of(number: int) -> Listen:
    return make_listen(number, track_id=f"t{number % 9}", at_ms=number)


def assert_sound(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_killed_listener_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "library.sqlite"
    random = np.random.default_rng(0)
    acknowledged: set[int] = set()
    start = 0
    for _ in range(8):
        with start_listener(path, ADA, start, 10**9, BATCH, BATCH) as listener:
            assert listener.stdout is not None
            said = "".join(listener.stdout.readline() for _ in range(random.integers(1, 30)))
            time.sleep(random.uniform(0, 0.01))
            listener.kill()
            said += listener.stdout.read()
        for line in said[: said.rfind("\n") + 1].splitlines():
            first, new = map(int, line.split())
            assert new == BATCH
            acknowledged |= set(range(first, first + BATCH))
        with closing(SqliteStore(path)) as store:
            stored = list(store.listens_of(ADA))
            numbers = [listen.at_ms for listen in stored]
            assert acknowledged <= set(numbers)
            assert numbers == list(range(len(numbers)))
            assert len(numbers) % BATCH == 0
            assert stored == [listen_of(number) for number in numbers]
            # The profile is at most behind, and folding all that is stored makes it good.
            folded = store.profile_counts().get(ADA, 0)
            assert folded % BATCH == 0
            assert len(numbers) - BATCH <= folded <= len(numbers)
            whole = refold(ADA, stored)
            assert store.save_profile(whole, replacing=store.profile_version(ADA))
            assert store.profile(ADA) == whole
        start = len(numbers)
    assert len(acknowledged) > 8 * BATCH
    assert_sound(path)


def test_processes_that_send_the_same_at_once_count_it_once(tmp_path: Path) -> None:
    path = tmp_path / "library.sqlite"
    # Each sends all numbers up to 600, in batches that overlap with its own and the others'.
    listeners = [start_listener(path, ADA, shift, 600, 10, 15) for shift in (0, 0, 3, 7)]
    said = [listener.communicate() for listener in listeners]
    assert [errors for _, errors in said] == [""] * len(listeners)
    counts = [int(line.split()[1]) for output, _ in said for line in output.splitlines()]
    with closing(SqliteStore(path)) as store:
        stored = list(store.listens_of(UserId("ada")))
        assert stored == [listen_of(number) for number in range(len(stored))]
        assert len(stored) == sum(counts) > 600
        assert store.profile(ADA) == refold(ADA, stored)
    assert_sound(path)
