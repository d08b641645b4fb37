"""Time recommendations, and how soon a skip changes them, over HTTP at the size of FMA.

106,574 synthetic tracks, 1,000 listeners of 200 listens each, the real program serving on loopback:
8 listeners ask once a second each, after an event of theirs, so that every answer is computed; then as fast
as they can; then skips are sent and the answer is asked for until it has changed. A `GET /healthz` and one
product of all coordinates with a vector are timed beside as baselines. Clients share the machine.

    python bench/live.py [SECONDS]
"""

import os

THREAD_LIMITS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
for variable in THREAD_LIMITS:
    os.environ.setdefault(variable, "1")

import cProfile
import hashlib
import http.client
import itertools
import json
import pstats
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np

from soundalike.app import open_app
from soundalike.audio.features.timbre import Timbre
from soundalike.domain.files import FileStamp, Location
from soundalike.domain.listens import Listen, ListenKind
from soundalike.domain.ports.library import Store
from soundalike.domain.similarity.space import DEFAULT_RECIPE, ArtefactDraft, Neighbours, SimilaritySpace
from soundalike.domain.tracks import Track
from soundalike.domain.types import (
    AudioHash,
    DurationMs,
    EventId,
    FloatArray,
    RelativePath,
    RootName,
    TrackId,
    UserId,
)
from soundalike.domain.users import Token, User
from soundalike.learning.artefacts.store import FolderArtefactStore
from soundalike.settings import load_settings
from soundalike.store.sqlite.store import SqliteStore
from soundalike.wire.listens import listen_body

TRACKS, CLUSTER, DIMENSIONS, K = 106_574, 186, 44, 50
USERS, LISTENS_EACH, ASKING = 1_000, 200, 8
DAY_MS = 24 * 3600 * 1000
NOW_MS = int(time.time() * 1000)


@dataclass(frozen=True, slots=True)
class Timings:
    """What some requests took, in ms."""

    ms: list[float]

    @property
    def p95(self) -> float:
        """What all but one in twenty took at the most."""
        return float(np.percentile(self.ms, 95))

    def __str__(self) -> str:
        """Say the percentiles."""
        p50, p95, p99 = np.percentile(self.ms, [50, 95, 99])
        return f"p50 {p50:.1f}, p95 {p95:.1f}, p99 {p99:.1f}, worst {max(self.ms):.1f} ms of {len(self.ms):,}"


class Client:
    """One listener at one connection."""

    def __init__(self, port: int, user: int) -> None:
        self.user = user
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._connection.connect()
        self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, method: str, path: str, body: object = None) -> tuple[dict[str, object], float]:
        """Return the answer and what it took, in ms."""
        headers = {"Authorization": f"Bearer {secret_of(self.user)}"}
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        start = time.perf_counter()
        self._connection.request(method, path, data, headers)
        response = self._connection.getresponse()
        answer = response.read()
        took_ms = (time.perf_counter() - start) * 1000
        if response.status not in {200, 202}:
            sys.exit(f"{method} {path}: {response.status} {answer[:200]!r}")
        return json.loads(answer), took_ms

    def recommended(self) -> tuple[dict[str, object], float]:
        """Ask what to play next."""
        return self.ask("GET", "/api/recommendations?limit=20")

    def send(self, kind: ListenKind, track_id: str, at_ms: int) -> float:
        """Send one event; return what it took, in ms."""
        event = Listen(
            id=EventId(str(uuid.uuid4())),
            user_id=user_id(self.user),
            track_id=TrackId(track_id),
            kind=kind,
            position_ms=3_000,
            at_ms=at_ms,
        )
        return self.ask("POST", "/api/listens", {"events": [listen_body(event)]})[1]


def main() -> None:
    """Fill a data folder, serve it, and time."""
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        coordinates = fill(data)
        products = [timed(lambda: coordinates @ coordinates[7]) for _ in range(20)]
        print(f"baseline: one product of all coordinates with a vector   {np.median(products):6.1f} ms")
        with serving(data) as port:
            clients = [Client(port, user) for user in range(ASKING)]
            clients[0].recommended()  # the first one after a start indexes the artefact
            health = Timings([clients[0].ask("GET", "/healthz")[1] for _ in range(300)])
            print(f"baseline: GET /healthz: {health}")
            paced(clients, seconds)
            changed(clients[0])
            saturated(port, seconds)
        explain(data)


