"""What runs in Spark's Python workers, on Arrow batches, with NumPy."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyspark import SparkFiles

import soundalike
from soundalike.domain.errors import EngineError
from soundalike.domain.features import FeatureSchema, FeatureVectors, Patch, PatchRole
from soundalike.domain.similarity.cells import NeighbourSearch
from soundalike.domain.similarity.recipe import Columns
from soundalike.domain.similarity.space import SimilaritySpace
from soundalike.domain.similarity.statistics import Scale, Sums
from soundalike.domain.types import FloatArray
from soundalike.learning.snapshots import (
    FEATURES,
    PARTS,
    ROWS_PER_GROUP,
    VECTOR_COLUMNS,
    matrix,
    parts_of_set,
)

Value = TypeVar("Value")
Batches = Iterator[pa.RecordBatch]
Task = Callable[[Batches], Batches]

SET_COLUMNS = "id string, features array<float>, parts array<float>"
ROWS_COLUMNS = "id string, features array<float>, parts array<array<float>>"
SUMS_COLUMNS = "count long, total array<double>, products array<double>, scatter array<double>, freedom long"
TRANSFORM_COLUMNS = "id string, place array<float>"
COORDINATES_COLUMNS = "row int, place array<float>"
NEIGHBOURS_COLUMNS = "share long, rows array<int>, distances array<float>"

_DIGEST_BYTES = 16


@dataclass(frozen=True, slots=True)
class BroadcastReader(Generic[Value]):
    """Reads in a worker what the driver has broadcast."""

    broadcast: Any

    def __call__(self) -> Value:
        """Return it; each worker loads it once."""
        value: Value = self.broadcast.value
        return value


def package_file(_row: object) -> str:
    """Return the file from which a worker imports this package."""
    return str(soundalike.__file__)


def vectors_digest(summary: FloatArray, parts: FloatArray) -> bytes:
    """Digest a track's vectors in one feature set.

    Parameters
    ----------
    summary : FloatArray, shape (d,)
        One vector for the track.
    parts : FloatArray
        Of d columns, or in one line.
    """
    digest = hashlib.blake2b(digest_size=_DIGEST_BYTES)
    for array in (summary, parts):
        digest.update(np.ascontiguousarray(array, dtype="<f4").tobytes())
    return digest.digest()


def shipped_task(name: str, shares: int, count: int) -> Task:
    """Read the rows of each share, given by number, from the snapshot that Spark sent to the executor."""

    def task(batches: Batches) -> Batches:
        with pq.ParquetFile(SparkFiles.get(name)) as file:
            for batch in batches:
                for share in batch.column(0).to_pylist():
                    rows = rows_of(share, shares, count)
                    yield from _slice(file, int(rows[0]), len(rows)).to_batches()

    return task


def documents_task(
    read_digests: Callable[[], Mapping[str, Sequence[bytes]]], schema: FeatureSchema, number: int
) -> Task:
    """Turn the documents of one feature set into rows, without tracks that the driver's snapshot has not.

    Parameters
    ----------
    read_digests : callable
        Returns for each track of the snapshot the digest of its vectors in each set.
    schema : FeatureSchema
        The set.
    number : int
        Its place in the snapshot.

    Raises
    ------
    EngineError
        In the worker, if a track has other vectors than the driver has of it.
    """

    def task(batches: Batches) -> Batches:
        digests = read_digests()
        for batch in batches:
            known = [track_id in digests for track_id in batch.column("_id").to_pylist()]
            found = batch.filter(pa.array(known)).to_pylist()
            vectors = [_read_vectors(schema, each["roles"], each["vectors"]) for each in found]
            for document, (summary, parts) in zip(found, vectors, strict=True):
                if digests[document["_id"]][number] != vectors_digest(summary, parts):
                    msg = (
                        f"track {document['_id']} changed while Spark read the library; "
                        "run 'soundalike build' again"
                    )
                    raise EngineError(msg)
            vector = pa.list_(pa.float32())
            columns = [
                pa.array([document["_id"] for document in found], pa.string()),
                pa.array([summary for summary, _ in vectors], vector),
                pa.array([parts.ravel() for _, parts in vectors], vector),
            ]
            yield pa.RecordBatch.from_arrays(columns, names=["id", *VECTOR_COLUMNS])

    return task


def coordinates_task(read_coordinates: Callable[[], FloatArray], shares: int) -> Task:
    """Yield the coordinates of each share, given by number, with their row numbers."""

    def task(batches: Batches) -> Batches:
        coordinates = read_coordinates()
        for batch in batches:
            for share in batch.column(0).to_pylist():
                rows = rows_of(share, shares, len(coordinates))
                points = pa.array(list(coordinates[rows]), type=pa.list_(pa.float32()))
                yield pa.RecordBatch.from_pydict({"row": rows.astype(np.int32), "place": points})

    return task


def sums_task(scale: Scale, columns: Columns, widths: tuple[int, int]) -> Task:
    """Sum each batch of vectors into one row.

    Parameters
    ----------
    scale : Scale
        Of the features of one ingredient.
    columns : Columns
        Which they are.
    widths : tuple of (int, int)
        How many features stand side by side, and how many the ingredient's set has.
    """

    def task(batches: Batches) -> Batches:
        for batch in batches:
            summaries = matrix(batch.column(FEATURES), widths[0])[:, columns.side_by_side]
            parts = parts_of_set(batch.column(PARTS), columns.set_number, widths[1]).select(columns.own)
            sums = Sums.of(scale, summaries, parts)
            row = {
                "count": [sums.count],
                "total": [sums.total],
                "products": [sums.products.ravel()],
                "scatter": [sums.scatter.ravel()],
                "freedom": [sums.freedom],
            }
            yield pa.RecordBatch.from_pydict(row)

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
            np.array(row["scatter"]).reshape(size, size),
            row["freedom"],
        )
        total = sums if total is None else total + sums
    if total is None:
        msg = "the snapshot has no rows"
        raise ValueError(msg)
    return total


def transform_task(space: SimilaritySpace, width: int) -> Task:
    """Map each batch of (id, features) into a space.

    Parameters
    ----------
    space : SimilaritySpace
        Fitted.
    width : int
        How many features stand side by side.
    """

    def task(batches: Batches) -> Batches:
        for batch in batches:
            coordinates = space.transform(matrix(batch.column(FEATURES), width))
            yield pa.RecordBatch.from_pydict({"id": batch.column("id"), "place": list(coordinates)})

    return task


def neighbours_task(read_search: Callable[[], NeighbourSearch], shares: int) -> Task:
    """Find the neighbours of the rows of each share, given by number, of the order of a search.

    Parameters
    ----------
    read_search : callable
        Returns what searches.
    shares : int
        How many shares.
    """

    def task(batches: Batches) -> Batches:
        search = read_search()
        for batch in batches:
            for share in batch.column(0).to_pylist():
                found = search.nearest(search.order[rows_of(share, shares, len(search.order))])
                columns = {
                    "share": [share],
                    "rows": [found.rows.ravel()],
                    "distances": [found.distances.ravel()],
                }
                yield pa.RecordBatch.from_pydict(columns)

    return task


def shares_of(count: int, parallelism: int) -> int:
    """Return the number of shares to divide rows into, for a number of cores.

    Parameters
    ----------
    count : int
        How many rows.
    parallelism : int
        How many cores.
    """
    return max(min(count, parallelism), -(-count // ROWS_PER_GROUP))


def rows_of(share: int, shares: int, count: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return the row numbers of one of `shares` even shares.

    Parameters
    ----------
    share : int
        Its number, from 0.
    shares : int
        How many shares.
    count : int
        How many rows.
    """
    return np.arange(share * count // shares, (share + 1) * count // shares)


def _slice(file: pq.ParquetFile, start: int, count: int) -> pa.Table:
    """Read some rows of a Parquet file, and only the row groups that have them."""
    groups: list[int] = []
    at = first = 0
    for number in range(file.num_row_groups):
        size = file.metadata.row_group(number).num_rows
        if at < start + count and start < at + size:
            first = first if groups else at
            groups.append(number)
        at += size
    table = file.read_row_groups(groups, columns=["id", *VECTOR_COLUMNS])
    return table.slice(start - first, count)


def _read_vectors(
    schema: FeatureSchema, roles: Sequence[str] | None, stored: bytes | None
) -> tuple[FloatArray, FloatArray]:
    """Return the summary and the parts; nothing of a document that has not what it should have."""
    values = np.frombuffer(stored or b"", np.dtype(schema.dtype).newbyteorder("<"))
    if not roles or len(values) != len(roles) * len(schema):
        return np.empty(0, np.float32), np.empty(0, np.float32)
    patches = tuple(Patch(PatchRole(role), 0, 0) for role in roles)
    vectors = FeatureVectors(schema, patches, values.astype(schema.dtype).reshape(len(roles), -1))
    return vectors.summary, vectors.parts
