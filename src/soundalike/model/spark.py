"""The engine for libraries that outgrow one machine: Spark and its MLlib."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pyspark.ml.feature import MinMaxScaler, StandardScaler
from pyspark.ml.functions import array_to_vector
from pyspark.sql import DataFrame

from soundalike.domain.similarity import LshParameters, Neighbours, SimilaritySpace, SpaceRecipe
from soundalike.domain.table import Snapshot
from soundalike.domain.types import FloatArray
from soundalike.model.snapshot import VECTOR_COLUMNS
from soundalike.model.space import Column, Scale, Sums, fit_space, require_tracks
from soundalike.model.spark_lsh import LshJoin
from soundalike.model.spark_session import QuietSession
from soundalike.model.spark_tasks import (
    NEIGHBOURS_COLUMNS,
    PLACES_COLUMNS,
    SUMS_COLUMNS,
    matrix,
    neighbours_task,
    places_task,
    read_sums,
    sums_task,
)

_SNAPSHOT_COLUMNS = "id string, " + ", ".join(f"{name} array<float>" for name in VECTOR_COLUMNS)
_ROWS_PER_PART = 4096


class SparkEngine:
    """Fits spaces and finds neighbours with Spark; started at the first use.

    Parameters
    ----------
    master : str
        Spark's master URL. A cluster's executors must see the snapshot under the same path.
    """

    name = "spark"

    def __init__(self, *, master: str = "local[*]") -> None:
        self._master = master
        self._opened: QuietSession | None = None
        self._links = 0

    def fit(self, recipe: SpaceRecipe, snapshot: Snapshot) -> SimilaritySpace:
        """Fit a space on every track of a snapshot; MLlib's scalers give the scale.

        Raises
        ------
        TooFewTracksError
            If there is no track.
        EngineError
            If Spark fails.
        """
        require_tracks(snapshot.track_count)
        session = self._session()
        with session.translated("fit the space"):
            return fit_space(recipe, SnapshotStatistics(self._read(snapshot)))

    def neighbours(self, space: SimilaritySpace, snapshot: Snapshot, *, k: int) -> Neighbours:
        """Find each track's k nearest others exactly, rows in the snapshot's order, ties by row.

        Blocks of rows are shared out; each task multiplies its own with the whole library, which is
        broadcast, and keeps the nearest.

        Raises
        ------
        EngineError
            If Spark fails.
        """
        require_tracks(snapshot.track_count)
        session = self._session()
        with session.translated("find neighbours"):
            coordinates = self._places(space, snapshot)
            context = session.spark.sparkContext
            parts = max(1, min(len(coordinates), context.defaultParallelism))
            parts = max(parts, len(coordinates) // _ROWS_PER_PART)
            broadcast = context.broadcast(coordinates)
            numbers = session.spark.range(0, parts, 1, parts)
            task = neighbours_task(_Broadcast(broadcast), k, parts)
            found = numbers.mapInArrow(task, NEIGHBOURS_COLUMNS).toArrow().sort_by("part")
            broadcast.destroy()
        rows = np.concatenate([np.asarray(cell.values, np.int32) for cell in found.column("rows")])
        distances = matrix(found.column("distances").combine_chunks(), k)
        return Neighbours(rows.reshape(-1, k), distances)

    def lsh_neighbours(
        self, space: SimilaritySpace, snapshot: Snapshot, *, k: int, parameters: LshParameters
    ) -> Neighbours:
        """Find neighbours by MLlib's `approxSimilarityJoin`; rows that find fewer are padded with -1.

        Raises
        ------
        EngineError
            If Spark fails.
        """
        require_tracks(snapshot.track_count)
        session = self._session()
        with session.translated("join by LSH"):
            join = LshJoin(session.spark, self._places(space, snapshot), parameters)
            return join.neighbours(k)

    def places(self, space: SimilaritySpace, snapshot: Snapshot) -> FloatArray:
        """Return every track's coordinates, in the snapshot's order.

        Raises
        ------
        EngineError
            If Spark fails.
        """
        with self._session().translated("place the tracks"):
            return self._places(space, snapshot)

    def lsh_join(self, coordinates: FloatArray, parameters: LshParameters) -> LshJoin:
        """Prepare a join over coordinates in memory, to try parameters on."""
        return LshJoin(self._session().spark, coordinates, parameters)

    def close(self) -> None:
        """Stop Spark and its JVM, if they were started."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def _session(self) -> QuietSession:
        if self._opened is None:
            self._opened = QuietSession(self._master)
        return self._opened

    def _read(self, snapshot: Snapshot) -> DataFrame:
        """Open the snapshot; its known columns spare Spark a job to find them out."""
        return self._session().spark.read.schema(_SNAPSHOT_COLUMNS).parquet(self._readable(snapshot))

    def _readable(self, snapshot: Snapshot) -> str:
        """Give a path without the characters that Hadoop takes for patterns or hidden files."""
        session = self._session()
        if not session.is_local or "://" in snapshot.url:
            return snapshot.url
        self._links += 1
        link = session.folder / f"snapshot-{self._links}.parquet"
        link.symlink_to(Path(snapshot.url).absolute())
        return str(link)

    def _places(self, space: SimilaritySpace, snapshot: Snapshot) -> FloatArray:
        vectors = self._read(snapshot).select("id", "features")
        table = vectors.mapInArrow(places_task(space), PLACES_COLUMNS).toArrow().sort_by("id")
        return matrix(table.column("place").combine_chunks(), space.weights.shape[1])


class SnapshotStatistics:
    """Statistics of a snapshot, gathered by MLlib's scalers and by sums over partitions."""

    def __init__(self, frame: DataFrame) -> None:
        self._frame = frame
        self._vectors = frame.select(array_to_vector(frame["features"]).alias("vector"))

    def extent(self) -> Column:
        """Minimum and maximum of each feature, as `MinMaxScaler` finds them."""
        model = MinMaxScaler(inputCol="vector", outputCol="scaled").fit(self._vectors)
        return Column(model.originalMin.toArray(), model.originalMax.toArray())

    def moments(self) -> Column:
        """Mean and standard deviation (n - 1) of each feature, as `StandardScaler` finds them."""
        scaler = StandardScaler(inputCol="vector", outputCol="scaled", withMean=True, withStd=True)
        model = scaler.fit(self._vectors)
        return Column(model.mean.toArray(), model.std.toArray())

    def sums(self, scale: Scale) -> Sums:
        """Sum in the scaled features, partition by partition."""
        vectors = self._frame.select(*VECTOR_COLUMNS)
        return read_sums(vectors.mapInArrow(sums_task(scale), SUMS_COLUMNS).toArrow())


@dataclass(frozen=True, slots=True)
class _Broadcast:
    """Reads a broadcast array in a worker."""

    broadcast: Any

    def __call__(self) -> FloatArray:
        coordinates: FloatArray = self.broadcast.value
        return coordinates
