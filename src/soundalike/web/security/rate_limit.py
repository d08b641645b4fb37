"""Rate limits: so many requests within the last minute."""

import logging
import math
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable

from flask import Flask, request

from soundalike.domain.types import UserId
from soundalike.web.routes.blueprint import current_route
from soundalike.web.routes.protocol import ErrorAnswer, RequestRefusedError
from soundalike.web.security.client_address import client_key
from soundalike.web.security.current_user import current_user_id

_log = logging.getLogger(__name__)

WINDOW_S = 60.0
LOGINS_A_NAME = 10
LOGINS_AN_ADDRESS = 30
PASSWORDS_A_USER = 10
LISTENS_A_USER = 1_200
LINES_LOGGED = 10

_MAX_KEYS = 10_000
_MAX_NAME = 128
_SHOWN_NAME = 40


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

    A name alone is not limited: whoever knows it could keep its owner out from anywhere.

    Parameters
    ----------
    clock : callable
        Gives seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._addresses = MovingWindow(LOGINS_AN_ADDRESS, clock=clock)
        self._names = MovingWindow(LOGINS_A_NAME, clock=clock)
        self._passwords = MovingWindow(PASSWORDS_A_USER, clock=clock)
        self._listens = MovingWindow(LISTENS_A_USER, clock=clock)
        self._logged = MovingWindow(1, clock=clock)
        self._lines = MovingWindow(LINES_LOGGED, clock=clock)

    def check_login(self, address: str, name: str) -> None:
        """Count an attempt to log in, by the client's address, and by that and the name.

        Parameters
        ----------
        address : str
            The client's.
        name : str
            In the form in which names are compared.

        Raises
        ------
        RequestRefusedError
            With status 429 and the seconds to wait, if there were too many within a minute.
        """
        client, name = client_key(address), name[:_MAX_NAME]
        self._check(self._addresses, client, f"attempts to log in from {client}, the last as {_shown(name)}")
        self._check(self._names, f"{client} {name}", f"attempts to log in as {_shown(name)} from {client}")

    def check_password(self, address: str, user_id: UserId, name: str) -> None:
        """Count an attempt of somebody who is logged in at their own password.

        Parameters
        ----------
        address : str
            The client's.
        user_id : UserId
            Of the session.
        name : str
            Of that user.

        Raises
        ------
        RequestRefusedError
            As by `check_login`.
        """
        client = client_key(address)
        what = f"attempts at the password of {_shown(name)}, who is logged in, from {client}"
        self._check(self._passwords, f"{client} {user_id}", what)

    def check_listens(self, user_id: UserId) -> None:
        """Count a request with events of a user.

        Raises
        ------
        RequestRefusedError
            As by `check_login`.
        """
        self._check(self._listens, user_id, f"requests with events of the user {_shown(user_id)}")

    def _check(self, window: MovingWindow, key: str, what: str) -> None:
        wait_s = window.admit(key)
        if wait_s <= 0:
            return
        # Once a minute for each, and so many in all, whatever names and addresses somebody makes up.
        if not self._logged.admit(key) and not self._lines.admit(""):
            _log.warning("too many %s within a minute; more are refused for now", what)
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
            limits.check_listens(current_user_id())


def _shown(name: str) -> str:
    return repr(name if len(name) <= _SHOWN_NAME else f"{name[:_SHOWN_NAME]}...")
