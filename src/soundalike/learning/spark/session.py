"""One quiet Spark session: in a JVM that this program starts and removes, or in the one of spark-submit.

``spark-submit --master spark://HOST:7077 .../soundalike/__main__.py build --engine spark`` runs the program
inside a JVM whose master and properties are fixed: they are used, and a different `--master` is an error.
The same is true if there is a session already, as in a notebook. In both cases the package is sent to the
executors, which need NumPy and pyarrow for the same minor version of Python.
"""

import atexit
import contextlib
import logging
import os
import shlex
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pyspark
from py4j.protocol import Py4JError  # type: ignore[import-untyped]  # py4j ships no types
from pyspark import SparkConf, SparkContext
from pyspark.errors import PySparkException
from pyspark.java_gateway import launch_gateway
from pyspark.sql import SparkSession

import soundalike
from soundalike.domain.errors import EngineError
from soundalike.learning.spark import settings as spark_settings
from soundalike.learning.spark.errors import SparkFailure, describe_failure, without
from soundalike.learning.spark.executors import ExecutorTimeout, check_executors, require_master
from soundalike.learning.spark.java import LOWEST_JAVA, find_java
from soundalike.learning.spark.process import (
    environment,
    is_interrupted,
    is_worth_logging,
    keeping_interrupt_handler,
    stop_context,
    stop_gateway,
)
from soundalike.learning.spark.settings import LOOPBACK, ONE_THREAD, PYTHON

_PROCESS = contextlib.ExitStack()
_SUBMITTED = "PYSPARK_GATEWAY_PORT"

atexit.register(_PROCESS.close)


