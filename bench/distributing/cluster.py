"""Learning on a Spark cluster of two workers, for each way of reading the library, and on one machine."""

import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import numpy as np

from distributing.reading import SCHEMA, no_workspace
from distributing.snapshots import fill
from servers.spark import SparkCluster, connector_jars
from soundalike.app.backends import mongodb_source, open_store
from soundalike.domain.ports.learning import SimilarityEngine
from soundalike.domain.similarity.recipe import Ingredient, Recipe
from soundalike.domain.similarity.space import Neighbours
from soundalike.domain.snapshot import Snapshot
from soundalike.learning.numpy_engine import LocalEngine
from soundalike.learning.snapshots import ParquetSnapshots
from soundalike.learning.spark.engine import SparkEngine
from soundalike.services.learning.snapshots import LibrarySnapshots
from soundalike.settings import load_settings
from spread import ROUNDS, ratio

TRACKS = 20_000
K = 50
NEAR = 1e-5
RECIPE = Recipe((Ingredient(feature_set=SCHEMA.name),))


def report(cluster: SparkCluster, mongodb: str, folder: Path, *, count: int = TRACKS) -> None:
    """Print the seconds of each step for each engine, and check that all results are the same."""
    print(f"\n== learning from {count:,} tracks, fit and {K} neighbours each; {ROUNDS} rounds in one session")
    fill(mongodb, count)
    snapshot = taken(mongodb, folder)
    source = mongodb_source(load_settings({"store": mongodb, "data": folder}, {}))
    shared = folder / "shared"
    shared.mkdir()
    spark = partial(SparkEngine, master=cluster.url, properties={"spark.jars": connector_jars()})
    engines: Mapping[str, Callable[[], SimilarityEngine]] = {
        "NumPy, one process": lambda: LocalEngine(ParquetSnapshots()),
        "Spark, local[2]": lambda: SparkEngine(master="local[2]"),
        "cluster, sent by the driver": spark,
        "cluster, shared folder": partial(spark, snapshots_url=shared.as_uri()),
        "cluster, MongoDB's protocol": partial(spark, source=source),
    }
    print("  seconds; the first fit includes starting the session and reading")
    print(f"  {'':28}{'first fit':>11}{'fit':>7}{'neighbours':>12}   times NumPy")
    expected: Neighbours | None = None
    baselines: list[float] = []
    for name, make in engines.items():
        with closing(make()) as engine:
            first_s, fits, finds, found = timed(engine, snapshot)
        both = [fit_s + find_s for fit_s, find_s in zip(fits, finds, strict=True)]
        baselines = baselines or both
        print(
            f"  {name:28}{first_s:11.1f}{statistics.median(fits):7.2f}{statistics.median(finds):12.1f}"
            f"   {ratio(both, baselines)}",
            flush=True,
        )
        expected = expected or found
        if not np.allclose(found.distances, expected.distances, atol=NEAR):
            sys.exit(f"{name} found other neighbours than NumPy")
    print(f"  all distances within {NEAR:g} of NumPy's")


def timed(engine: SimilarityEngine, snapshot: Snapshot) -> tuple[float, list[float], list[float], Neighbours]:
    """Return the seconds of the first fit, of later fits and of searches, and the neighbours found."""
    with clock() as first:
        space = engine.fit(RECIPE, snapshot)
    fits, finds = [], []
    for _ in range(ROUNDS):
        with clock() as fit:
            space = engine.fit(RECIPE, snapshot)
        with clock() as find:
            found = engine.neighbours(space, snapshot, k=K)
        fits.append(fit())
        finds.append(find())
    return first(), fits, finds, found


@contextmanager
def clock() -> Iterator[Callable[[], float]]:
    """Yield a function that returns the seconds of the block after its end."""
    start = time.perf_counter()
    end: list[float] = []
    yield lambda: end[0] - start
    end.append(time.perf_counter())


def taken(store: str, folder: Path) -> Snapshot:
    """Write the driver's snapshot of a store."""
    with open_store(store) as opened:
        library = LibrarySnapshots(opened, ParquetSnapshots(), workspace=no_workspace)
        return library.export(str(folder / "cluster.parquet"), [SCHEMA])
