"""How executors get the library's vectors.

Threads of this process read the snapshot where the driver wrote it. A cluster's executors share no disk
with the driver, so they read MongoDB themselves, or the snapshot from a shared folder (a URL), or else the
driver sends it: Spark serves the file to each executor once, which reads its share of the rows from its own
disk. Executors cache what they read, since learning reads it several times; what is lost with one is read
again, and must then be the same rows as before.
"""

import contextlib
import re
import shutil
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from py4j.protocol import Py4JError  # type: ignore[import-untyped]  # py4j ships no types
from pyspark.sql import DataFrame
from pyspark.sql.functions import array, concat
from pyspark.sql.functions import col as column

from soundalike.domain.errors import EngineError
from soundalike.domain.features import FeatureSchema
from soundalike.domain.snapshot import Snapshot
from soundalike.learning.snapshots import FEATURES, PARTS, ROWS_PER_GROUP, VECTOR_COLUMNS
from soundalike.learning.spark.mongo import DOCUMENT_COLUMNS, MongoSource
from soundalike.learning.spark.session import QuietSession
from soundalike.learning.spark.tasks import (
    ROWS_COLUMNS,
    SET_COLUMNS,
    BroadcastReader,
    documents_task,
    rows_of,
    shares_of,
    shipped_task,
    vectors_digest,
)

ROWS_PER_QUERY = 50_000

_MOST_QUERIES = 128
_PREFIX = "soundalike-snapshot-"
_STALE_S = 24 * 3600
_GLOB = re.compile(r"([\\{}\[\]*?])")


@dataclass(frozen=True, slots=True)
class Rows:
    """A snapshot's rows as Spark reads them.

    Parameters
    ----------
    frame : DataFrame
        Columns id, features, parts; in no order.
    ids : pyarrow array of str or None
        The driver's ids, in order, if the executors do not read its snapshot.
    release : callable
        Removes what was cached, copied or broadcast.
    """

    frame: DataFrame
    ids: pa.Array | None = None
    release: Callable[[], object] = field(default=lambda: None)

    def require_same(self, ids: pa.ChunkedArray) -> None:
        """Check that the executors read what the driver has, given the ids in order.

        Raises
        ------
        EngineError
            If they did not.
        """
        if self.ids is not None and not ids.combine_chunks().equals(self.ids):
            msg = (
                f"the library changed while Spark read it: {len(ids):,} tracks came, {len(self.ids):,} were "
                "expected; run 'soundalike build' again"
            )
            raise EngineError(msg)


