"""How often one may ask: so many times within a minute, each minute counted from now."""

import math
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable

from flask import Flask, request

from soundalike.web.errors.responses import ErrorAnswer, RequestRefusedError
from soundalike.web.security.current_user import listener_id

WINDOW_S = 60.0
LOGINS_A_NAME = 10
LOGINS_AN_ADDRESS = 30
LISTENS_A_USER = 1_200

_MAX_KEYS = 10_000
_LISTENS_ENDPOINT = "personal.listens"


class MovingWindow:
    """Counts what each key did within the last minute; safe for several threads.

    Memory is bounded: of more than 10,000 keys, those that asked longest ago are forgotten. It counts
    within this process.

    Parameters
    ----------
    most : int
        How often a key may ask within the window.
    clock : callable
        Gives seconds that never go back.
    max_keys : int
        How many keys are remembered.
    """

    def __init__(
        self, most: int, *, clock: Callable[[], float] = time.monotonic, max_keys: int = _MAX_KEYS
    ) -> None:
        self._most = most
        self._clock = clock
        self._max_keys = max_keys
        self._lock = threading.Lock()
        self._times: OrderedDict[str, deque[float]] = OrderedDict()

    def admit(self, key: str) -> float:
        """Count a request and return 0, or leave it uncounted and return the seconds to wait."""
        with self._lock:
            now = self._clock()
            times = self._times.setdefault(key, deque())
            self._times.move_to_end(key)
            while times and now - times[0] >= WINDOW_S:
                times.popleft()
            if len(times) >= self._most:
                return WINDOW_S - (now - times[0])  # by its age, which rounds alike in both lines
            times.append(now)
            if len(self._times) > self._max_keys:
                self._times.popitem(last=False)
            return 0.0

    def __len__(self) -> int:
        """Count the keys that are remembered."""
        return len(self._times)


class Limits:
    """The limits of one player.

    Parameters
    ----------
    clock : callable
        Gives seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.names = MovingWindow(LOGINS_A_NAME, clock=clock)
        self.addresses = MovingWindow(LOGINS_AN_ADDRESS, clock=clock)
        self.listens = MovingWindow(LISTENS_A_USER, clock=clock)


def refuse_over(window: MovingWindow, key: str) -> None:
    """Count a request.

    Raises
    ------
    RequestRefusedError
        With 429 and how long to wait, if there were too many.
    """
    wait_s = window.admit(key)
    if wait_s > 0:
        seconds = math.ceil(wait_s)
        answer = ErrorAnswer(429, "too_many_requests", f"too many requests; try again in {seconds} s")
        raise RequestRefusedError(answer, {"Retry-After": str(seconds)})


def limit_rates(app: Flask, limits: Limits) -> None:
    """Refuse listens that come too fast."""

    @app.before_request
    def refuse_hurry() -> None:
        if (
            request.endpoint == _LISTENS_ENDPOINT and request.method == "POST"
        ):  # a page elsewhere may ask first
            refuse_over(limits.listens, listener_id())
