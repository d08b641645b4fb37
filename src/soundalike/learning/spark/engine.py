"""The engine for libraries too large for one machine: Spark and its MLlib."""

import contextlib
from collections.abc import Mapping

import numpy as np
from py4j.protocol import Py4JError  # type: ignore[import-untyped]  # py4j ships no types
from pyspark.errors import PySparkException
from pyspark.ml.feature import MinMaxScaler, StandardScaler
from pyspark.ml.functions import array_to_vector
from pyspark.sql import DataFrame

from soundalike.domain.similarity.cells import in_row_order, search_of
from soundalike.domain.similarity.fitting import fit_space, require_tracks
from soundalike.domain.similarity.recipe import Columns, Recipe
from soundalike.domain.similarity.space import LshParameters, Neighbours, SimilaritySpace
from soundalike.domain.similarity.statistics import Column, Scale, Sums
from soundalike.domain.snapshot import Snapshot
from soundalike.domain.types import FloatArray
from soundalike.learning.snapshots import VECTOR_COLUMNS, matrix
from soundalike.learning.spark.lsh import SparkLshJoin
from soundalike.learning.spark.mongo import MongoSource
from soundalike.learning.spark.rows import Rows, open_rows
from soundalike.learning.spark.session import QuietSession
from soundalike.learning.spark.settings import secrets_of
from soundalike.learning.spark.tasks import (
    NEIGHBOURS_COLUMNS,
    SUMS_COLUMNS,
    TRANSFORM_COLUMNS,
    BroadcastReader,
    neighbours_task,
    read_sums,
    shares_of,
    sums_task,
    transform_task,
)


