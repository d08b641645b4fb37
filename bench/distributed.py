"""Time the program on MongoDB's protocol, Kafka and a Spark cluster, and compare with the embedded figures.

The servers are real and run on the same machine (``make servers``): one Apache Kafka broker; a server that
speaks MongoDB's protocol (or the one named in ``SOUNDALIKE_TEST_MONGODB``); a standalone Spark cluster of two
workers. Real plays are read from ``../shared/data/events``.

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
    """Run the requested parts."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", choices=("all", *PARTS), default="all")
    parser.add_argument("--plays", type=int, help="number of real plays; default all")
    parser.add_argument("--tracks", type=int, default=FMA_TRACKS, help="number of tracks in the snapshot")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))  # so that no server keeps running
    requested = set(PARTS) if "all" in given.parts else set(given.parts)
    with tempfile.TemporaryDirectory(prefix="soundalike-bench-") as name:
        folder = Path(name)
        if "snapshot" in requested:
            with mongodb(folder / "snapshot") as address:
                snapshots.report(given.tracks, new_database(address), folder)
        if "log" in requested:
            report_log(folder, given.plays)
        if "latency" in requested:
            with kafka(folder / "latency-kafka") as broker, mongodb(folder / "latency-mongodb") as address:
                latency.report(broker, new_database(address), folder / "latency")
        if "cluster" in requested:
            with spark(folder / "spark") as url, mongodb(folder / "cluster-mongodb") as address:
                cluster.report(url, new_database(address), folder)


def report_log(folder: Path, plays: int | None) -> None:
    """Fold the plays through Kafka, then once more while the broker is killed."""
    if not LASTFM.is_file():
        sys.exit(f"{LASTFM} does not exist; this benchmark replays the real plays in it")
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
    exit_if(missing_kafka())
    with running(broker := KafkaServer(folder, java_options=())):
        yield broker


@contextmanager
def mongodb(folder: Path) -> Iterator[str]:
    """Run a server, or use the named one; yield its address."""
    named = named_mongodb()
    if named is not None:
        yield named
        return
    exit_if(missing_mongodb())
    with running(server := MongoDb(folder)):
        yield server.address


@contextmanager
def spark(folder: Path) -> Iterator[SparkCluster]:
    """Run a cluster."""
    exit_if(missing_spark())
    exit_if(missing_connector())
    with running_cluster(folder) as cluster:
        yield cluster


def exit_if(missing: str | None) -> None:
    """Exit if something is missing, and say what."""
    if missing is not None:
        sys.exit(missing)


if __name__ == "__main__":
    main()
