"""The snapshot that training reads, from MongoDB beside SQLite: seconds, and memory of the whole process.

Run by itself, this reads one store: ``python snapshots.py STORE FILE.parquet``.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from soundalike.app.adapters import open_store
from soundalike.domain.copying import KeptTrack, KeptVectors
from soundalike.domain.features import FeatureSchema
from soundalike.domain.files import FileStamp, Location, Root
from soundalike.domain.tracks import Track
from soundalike.domain.types import AudioHash, DurationMs, RelativePath, RootName, TrackId
from soundalike.model.snapshot import ParquetSnapshots
from soundalike.services.snapshots import LibrarySnapshots

WIDTH = 101
MEMORY_MIB = 512
BATCH = 1_000
SCHEMA = FeatureSchema("bench", 1, tuple(f"f{i}" for i in range(WIDTH)), ("all",) * WIDTH)


def report(count: int, mongodb: str, folder: Path) -> None:
    """Fill both stores with the same tracks and print what reading them takes."""
    print(
        f"\n== snapshot of {count:,} tracks x {WIDTH} float32, and both halves; the bound is {MEMORY_MIB} MiB"
    )
    for name, place in (("SQLite", str(folder / "snapshots.sqlite")), ("MongoDB's protocol", mongodb)):
        start = time.perf_counter()
        fill(place, count)
        wrote_s = time.perf_counter() - start
        read = read_in_a_process(place, folder / "snapshot.parquet")
        print(
            f"  {name:20} written at {count / wrote_s:7,.0f} tracks/s; read in {read['seconds']:6.1f} s"
            f" ({count / read['seconds']:7,.0f} tracks/s) at {read['peak_mib']:4.0f} MiB"
        )
        if read["tracks"] != count or read["peak_mib"] > MEMORY_MIB:
            sys.exit(f"it read {read['tracks']:,} tracks at {read['peak_mib']:.0f} MiB")


def fill(place: str, count: int) -> None:
    """Keep as many made-up tracks."""
    rng = np.random.default_rng(0)
    with open_store(place) as store:
        store.save_root(Root(RootName("music"), Path("/music")))
        for first in range(0, count, BATCH):
            store.keep_tracks([kept(number, rng) for number in range(first, min(first + BATCH, count))])


def kept(number: int, rng: np.random.Generator) -> KeptTrack:
    """Make up a track: some 16 an artist, 12 an album."""
    whole, first, second = rng.normal(size=(3, WIDTH)).astype(np.float32)
    return KeptTrack(
        track=Track(
            id=TrackId(f"t{number:06d}"),
            location=Location(RootName("music"), RelativePath(b"%03d/%06d.mp3" % (number // 1000, number))),
            target=None,
            stamp=FileStamp(1_000_000, 1_700_000_000_000_000_000),
            audio_hash=AudioHash(f"{number:032x}"),
            title=f"Title {number}",
            artist=f"Artist {number // 16}",
            album=f"Album {number // 12}",
            genre=None,
            year=None,
            duration_ms=DurationMs(200_000),
            media_type="audio/mpeg",
            added_at=datetime(2026, 1, 1, tzinfo=UTC),
        ),
        vectors=(
            KeptVectors(
                feature_set=SCHEMA.name,
                version=SCHEMA.version,
                fingerprint=SCHEMA.fingerprint,
                whole=whole,
                first_half=first,
                second_half=second,
            ),
        ),
    )


def read_in_a_process(place: str, file: Path) -> dict[str, float]:
    """Write the snapshot in a process of its own, whose memory is told."""
    command = [sys.executable, __file__, place, str(file)]
    found = subprocess.run(command, check=True, stdout=subprocess.PIPE)  # noqa: S603 - this very file
    read: dict[str, float] = json.loads(found.stdout)
    return read


@contextmanager
def _no_workspace() -> Iterator[Path]:
    yield Path()


def _read(place: str, file: str) -> None:
    with open_store(place) as store:
        library = LibrarySnapshots(store, ParquetSnapshots(), schema=SCHEMA, workspace=_no_workspace)
        start = time.perf_counter()
        snapshot = library.export(file)
        seconds = time.perf_counter() - start
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"tracks": snapshot.track_count, "seconds": seconds, "peak_mib": peak_mib}))


if __name__ == "__main__":
    _read(*sys.argv[1:])
