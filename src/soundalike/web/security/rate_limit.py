"""Rate limits: so many requests within the last minute."""

import math
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable

from flask import Flask, request

from soundalike.web.routes.blueprint import current_route
from soundalike.web.routes.protocol import ErrorAnswer, RequestRefusedError
from soundalike.web.security.current_user import current_user_id

WINDOW_S = 60.0
LOGINS_A_NAME = 10
LOGINS_AN_ADDRESS = 30
LISTENS_A_USER = 1_200

_MAX_KEYS = 10_000


class MovingWindow:
    """Counts the requests of each key within the last minute, in this process; safe for several threads.

    Memory is bounded: beyond `max_keys`, the key whose last request is the oldest is forgotten.

    Parameters
    ----------
    limit : int
        Requests of a key within the window.
    clock : callable
        Gives seconds that never go back.
    max_keys : int
        Keys to remember.
    """

    def __init__(
        self, limit: int, *, clock: Callable[[], float] = time.monotonic, max_keys: int = _MAX_KEYS
    ) -> None:
        self._limit = limit
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
            if len(times) >= self._limit:
                return WINDOW_S - (now - times[0])  # the same difference as above, so both round alike
            times.append(now)
            if len(self._times) > self._max_keys:
                self._times.popitem(last=False)
            return 0.0

    def __len__(self) -> int:
        """Return the number of keys that are remembered."""
        return len(self._times)


class RateLimits:
    """The rate limits of one player.

    Parameters
    ----------
    clock : callable
        Gives seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.names = MovingWindow(LOGINS_A_NAME, clock=clock)
        self.addresses = MovingWindow(LOGINS_AN_ADDRESS, clock=clock)
        self.listens = MovingWindow(LISTENS_A_USER, clock=clock)


def check_rate(window: MovingWindow, key: str) -> None:
    """Count a request of a key.

    Parameters
    ----------
    window : MovingWindow
        Where it is counted.
    key : str
        What it is counted by, such as a name or an address.

    Raises
    ------
    RequestRefusedError
        With status 429 and the seconds to wait, if there were too many.
    """
    wait_s = window.admit(key)
    if wait_s > 0:
        seconds = math.ceil(wait_s)
        answer = ErrorAnswer(429, "too_many_requests", f"too many requests; try again in {seconds} s")
        raise RequestRefusedError(answer, {"Retry-After": str(seconds)})


def limit_listens(app: Flask, limits: RateLimits) -> None:
    """Refuse events that come too fast.

    Parameters
    ----------
    app : Flask
        The application.
    limits : RateLimits
        The limits of this process.
    """

    @app.before_request
    def check() -> None:
        # Browsers send OPTIONS for pages of other origins; it does not count.
        route = current_route()
        if route and route.is_rate_limited and request.method == route.method:
            check_rate(limits.listens, current_user_id())
