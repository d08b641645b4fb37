"""A Spark standalone cluster: a master and two workers, from PySpark's own files."""

import importlib.util
import json
import os
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path

from servers.processes import FETCHED, QUICK_JAVA, ServerProcess, free_ports
from soundalike.learning.spark.java import find_java, spark_readiness

CONNECTOR = FETCHED / "connector"


def missing_spark() -> str | None:
    """Say what is missing to start a cluster, None where nothing is."""
    is_ready, sentence = spark_readiness()
    return None if is_ready else f"no Spark cluster on this machine: {sentence}"


def missing_connector() -> str | None:
    """Say what is missing for executors to read MongoDB, None where nothing is."""
    if any(CONNECTOR.glob("mongo-spark-connector_*.jar")):
        return None
    return "no MongoDB connector for Spark on this machine; fetch it with 'make servers'"


def connector_jars() -> str:
    """Return the property ``spark.jars`` by which executors read MongoDB."""
    return ",".join(str(jar) for jar in sorted(CONNECTOR.glob("*.jar")))


class SparkCluster:
    """A master and two workers of one core each."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.port, self._ui, *uis = free_ports(4)
        self.url = f"spark://127.0.0.1:{self.port}"
        spec = importlib.util.find_spec("pyspark")
        java = find_java()
        assert spec is not None
        assert spec.origin is not None
        assert java is not None
        self._home = Path(spec.origin).parent
        self._environment = {
            "JAVA_HOME": str(java.home),
            "SPARK_HOME": str(self._home),
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_WORKER_DIR": str(folder / "work"),
            "SPARK_DAEMON_MEMORY": "256m",
            "SPARK_DAEMON_JAVA_OPTS": " ".join(QUICK_JAVA),
            "PYSPARK_PYTHON": sys.executable,
        }
        name = "org.apache.spark.deploy"
        self.master = self._process(
            folder / "master.log", f"{name}.master.Master", "--host", "127.0.0.1",
            "--port", str(self.port), "--webui-port", str(self._ui),
        )  # fmt: skip
        self.workers = [
            self._process(
                folder / f"worker{number}.log", f"{name}.worker.Worker", "--host", "127.0.0.1",
                "--cores", "1", "--memory", "1g", "--webui-port", str(ui), self.url,
            )
            for number, ui in enumerate(uis)
        ]  # fmt: skip

    def start(self) -> None:
        """Start all of it and wait until both workers are known to the master."""
        self.master.start()
        self.master.wait_until(lambda: self._alive_workers() == 0)
        for worker in self.workers:
            worker.start()
        self.master.wait_until(lambda: self._alive_workers() == len(self.workers))

    def stop(self) -> None:
        for process in (*self.workers, self.master):
            process.kill()

    def executors(self) -> dict[int, int]:
        """Return the process ids of the executors that run now, and of the worker that each belongs to."""
        workers = {worker.pid for worker in self.workers if worker.is_running()}
        found = {}
        for entry in Path("/proc").iterdir():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
                parent = int((entry / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1])
            except OSError:
                continue
            if b"org.apache.spark.executor.CoarseGrainedExecutorBackend" in words and parent in workers:
                found[int(entry.name)] = parent
        return found

    def _alive_workers(self) -> int | None:
        """Count the workers that the master knows; None while it does not answer in JSON, as at its start."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._ui}/json/", timeout=2) as answer:
                workers = json.loads(answer.read())["workers"]
        except (OSError, HTTPException, ValueError):
            return None
        return sum(1 for worker in workers if worker["state"] == "ALIVE")

    def _process(self, log: Path, *words: str) -> ServerProcess:
        command = [str(self._home / "bin" / "spark-class"), *words]
        return ServerProcess(command, log, environment={**os.environ, **self._environment})


@contextmanager
def running_cluster(folder: Path) -> Iterator[SparkCluster]:
    """Start a cluster, and end it whatever happens."""
    cluster = SparkCluster(folder)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
