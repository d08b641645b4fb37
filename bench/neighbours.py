"""Find the neighbours of everything: processor time of both engines beside that of the products alone.

The libraries are made, of the Free Music Archive's size where nothing else is said. Every figure has its
baseline in the same run: the float32 products of all rows with all, and nothing else.

    python bench/neighbours.py [all|engines|lsh|growth|placing ...] [--tracks N] [--write]

With --write the figures go to docs/performance.md.
"""

import argparse
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np

from finding import made, placing
from finding.costs import Cost, cost_of, products
from page import machine, write_section
from soundalike.domain.counts import counted
from soundalike.domain.similarity import cells
from soundalike.domain.similarity.cells import MOST_EXACT
from soundalike.domain.similarity.distances import row_distances
from soundalike.domain.similarity.evaluation import recall_at_k
from soundalike.domain.similarity.lsh import RECALL_AT, lsh_grid
from soundalike.domain.similarity.orders import MutualProximity
from soundalike.domain.similarity.space import Neighbours
from soundalike.domain.types import FloatArray
from soundalike.learning.numpy_engine import LocalEngine
from soundalike.learning.snapshots import ParquetSnapshots
from soundalike.learning.spark.engine import SparkEngine
from spread import ROUNDS, ratio, spread

TRACKS, K = 106_574, 50
LSH_TRACKS, LSH_TABLES = 8_000, 4
GROWTH, PREDICTED, EXECUTORS = (10_000, 25_000, 50_000, 100_000), (1_000_000, 10_000_000), (1, 2, 8, 32)
CHECKED = 200
COPIES = {"NumPy": 1, "Spark": 4}
HEADINGS = {
    "engines": "Neighbours of everything",
    "lsh": "MLlib's approxSimilarityJoin beside it",
    "growth": "How neighbours of everything grow",
    "placing": "Placing a handful of tracks",
}
PARTS = tuple(HEADINGS)

Engine = LocalEngine | SparkEngine


def main() -> None:
    """Print and, if asked, write the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", choices=("all", *PARTS), default="all")
    parser.add_argument("--tracks", type=int, default=TRACKS, help="number of tracks")
    parser.add_argument("--write", action="store_true", help="write the figures to docs/performance.md")
    given = parser.parse_args()
    parts = PARTS if "all" in given.parts else [part for part in PARTS if part in given.parts]
    with tempfile.TemporaryDirectory(prefix="soundalike-bench-") as name:
        for part in parts:
            lines = [f"{machine()}. CPU is that of all threads and processes."]
            for line in MEASURED[part](given.tracks, Path(name)):
                print(line, flush=True)
                lines.append(line)
            if given.write:
                write_section(f"neighbours {part}", HEADINGS[part], "\n".join(lines))


def engines(tracks: int, folder: Path) -> Iterator[str]:
    """Compare both engines with the products, in few and many dimensions and in the corrected order."""
    yield f"\n{K} neighbours of {tracks:,} tracks; {ROUNDS} rounds, medians and ranges.\n"
    yield "| dimensions, order | engine | CPU s | of the products | times | wall s | MB | recall |"
    yield "|---|---|---|---|---|---|---|---|"
    with both() as each:
        for width, order in ((44, ""), (96, ""), (96, "corrected"), (44, "approximate")):
            coordinates = made.points(tracks, width)
            correction = made.spread_of(coordinates) if order == "corrected" else None
            find = finder(coordinates, folder / f"{width}.parquet", correction)
            floors: list[float] = []
            costs: dict[str, list[Cost[Neighbours]]] = {name: [] for name in each}
            cells.MOST_EXACT = 0 if order == "approximate" else MOST_EXACT
            for _ in range(ROUNDS):
                floors.append(products(coordinates))
                for name, engine in each.items():
                    costs[name].append(find(engine))
            cells.MOST_EXACT = MOST_EXACT
            for name, found in costs.items():
                cpu = [one.cpu_s for one in found]
                yield (
                    f"| {', '.join(filter(None, (str(width), order)))} | {name} |"
                    f" {spread(cpu, '.1f')} | {spread(floors, '.1f')} |"
                    f" {ratio(cpu, floors)} | {spread([one.wall_s for one in found], '.1f')} |"
                    f" {max(one.peak_mb for one in found) - COPIES[name] * coordinates.nbytes / 1e6:.0f} |"
                    f" {recall(coordinates, found[-1].value, correction):.5f} |"
                )
    yield (
        f"\nRecall is that of {CHECKED} rows whose distances to all others were sorted. MB is what was used"
        " at most beside what was there before and the input, which NumPy has once, Spark's driver, JVM and"
        " two workers each; later rows use again what earlier ones left. Spark's session had been started."
        f" *Approximate* is what is used beyond {MOST_EXACT:,} tracks; building it is in its figures."
    )


def finder(
    coordinates: FloatArray, file: Path, correction: FloatArray | None = None
) -> Callable[[Engine], Cost[Neighbours]]:
    """Return what has an engine find all neighbours, and measures it."""
    snapshot = made.snapshot_of(coordinates, file)
    space = made.space_of(coordinates.shape[1])

    def find(engine: Engine) -> Cost[Neighbours]:
        return cost_of(lambda: engine.neighbours(space, snapshot, k=K, spread=correction))

    return find


def recall(coordinates: FloatArray, found: Neighbours, correction: FloatArray | None) -> float:
    """Return the share of the nearest that were found, of some rows."""
    rows = np.random.default_rng(1).choice(len(coordinates), CHECKED, replace=False)
    everyone = np.arange(len(coordinates))
    true = np.empty((CHECKED, K), dtype=np.int32)
    for number, row in enumerate(rows):
        away = row_distances(coordinates, coordinates[row])
        if correction is not None:
            away = MutualProximity(correction).distances(away, np.full(len(everyone), row), everyone)
        away[row] = np.inf
        true[number] = np.argsort(away, kind="stable")[:K]
    return recall_at_k(found.rows[rows], true)


def lsh(_tracks: int, folder: Path) -> Iterator[str]:
    """Compare the exact search with MLlib's join."""
    coordinates = made.points(LSH_TRACKS, 44)
    find = finder(coordinates, folder / "lsh.parquet")
    yield f"\n{K} neighbours of {LSH_TRACKS:,} tracks, 44 dimensions.\n"
    yield "| method | CPU s | wall s | recall at 10 |"
    yield "|---|---|---|---|"
    with both() as each:
        for name, engine in each.items():
            exact = find(engine)
            yield f"| exact, {name} | {exact.cpu_s:.1f} | {exact.wall_s:.1f} | 1 |"
        (parameters,) = lsh_grid(exact.value, 44, bucket_lengths=(1.0,), tables=(LSH_TABLES,))
        space, snapshot = made.space_of(44), made.snapshot_of(coordinates, folder / "joined.parquet")
        joined = cost_of(lambda: each["Spark"].lsh_neighbours(space, snapshot, k=K, parameters=parameters))
        share = recall_at_k(joined.value.rows[:, :RECALL_AT], exact.value.rows[:, :RECALL_AT])
        yield f"| LSH, {LSH_TABLES} tables | {joined.cpu_s:.1f} | {joined.wall_s:.1f} | {share:.3f} |"


