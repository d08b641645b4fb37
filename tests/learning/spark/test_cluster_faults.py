"""What comes of a build when a part of its cluster dies; on a cluster of its own."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import TypeVar

import numpy as np
import pytest
from pyspark import SparkContext, SparkStageInfo

from conftest import skip_where
from learning.libraries import make_music, tiny, write_snapshot
from learning.parity import assert_same_neighbours, assert_same_space
from learning.spark.clusters import FAST_EXECUTORS, kept_in_mongodb
from servers.spark import (
    SparkCluster,
    connector_jars,
    missing_connector,
    missing_spark,
    running_cluster,
)
from soundalike.domain.errors import EngineError
from soundalike.domain.similarity.recipe import Rotation
from soundalike.domain.similarity.space import (
    LshParameters,
    Neighbours,
    SimilaritySpace,
)
from soundalike.domain.snapshot import Snapshot
from soundalike.learning.numpy_engine import LocalEngine
from soundalike.learning.snapshots import ParquetSnapshots
from soundalike.learning.spark.engine import SparkEngine

pytestmark = [pytest.mark.faults, pytest.mark.spark, pytest.mark.mongodb]

ATTEMPTS = 10
WITHOUT_EXECUTORS_S = 5
RECIPE = tiny(clip=3.0, rotation=Rotation.WITHIN, strength=0.5, is_unit_length=True)
LIBRARY = make_music(8_000, width=20)
ROWS_PER_TASK = 200
ROWS_PER_QUERY = 500

Result = TypeVar("Result")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkCluster]:
    skip_where(missing_spark())
    skip_where(missing_connector())
    with running_cluster(tmp_path_factory.mktemp("spark")) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def engine(cluster: SparkCluster, mongodb: str) -> Iterator[SparkEngine]:
    """An engine whose executors read MongoDB."""
    with kept_in_mongodb(mongodb, LIBRARY) as source:
        engine = SparkEngine(
            master=cluster.url,
            source=source,
            properties=FAST_EXECUTORS
            | {
                "spark.jars": connector_jars(),
                # What is told of a stage is as it is now.
                "spark.ui.liveUpdate.period": "0",
                "spark.scheduler.maxRegisteredResourcesWaitingTime": f"{WITHOUT_EXECUTORS_S}s",
            },
        )
        try:
            # Starts the session, so that there are executors to kill.
            engine.lsh_join(LIBRARY.summaries[:2], LshParameters(bucket_length=1.0, tables=1))
            yield engine
        finally:
            engine.close()


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return write_snapshot(LIBRARY, tmp_path_factory.mktemp("library") / "music.parquet")


@pytest.fixture(scope="module")
def expected(snapshot: Snapshot) -> tuple[SimilaritySpace, Neighbours]:
    """What NumPy learns."""
    local = LocalEngine(ParquetSnapshots())
    space = local.fit(RECIPE, snapshot)
    return space, local.neighbours(space, snapshot, k=10)


@pytest.fixture(autouse=True)
def many_small_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have jobs last long enough, and in enough parts, for something to die in their middle."""
    monkeypatch.setattr("soundalike.learning.spark.tasks.ROWS_PER_GROUP", ROWS_PER_TASK)
    monkeypatch.setattr("soundalike.learning.spark.rows.ROWS_PER_QUERY", ROWS_PER_QUERY)


@pytest.fixture(autouse=True)
def whole_cluster(cluster: SparkCluster) -> None:
    """Bring back the workers that a test before killed."""
    revive(cluster)


def revive(cluster: SparkCluster) -> None:
    for worker in cluster.workers:
        if not worker.is_running():
            worker.start()


class Death(threading.Thread):
    """Comes once, in the middle of the first job that has many tasks and keeps both executors busy.

    Parameters
    ----------
    comes : callable
        What is done then.
    """

    def __init__(self, comes: Callable[[], None]) -> None:
        super().__init__(daemon=True)
        self._comes = comes
        self._stage: int | None = None
        self._is_over = threading.Event()
        self._tracker = SparkContext.getOrCreate().statusTracker()

    def run(self) -> None:
        while self._stage is None and not self._is_over.wait(0.01):
            for stage in self._tracker.getActiveStageIds():
                info = self._tracker.getStageInfo(stage)
                if self._stage is None and info is not None and _is_amid(info):
                    self._stage = stage
                    self._comes()

    def has_hit(self) -> bool:
        """Whether tasks were lost by it, in a stage which then came to its end all the same."""
        self._is_over.set()
        self.join()
        if self._stage is None:
            return False
        info = self._tracker.getStageInfo(self._stage)
        assert info is not None
        assert info.numCompletedTasks >= info.numTasks
        return bool(info.numFailedTasks)


def survived(cluster: SparkCluster, job: Callable[[], Result], comes: Callable[[], None]) -> Result:
    """Return what a job comes to through a death in its midst; one that came too late is tried again."""
    for _ in range(ATTEMPTS):
        revive(cluster)
        death = Death(comes)
        death.start()
        result = job()
        if death.has_hit():
            return result
    pytest.fail("no task was lost at any attempt")


def _is_amid(info: SparkStageInfo) -> bool:
    return info.numActiveTasks == 2 and 2 <= info.numCompletedTasks <= info.numTasks - 8


def kill_an_executor(cluster: SparkCluster) -> None:
    os.kill(min(cluster.executors()), signal.SIGKILL)


def test_an_executor_killed_in_mid_build_changes_nothing(
    cluster: SparkCluster,
    engine: SparkEngine,
    snapshot: Snapshot,
    expected: tuple[SimilaritySpace, Neighbours],
) -> None:
    kill = partial(kill_an_executor, cluster)
    # While MongoDB is read: what it had read already must be read again.
    space = survived(cluster, lambda: engine.fit(RECIPE, snapshot), kill)
    assert_same_space(expected[0], space)

    # While neighbours are looked for: its successor needs the broadcast coordinates.
    found = survived(cluster, lambda: engine.neighbours(space, snapshot, k=10), kill)
    assert_same_neighbours(expected[1], found, expected[0].transform(LIBRARY.summaries))
    undisturbed = engine.neighbours(space, snapshot, k=10)
    np.testing.assert_array_equal(found.rows, undisturbed.rows)
    np.testing.assert_array_equal(found.distances, undisturbed.distances)


def test_a_worker_killed_in_mid_build_changes_nothing(
    cluster: SparkCluster,
    engine: SparkEngine,
    snapshot: Snapshot,
    expected: tuple[SimilaritySpace, Neighbours],
) -> None:
    space = engine.fit(RECIPE, snapshot)
    killed, other = cluster.workers
    found = survived(cluster, lambda: engine.neighbours(space, snapshot, k=10), killed.kill)
    assert set(cluster.executors().values()) == {other.pid}
    assert_same_space(expected[0], space)
    assert_same_neighbours(expected[1], found, expected[0].transform(LIBRARY.summaries))


def test_a_build_without_any_executor_left_ends_and_says_so(
    cluster: SparkCluster, engine: SparkEngine, snapshot: Snapshot
) -> None:
    space = engine.fit(RECIPE, snapshot)

    def kill_all_workers() -> None:
        for worker in cluster.workers:
            worker.kill()

    with pytest.raises(EngineError, match=f"gave no executor within {WITHOUT_EXECUTORS_S} s; check that"):
        survived(cluster, lambda: engine.neighbours(space, snapshot, k=10), kill_all_workers)
