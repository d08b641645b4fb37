"""Listeners who send events as the player does, and a ledger of what was acknowledged."""

import http.client
import json
import random
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from soaking.parts import System
from soundalike.domain.listens import Listen, ListenKind
from soundalike.domain.types import EventId, TrackId, UserId
from soundalike.wire.listens import listen_body
from synthetic import secret_of, user_id

KINDS = (ListenKind.STARTED, ListenKind.FINISHED, ListenKind.SKIPPED, ListenKind.LIKED, ListenKind.UNLIKED)
MOST_AT_ONCE = 100
PATIENCE_S = 10.0
_WAIT = frozenset({409, 429, 503})
_ACCEPTED, _GOOD = 202, 200


class Ledger:
    """What was acknowledged, and what should never have been answered; safe for several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.listens: dict[UserId, dict[EventId, Listen]] = {}
        self.problems: list[str] = []

    @property
    def count(self) -> int:
        """How many events were acknowledged."""
        return sum(map(len, self.listens.values()))

    def acknowledge(self, listens: Sequence[Listen]) -> None:
        """Note that these are durable now."""
        with self._lock:
            for listen in listens:
                self.listens.setdefault(listen.user_id, {})[listen.id] = listen

    def complain(self, problem: str) -> None:
        """Note what must not happen."""
        with self._lock:
            self.problems.append(problem)


class Listener:
    """One listener; keeps what was not acknowledged, and sends it again, to the other web process if need be.

    Parameters
    ----------
    system : System
        The web processes and tracks.
    ledger : Ledger
        Gets what is acknowledged.
    user : int
        The number of a synthetic user.
    chance : random.Random
        Draws what is done.
    """

    def __init__(self, system: System, ledger: Ledger, user: int, chance: random.Random) -> None:
        self._webs, self._tracks = list(system.webs), system.track_ids
        self._ledger, self._user, self._chance = ledger, user, chance
        self.waiting: list[Listen] = []
        self.refused = 0

    def listen_until(self, stop: threading.Event) -> None:
        """Do something about once a second."""
        while not stop.wait(self._chance.uniform(0.5, 1.5)):
            self.waiting.append(self._event(self._chance.choice(self._tracks)))
            self.send()
            self._ask()

    def _event(self, track_id: TrackId) -> Listen:
        return Listen(
            id=EventId(str(uuid.UUID(bytes=self._chance.randbytes(16), version=4))),
            user_id=user_id(self._user),
            track_id=track_id,
            kind=self._chance.choice(KINDS),
            position_ms=None,
            at_ms=int(time.time() * 1000),
        )

    def send(self) -> None:
        """Send the oldest that wait; what is not acknowledged waits on."""
        batch = self.waiting[:MOST_AT_ONCE]
        status, answer = self.request("POST", "/api/listens", {"events": list(map(listen_body, batch))})
        if status == _ACCEPTED:
            self._ledger.acknowledge(batch)
            del self.waiting[: len(batch)]
        elif status in _WAIT or status is None:
            self.refused += status is not None
            self._webs.reverse()
        else:
            self._ledger.complain(f"events were answered with {status}: {answer}")

    def _ask(self) -> None:
        status, answer = self.request("GET", "/api/recommendations?limit=10")
        if status not in {_GOOD, *_WAIT, None}:
            self._ledger.complain(f"recommendations were answered with {status}: {answer}")

    def request(self, method: str, path: str, body: object = None) -> tuple[int | None, Any]:
        """Ask a web process; return status and answer, None where it is away."""
        connection = http.client.HTTPConnection(urlsplit(self._webs[0]).netloc, timeout=PATIENCE_S)
        headers = {"Authorization": f"Bearer {secret_of(self._user)}", "Content-Type": "application/json"}
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        except (OSError, http.client.HTTPException, ValueError):
            return None, None
        finally:
            connection.close()


class Listeners:
    """All listeners, each in a thread."""

    def __init__(self, listeners: list[Listener], ledger: Ledger) -> None:
        self._listeners, self._ledger = listeners, ledger
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=one.listen_until, args=(self._stop,), daemon=True) for one in listeners
        ]
        for thread in self._threads:
            thread.start()

    @property
    def refused(self) -> int:
        """How often a listener was asked to try again later."""
        return sum(one.refused for one in self._listeners)

    def stop(self) -> None:
        """Do nothing new."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def send_the_rest(self) -> None:
        """Stop, and send what waits."""
        self.stop()
        for one in self._listeners:
            for _ in range(100):
                if one.waiting:
                    one.send()
            if one.waiting:
                self._ledger.complain(f"{len(one.waiting)} events of a listener were never accepted")


@contextmanager
def listening(system: System, ledger: Ledger, *, count: int, seed: int) -> Iterator[Listeners]:
    """Let so many listeners listen while the block lasts."""
    made = [
        Listener(system, ledger, user, random.Random(seed * 1000 + user))  # noqa: S311 - no secret is made
        for user in range(count)
    ]
    listeners = Listeners(made, ledger)
    try:
        yield listeners
    finally:
        listeners.stop()
