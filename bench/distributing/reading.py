"""Write a store's snapshot, and print the time and memory of this process.

``python reading.py STORE FILE.parquet``
"""

import json
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from soundalike.app.backends import open_store
from soundalike.domain.features import FeatureSchema
from soundalike.learning.snapshots import ParquetSnapshots
from soundalike.services.learning.snapshots import LibrarySnapshots

WIDTH = 101
SCHEMA = FeatureSchema("bench", 1, tuple(f"f{i}" for i in range(WIDTH)), ("all",) * WIDTH)


@contextmanager
def no_workspace() -> Iterator[Path]:
    """Yield no folder: an export needs none."""
    yield Path()


def _read(place: str, file: str) -> None:
    with open_store(place) as store:
        library = LibrarySnapshots(store, ParquetSnapshots(), workspace=no_workspace)
        start = time.perf_counter()
        snapshot = library.export(file, [SCHEMA])
        seconds = time.perf_counter() - start
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"tracks": snapshot.track_count, "seconds": seconds, "peak_mib": peak_mib}))


if __name__ == "__main__":
    _read(*sys.argv[1:])
