"""A cluster's executors: whether there are any, and whether they can run this program."""

import contextlib
import re
import socket
import threading
from types import TracebackType
from typing import Self

from py4j.protocol import Py4JError  # type: ignore[import-untyped]  # py4j ships no types
from pyspark import SparkContext

from soundalike.domain.errors import EngineError
from soundalike.learning.spark.tasks import package_file

_TIMEOUT = "spark.scheduler.maxRegisteredResourcesWaitingTime"
_DEFAULT_TIMEOUT = "120s"
_CONNECT_TIMEOUT_S = 10
_LOOK_EVERY_S = 0.5
_JOIN_TIMEOUT_S = 5
_STANDALONE = "spark://"


def require_master(master: str) -> None:
    """Check that a standalone master answers at its address; Spark itself would try for a minute.

    Raises
    ------
    EngineError
        If none answers.
    """
    if not master.startswith(_STANDALONE):
        return
    refusals = []
    for place in master.removeprefix(_STANDALONE).split(","):
        found = re.fullmatch(r"(\[[0-9a-fA-F:]+\]|[^:/]+):(\d{1,5})", place)
        if found is None:
            msg = f"{master!r} is not the address of a Spark master; write spark://HOST:7077, without a path"
            raise EngineError(msg)
        try:
            with socket.create_connection((found[1].strip("[]"), int(found[2])), _CONNECT_TIMEOUT_S):
                return
        except (OSError, OverflowError) as error:
            refusals.append(f"{place}: {getattr(error, 'strerror', None) or error}")
    msg = (
        f"no Spark master answers at {master} ({'; '.join(refusals)}); "
        "check --master and that the master runs, or use '--engine local'"
    )
    raise EngineError(msg)


class ExecutorTimeout:
    """Ends jobs if the cluster gives no executor at all; Spark itself would wait forever.

    The timeout is two minutes, or `spark.scheduler.maxRegisteredResourcesWaitingTime`.
    """

    def __init__(self, context: SparkContext) -> None:
        self._context = context
        conf = context._jsc.sc().conf()  # noqa: SLF001 - PySpark does not read times
        self._timeout_s = int(conf.getTimeAsSeconds(_TIMEOUT, _DEFAULT_TIMEOUT))
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._look, name="executor-watch", daemon=True)
        self.gave_up: str | None = None

    def __enter__(self) -> Self:
        """Start checking."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop checking."""
        self._closed.set()
        self._thread.join(_JOIN_TIMEOUT_S)

    def executor_count(self) -> int:
        """Count the executors that are connected."""
        # Without the driver, which is counted as one.
        return int(self._context._jsc.sc().getExecutorMemoryStatus().size()) - 1  # noqa: SLF001 - not in PySpark

    def _look(self) -> None:
        waited_s = 0.0
        while not self._closed.wait(_LOOK_EVERY_S):
            with contextlib.suppress(Py4JError, OSError, AttributeError):
                is_waiting = self.executor_count() < 1 and self._context.statusTracker().getActiveJobsIds()
                waited_s = waited_s + _LOOK_EVERY_S if is_waiting else 0.0
                if waited_s >= self._timeout_s:
                    self._give_up()
                    waited_s = 0.0

    def _give_up(self) -> None:
        memory = self._context.getConf().get("spark.executor.memory", "1g")
        self.gave_up = (
            f"{self._context.master} gave no executor within {self._timeout_s} s; check that its "
            f"workers run, that one has a free core and {memory} of memory (spark.executor.memory), and "
            "that they reach this machine (spark.driver.host)"
        )
        self._context.cancelAllJobs()


def check_executors(context: SparkContext) -> None:
    """Run a small job, so that what executors lack is found before the work begins."""
    parts = max(2, context.defaultParallelism)
    context.parallelize(range(parts), parts).map(package_file).collect()
