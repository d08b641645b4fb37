"""MLlib's locality-sensitive hashing, as published: `BucketedRandomProjectionLSH`."""

from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyspark.ml.feature import BucketedRandomProjectionLSH, BucketedRandomProjectionLSHModel
from pyspark.ml.functions import array_to_vector, vector_to_array
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812 - its usual name

from soundalike.domain.similarity.exact import exact_neighbours
from soundalike.domain.similarity.space import LshParameters, Neighbours
from soundalike.domain.types import FloatArray
from soundalike.learning.spark.session import QuietSession
from soundalike.learning.spark.tasks import COORDINATES_COLUMNS, BroadcastReader, coordinates_task, shares_of

# The join needs one maximum distance: all but this share of the tracks have k neighbours within it,
# estimated from a sample of this many tracks.
_QUANTILE = 0.99
_SAMPLE = 500


class SparkLshJoin:
    """A join of a library with itself.

    Parameters
    ----------
    coordinates : FloatArray, shape (n, m)
        Of all tracks.
    parameters : LshParameters
        Bucket length and number of hash tables.
    """

    def __init__(
        self, session: QuietSession, coordinates: FloatArray, parameters: LshParameters, *, seed: int = 0
    ) -> None:
        self._session = session
        self._coordinates = coordinates
        self._parameters = parameters
        self._seed = seed

    def neighbours(self, k: int) -> Neighbours:
        """Join, and return the k nearest tracks that share a bucket with each; -1 if there are fewer.

        Raises
        ------
        EngineError
            If Spark fails.
        """
        rows = np.full((len(self._coordinates), k), -1, dtype=np.int32)
        distances = np.full(rows.shape, np.inf, dtype=np.float32)
        if len(self._coordinates) > 1:
            with self._session.translated("join by LSH"):
                pairs = self._nearest_pairs(k)
            row, rank = (np.asarray(pairs.column(name)) for name in ("row", "rank"))
            rows[row, rank - 1] = np.asarray(pairs.column("other"))
            distances[row, rank - 1] = np.asarray(pairs.column("distance"))
        return Neighbours(rows, distances)

    def candidates(self) -> float:
        """Count from the hash columns how many others share a bucket with a track, on average.

        Memory grows with the square of the tracks, so this is for samples.

        Raises
        ------
        EngineError
            If Spark fails.
        """
        with self._session.translated("hash the tracks"):
            hashed = self._model.transform(self._frame).select(
                "row", F.transform("hashes", lambda each: vector_to_array(each)[0]).alias("buckets")
            )
            table = hashed.toArrow().sort_by("row")
        buckets = np.asarray(table.column("buckets").combine_chunks().flatten()).reshape(len(table), -1)
        shares_bucket = np.zeros((len(table), len(table)), dtype=bool)
        for column in buckets.T:
            shares_bucket |= column[:, None] == column
        return float((shares_bucket.sum() - len(table)) / len(table))

    @cached_property
    def _frame(self) -> DataFrame:
        # Broadcast, since a local table that is too large for one message would fail.
        spark = self._session.spark
        context = spark.sparkContext
        reader: BroadcastReader[FloatArray] = BroadcastReader(context.broadcast(self._coordinates))
        shares = shares_of(len(self._coordinates), context.defaultParallelism)
        numbers = spark.range(0, shares, 1, shares)
        frame = numbers.mapInArrow(coordinates_task(reader, shares), COORDINATES_COLUMNS)
        return frame.select("row", array_to_vector(F.col("place")).alias("place")).cache()

    @cached_property
    def _model(self) -> BucketedRandomProjectionLSHModel:
        hashing = BucketedRandomProjectionLSH(
            inputCol="place",
            outputCol="hashes",
            bucketLength=self._parameters.bucket_length,
            numHashTables=self._parameters.tables,
            seed=self._seed,
        )
        return hashing.fit(self._frame)

    def _nearest_pairs(self, k: int) -> pa.Table:
        joined = self._model.approxSimilarityJoin(
            self._frame, self._frame, self._threshold(k), distCol="distance"
        )
        pairs = joined.select(
            F.col("datasetA.row").alias("row"), F.col("datasetB.row").alias("other"), "distance"
        ).where("row != other")
        nearest_first = Window.partitionBy("row").orderBy("distance", "other")
        ranked = pairs.withColumn("rank", F.row_number().over(nearest_first))
        return ranked.where(F.col("rank") <= k).toArrow()

    def _threshold(self, k: int) -> float:
        count = len(self._coordinates)
        rng = np.random.default_rng(self._seed)
        sample: npt.NDArray[np.int64] = np.sort(rng.choice(count, min(_SAMPLE, count), replace=False))
        farthest = exact_neighbours(self._coordinates, min(k, count - 1), queries=sample).distances[:, -1]
        # Slightly more, since the join returns only what is strictly nearer.
        return float(np.quantile(farthest, _QUANTILE)) * (1 + 1e-6) + 1e-9
