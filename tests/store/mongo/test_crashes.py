"""Killed servers, killed writers and several at once: nothing acknowledged is lost, half done or twice."""

import os
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pymongo import MongoClient

from making import file_of, make_listen, make_location, make_schema, make_track, make_vectors
from servers.mongodb import MongoDb
from soundalike.domain.errors import StoreError
from soundalike.domain.listens import Erased, Erasure, Listen
from soundalike.domain.profiles import refold
from soundalike.store.mongo.store import MongoStore
from store.asking import ADA, assert_written_whole, in_threads

pytestmark = pytest.mark.mongodb

TESTS = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(TESTS)}
SCHEMA = make_schema()
BATCH = 20
PATIENCE_S = 120.0  # generous: what is asked is that it ends

# Saves tracks, moves each fifth and marks each seventh vanished; says each id once it is done.
WRITE = """
import sys
from making import file_of, make_track, make_vectors
from soundalike.store.mongo.store import MongoStore

url, name, most = sys.argv[1:]
store = MongoStore(url)
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

# Adds batches of listens from a number on, and says the number of each once it is stored. A batch that was
# not acknowledged is sent again until it is, as an outbox does.
LISTEN = """
import sys
from making import make_listen
from soundalike.domain.errors import StoreError
from soundalike.store.mongo.store import MongoStore

url, user, start, stop, step, size = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])
store = MongoStore(url, timeout_s=2)
for number in range(start, stop, step):
    sent = [make_listen(n, user_id=user, track_id=f"t{n % 9}", at_ms=n) for n in range(number, number + size)]
    while True:
        try:
            new = store.add_listens(sent)
            print(number, len(new), flush=True)
            break
        except StoreError as error:
            print(error, file=sys.stderr)
store.close()
"""

# Claims locations one after another, for tracks of its own; says who got each.
CLAIM = """
import sys
from making import make_track
from soundalike.domain.errors import TrackConflictError
from soundalike.store.mongo.store import MongoStore

url, name, most = sys.argv[1:]
store = MongoStore(url)
print("ready", flush=True)
sys.stdin.readline()
for number in range(int(most)):
    try:
        store.save_track(make_track(f"{name}-{number}", path=b"%d" % number))
        print("saved", flush=True)
    except TrackConflictError:
        print("refused", flush=True)
