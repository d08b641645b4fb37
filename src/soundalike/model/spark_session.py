"""One quiet Spark session: a JVM of our own that leaves nothing behind."""

import contextlib
import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyspark
from py4j.protocol import Py4JError  # type: ignore[import-untyped]  # py4j ships no types
from pyspark import SparkConf, SparkContext
from pyspark.errors import PySparkException
from pyspark.java_gateway import launch_gateway
from pyspark.sql import SparkSession

import soundalike
from soundalike.domain.errors import EngineError
from soundalike.model.java import LOWEST_JAVA, find_java

_STOP_PATIENCE_S = 15
_LOOPBACK = "127.0.0.1"
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
_LOG_LINES = 20
_FAST_START = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"


class QuietSession:
    """A session on a master; whatever the JVM says goes to a log of its own.

    Parameters
    ----------
    master : str
        Spark's master URL.

    Raises
    ------
    EngineError
        If Java is missing or Spark does not start.
    """

    def __init__(self, master: str) -> None:
        self.is_local = master.startswith("local")
        self._closing = contextlib.ExitStack()
        folder = self._closing.enter_context(
            tempfile.TemporaryDirectory(prefix="soundalike-spark-", ignore_cleanup_errors=True)
        )
        self.folder = Path(folder)
        self._log = self.folder / "spark.log"
        try:
            with self.translated(f"start on {master}"):
                self.spark = self._start(master)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Stop the session, then the JVM, then remove its folder."""
        self._closing.close()

    @contextlib.contextmanager
    def translated(self, what: str) -> Iterator[None]:
        """Turn whatever Spark raises into one line.

        Raises
        ------
        EngineError
            In place of it.
        KeyboardInterrupt
            Where Ctrl-C came first, and Spark's own complaint about it after.
        """
        try:
            yield
        except (PySparkException, Py4JError, OSError, EOFError, RuntimeError, ValueError) as error:
            if _is_interrupted(error):
                raise KeyboardInterrupt from error
            msg = f"Spark could not {what}: {self._reason(error)}; try '--engine local'"
            raise EngineError(msg) from error

    def _start(self, master: str) -> SparkSession:
        java = find_java()
        if java is None or java.major < LOWEST_JAVA:
            msg = "no Java 17+ was found"
            raise OSError(msg)
        # py4j logs what it raises, traceback and all, Ctrl-C even by the root logger.
        logging.getLogger("py4j").setLevel(logging.CRITICAL + 1)
        logging.getLogger().addFilter(_is_worth_logging)
        self._closing.callback(logging.getLogger().removeFilter, _is_worth_logging)
        settings = self._settings(master)
        conf = SparkConf(loadDefaults=False)
        conf.setAll(list(settings.items()))
        with _environment(self._variables(master, java.home)), _interrupt_handler_kept():
            log = self._closing.enter_context(self._log.open("wb"))
            gateway = launch_gateway(  # type: ignore[no-untyped-call]  # PySpark left it without types
                conf, popen_kwargs={"stdout": log, "stderr": log, "start_new_session": True}
            )
            self._closing.callback(_stop_gateway, gateway)
            context = SparkContext(gateway=gateway, conf=conf)
            self._closing.callback(context.stop)
        if not self.is_local:
            context.addPyFile(str(self._package()))
        return SparkSession(context)

    def _settings(self, master: str) -> dict[str, str]:
        # The client compiler alone halves the start; what takes long is NumPy's work, not the JVM's.
        options = f'{_FAST_START} -XX:-UsePerfData "-Djava.io.tmpdir={self.folder}"'
        settings = {
            "spark.master": master,
            "spark.app.name": "soundalike",
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
            "spark.log.level": "ERROR",
            "spark.local.dir": str(self.folder),
            "spark.sql.warehouse.dir": str(self.folder),
            "spark.sql.session.timeZone": "UTC",
            "spark.sql.adaptive.enabled": "true",
            "spark.driver.memory": f"{_driver_memory_mb()}m",
            "spark.driver.maxResultSize": "0",
            "spark.driver.extraJavaOptions": options,
        }
        settings |= {f"spark.executorEnv.{name}": "1" for name in _ONE_THREAD}
        if self.is_local:
            settings |= {"spark.sql.shuffle.partitions": str(2 * (os.cpu_count() or 1))}
        if _is_on_this_machine(master):
            settings |= {"spark.driver.bindAddress": _LOOPBACK, "spark.driver.host": _LOOPBACK}
        return settings

    def _variables(self, master: str, java_home: Path) -> dict[str, str | None]:
        own = sys.executable
        is_here = _is_on_this_machine(master)
        return {
            "JAVA_HOME": str(java_home),
            # Another Spark's scripts or settings must not mix with the installed PySpark.
            "SPARK_HOME": str(Path(pyspark.__file__).parent),
            "SPARK_CONF_DIR": str(self.folder) if self.is_local else os.environ.get("SPARK_CONF_DIR"),
            "PYSPARK_SUBMIT_ARGS": None,
            "PYSPARK_GATEWAY_PORT": None,
            "PYSPARK_PYTHON": own if is_here else os.environ.get("PYSPARK_PYTHON", own),
            "PYSPARK_DRIVER_PYTHON": own,
            "SPARK_LOCAL_IP": _LOOPBACK if is_here else os.environ.get("SPARK_LOCAL_IP"),
            **dict.fromkeys(_ONE_THREAD, "1"),
        }

    def _package(self) -> Path:
        """Zip this package for executors that do not have it."""
        root = Path(soundalike.__file__).parent
        path = self.folder / "soundalike.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for source in root.rglob("*.py"):
                archive.write(source, Path("soundalike") / source.relative_to(root))
        return path

    def _reason(self, error: Exception) -> str:
        """Say in one line what went wrong: the JVM's own words where Python has none."""
        condition = error.getCondition() if isinstance(error, PySparkException) else None
        if condition == "JAVA_GATEWAY_EXITED":
            lines = self._log.read_text(errors="replace").split("\n")[-_LOG_LINES:]
            said = [line for line in lines if "rror" in line or "xception" in line]
            return (said or ["the JVM exited at once"])[0].strip()
        text = str(getattr(error, "java_exception", None) or error) or type(error).__name__
        return text.strip().splitlines()[0]


