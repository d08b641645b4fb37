"""While the store is away, one request at a time finds out whether it is back; the others are told at once.

A question to a store that is away takes as long as its time-out, and workers are few: if all of them waited,
nothing would be answered at all.
"""

import logging
import threading
import time
from collections.abc import Callable

from flask import Flask, Response, g, request

from soundalike.domain.errors import StoreUnavailableError
from soundalike.web.errors.responses import fault_of, fault_response

_log = logging.getLogger(__name__)

ASKED_EVERY_S = 1.0
_STORELESS = frozenset({"assets.file"})


class StillAwayError(StoreUnavailableError):
    """The store was away just now, and was not asked again."""


class StorePresence:
    """Whether the store answers, as requests find it; safe for several threads.

    Parameters
    ----------
    clock : callable
        Gives seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._missed_s: float | None = None
        self._is_asked = False

    def ask(self, question: Callable[[], bool]) -> bool:
        """Ask the store something outside any request that was admitted.

        Raises
        ------
        StoreUnavailableError
            If it is away, or was just now.
        """
        with self._lock:
            if self._missed_s is not None:
                raise _still_away()
        try:
            return question()
        except StoreUnavailableError as error:
            self.note_away(error)
            raise

    def admit(self) -> bool:
        """Whether a request may ask the store; whoever may says later what came of it."""
        with self._lock:
            if self._missed_s is None:
                return True
            if self._is_asked or self._clock() - self._missed_s < ASKED_EVERY_S:
                return False
            self._is_asked = True
            return True

    def note_there(self) -> None:
        """Take note of an answer; say so where it is the first again."""
        with self._lock:
            is_news, self._missed_s = self._missed_s is not None, None
            self._is_asked = False
        if is_news:
            _log.warning("the store answers again")

    def note_away(self, error: StoreUnavailableError) -> None:
        """Take note that there was none; say why where there was one before."""
        with self._lock:
            is_news, self._missed_s = self._missed_s is None, self._clock()
            self._is_asked = False
        if is_news:
            _log.warning("%s", error)


def spare_workers(app: Flask, presence: StorePresence) -> None:
    """Answer at once what would wait for a store that is away."""

    @app.before_request
    def refuse_to_wait() -> None:
        if request.endpoint in _STORELESS:
            return
        if not presence.admit():
            raise _still_away()
        g.asks_store = True

    @app.errorhandler(StoreUnavailableError)
    def tell(error: StoreUnavailableError) -> Response:
        if not isinstance(error, StillAwayError):
            g.asks_store = False
            presence.note_away(error)
        return fault_response(fault_of(error))

    @app.teardown_request
    def note(_error: BaseException | None) -> None:
        if g.pop("asks_store", False):
            presence.note_there()


def _still_away() -> StillAwayError:
    return StillAwayError("the store was away just now, and is asked again soon")
