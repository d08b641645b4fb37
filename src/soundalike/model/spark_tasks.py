"""What runs inside Spark's Python workers, on Arrow batches; NumPy alone does the work."""

from collections.abc import Callable, Iterator

import numpy as np
import pyarrow as pa

from soundalike.domain.similarity import SimilaritySpace
from soundalike.domain.types import FloatArray
from soundalike.model.exact import exact_neighbours
from soundalike.model.snapshot import VECTOR_COLUMNS
from soundalike.model.space import Scale, Sums

Batches = Iterator[pa.RecordBatch]
Task = Callable[[Batches], Batches]

SUMS_COLUMNS = "count long, total array<double>, products array<double>, differences array<double>"
PLACES_COLUMNS = "id string, place array<float>"
NEIGHBOURS_COLUMNS = "part long, rows array<int>, distances array<float>"


def matrix(column: pa.Array, width: int) -> FloatArray:
    """Turn a column of lists, each `width` long, into an array of shape (rows, width)."""
    return np.asarray(column.flatten(), dtype=np.float32).reshape(-1, width)


def sums_task(scale: Scale) -> Task:
    """Sum each batch of vectors; one row comes out of each."""
    width = len(scale.mean)

    def task(batches: Batches) -> Batches:
        for batch in batches:
            whole, first, second = (matrix(batch.column(name), width) for name in VECTOR_COLUMNS)
            sums = Sums.of(scale, (whole, first, second))
            columns = {
                "count": [sums.count],
                "total": [sums.total],
                "products": [sums.products.ravel()],
                "differences": [sums.differences.ravel()],
            }
            yield pa.RecordBatch.from_pydict(columns)

    return task


def read_sums(table: pa.Table) -> Sums:
    """Add up the rows of `sums_task`."""
    total: Sums | None = None
    for row in table.to_pylist():
        size = len(row["total"])
        sums = Sums(
            row["count"],
            np.array(row["total"]),
            np.array(row["products"]).reshape(size, size),
            np.array(row["differences"]).reshape(size, size),
        )
        total = sums if total is None else total + sums
    if total is None:
        msg = "the snapshot holds no rows"
        raise ValueError(msg)
    return total


def places_task(space: SimilaritySpace) -> Task:
    """Place each batch of (id, features) in a space."""
    width = len(space.mean)

    def task(batches: Batches) -> Batches:
        for batch in batches:
            places = space.place(matrix(batch.column("features"), width))
            yield pa.RecordBatch.from_pydict({"id": batch.column("id"), "place": list(places)})

    return task


def neighbours_task(read_coordinates: Callable[[], FloatArray], k: int, parts: int) -> Task:
    """Find the neighbours of the rows of each part, given by number, among all coordinates."""

    def task(batches: Batches) -> Batches:
        coordinates = read_coordinates()
        for batch in batches:
            for part in batch.column(0).to_pylist():
                found = exact_neighbours(coordinates, k, queries=rows_of(part, parts, len(coordinates)))
                columns = {
                    "part": [part],
                    "rows": [found.rows.ravel()],
                    "distances": [found.distances.ravel()],
                }
                yield pa.RecordBatch.from_pydict(columns)

    return task


def rows_of(part: int, parts: int, count: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return the row numbers of one of `parts` even shares."""
    return np.arange(part * count // parts, (part + 1) * count // parts)
