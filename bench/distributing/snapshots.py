"""The snapshot that training reads, from MongoDB and from SQLite: seconds, and memory of the process."""

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from distributing import reading
from distributing.reading import SCHEMA, WIDTH
from soundalike.app.backends import open_store
from soundalike.domain.features import FeatureVectors, whole_and_halves
from soundalike.domain.files import Root
from soundalike.domain.stored_vectors import StoredVectors
from soundalike.domain.types import RootName, TrackId
from spread import ROUNDS, ratio, spread
from synthetic import made_track

MEMORY_MIB = 512
BATCH = 1_000


def report(count: int, mongodb: str, folder: Path) -> None:
    """Fill both stores with the same tracks, and print the time and memory of reading them."""
    print(
        f"\n== snapshot of {count:,} tracks x {WIDTH} float32, and both halves, {ROUNDS} rounds;"
        f" the bound is {MEMORY_MIB} MiB"
    )
    places = {"SQLite": str(folder / "snapshots.sqlite"), "MongoDB's protocol": mongodb}
    wrote = {name: timed_fill(place, count) for name, place in places.items()}
    reads = {name: list[dict[str, float]]() for name in places}
    for _ in range(ROUNDS):
        for name, place in places.items():
            reads[name].append(read_in_a_process(place, folder / "snapshot.parquet"))
    seconds = {name: [read["seconds"] for read in found] for name, found in reads.items()}
    for name, found in reads.items():
        peak_mib = max(read["peak_mib"] for read in found)
        print(
            f"  {name:19} written at {count / wrote[name]:6,.0f} tracks/s; read in"
            f" {spread(seconds[name], '.1f')} s, {ratio(seconds[name], seconds['SQLite'])} times SQLite,"
            f" at {peak_mib:.0f} MiB at most"
        )
        if any(read["tracks"] != count for read in found) or peak_mib > MEMORY_MIB:
            sys.exit("not every track was read, or the process used too much memory")


def timed_fill(place: str, count: int) -> float:
    """Fill a store; return the seconds."""
    start = time.perf_counter()
    fill(place, count)
    return time.perf_counter() - start


def fill(place: str, count: int) -> None:
    """Store `count` synthetic tracks."""
    rng = np.random.default_rng(0)
    with open_store(place) as store:
        store.save_root(Root(RootName("music"), Path("/music")))
        for first in range(0, count, BATCH):
            numbers = range(first, min(first + BATCH, count))
            store.save_stored_tracks([made_track(number, track_id(number)) for number in numbers])
            store.save_stored_vectors([vectors(number, rng) for number in numbers])


def track_id(number: int) -> TrackId:
    """Return the id of a synthetic track."""
    return TrackId(f"t{number:06d}")


def vectors(number: int, rng: np.random.Generator) -> StoredVectors:
    """Make the vectors of a synthetic track."""
    values = rng.normal(size=(3, WIDTH)).astype(np.float32)
    return StoredVectors.of(track_id(number), FeatureVectors(SCHEMA, whole_and_halves(0, 30_000), values))


def read_in_a_process(place: str, file: Path) -> dict[str, float]:
    """Write the snapshot in a new process, which reports its memory."""
    command = [sys.executable, reading.__file__, place, str(file)]
    found = subprocess.run(command, check=True, stdout=subprocess.PIPE)  # noqa: S603 - a script of ours
    read: dict[str, float] = json.loads(found.stdout)
    return read