store.close()
"""


def start(program: str, *arguments: object) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=ENVIRONMENT)


def listen_of(number: int) -> Listen:
    return make_listen(number, track_id=f"t{number % 9}", at_ms=number)


def assert_sound(url: str) -> None:
    """Check that each track has the one location that says so, and that search knows those that are there."""
    with MongoClient[dict[str, Any]](url) as client:
        database = client.get_default_database()
        tracks = list(database["track"].find())
        hashes = {one["_id"]: one["audio_hash"] for one in tracks}
        for one in database["feature"].find():
            assert one["audio_hash"] == hashes[one["track"]]
        claimed = {document["_id"]: document["track"] for document in database["location"].find()}
        assert claimed == {f"{one['root']}\0\0{one['path']}": one["_id"] for one in tracks}
        assert len(claimed) == len(tracks)
        for one in tracks:
            assert bool(one["words"]) == one["is_there"] == (one["vanished_ms"] is None)


def assert_whole(url: str, ids: list[str]) -> None:
    """Check that everything said to be done is done, and nothing is half done."""
    with closing(MongoStore(url)) as store:
        assert_written_whole(store, ids, SCHEMA)
    assert_sound(url)


@pytest.mark.faults
def test_a_killed_writer_loses_nothing_that_was_acknowledged(server: MongoDb) -> None:
    # What it had begun stays open on the server, and would keep a shared one from dropping the database.
    url = f"{server.address}/music"
    random = np.random.default_rng(0)
    acknowledged: list[str] = []
    for attempt in range(5):
        with start(WRITE, url, f"run{attempt}", 100_000) as writer:
            assert writer.stdout is not None
            acknowledged += [writer.stdout.readline().strip() for _ in range(random.integers(10, 40))]
            time.sleep(random.uniform(0, 0.05))
            writer.kill()
            said = writer.stdout.read()
            acknowledged += said[: said.rfind("\n") + 1].split()
    assert len(acknowledged) > 50
    assert_whole(url, acknowledged)


def test_processes_that_create_and_write_at_once_lose_nothing(url: str) -> None:
    writers = [start(WRITE, url, f"writer{number}", 30) for number in range(3)]
    said = [writer.communicate() for writer in writers]
    assert [errors for _, errors in said] == [""] * 3
    ids = [track_id for output, _ in said for track_id in output.split()]
    assert len(ids) == 90
    assert_whole(url, ids)


def test_one_of_several_racing_processes_gets_a_location(url: str) -> None:
    most = 60
    racers = [start(CLAIM, url, name, most) for name in "abc"]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    said = [racer.communicate("go\n") for racer in racers]
    assert [errors for _, errors in said] == [""] * 3
    outcomes = [output.split() for output, _ in said]
    for of_each in zip(*outcomes, strict=True):
        assert sorted(of_each) == ["refused", "refused", "saved"]
    with closing(MongoStore(url)) as store:
        assert store.count_tracks() == most
        for number in range(most):
            track = store.track_at(make_location(b"%d" % number))
            assert track is not None
            assert outcomes["abc".index(track.id[0])][number] == "saved"
    assert_sound(url)


def test_processes_that_send_the_same_at_once_count_it_once(url: str) -> None:
    # Each sends all numbers up to 200, in batches that overlap with its own and the others'.
    listeners = [start(LISTEN, url, ADA, shift, 200, 10, 15) for shift in (0, 0, 3)]
    said = [listener.communicate() for listener in listeners]
    assert [errors for _, errors in said] == [""] * len(listeners)
    counts = [int(line.split()[1]) for output, _ in said for line in output.splitlines()]
    with closing(MongoStore(url)) as store:
        stored = list(store.listens_of(ADA))
    assert stored == [listen_of(number) for number in range(len(stored))]
    assert len(stored) == sum(counts) > 200


@pytest.mark.faults
def test_a_server_killed_in_the_middle_of_batches_loses_and_doubles_nothing(server: MongoDb) -> None:
    url = f"{server.address}/music"
    random = np.random.default_rng(0)
    said = ""
    with start(LISTEN, url, ADA, 0, 10**9, BATCH, BATCH) as listener:
        assert listener.stdout is not None
        for _ in range(3):
            said += "".join(listener.stdout.readline() for _ in range(random.integers(5, 15)))
            time.sleep(random.uniform(0, 0.05))
            server.kill()
            time.sleep(random.uniform(0, 3))
            server.start()
        said += "".join(listener.stdout.readline() for _ in range(5))
        listener.kill()
        said += listener.stdout.read()
    numbers = [tuple(map(int, line.split())) for line in said[: said.rfind("\n") + 1].splitlines()]
    acknowledged = len(numbers) * BATCH
    assert [first for first, _ in numbers] == list(range(0, acknowledged, BATCH))
    with closing(MongoStore(url)) as store:
        stored = list(store.listens_of(ADA))
        assert stored == [listen_of(number) for number in range(len(stored))]
        assert acknowledged <= len(stored) <= acknowledged + BATCH
        # What is sent once more is known, and the fold of all that is stored is what was heard.
        assert store.add_listens(stored) == ()
        assert store.listen_counts() == {ADA: len(stored)}
        assert refold(ADA, store.listens_of(ADA)).taste.count == len(stored)


@pytest.mark.faults
def test_a_server_killed_while_tracks_are_saved_has_each_completely_or_not_at_all(server: MongoDb) -> None:
    url = f"{server.address}/music"
    acknowledged: list[str] = []
    many, back = threading.Event(), threading.Event()

    def save(_thread: int) -> None:
        with closing(MongoStore(url, timeout_s=3)) as store:
            for number in range(100_000):
                track = make_track(f"run-{number}", title=f"Title {number}")
                try:
                    store.save_track(track, make_vectors(seed=number))
                    if number % 5 == 0:
                        moved = make_track(
                            track.id, title=track.title, path=b"moved/" + file_of(track).location.path
                        )
                        store.save_track(moved, moved_from=file_of(track).location)
                    if number % 7 == 0:
                        store.mark_vanished([track.id], 0)
                except StoreError:
                    continue
                acknowledged.append(track.id)
                if len(acknowledged) == 25:
                    many.set()
                if back.is_set():
                    return

    writer = threading.Thread(target=in_threads, args=(1, save))
    writer.start()
    assert many.wait(PATIENCE_S)
    server.kill()
    time.sleep(1)
    server.start()
    back.set()
    writer.join(PATIENCE_S)
    assert not writer.is_alive()
    assert len(acknowledged) > 25
    assert_whole(url, acknowledged)


def test_no_erased_listen_is_left_however_fast_it_is_added(url: str) -> None:
    count = 30
    with closing(MongoStore(url)) as store:

        def add_or_erase(thread: int) -> None:
            for number in range(count):
                if thread == 0:
                    store.erase_listens(Erasure(ADA, number, number // 3 + 1 if number % 3 == 0 else None))
                else:
                    store.add_listens(
                        [make_listen(1000 * thread + number + n, at_ms=number + n) for n in range(5)]
                    )

        in_threads(4, add_or_erase)
        store.erase_listens(Erasure(ADA, count // 2))
        erased = store.erased(ADA)
        assert erased == Erased(until_ms=count - 1, generation=count // 3, dated_ms=count - 1)
        seen = list(store.listens_of(ADA))
        assert not any(erased.hides(listen) for listen in seen)
    with MongoClient[dict[str, Any]](url) as client:
        assert client.get_default_database()["listen"].count_documents({}) == len(seen)
