"""Time the program on MongoDB's protocol, Kafka and a Spark cluster, with the embedded figures beside them.

The servers are real ones on this machine (``make servers``), which they share with the program: Apache Kafka,
one broker; a server that speaks MongoDB's protocol (or the one named in ``SOUNDALIKE_TEST_MONGODB``); a
standalone Spark cluster of two workers. Real plays are read in place from ``../shared/data/events``.

    python bench/distributed.py [all|snapshot|log|latency|cluster ...] [--plays N] [--tracks N]
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import argparse
import itertools
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from distributing import cluster, flow, latency, snapshots
from journeys.plays import LASTFM
from servers.kafka import KafkaServer, missing_kafka
from servers.mongodb import MongoDb, missing_mongodb, named_mongodb, new_database
from servers.processes import running
from servers.spark import SparkCluster, missing_connector, missing_spark, running_cluster

FMA_TRACKS = 106_574
PARTS = ("snapshot", "log", "latency", "cluster")


def main() -> None:
    """Print the parts that are asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", choices=("all", *PARTS), default="all")
    parser.add_argument("--plays", type=int, help="how many of the real plays; all by default")
    parser.add_argument("--tracks", type=int, default=FMA_TRACKS, help="tracks of the snapshot")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))  # so that no server is left over
    asked = set(PARTS) if "all" in given.parts else set(given.parts)
    with tempfile.TemporaryDirectory(prefix="soundalike-bench-") as name:
        folder = Path(name)
        if "snapshot" in asked:
            with mongodb(folder / "snapshot") as address:
                snapshots.report(given.tracks, new_database(address), folder)
        if "log" in asked:
            report_log(folder, given.plays)
        if "latency" in asked:
            with kafka(folder / "latency-kafka") as broker, mongodb(folder / "latency-mongodb") as address:
                latency.report(broker, new_database(address), folder / "latency")
        if "cluster" in asked:
            with spark(folder / "spark") as url, mongodb(folder / "cluster-mongodb") as address:
                cluster.report(url, new_database(address), folder)


def report_log(folder: Path, plays: int | None) -> None:
    """Fold the plays through Kafka, and once more through a kill of the broker."""
    if not LASTFM.is_file():
        sys.exit(f"{LASTFM} is not there; these are the real plays that this benchmark replays")
    with kafka(folder / "log-kafka") as broker, mongodb(folder / "log-mongodb") as address:
        names = itertools.count()
        stores = {
            "SQLite": lambda: str(folder / f"log{next(names)}.sqlite"),
            "MongoDB's protocol": lambda: new_database(address),
        }
        flow.report(broker, stores, folder, most=plays)
        flow.report_kill(broker, str(folder / "killed.sqlite"), folder, most=plays)


@contextmanager
def kafka(folder: Path) -> Iterator[KafkaServer]:
    """Run a broker."""
    stop_where(missing_kafka())
    with running(broker := KafkaServer(folder)):
        yield broker


@contextmanager
def mongodb(folder: Path) -> Iterator[str]:
    """Run a server, or take the one that is named; yield its address."""
    named = named_mongodb()
    if named is not None:
        yield named
        return
    stop_where(missing_mongodb())
    with running(server := MongoDb(folder)):
        yield server.address


@contextmanager
def spark(folder: Path) -> Iterator[SparkCluster]:
    """Run a cluster."""
    stop_where(missing_spark())
    stop_where(missing_connector())
    with running_cluster(folder) as cluster:
        yield cluster


def stop_where(missing: str | None) -> None:
    """End where something is missing, and say what."""
    if missing is not None:
        sys.exit(missing)


if __name__ == "__main__":
    main()