def fill(data: Path) -> FloatArray:
    """Write tracks, an artefact, accounts and listens; fold them, and say how fast."""
    rng = np.random.default_rng(0)
    store = SqliteStore(data / "library.sqlite")
    start = time.perf_counter()
    ids = [TrackId(f"t{number:06d}") for number in range(TRACKS)]
    for number, track_id in enumerate(ids):
        store.save_track(made_track(number, track_id))
    print(f"{TRACKS:,} tracks written in {time.perf_counter() - start:.0f} s")
    coordinates = publish(data, ids, rng)
    add_users(store)
    listens = [listen for user in range(USERS) for listen in made_listens(user, ids, rng)]
    start = time.perf_counter()
    for first in range(0, len(listens), 500):
        store.add_listens(listens[first : first + 500])
    stored_s = time.perf_counter() - start
    store.close()
    with open_app(load_settings({"data": data}, {})) as app:
        start = time.perf_counter()
        app.services.profiles.replay()
        folded_s = time.perf_counter() - start
    print(f"{len(listens):,} listens stored at {len(listens) / stored_s:,.0f}/s, durably, 500 at a time")
    print(
        f"{len(listens):,} listens folded at {len(listens) / folded_s:,.0f}/s into {USERS:,} stored profiles"
    )
    return coordinates


