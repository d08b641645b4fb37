"""Log a message once, not at every request that meets the same error."""

import threading
import time
from collections.abc import Callable

QUIET_S = 60.0


class LogOnce:
    """Remembers the last message; safe for several threads.

    Parameters
    ----------
    clock : callable
        Gives seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._last = ""
        self._last_s = 0.0

    def is_new(self, message: str) -> bool:
        """Return whether the message is not the last one, or did not come for `QUIET_S`; remember it."""
        now_s = self._clock()
        with self._lock:
            is_new = message != self._last or now_s - self._last_s > QUIET_S
            self._last, self._last_s = message, now_s
        return is_new