def growth(_tracks: int, folder: Path) -> Iterator[str]:
    """Show how the cost grows, and predict it for more tracks and executors."""
    yield f"\n{K} neighbours, 44 dimensions.\n"
    yield "| tracks | NumPy, CPU s | NumPy, wall s | Spark, CPU s | Spark, wall s |"
    yield "|---|---|---|---|---|"
    costs: dict[str, list[Cost[Neighbours]]] = {}
    with both() as each:
        for count in GROWTH:
            find = finder(made.points(count, 44), folder / f"{count}.parquet")
            found = {name: find(engine) for name, engine in each.items()}
            for name, cost in found.items():
                costs.setdefault(name, []).append(cost)
            figures = " | ".join(f"{one.cpu_s:.1f} | {one.wall_s:.1f}" for one in found.values())
            yield f"| {count:,} | {figures} |"
    fits = {name: fitted(GROWTH, [one.cpu_s for one in found]) for name, found in costs.items()}
    yield (
        "\nPredicted, not measured: exact search, CPU = a n + b n², fitted to the rows above; the n² is"
        " divided among executors of one core like this machine's, the rest is not.\n"
    )
    yield (
        "| tracks | NumPy, CPU s | Spark, CPU s | "
        + " | ".join(f"{counted(n, 'executor')}, s" for n in EXECUTORS)
        + " |"
    )
    yield "|---|---|---|" + "---|" * len(EXECUTORS)
    for count in PREDICTED:
        totals = [linear * count + square * count**2 for linear, square in fits.values()]
        linear, square = fits["Spark"]
        walls = [linear * count + square * count**2 / number for number in EXECUTORS]
        yield f"| {count:,} | " + " | ".join(f"{value:,.0f}" for value in (*totals, *walls)) + " |"


def fitted(counts: Sequence[int], seconds: Sequence[float]) -> tuple[float, float]:
    """Fit a n + b n² with the least relative errors; neither may be below 0."""
    number, taken = np.array(counts, dtype=float), np.array(seconds)
    terms = np.stack([number, number**2], axis=1) / taken[:, None]
    (linear, square), *_ = np.linalg.lstsq(terms, np.ones(len(number)), rcond=None)
    if linear < 0:
        return 0.0, float(np.mean(taken / number**2))
    return float(linear), float(square)


def place(tracks: int, folder: Path) -> Iterator[str]:
    """Time the placing of a handful of tracks."""
    yield ""
    yield from placing.report(made.points(tracks, 44), folder)


@contextmanager
def both() -> Iterator[dict[str, Engine]]:
    """Yield both engines; Spark has two cores, and its session is started."""
    with closing(SparkEngine(master="local[2]")) as spark, tempfile.TemporaryDirectory() as folder:
        finder(made.points(500, 44), Path(folder) / "small.parquet")(spark)
        yield {"NumPy": LocalEngine(ParquetSnapshots()), "Spark": spark}


MEASURED: dict[str, Callable[[int, Path], Iterator[str]]] = {
    "engines": engines,
    "lsh": lsh,
    "growth": growth,
    "placing": place,
}

if __name__ == "__main__":
    main()