def _is_worth_logging(record: logging.LogRecord) -> bool:
    return not record.getMessage().startswith("KeyboardInterrupt while sending command")


def _is_interrupted(error: BaseException | None) -> bool:
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error is not None


def _stop_gateway(gateway: Any) -> None:  # noqa: ANN401 - py4j has no types
    """End the JVM, and make room for a later one in this process."""
    # PySpark keeps the gateway for good, though its JVM is gone.
    SparkContext._gateway = None  # noqa: SLF001 - there is no public way
    SparkContext._jvm = None  # noqa: SLF001 - the same
    with contextlib.suppress(Py4JError, OSError):
        gateway.shutdown()
    # Its end of input tells the JVM to go, as it does where this process is killed.
    gateway.proc.stdin.close()
    try:
        gateway.proc.wait(timeout=_STOP_PATIENCE_S)
    except subprocess.TimeoutExpired:
        gateway.proc.kill()
        gateway.proc.wait()


@contextlib.contextmanager
def _environment(variables: dict[str, str | None]) -> Iterator[None]:
    """Set variables (None: unset) for the children that are started meanwhile."""
    before = {name: os.environ.get(name) for name in variables}
    _set(variables)
    try:
        yield
    finally:
        _set(before)


def _set(variables: dict[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


@contextlib.contextmanager
def _interrupt_handler_kept() -> Iterator[None]:
    """Undo that PySpark takes Ctrl-C for itself; closing the session ends its jobs just as well."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGINT)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _is_on_this_machine(master: str) -> bool:
    return master.startswith(("local", "spark://localhost:", "spark://127.0.0.1:"))


def _driver_memory_mb() -> int:
    """Take a sixth of the machine, from 1 to 4 GB."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return max(1024, min(4096, total // 6 >> 20))
