"""Time recommendations, and how soon a skip changes them, over HTTP at the size of FMA.

106,574 synthetic tracks, 1,000 listeners of 200 listens each, the real program on loopback: 8 listeners
send one request per second each, after an event of theirs, so that every answer is computed; then skips are
sent, with requests until the answer has changed; then 8 clients send requests without pause. `GET /healthz`
and one product of all coordinates with a vector are baselines. Clients run on the same machine.

    python bench/live.py [SECONDS]
"""

import os

THREAD_LIMITS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
for variable in THREAD_LIMITS:
    os.environ.setdefault(variable, "1")

import cProfile
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
from functools import partial
from pathlib import Path

import numpy as np

from soundalike.app import open_app
from soundalike.domain.listens import Listen, ListenKind
from soundalike.domain.types import EventId, TrackId
from soundalike.settings import load_settings
from soundalike.wire.listens import listen_body
from synthetic import DAY_MS, NOW_MS, USERS, fill, secret_of, user_id

ASKING = 8


@dataclass(frozen=True, slots=True)
class Timings:
    """Durations of requests, in ms."""

    ms: list[float]

    @property
    def p95(self) -> float:
        """The 95th percentile."""
        return float(np.percentile(self.ms, 95))

    def __str__(self) -> str:
        """Return the percentiles as text."""
        p50, p95, p99 = np.percentile(self.ms, [50, 95, 99])
        return f"p50 {p50:.1f}, p95 {p95:.1f}, p99 {p99:.1f}, worst {max(self.ms):.1f} ms of {len(self.ms):,}"


class Client:
    """A client for one listener, with one connection."""

    def __init__(self, port: int, user: int) -> None:
        self.user = user
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._connection.connect()
        self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, method: str, path: str, body: object = None) -> tuple[dict[str, object], float]:
        """Return the answer and the duration, in ms."""
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
        """Request recommendations."""
        return self.ask("GET", "/api/recommendations?limit=20")

    def send(self, kind: ListenKind, track_id: str, at_ms: int) -> float:
        """Send one event; return the duration, in ms."""
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
    """Fill a data folder, serve it, and measure."""
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


@contextmanager
def serving(data: Path) -> Iterator[int]:
    """Serve with the real program; yield the port once it answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-m", "soundalike", "serve", "--data", str(data), "--port", str(port)]
    environment = {name: value for name, value in os.environ.items() if name not in THREAD_LIMITS}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as process:  # noqa: S603 - this program
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
    """Time listeners who send one request per second each, after an event of theirs."""
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
    """Time from sending a skip to a changed answer."""
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
    """Let 8 connections send requests without pause, each for another of the 1,000 listeners."""
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
    print(f"without pause, all listeners in turn: {rate:,.0f} answers/s; {Timings(took)}")


def explain(data: Path) -> None:
    """Print which functions take the time, for 200 listeners whose profiles are not cached."""
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
    """Run functions in parallel threads."""
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
    """Return the duration of a call, in ms."""
    start = time.perf_counter()
    act()
    return (time.perf_counter() - start) * 1000


if __name__ == "__main__":
    main()
