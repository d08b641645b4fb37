import socket
from contextlib import closing
from pathlib import Path

import pytest

from learning.libraries import make_music, tiny, write_snapshot
from servers.processes import free_ports
from servers.spark import SparkCluster
from soundalike.domain.errors import EngineError
from soundalike.learning.spark.engine import SparkEngine
from soundalike.learning.spark.executors import require_master

pytestmark = pytest.mark.spark


def test_a_master_that_does_not_answer_is_reported_at_once() -> None:
    (port,) = free_ports(1)
    with pytest.raises(EngineError, match=f"no Spark master answers at spark://127.0.0.1:{port} .*refused"):
        require_master(f"spark://127.0.0.1:{port}")


def test_one_of_several_masters_suffices() -> None:
    (port,) = free_ports(1)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        require_master(f"spark://127.0.0.1:{port},127.0.0.1:{listening.getsockname()[1]}")


@pytest.mark.parametrize("master", ["spark://host", "spark://", "spark://host:7077/", "spark://host:port"])
def test_a_wrong_address_of_a_master_is_reported(master: str) -> None:
    with pytest.raises(EngineError, match="spark://HOST:7077"):
        require_master(master)


@pytest.mark.parametrize("master", ["yarn", "k8s://https://host:443", "local[2]"])
def test_other_masters_are_left_to_spark(master: str) -> None:
    require_master(master)


def test_an_engine_for_a_master_that_is_not_there_ends_at_once(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    snapshot = write_snapshot(make_music(5), tmp_path / "music.parquet")
    with (
        closing(SparkEngine(master=f"spark://127.0.0.1:{port}")) as engine,
        pytest.raises(EngineError, match="no Spark master answers"),
    ):
        engine.fit(tiny(), snapshot)


def test_waiting_for_a_full_cluster_ends(spark_cluster: SparkCluster, tmp_path: Path) -> None:
    snapshot = write_snapshot(make_music(5), tmp_path / "music.parquet")
    properties = {
        "spark.executor.memory": "800g",
        "spark.scheduler.maxRegisteredResourcesWaitingTime": "3s",
    }
    with (
        closing(SparkEngine(master=spark_cluster.url, properties=properties)) as engine,
        pytest.raises(EngineError, match=r"gave no executor within 3 s; .* 800g of memory"),
    ):
        engine.fit(tiny(), snapshot)
