"""Log a message once, not at every request that meets the same error."""

import threading
import time
from collections.abc import Callable

QUIET_S = 60.0
_REMEMBERED = 100


class LogOnce:
    """Remembers the last messages; safe for several threads.

    Parameters
    ----------
    clock : callable
        Gives seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._logged_s = dict[str, float]()

    def is_new(self, message: str) -> bool:
        """Return whether the message did not come for `QUIET_S`, as far as is remembered; remember it."""
        now_s = self._clock()
        with self._lock:
            before_s = self._logged_s.pop(message, None)
            self._logged_s[message] = now_s
            if len(self._logged_s) > _REMEMBERED:
                del self._logged_s[next(iter(self._logged_s))]
        return before_s is None or now_s - before_s > QUIET_S