class SparkEngine:
    """Fits spaces and finds neighbours with Spark; started at the first use.

    Parameters
    ----------
    master : str or None
        Spark's master URL; None is what spark-submit set, else ``local[*]``.
    properties : mapping of str to str
        Spark's own properties; `settings` says which may not be set.
    snapshots_url : str or None
        A folder that a cluster's executors and this machine share, for the snapshot.
    source : MongoSource or None
        Where a cluster's executors read the same vectors themselves, if `snapshots_url` is None. Without
        both the driver sends them.
    """

    name = "spark"

    def __init__(
        self,
        *,
        master: str | None = None,
        properties: Mapping[str, str] | None = None,
        snapshots_url: str | None = None,
        source: MongoSource | None = None,
    ) -> None:
        self._master = master
        self._properties = properties or {}
        self._snapshots_url = snapshots_url
        self._source = source
        self._opened: QuietSession | None = None
        self._read: tuple[Snapshot, Rows] | None = None

    def fit(self, recipe: Recipe, snapshot: Snapshot) -> SimilaritySpace:
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
            statistics = SnapshotStatistics(self._rows(snapshot).frame, snapshot)
            return fit_space(recipe, snapshot.schemas, statistics)

    def neighbours(
        self, space: SimilaritySpace, snapshot: Snapshot, *, k: int, spread: FloatArray | None = None
    ) -> Neighbours:
        """Find each track's k nearest others, rows in the snapshot's order, ties by row.

        Each task searches those of some rows in the whole library, which is broadcast.

        Parameters
        ----------
        space : SimilaritySpace
            Where distance is Euclidean.
        snapshot : Snapshot
            Of n tracks.
        k : int
            How many neighbours.
        spread : FloatArray, shape (n, 2), optional
            Corrects distances, as `MutualProximity` says.

        Raises
        ------
        EngineError
            If Spark fails.
        """
        require_tracks(snapshot.track_count)
        session = self._session()
        with session.translated("find neighbours"):
            coordinates = self._coordinates(space, snapshot)
            context = session.spark.sparkContext
            shares = shares_of(len(coordinates), context.defaultParallelism)
            # Every executor gets all tracks, or beyond a million the cells they are in.
            search = search_of(coordinates, k, spread=spread)
            order, broadcast = search.order, context.broadcast(search)
            del coordinates, search  # they are in the broadcast's file
            numbers = session.spark.range(0, shares, 1, shares)
            task = neighbours_task(BroadcastReader(broadcast), shares)
            found = numbers.mapInArrow(task, NEIGHBOURS_COLUMNS).toArrow()
            broadcast.destroy()
        rows, distances = found.column("rows"), found.column("distances")
        parts = (
            Neighbours(
                np.asarray(rows[at].values, np.int32).reshape(-1, k),
                np.asarray(distances[at].values, np.float32).reshape(-1, k),
            )
            for at in np.argsort(found.column("share"))
        )
        return in_row_order(order, parts, k=k)

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
            join = SparkLshJoin(session, self._coordinates(space, snapshot), parameters)
            return join.neighbours(k)

    def coordinates(self, space: SimilaritySpace, snapshot: Snapshot) -> FloatArray:
        """Return every track's coordinates, in the snapshot's order.

        Raises
        ------
        EngineError
            If Spark fails.
        """
        with self._session().translated("compute the coordinates of the tracks"):
            return self._coordinates(space, snapshot)

    def lsh_join(self, coordinates: FloatArray, parameters: LshParameters) -> SparkLshJoin:
        """Prepare a join over coordinates in memory, to try parameters."""
        return SparkLshJoin(self._session(), coordinates, parameters)

    def close(self) -> None:
        """Release what was read, and stop Spark and its JVM, if they were started."""
        self._release()
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def _session(self) -> QuietSession:
        if self._opened is None:
            self._opened = QuietSession(
                self._master,
                self._properties,
                has_mongodb=self._source is not None and self._snapshots_url is None,
                secrets=(
                    *(self._source.secrets if self._source is not None else ()),
                    *secrets_of(self._properties),
                ),
            )
        return self._opened

    def _rows(self, snapshot: Snapshot) -> Rows:
        """Open a snapshot, unless it is open already: a build needs it several times."""
        if self._read is None or self._read[0] is not snapshot:
            self._release()
            rows = open_rows(
                self._session(), snapshot, snapshots_url=self._snapshots_url, source=self._source
            )
            self._read = snapshot, rows
        return self._read[1]

    def _release(self) -> None:
        if self._read is not None:
            with contextlib.suppress(PySparkException, Py4JError, OSError):
                self._read[1].release()
            self._read = None

    def _coordinates(self, space: SimilaritySpace, snapshot: Snapshot) -> FloatArray:
        rows = self._rows(snapshot)
        vectors = rows.frame.select("id", "features")
        table = (
            vectors.mapInArrow(transform_task(space, snapshot.width), TRANSFORM_COLUMNS)
            .toArrow()
            .sort_by("id")
        )
        rows.require_same(table.column("id"))
        return matrix(table.column("place").combine_chunks(), space.width)


class SnapshotStatistics:
    """Statistics of a snapshot, computed by MLlib's scalers and by sums over partitions.

    Parameters
    ----------
    frame : DataFrame
        The snapshot's rows.
    snapshot : Snapshot
        What they have.
    """

    def __init__(self, frame: DataFrame, snapshot: Snapshot) -> None:
        self._frame = frame
        self._snapshot = snapshot
        self._vectors = frame.select(array_to_vector(frame["features"]).alias("vector"))

    def extent(self) -> Column:
        """Minimum and maximum of each feature, side by side, as `MinMaxScaler` finds them."""
        model = MinMaxScaler(inputCol="vector", outputCol="scaled").fit(self._vectors)
        return Column(model.originalMin.toArray(), model.originalMax.toArray())

    def moments(self) -> Column:
        """Mean and standard deviation (n - 1) of each feature, side by side, as `StandardScaler` finds."""
        scaler = StandardScaler(inputCol="vector", outputCol="scaled", withMean=True, withStd=True)
        model = scaler.fit(self._vectors)
        return Column(model.mean.toArray(), model.std.toArray())

    def sums(self, scale: Scale, columns: Columns) -> Sums:
        """Sum in the scaled features of one ingredient, partition by partition."""
        vectors = self._frame.select(*VECTOR_COLUMNS)
        width = len(self._snapshot.schemas[columns.set_number])
        task = sums_task(scale, columns, (self._snapshot.width, width))
        return read_sums(vectors.mapInArrow(task, SUMS_COLUMNS).toArrow())