def open_rows(
    session: QuietSession, snapshot: Snapshot, *, snapshots_url: str | None, source: MongoSource | None
) -> Rows:
    """Let executors read a snapshot of at least one track.

    Parameters
    ----------
    session : QuietSession
        Whose executors read.
    snapshot : Snapshot
        The library.
    snapshots_url : str or None
        A folder that executors share.
    source : MongoSource or None
        Where executors read MongoDB.
    """
    link = _link(session, snapshot)
    if session.is_local:
        return Rows(session.spark.read.schema(ROWS_COLUMNS).parquet(str(link)))
    count, parallelism = snapshot.track_count, session.spark.sparkContext.defaultParallelism
    shares = shares_of(count, parallelism)
    if snapshots_url is not None:
        return _from_folder(session, link, snapshots_url, shares)
    if source is not None:
        # Each share is a query: enough to use all cores and keep each share small, no more.
        queries = max(min(count, parallelism, _MOST_QUERIES), -(-count // ROWS_PER_QUERY))
        return _from_mongodb(session, snapshot, source, queries)
    return _shipped(session, link, count, shares)


def _link(session: QuietSession, snapshot: Snapshot) -> Path:
    """Return a new path without the characters that Hadoop takes for patterns or hidden files."""
    link = session.folder / f"snapshot-{uuid.uuid4().hex[:12]}.parquet"
    link.symlink_to(Path(snapshot.url).absolute())
    return link


def _shipped(session: QuietSession, link: Path, count: int, shares: int) -> Rows:
    # Executors use the name that a symbolic link points to, which two snapshots would share.
    file = link.with_stem(f"{link.stem}-sent")
    try:
        file.hardlink_to(link.resolve())
    except OSError:
        shutil.copyfile(link, file)
    session.spark.sparkContext.addFile(str(file))
    numbers = session.spark.range(0, shares, 1, shares)
    frame = numbers.mapInArrow(shipped_task(file.name, shares, count), ROWS_COLUMNS).persist()
    return Rows(frame, release=frame.unpersist)


def _from_folder(session: QuietSession, link: Path, folder: str, shares: int) -> Rows:
    """Copy the snapshot to a shared folder, with the file system that Spark has for its URL."""
    copy = HadoopFile(session, f"{folder.rstrip('/')}/{_PREFIX}{uuid.uuid4().hex}.parquet")
    try:
        copy.copy_from(link)
        copy.delete_stale(f"{_PREFIX}*", older_than_s=_STALE_S)
        frame = session.spark.read.schema(ROWS_COLUMNS).parquet(_GLOB.sub(r"\\\1", copy.url))
        if frame.rdd.getNumPartitions() < shares:
            frame = frame.repartition(shares)
        frame = frame.persist()
    except BaseException:
        copy.delete()
        raise

    def release() -> None:
        frame.unpersist()
        copy.delete()

    return Rows(frame, release=release)


def _from_mongodb(session: QuietSession, snapshot: Snapshot, source: MongoSource, queries: int) -> Rows:
    """Read the documents in even shares, by ranges of ids, each row checked against the driver's."""
    digests = dict(_digests(snapshot))
    ids = list(digests)
    broadcast = session.spark.sparkContext.broadcast(digests)
    read_digests: BroadcastReader[Mapping[str, Sequence[bytes]]] = BroadcastReader(broadcast)
    ranges = [rows_of(share, queries, len(ids)) for share in range(queries)]
    reader = session.spark.read.format("mongodb").schema(DOCUMENT_COLUMNS)

    def of_set(number: int, schema: FeatureSchema) -> DataFrame:
        options = (source.options(schema.key, ids[rows[0]], ids[rows[-1]]) for rows in ranges)
        read = (reader.options(**each).load() for each in options)
        task = documents_task(read_digests, schema, number)
        return reduce(DataFrame.unionAll, read).mapInArrow(task, SET_COLUMNS)

    sets = [of_set(number, schema) for number, schema in enumerate(snapshot.schemas)]
    frame = _side_by_side(sets).persist()

    def release() -> None:
        frame.unpersist()
        broadcast.destroy()

    rows = Rows(frame, ids=pa.array(ids, pa.string()), release=release)
    try:
        # This also fills the cache, so that every later pass reads what was checked here.
        rows.require_same(frame.select("id").toArrow().sort_by("id").column("id"))
    except BaseException:
        release()
        raise
    return rows


def _side_by_side(sets: Sequence[DataFrame]) -> DataFrame:
    """Join the rows of several sets by their tracks."""
    named = [
        frame.select("id", *(column(name).alias(f"{name}_{number}") for name in VECTOR_COLUMNS))
        for number, frame in enumerate(sets)
    ]
    numbers = range(len(sets))
    return reduce(lambda one, other: one.join(other, "id"), named).select(
        "id",
        concat(*(f"{FEATURES}_{number}" for number in numbers)).alias(FEATURES),
        array(*(f"{PARTS}_{number}" for number in numbers)).alias(PARTS),
    )


def _digests(snapshot: Snapshot) -> Iterator[tuple[str, list[bytes]]]:
    """Yield each track's id and the digests of its vectors, a few thousand rows in memory at a time."""
    edges = list(accumulate((len(schema) for schema in snapshot.schemas), initial=0))
    with pq.ParquetFile(snapshot.url) as file:
        for batch in file.iter_batches(ROWS_PER_GROUP, columns=["id", *VECTOR_COLUMNS]):
            for track_id, summary, parts in zip(*batch.columns, strict=True):
                features = np.asarray(summary.values)
                of_sets = zip(pairwise(edges), parts.values, strict=True)
                yield (
                    track_id.as_py(),
                    [
                        vectors_digest(features[start:stop], np.asarray(of_set.values))
                        for (start, stop), of_set in of_sets
                    ],
                )


class HadoopFile:
    """A file in any file system that Spark has, with Spark's credentials."""

    def __init__(self, session: QuietSession, url: str) -> None:
        self.url = url
        context = session.spark.sparkContext
        jvm: Any = context._jvm  # noqa: SLF001 - PySpark cannot write a file
        self._configuration: Any = context._jsc.hadoopConfiguration()  # noqa: SLF001 - as above
        self._jvm = jvm
        self._path = jvm.org.apache.hadoop.fs.Path(url)

    def copy_from(self, path: Path) -> None:
        """Copy a file from this machine; its folder is created."""
        source = self._jvm.org.apache.hadoop.fs.Path(self._jvm.java.io.File(str(path)).toURI())
        self._system().copyFromLocalFile(False, True, source, self._path)  # noqa: FBT003 - Java has no names

    def delete(self) -> None:
        """Remove the file, if it exists and can be removed."""
        with contextlib.suppress(Py4JError):
            self._system().delete(self._path, False)  # noqa: FBT003 - Java has no names

    def delete_stale(self, pattern: str, *, older_than_s: float) -> None:
        """Remove files in its folder that killed runs left."""
        with contextlib.suppress(Py4JError):
            folder = _GLOB.sub(r"\\\1", self._path.getParent().toString())
            newest_ms = (time.time() - older_than_s) * 1000
            for found in self._system().globStatus(
                self._jvm.org.apache.hadoop.fs.Path(f"{folder}/{pattern}")
            ):
                if found.isFile() and found.getModificationTime() < newest_ms:
                    self._system().delete(found.getPath(), False)  # noqa: FBT003 - Java has no names

    def _system(self) -> Any:  # noqa: ANN401 - py4j has no types
        return self._path.getFileSystem(self._configuration)
