"""Choosing an engine, with a sentence that says which and why."""

import os
from collections.abc import Mapping

from soundalike.domain.errors import EngineError
from soundalike.domain.ports.learning import SimilarityEngine
from soundalike.learning.numpy_engine import LocalEngine
from soundalike.learning.snapshots import ParquetSnapshots
from soundalike.learning.spark.java import spark_readiness
from soundalike.learning.spark.mongo import MongoSource
from soundalike.learning.spark.settings import is_local

SPARK_FROM = 1_000_000
"""So many tracks a library has before ``auto`` takes Spark on one machine.

On the same cores both take as long, but for Spark's start. docs/decisions/engine.md has the figures.
"""

_SUBMITTED = "PYSPARK_GATEWAY_PORT"
"""A variable that spark-submit sets."""


def choose_engine(
    choice: str,
    *,
    master: str | None = None,
    properties: Mapping[str, str] | None = None,
    snapshots_url: str | None = None,
    source: MongoSource | None = None,
    track_count: int | None = None,
) -> tuple[SimilarityEngine, str]:
    """Return the engine for ``auto``, ``spark`` or ``local``, and one line for the user.

    Spark is started at its first use, so that choosing it costs nothing.

    Parameters
    ----------
    master : str, optional
        Spark's master URL; by default what spark-submit set, else ``local[*]``.
    properties : mapping of str to str, optional
        Spark's own properties.
    snapshots_url : str, optional
        A folder that a cluster's executors and this machine share.
    source : MongoSource, optional
        Where a cluster's executors read the vectors themselves, unless there is such a folder.
    track_count : int, optional
        How many tracks there are to learn from; a small library does not decide for NumPy if it is not given.

    Raises
    ------
    EngineError
        If Spark is required but Java or PySpark is missing, or the choice is none of the three.
    """
    if choice == "local":
        return LocalEngine(ParquetSnapshots()), "engine local: NumPy on this machine, as requested"
    if choice not in {"auto", "spark"}:
        msg = f"engine {choice!r} is not known; use auto, spark or local"
        raise EngineError(msg)
    if choice == "auto" and track_count is not None and track_count < SPARK_FROM and not _is_cluster(master):
        why = f"NumPy, faster than Spark below {SPARK_FROM:,} tracks (here {track_count:,})"
        return LocalEngine(ParquetSnapshots()), f"engine local: {why}"
    is_ready, sentence = spark_readiness()
    if is_ready:
        # Imported only here: PySpark takes half a second and may not be installed.
        from soundalike.learning.spark.engine import SparkEngine  # noqa: PLC0415 - see above

        engine = SparkEngine(master=master, properties=properties, snapshots_url=snapshots_url, source=source)
        return engine, f"engine spark: {sentence}, {_where(master, snapshots_url, source)}"
    if choice == "spark":
        msg = f"the engine spark cannot start: {sentence}; or use '--engine local'"
        raise EngineError(msg)
    return LocalEngine(ParquetSnapshots()), f"engine local, because {sentence}"


def _is_cluster(master: str | None) -> bool:
    """Whether the user has named a cluster to learn on."""
    return _SUBMITTED in os.environ if master is None else not is_local(master)


def _where(master: str | None, snapshots_url: str | None, source: MongoSource | None) -> str:
    """Return the master, and how the executors of a cluster get the snapshot."""
    if master is None:
        return "master as spark-submit set it" if _SUBMITTED in os.environ else "master local[*]"
    if is_local(master):
        return f"master {master}"
    if snapshots_url is not None:
        return f"master {master}, executors read the snapshot below {snapshots_url}"
    if source is not None:
        return f"master {master}, executors read {source.name} in MongoDB"
    return f"master {master}, executors are sent the snapshot"
