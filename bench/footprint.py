"""Measure the disk space and memory of a library of 100,000 tracks, for docs/deploy.md.

The tracks are synthetic, the features those of the program, the servers real ones (``make servers``). Run
with ``python bench/footprint.py [TRACKS]``.
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

import numpy as np
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient

from journeys.program import free_port, get
from making import make_listen
from servers.kafka import KafkaServer, missing_kafka, new_topic
from servers.mongodb import MongoDb, missing_mongodb
from servers.processes import running
from soundalike.app.backends import open_store
from soundalike.audio.features.timbre import Timbre
from soundalike.domain.features import FeatureVectors, whole_and_halves
from soundalike.domain.files import Root
from soundalike.domain.listens import Listen
from soundalike.domain.ports.library import Store
from soundalike.domain.stored_vectors import StoredVectors
from soundalike.domain.types import RootName
from soundalike.events.kafka.address import KafkaAddress
from soundalike.events.kafka.log import KafkaLog
from store import synthetic_tracks

TRACKS = 100_000
LISTENS, LISTENERS = 100_000, 100
MONGODB_TRACKS = 10_000
SCHEMA = Timbre().schema
PATCHES = whole_and_halves(0, 30_000)
PATIENCE_S = 900


def main() -> None:
    """Print all measurements."""
    tracks = int(sys.argv[1]) if len(sys.argv) > 1 else TRACKS
    with tempfile.TemporaryDirectory(prefix="soundalike-footprint-") as name:
        folder = Path(name)
        report_embedded(folder / "data", tracks)
        if missing_kafka() is None:
            report_kafka(folder)
        if missing_mongodb() is None:
            report_mongodb(folder)


def report_embedded(data: Path, tracks: int) -> None:
    """Measure the SQLite file, the artefact, and the processes that build and serve it."""
    print(f"{tracks:,} tracks of {len(SCHEMA)} features (three vectors each)")
    with open_store(data / "library.sqlite") as store:
        fill(store, tracks)
    weight = size_of(data)
    say("SQLite", weight)
    with open_store(data / "library.sqlite") as store:
        for batch in listens(LISTENS):
            store.add_listens(batch)
    say("SQLite, a million listens", (size_of(data) - weight) * 1_000_000 // LISTENS)
    start = time.monotonic()
    with program(data, "build", "--engine", "local") as build:
        peak = peak_of(build.pid, until=lambda: build.poll() is not None)
    say("artefact", size_of(data / "artefacts"))
    say(f"build, NumPy ({time.monotonic() - start:.0f} s)", peak, what="at most")
    port = free_port()
    with program(data, "serve", "--port", str(port)) as serve:
        ask(port, "/healthz")
        ask(port, "/api/recommendations?limit=20")
        say("web process", resident(serve.pid), what=f"{resident(serve.pid, 'RssAnon') >> 20} MB its own")
        serve.send_signal(signal.SIGINT)
        serve.wait(60)


def report_kafka(folder: Path) -> None:
    """Measure a million listens in a topic, the broker, and a consumer that folds them."""
    with running(broker := KafkaServer(folder / "kafka", java_options=())):
        url = broker.url(new_topic())
        before = size_of(folder / "kafka" / "logs")
        with closing(KafkaLog(KafkaAddress.parse(url), {})) as log:
            for batch in listens(LISTENS):
                log.append(batch)
        weight = size_of(folder / "kafka" / "logs", ".log") - before
        say("Kafka, a million listens, each copy", weight * 1_000_000 // LISTENS)
        with program(folder / "consumer", "consume", "--events", url) as consumer:
            wait_for_listens(folder / "consumer" / "library.sqlite")
            say("consumer", resident(consumer.pid))
            consumer.send_signal(signal.SIGINT)
            consumer.wait(60)
        say("broker, -Xmx512m", resident(broker.pid))


def report_mongodb(folder: Path) -> None:
    """Measure the documents of tracks and listens; how a server stores them depends on the server."""
    with running(server := MongoDb(folder / "mongodb")):
        url = f"{server.address}/footprint"
        with open_store(url) as store:
            fill(store, MONGODB_TRACKS)
            tracks = documents_of(url)
            for batch in listens(MONGODB_TRACKS):
                store.add_listens(batch)
        say("MongoDB, 100,000 tracks, uncompressed", tracks * 100_000 // MONGODB_TRACKS)
        say(
            "MongoDB, a million listens, uncompressed",
            (documents_of(url) - tracks) * 1_000_000 // MONGODB_TRACKS,
        )


def documents_of(url: str) -> int:
    """Return bytes of all documents in a database."""
    client: MongoClient[RawBSONDocument] = MongoClient(url, document_class=RawBSONDocument)
    with client:
        database = client.get_default_database()
        return sum(
            len(document.raw)
            for name in database.list_collection_names()
            for document in database[name].find()
        )


def fill(store: Store, count: int) -> None:
    """Put tracks with vectors into a store."""
    rng = np.random.default_rng(0)
    store.save_root(Root(RootName("music"), Path("/music")))
    tracks = synthetic_tracks(count, rng)
    for start in range(0, count, 500):
        batch = tracks[start : start + 500]
        numbers = rng.normal(size=(len(batch), 3, len(SCHEMA))).astype(np.float32)
        store.save_stored_tracks(batch)
        store.save_stored_vectors(
            [
                StoredVectors.of(track.id, FeatureVectors(SCHEMA, PATCHES, values))
                for track, values in zip(batch, numbers, strict=True)
            ]
        )


def listens(count: int) -> Iterator[Sequence[Listen]]:
    """Yield batches of listens of several listeners."""
    for start in range(0, count, 5_000):
        yield [
            make_listen(n, user_id=f"user-{n % LISTENERS}", track_id=f"{n % TRACKS:016x}", at_ms=n * 60_000)
            for n in range(start, min(count, start + 5_000))
        ]


@contextmanager
def program(data: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Start the program on a data folder, and end it in any case."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SOUNDALIKE_")}
    command = [sys.executable, "-m", "soundalike", *arguments, "--data", str(data)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment)  # noqa: S603 - our own
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def ask(port: int, address: str) -> None:
    """Request an address until it answers."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            get(f"http://127.0.0.1:{port}{address}")
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            return


def wait_for_listens(database: Path) -> None:
    """Wait until a consumer has stored all."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if database.exists():
            with open_store(database) as store:
                if sum(store.listen_counts().values()) == LISTENS:
                    return
        time.sleep(0.5)
    sys.exit("the consumer took too long")


def peak_of(pid: int, *, until: Callable[[], bool]) -> int:
    """Return the most memory that a process had while it ran."""
    peak = 0
    while not until():
        peak = max(peak, resident(pid, "VmHWM"))
        time.sleep(0.1)
    return peak


def resident(pid: int, field: str = "VmRSS") -> int:
    """Return bytes of memory that a process has."""
    try:
        found = re.search(rf"{field}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(encoding="ascii"))
    except OSError:
        return 0
    return int(found[1]) << 10 if found else 0


def size_of(folder: Path, ending: str = "") -> int:
    """Return the bytes of files on the disk."""
    found = (path for path in folder.rglob(f"*{ending}") if path.is_file())
    return sum(path.stat().st_blocks * 512 for path in found)


def say(name: str, size_bytes: int, *, what: str = "") -> None:
    """Print a line."""
    print(f"  {name:44}{size_bytes / 1e6:9,.0f} MB{f'  ({what})' if what else ''}", flush=True)


if __name__ == "__main__":
    main()
