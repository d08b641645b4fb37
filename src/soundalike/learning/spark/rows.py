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
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from py4j.protocol import Py4JError  # type: ignore[import-untyped]  # py4j ships no types
from pyspark.sql import DataFrame

from soundalike.domain.errors import EngineError
from soundalike.domain.snapshot import Snapshot
from soundalike.learning.snapshots import ROWS_PER_GROUP, VECTOR_COLUMNS
from soundalike.learning.spark.mongo import DOCUMENT_COLUMNS, MongoSource
from soundalike.learning.spark.session import QuietSession
from soundalike.learning.spark.tasks import (
    ROWS_COLUMNS,
    BroadcastReader,
    documents_task,
    parts_of,
    row_digest,
    rows_of,
    shipped_task,
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
    parts = parts_of(count, parallelism)
    if snapshots_url is not None:
        return _from_folder(session, link, snapshots_url, parts)
    if source is not None:
        # Each share is a query: enough to use all cores and keep each share small, no more.
        shares = max(min(count, parallelism, _MOST_QUERIES), -(-count // ROWS_PER_QUERY))
        return _from_mongodb(session, snapshot, source, shares)
    return _shipped(session, link, count, parts)


def _link(session: QuietSession, snapshot: Snapshot) -> Path:
    """Return a new path without the characters that Hadoop takes for patterns or hidden files."""
    link = session.folder / f"snapshot-{uuid.uuid4().hex[:12]}.parquet"
    link.symlink_to(Path(snapshot.url).absolute())
    return link


def _shipped(session: QuietSession, link: Path, count: int, parts: int) -> Rows:
    # Executors use the name that a symbolic link points to, which two snapshots would share.
    file = link.with_stem(f"{link.stem}-sent")
    try:
        file.hardlink_to(link.resolve())
    except OSError:
        shutil.copyfile(link, file)
    session.spark.sparkContext.addFile(str(file))
    numbers = session.spark.range(0, parts, 1, parts)
    frame = numbers.mapInArrow(shipped_task(file.name, parts, count), ROWS_COLUMNS).persist()
    return Rows(frame, release=frame.unpersist)


def _from_folder(session: QuietSession, link: Path, folder: str, parts: int) -> Rows:
    """Copy the snapshot to a shared folder, with the file system that Spark has for its URL."""
    copy = HadoopFile(session, f"{folder.rstrip('/')}/{_PREFIX}{uuid.uuid4().hex}.parquet")
    try:
        copy.copy_from(link)
        copy.delete_stale(f"{_PREFIX}*", older_than_s=_STALE_S)
        frame = session.spark.read.schema(ROWS_COLUMNS).parquet(_GLOB.sub(r"\\\1", copy.url))
        if frame.rdd.getNumPartitions() < parts:
            frame = frame.repartition(parts)
        frame = frame.persist()
    except BaseException:
        copy.delete()
        raise

    def release() -> None:
        frame.unpersist()
        copy.delete()

    return Rows(frame, release=release)


def _from_mongodb(session: QuietSession, snapshot: Snapshot, source: MongoSource, parts: int) -> Rows:
    """Read the documents in even shares, by ranges of ids, each row checked against the driver's."""
    digests = dict(_digests(Path(snapshot.url)))
    ids = list(digests)
    broadcast = session.spark.sparkContext.broadcast(digests)
    task = documents_task(BroadcastReader(broadcast), snapshot.schemas)
    keys = [schema.key for schema in snapshot.schemas]
    reader = session.spark.read.format("mongodb").schema(DOCUMENT_COLUMNS)
    ranges = (rows_of(part, parts, len(ids)) for part in range(parts))
    shares = (reader.options(**source.options(ids[rows[0]], ids[rows[-1]], keys)).load() for rows in ranges)
    frame = reduce(DataFrame.unionAll, shares).mapInArrow(task, ROWS_COLUMNS).persist()

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


def _digests(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield each track's id and the digest of its vectors, a few thousand rows in memory at a time."""
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(ROWS_PER_GROUP, columns=["id", *VECTOR_COLUMNS]):
            ids, summaries, parts = batch.columns
            for track_id, summary, of_track in zip(ids, summaries, parts, strict=True):
                of_sets = [np.asarray(each.values, np.float32) for each in of_track.values or ()]
                yield track_id.as_py(), row_digest(np.asarray(summary.values, np.float32), of_sets)


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
