"""Threads that run requests: clients take turns, and requests of one kind never wait for another kind."""

import logging
import re
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

HEALTH_PATH = "/healthz"
# Whatever opens files of the library, whose disk may hang.
_FILE_PATH = re.compile(r"/.*/(audio|cover)", re.DOTALL)
_EXPORT_PATH = "/api/me/export"
END_S = 5.0
_log = logging.getLogger(__name__)


class Task(Protocol):
    """What a thread can run."""

    client: str
    """Whose turn it takes."""
    has_share: bool
    """Whether the client is limited to a share of the threads."""

    def service(self) -> None:
        """Run it."""

    def cancel(self) -> None:
        """Clean up instead, where the server ends first; it may wait for a disk too."""


class Lane:
    """Some threads, and the tasks that wait for one.

    Clients take turns. One client has at most half of the threads, so the others need not wait for its tasks.

    Parameters
    ----------
    name : str
        Of the threads.
    threads : int
        How many there are.
    clock : callable
        Gives seconds that never go back.
    patience_s : float
        A task that runs for longer hangs.
    """

    def __init__(self, name: str, threads: int, *, clock: Callable[[], float], patience_s: float) -> None:
        self._clock, self._patience_s = clock, patience_s
        self._size, self._share = threads, max(1, threads // 2)
        self._changed = threading.Condition()
        self._waiting: dict[str, deque[Task]] = {}  # by client, in the order of their turns
        self._running: dict[int, tuple[Task, float]] = {}
        self._is_ending = False
        self._threads = [
            threading.Thread(target=self._run, args=(number,), name=f"{name}-{number}", daemon=True)
            for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def add_task(self, task: Task) -> None:
        """Run a task when it is its client's turn."""
        with self._changed:
            self._waiting.setdefault(task.client, deque()).append(task)
            self._changed.notify()

    def hangs(self, task: Task) -> bool:
        """Whether a task of this lane runs for too long, or would get no thread, since they all do."""
        with self._changed:
            latest_s = self._clock() - self._patience_s
            hanging = [one for one, since_s in self._running.values() if since_s < latest_s]
        own = sum(one.client == task.client for one in hanging)
        return task in hanging or len(hanging) >= self._size or (task.has_share and own >= self._share)

    def end(self) -> None:
        """Let the threads cancel what waits, then end; call `join` then."""
        with self._changed:
            self._is_ending = True
            self._changed.notify_all()

    def join(self, deadline_s: float) -> None:
        """Wait for what runs, until a time of the monotonic clock."""
        for thread in self._threads:
            thread.join(max(0.0, deadline_s - time.monotonic()))

    def _run(self, number: int) -> None:
        while (task := self._take(number)) is not None:
            try:
                if self._is_ending:
                    task.cancel()
                else:
                    task.service()
            except Exception:  # noqa: BLE001 - it must not end the thread
                _log.exception("a request failed in the server")
            with self._changed:
                del self._running[number]

    def _take(self, number: int) -> Task | None:
        """Wait for a task; None is the end."""
        with self._changed:
            while (task := self._next()) is None:
                if self._is_ending:
                    return None
                self._changed.wait()
            self._running[number] = task, self._clock()
            return task

    def _next(self) -> Task | None:
        for client, tasks in self._waiting.items():
            running = sum(one.client == client for one, _ in self._running.values())
            if running < self._share or not tasks[0].has_share:
                task = tasks.popleft()
                del self._waiting[client]
                if tasks:  # the next turn of this client comes after everybody else's
                    self._waiting[client] = tasks
                return task
        return None


class Lanes:
    """The lanes of a server.

    Health is told whatever else hangs. What opens files of the library waits for their disks in a lane of
    its own. Exports are long, and two are made at once.

    Parameters
    ----------
    threads : int
        For requests, and as many for files.
    clock : callable
        Gives seconds that never go back.
    patience_s : float
        How long a disk may take for one answer.
    """

    def __init__(self, threads: int, *, clock: Callable[[], float], patience_s: float) -> None:
        def lane(name: str, size: int) -> Lane:
            return Lane(name, size, clock=clock, patience_s=patience_s)

        self.requests, self.files = lane("requests", threads), lane("files", threads)
        self._health, self._exports = lane("health", 2), lane("exports", 2)

    def of(self, path: str) -> Lane:
        """Return the lane of requests for a path."""
        path = "/" + path.lstrip("/")  # as waitress passes it on
        if _FILE_PATH.fullmatch(path):
            return self.files
        return {HEALTH_PATH: self._health, _EXPORT_PATH: self._exports}.get(path, self.requests)

    def end(self, close_connections: Callable[[], None]) -> None:
        """Cancel what waits, and wait a little for what runs.

        Parameters
        ----------
        close_connections : callable
            Called in between: then threads close the files of answers, which may wait for their disks.
        """
        deadline_s = time.monotonic() + END_S
        lanes = (self.requests, self._health, self._exports)
        for lane in lanes:
            lane.end()
        for lane in lanes:
            lane.join(deadline_s)
        close_connections()
        self.files.end()
        self.files.join(deadline_s)
