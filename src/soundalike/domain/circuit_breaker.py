"""A circuit breaker: while a server is known to be away, one caller at a time tries it again."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

ErrorT = TypeVar("ErrorT", bound=Exception)


class CircuitBreaker(Generic[ErrorT]):
    """Whether calls to a server are worth trying; safe for several threads.

    Closed, it admits every call. A failure opens it: then it admits one call at a time, the first
    `retry_after_s` after the last failure, and a success closes it again. A call that is not admitted
    is answered at once, so threads do not all wait for the same time-out.

    Parameters
    ----------
    retry_after_s : float
        Seconds between a failure and the next attempt.
    clock : callable
        Gives seconds that never go back.
    """

    def __init__(self, *, retry_after_s: float, clock: Callable[[], float]) -> None:
        self._retry_after_s = retry_after_s
        self._clock = clock
        self._lock = threading.Lock()
        self._failure: tuple[ErrorT, float] | None = None
        self._is_probed = False

    @property
    def failure(self) -> tuple[ErrorT, float] | None:
        """The last failure and its time by the clock, in seconds; None while closed."""
        with self._lock:
            return self._failure

    def admit(self) -> bool:
        """Return whether a call may be made; one that may is followed by a `record_...` or `release`."""
        with self._lock:
            if self._failure is None:
                return True
            if self._is_probed or self._clock() - self._failure[1] < self._retry_after_s:
                return False
            self._is_probed = True
            return True

    def record_success(self) -> bool:
        """Close; return whether it was open, which is worth a log line."""
        with self._lock:
            was_open, self._failure = self._failure is not None, None
            self._is_probed = False
            return was_open

    def record_failure(self, error: ErrorT) -> bool:
        """Open, or stay open from now; return whether it was closed, which is worth a log line."""
        with self._lock:
            was_closed, self._failure = self._failure is None, (error, self._clock())
            self._is_probed = False
            return was_closed

    def release(self) -> None:
        """End an admitted call that showed neither; the next caller may try."""
        with self._lock:
            self._is_probed = False
