"""Telling news from what was said just now."""

import threading
import time
from collections.abc import Callable

QUIET_S = 60.0


class Repeats:
    """Remembers what was said last; safe for several threads.

    Parameters
    ----------
    clock : callable
        Gives seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._said = ""
        self._said_s = 0.0

    def is_news(self, words: str) -> bool:
        """Whether something else was said before, or the same not for `QUIET_S`; take note of it."""
        now_s = self._clock()
        with self._lock:
            is_news = words != self._said or now_s - self._said_s > QUIET_S
            self._said, self._said_s = words, now_s
        return is_news