class QuietSession:
    """A session on a master; the output of a JVM that it starts goes to a log file.

    Parameters
    ----------
    master : str or None
        Spark's master URL; None is what spark-submit set, else ``local[*]``.
    properties : mapping of str to str
        Spark's own; they win over the defaults where `settings` allows it.
    has_mongodb : bool
        Whether executors read MongoDB.
    secrets : sequence of str
        What no message may show.

    Raises
    ------
    EngineError
        If Java is missing, Spark does not start, its master does not answer or gives no executor, or the
        executors cannot run this program.
    """

    def __init__(
        self,
        master: str | None,
        properties: Mapping[str, str],
        *,
        has_mongodb: bool = False,
        secrets: Sequence[str] = (),
    ) -> None:
        spark_settings.check_properties(properties)
        self._properties = properties
        self._secrets = secrets
        self._timeout: ExecutorTimeout | None = None
        self._closing = contextlib.ExitStack()
        self._is_guest = SparkContext._active_spark_context is not None  # noqa: SLF001 - as below
        # A session that stays serves what it was given to later executors.
        folder = (_PROCESS if self._is_guest else self._closing).enter_context(
            tempfile.TemporaryDirectory(prefix="soundalike-spark-", ignore_cleanup_errors=True)
        )
        self.folder = Path(folder)
        self._log = self.folder / "spark.log"
        where = master or ("what spark-submit set" if is_submitted() else "local[*]")
        try:
            with self.translated(f"start on {where}"):
                self.spark = self._join(master) if is_submitted() else self._start(where, has_mongodb)
                self.master = str(self.spark.sparkContext.master)
                self.is_local = spark_settings.is_local(self.master)
                if not self.is_local:
                    self._reach_executors()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Stop the session, then the JVM, then remove its folder."""
        self._closing.close()

    @contextlib.contextmanager
    def translated(self, what: str) -> Iterator[None]:
        """Turn any error of Spark into one line.

        Raises
        ------
        EngineError
            Instead of it.
        KeyboardInterrupt
            If Spark's error was caused by Ctrl-C.
        """
        if self._timeout is not None:
            self._timeout.gave_up = None
        try:
            yield
        except (PySparkException, Py4JError, OSError, EOFError, RuntimeError, ValueError) as error:
            if is_interrupted(error):
                raise KeyboardInterrupt from error
            failure = SparkFailure(
                error, log=self._log, gave_up=self._timeout.gave_up if self._timeout else None
            )
            # A traceback would show what the message leaves out.
            has_secret = without(self._secrets, str(error)) != str(error)
            raise EngineError(describe_failure(failure, what, secrets=self._secrets)) from (
                None if has_secret else error
            )

    def _start(self, master: str, has_mongodb: bool) -> SparkSession:  # noqa: FBT001 - private
        """Launch a JVM."""
        java = find_java()
        if java is None or java.major < LOWEST_JAVA:
            msg = "no Java 17+ was found"
            raise OSError(msg)
        require_master(master)
        self._quieten()
        settings = spark_settings.own_properties(
            master, self._properties, folder=self.folder, has_mongodb=has_mongodb
        )
        file = self.folder / "spark.properties"
        spark_settings.write_properties(settings, file)
        arguments = f"--load-spark-defaults --properties-file {shlex.quote(str(file))} pyspark-shell"
        variables = self._variables(master, java.home) | {"PYSPARK_SUBMIT_ARGS": arguments}
        with environment(variables), keeping_interrupt_handler():
            log = self._closing.enter_context(self._log.open("wb"))
            gateway = launch_gateway(  # type: ignore[no-untyped-call]  # PySpark left it without types
                popen_kwargs={"stdout": log, "stderr": log, "start_new_session": True}
            )
            self._closing.callback(stop_gateway, gateway)
            # It has been read, and would stay if the run is killed.
            file.unlink()
            context = SparkContext(gateway=gateway)
            self._closing.callback(stop_context, context)
        return SparkSession(context)

    def _join(self, master: str | None) -> SparkSession:
        """Use the session that exists, or make one in the JVM that spark-submit started."""
        self._quieten()
        active = SparkContext._active_spark_context  # noqa: SLF001 - there is no public way to ask
        if active is not None:
            _require_same(master, str(active.master))
            return SparkSession(active)
        python = self._properties.get(PYTHON)
        with environment({"PYSPARK_PYTHON": python} if python else {}), keeping_interrupt_handler():
            # PySpark keeps the one gateway of its process.
            gateway = SparkContext._gateway or launch_gateway()  # type: ignore[no-untyped-call]  # noqa: SLF001 - as above
            conf = SparkConf(_jvm=gateway.jvm)
            _require_same(master, conf.get("spark.master", None) or "local[*]")
            for name, value in spark_settings.DEFAULTS.items():
                conf.setIfMissing(name, value)
            conf.setAll(list(self._properties.items()))
            kept = spark_settings.fixed_properties(conf.get(spark_settings.REDACTION, None))
            conf.setAll(list(kept.items()))
            context = SparkContext(gateway=gateway, conf=conf)
            self._closing.callback(stop_context, context)
        return SparkSession(context)

    def _quieten(self) -> None:
        # py4j logs what it raises with tracebacks, Ctrl-C even with the root logger.
        logging.getLogger("py4j").setLevel(logging.CRITICAL + 1)
        logging.getLogger().addFilter(is_worth_logging)
        self._closing.callback(logging.getLogger().removeFilter, is_worth_logging)

    def _reach_executors(self) -> None:
        """Send the package, and wait until executors can run it."""
        context = self.spark.sparkContext
        context.addPyFile(str(self._package()))
        self._timeout = self._closing.enter_context(ExecutorTimeout(context))
        check_executors(context)
        if not self._is_guest and "spark.sql.shuffle.partitions" not in self._properties:
            self.spark.conf.set("spark.sql.shuffle.partitions", str(2 * context.defaultParallelism))

    def _variables(self, master: str, java_home: Path) -> dict[str, str | None]:
        own = sys.executable
        is_here = spark_settings.is_on_this_machine(master)
        # Executors on other machines have no Python at this path.
        theirs = self._properties.get(PYTHON) or os.environ.get("PYSPARK_PYTHON") or "python3"
        return {
            "JAVA_HOME": str(java_home),
            # Another Spark's scripts or settings must not mix with the installed PySpark.
            "SPARK_HOME": str(Path(pyspark.__file__).parent),
            "SPARK_CONF_DIR": str(self.folder)
            if spark_settings.is_local(master)
            else os.environ.get("SPARK_CONF_DIR"),
            # Only in the driver's environment: a property would reach the executors.
            "SPARK_LOCAL_DIRS": str(self.folder),
            "PYSPARK_PYTHON": self._properties.get(PYTHON, own) if is_here else theirs,
            "PYSPARK_DRIVER_PYTHON": own,
            "SPARK_LOCAL_IP": LOOPBACK if is_here else os.environ.get("SPARK_LOCAL_IP"),
            **dict.fromkeys(ONE_THREAD, "1"),
        }

    def _package(self) -> Path:
        """Zip this package for executors that do not have it."""
        root = Path(soundalike.__file__).parent
        # Of two files with one name a session uses only the first.
        path = self.folder / f"{self.folder.name}.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for source in root.rglob("*.py"):
                archive.write(source, Path("soundalike") / source.relative_to(root))
        return path


def is_submitted() -> bool:
    """Whether spark-submit (or a notebook) started a JVM for this process."""
    return _SUBMITTED in os.environ or SparkContext._active_spark_context is not None  # noqa: SLF001 - as above


def _require_same(asked: str | None, submitted: str) -> None:
    if asked is not None and asked != submitted:
        msg = (
            f"spark-submit set the master {submitted}, but --master says {asked}; "
            "give it to spark-submit alone"
        )
        raise EngineError(msg)
