"""Learning on a Spark cluster by the commands a user types, from a library in MongoDB."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyspark
import pytest

import soundalike
from conftest import skip_where
from journeys.program import Program, write_tune
from servers.mongodb import drop_database, new_database
from servers.processes import QUICK_JAVA
from servers.spark import SparkCluster, connector_jars, missing_connector

pytestmark = [pytest.mark.spark, pytest.mark.mongodb]

QUICK = " ".join(QUICK_JAVA)
QUICK_EXECUTORS = f"spark.executor.extraJavaOptions={QUICK}"
# One executor is enough here; that two share the reading is shown where engines are tested.
ONE_EXECUTOR = "spark.cores.max=1"


@pytest.fixture(scope="module")
def library(mongodb: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """A program that has analysed and learned on this machine."""
    skip_where(missing_connector())
    folder = tmp_path_factory.mktemp("library")
    for number in range(8):
        write_tune(folder / "music" / f"tune {number}.flac", seed=number)
    program = Program(folder / "data")
    url = new_database(mongodb)
    program.environment["SOUNDALIKE_STORE"] = url
    program.json("extract", folder / "music")
    program.json("build", "--engine", "local")
    yield program
    drop_database(url)


def test_a_cluster_learns_from_mongodb_what_this_machine_learns(
    library: Program, spark_cluster: SparkCluster
) -> None:
    library.environment["SOUNDALIKE_SPARK"] = ";".join(
        (f"spark.jars={connector_jars()}", QUICK_EXECUTORS, ONE_EXECUTOR)
    )
    before = nearest(library)
    built = library.run("build", "--engine", "spark", "--master", spark_cluster.url, "--json")
    assert built.returncode == 0, built.stderr
    assert (json.loads(built.stdout)["engine"], json.loads(built.stdout)["tracks"]) == ("spark", 8)
    assert f"master {spark_cluster.url}, executors read " in built.stderr
    assert nearest(library) == {title: pytest.approx(away, abs=1e-5) for title, away in before.items()}


def test_spark_submit_runs_it_on_the_master_that_it_sets(
    library: Program, spark_cluster: SparkCluster
) -> None:
    before = nearest(library)
    submitted = submit(library, spark_cluster.url, "build", "--engine", "spark", "--json")
    assert submitted.returncode == 0, submitted.stderr
    told = [line for line in submitted.stdout.splitlines() if line.startswith("engine spark")]
    assert [line.endswith("master as spark-submit set it") for line in told] == [True]
    assert '"engine": "spark"' in submitted.stdout
    assert "Registered app __main__.py" in spark_cluster.master.log.read_text(encoding="utf-8")
    assert nearest(library) == {title: pytest.approx(away, abs=1e-5) for title, away in before.items()}


def nearest(program: Program) -> dict[str, float]:
    """Return what sounds like one tune, and how far away it is."""
    found: Any = program.json("similar", "tune 3", "--limit", "7")
    return {each["track"]["title"]: each["distance"] for each in found["neighbours"]}


def submit(program: Program, master: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command as ``spark-submit`` does."""
    home = Path(pyspark.__file__).parent
    main = Path(soundalike.__file__).with_name("__main__.py")
    return subprocess.run(
        [home / "bin" / "spark-submit", "--master", master, "--jars", connector_jars(),
         "--conf", QUICK_EXECUTORS, "--conf", ONE_EXECUTOR,
         "--driver-java-options", QUICK, main, *arguments, "--data", program.data],
        env=program.environment | {"PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"},
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
