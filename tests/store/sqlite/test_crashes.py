"""Killed writers and several processes at once: nothing acknowledged is lost, nothing is half done."""

import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import numpy as np

from making import make_schema, make_track, make_vectors
from soundalike.store.sqlite.store import SqliteStore
from store.asking import assert_written_whole

TESTS = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(TESTS)}
SCHEMA = make_schema()

# Saves tracks, moves each fifth and marks each seventh vanished; says each id once it is done.
WRITE = """
import sys
from pathlib import Path
from making import file_of, make_track, make_vectors
from soundalike.store.sqlite.store import SqliteStore

path, name, most = sys.argv[1:]
store = SqliteStore(Path(path))
for number in range(int(most)):
    track = make_track(f"{name}-{number}", title=f"Title {number}")
    store.save_track(track, make_vectors(seed=number))
    if number % 5 == 0:
        moved = make_track(track.id, title=track.title, path=b"moved/" + file_of(track).location.path)
        store.save_track(moved, moved_from=file_of(track).location)
    if number % 7 == 0:
        store.mark_vanished([track.id], 0)
    print(track.id, flush=True)
store.close()
"""


def start_writer(path: Path, name: str, most: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITE, str(path), name, str(most)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT
    )


def assert_whole(path: Path, ids: list[str]) -> None:
    """Check that the file is sound and that everything said to be done is done."""
    with closing(SqliteStore(path)) as store:
        assert_written_whole(store, ids, SCHEMA)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


def test_a_killed_writer_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "library.sqlite"
    random = np.random.default_rng(0)
    acknowledged: list[str] = []
    for attempt in range(10):
        with start_writer(path, f"run{attempt}", 100_000) as writer:
            assert writer.stdout is not None
            acknowledged += [writer.stdout.readline().strip() for _ in range(random.integers(60))]
            time.sleep(random.uniform(0, 0.02))
            writer.kill()
            said = writer.stdout.read()
            acknowledged += said[: said.rfind("\n") + 1].split()
    assert len(acknowledged) > 100
    assert_whole(path, acknowledged)


def test_a_process_killed_while_creating_the_store_leaves_none_or_a_complete_one(tmp_path: Path) -> None:
    imported = "from soundalike.store.sqlite.store import SqliteStore as S"
    create = f"import sys; from pathlib import Path; {imported}; print()"
    for attempt in range(8):
        path = tmp_path / f"{attempt}.sqlite"
        command = [sys.executable, "-c", f"{create}; S(Path(sys.argv[1]))", str(path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as creator:
            assert creator.stdout is not None
            creator.stdout.readline()
            time.sleep(attempt * 0.002)
            creator.kill()
        with closing(SqliteStore(path)) as store:
            store.save_track(make_track("run-1"), make_vectors(seed=1))
        assert_whole(path, ["run-1"])


def test_processes_that_create_and_write_at_once_lose_nothing(tmp_path: Path) -> None:
    count = 4
    path = tmp_path / "library.sqlite"
    writers = [start_writer(path, f"writer{number}", 60) for number in range(count)]
    said = [writer.communicate() for writer in writers]
    assert [errors for _, errors in said] == [""] * count
    ids = [track_id for output, _ in said for track_id in output.split()]
    assert len(ids) == 60 * count
    assert_whole(path, ids)