def made_track(number: int, track_id: TrackId) -> Track:
    """Make up a track: some 16 an artist, 12 an album."""
    return Track(
        id=track_id,
        location=Location(RootName("music"), RelativePath(b"%03d/%06d.mp3" % (number // 1000, number))),
        target=None,
        stamp=FileStamp(1_000_000, 1_700_000_000_000_000_000),
        audio_hash=AudioHash(f"{number:032x}"),
        title=f"Title {number}",
        artist=f"Artist {number // 16}",
        album=f"Album {number // 12}",
        genre=None,
        year=None,
        duration_ms=DurationMs(200_000),
        media_type="audio/mpeg",
        added_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def publish(data: Path, ids: list[TrackId], rng: np.random.Generator) -> FloatArray:
    """Publish an artefact of tight clusters, in which neighbours are found without days of work."""
    count = len(ids) // CLUSTER + 1
    centres = rng.normal(size=(count, DIMENSIONS))
    points = np.repeat(centres, CLUSTER, axis=0)[: len(ids)]
    points = points + 0.4 * rng.normal(size=points.shape)
    points = (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)
    rows = np.zeros((len(ids), K), dtype=np.int32)
    distances = np.zeros((len(ids), K), dtype=np.float32)
    for first in range(0, len(ids), CLUSTER):
        part = points[first : first + CLUSTER]
        away = np.linalg.norm(part[:, None] - part[None], axis=2)
        np.fill_diagonal(away, np.inf)
        k = min(K, len(part) - 1)
        order = np.argsort(away, axis=1, kind="stable")[:, :k]
        rows[first : first + len(part), :k] = order + first
        distances[first : first + len(part), :k] = np.take_along_axis(away, order, axis=1)
        rows[first : first + len(part), k:] = -1
        distances[first : first + len(part), k:] = np.inf
    points.setflags(write=False)
    artefacts = FolderArtefactStore(
        data / "artefacts", schema=Timbre().schema, clock=lambda: datetime.now(UTC)
    )
    space = SimilaritySpace(
        mean=np.zeros(DIMENSIONS, dtype=np.float32),
        scale=np.ones(DIMENSIONS, dtype=np.float32),
        clip=None,
        weights=np.eye(DIMENSIONS, dtype=np.float32),
        offset=np.zeros(DIMENSIONS, dtype=np.float32),
        is_unit_length=True,
    )
    artefacts.publish(
        ArtefactDraft(
            schema=Timbre().schema,
            recipe=DEFAULT_RECIPE,
            space=space,
            track_ids=tuple(ids),
            coordinates=points,
            neighbours=Neighbours(rows, distances),
        )
    )
    placed: FloatArray = points
    return placed


def add_users(store: Store) -> None:
    """Add accounts, each with a token."""
    for user in range(USERS):
        created = datetime(2026, 1, 1, tzinfo=UTC)
        name = f"user{user}"
        store.add_user(User(id=user_id(user), name=name, password_hash="", created_at=created))
        secret_hash = hashlib.sha256(secret_of(user).encode()).hexdigest()
        store.add_token(
            Token(
                id=f"k{user}",
                user_id=user_id(user),
                label="bench",
                secret_hash=secret_hash,
                created_at=created,
            )
        )


def made_listens(user: int, ids: list[TrackId], rng: np.random.Generator) -> Iterator[Listen]:
    """Two thirds finished within a few clusters, the rest skipped anywhere, over a month."""
    homes = rng.integers(0, len(ids) // CLUSTER, size=3)
    times = np.sort(rng.integers(NOW_MS - 30 * DAY_MS, NOW_MS - DAY_MS, size=LISTENS_EACH))
    for at_ms in times:
        is_home = rng.random() < 2 / 3
        row = (
            int(rng.choice(homes)) * CLUSTER + int(rng.integers(CLUSTER))
            if is_home
            else int(rng.integers(len(ids)))
        )
        yield Listen(
            id=EventId(str(uuid.UUID(bytes=rng.bytes(16), version=4))),
            user_id=user_id(user),
            track_id=ids[row],
            kind=ListenKind.FINISHED if is_home else ListenKind.SKIPPED,
            position_ms=None if is_home else int(rng.integers(60_000)),
            at_ms=int(at_ms),
        )


def user_id(user: int) -> UserId:
    """Name a synthetic listener."""
    return UserId(f"u{user:04d}")


def secret_of(user: int) -> str:
    """Return the token of a synthetic listener."""
    return f"sndl_{user:043d}"


@contextmanager
def serving(data: Path) -> Iterator[int]:
    """Serve with the real program; yield the port once it answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-m", "soundalike", "serve", "--data", str(data), "--port", str(port)]
    environment = {name: value for name, value in os.environ.items() if name not in THREAD_LIMITS}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as process:  # noqa: S603 - our own program
        try:
            wait_for(port, process)
            yield port
        finally:
            process.send_signal(signal.SIGINT)


def wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    """Wait until the server answers."""
    while process.poll() is None:
        try:
            Client(port, 0).ask("GET", "/healthz")
        except OSError:
            time.sleep(0.1)
        else:
            return
    sys.exit("the server ended early")


def paced(clients: list[Client], seconds: int) -> None:
    """Time listeners who ask once a second each, after an event of theirs."""
    asked: list[float] = []
    sent: list[float] = []

    def listen(client: Client) -> None:
        start = time.perf_counter() + client.user / len(clients)
        at_ms = NOW_MS - DAY_MS
        for second in range(seconds):
            time.sleep(max(0.0, start + second - time.perf_counter()))
            body, took_ms = client.recommended()
            asked.append(took_ms)
            at_ms += 1000
            sent.append(client.send(ListenKind.FINISHED, first_of(body), at_ms))

    together([partial(listen, client) for client in clients])
    print(f"8 listeners, once a second each: ask  {Timings(asked)}")
    print(f"                                 send {Timings(sent)}")


def changed(client: Client) -> Timings:
    """Time from the sending of a skip to an answer that has changed."""
    took: list[float] = []
    at_ms = NOW_MS - DAY_MS // 2
    before, _ = client.recommended()
    for _ in range(100):
        at_ms += 1000
        start = time.perf_counter()
        client.send(ListenKind.SKIPPED, first_of(before), at_ms)
        after = before
        while after["recommendations"] == before["recommendations"]:
            after, _ = client.recommended()
        took.append((time.perf_counter() - start) * 1000)
        before = after
    timings = Timings(took)
    print(f"from sending a skip to a changed answer {timings}")
    return timings


def saturated(port: int, seconds: int) -> None:
    """Let 8 connections ask without pause, each time for another of the 1,000 listeners."""
    users = itertools.count(ASKING)
    took: list[float] = []
    end = time.perf_counter() + seconds

    def ask() -> None:
        client = Client(port, 0)
        while time.perf_counter() < end:
            client.user = next(users) % USERS
            took.append(client.recommended()[1])

    start = time.perf_counter()
    together([ask] * ASKING)
    rate = len(took) / (time.perf_counter() - start)
    print(f"without pause, everybody in turn: {rate:,.0f} answers/s; {Timings(took)}")


def explain(data: Path) -> None:
    """Print where the time of an answer goes, for 200 listeners whose profiles are not in memory."""
    with open_app(load_settings({"data": data}, {})) as app:
        recommender = app.services.recommender
        recommender.recommend(user_id(0))
        profile = cProfile.Profile()
        profile.enable()
        for user in range(200, 400):
            recommender.recommend(user_id(user))
        profile.disable()
    print("\nwhere the time of 200 answers goes (own time, profiled):")
    stats = pstats.Stats(profile)
    entries = sorted(stats.stats.items(), key=lambda entry: -entry[1][2])[:10]  # type: ignore[attr-defined] # undocumented, old
    for (file, _, name), (_, calls, own_s, _, _) in entries:
        print(f"  {own_s * 1000 / 200:6.2f} ms an answer  {calls:7,} calls  {Path(file).name}:{name}"[:100])


def together(acts: list[Callable[[], None]]) -> None:
    """Run acts side by side."""
    threads = [threading.Thread(target=act) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def first_of(body: dict[str, object]) -> str:
    """Return the id of the first recommended track."""
    found = body["recommendations"]
    if not isinstance(found, list) or not found:
        sys.exit("nothing was recommended")
    return str(found[0]["track"]["id"])


def timed(act: Callable[[], object]) -> float:
    """Return what an act takes, in ms."""
    start = time.perf_counter()
    act()
    return (time.perf_counter() - start) * 1000


if __name__ == "__main__":
    main()
