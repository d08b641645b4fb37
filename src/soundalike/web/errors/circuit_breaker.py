"""Answer 503 at once while the store is away, so that workers do not all wait for its time-out."""

import logging
import time
from collections.abc import Callable

from flask import Flask, Response, g

from soundalike.domain.circuit_breaker import CircuitBreaker
from soundalike.domain.errors import StoreUnavailableError
from soundalike.web.errors.responses import error_answer, error_response
from soundalike.web.routes.blueprint import current_route

_log = logging.getLogger(__name__)

RETRY_AFTER_S = 1.0

StoreBreaker = CircuitBreaker[StoreUnavailableError]


class CircuitOpenError(StoreUnavailableError):
    """The store did not answer a moment ago, and was not asked again."""

    def __init__(self) -> None:
        super().__init__("the store did not answer a moment ago; it is asked again soon")


def make_store_breaker(clock: Callable[[], float] = time.monotonic) -> StoreBreaker:
    """Return a closed circuit breaker for the store."""
    return CircuitBreaker(retry_after_s=RETRY_AFTER_S, clock=clock)


def ask_store(breaker: StoreBreaker, question: Callable[[], bool]) -> bool:
    """Ask the store a question before a request has been admitted.

    Parameters
    ----------
    breaker : StoreBreaker
        Open while the store is away.
    question : callable
        Asks the store.

    Raises
    ------
    StoreUnavailableError
        If the store does not answer, or did not a moment ago.
    """
    if breaker.failure is not None:
        raise CircuitOpenError
    try:
        return question()
    except StoreUnavailableError as error:
        _record_failure(breaker, error)
        raise


def fail_fast(app: Flask, breaker: StoreBreaker) -> None:
    """Answer 503 to all requests but one while the store is away.

    Parameters
    ----------
    app : Flask
        Its requests are admitted by the breaker, except for routes that need no store.
    breaker : StoreBreaker
        Learns from every request whether the store answers.
    """

    @app.before_request
    def admit() -> None:
        route = current_route()
        if route and not route.needs_store:
            return
        if not breaker.admit():
            raise CircuitOpenError
        g.is_admitted = True

    @app.errorhandler(StoreUnavailableError)
    def handle_failure(error: StoreUnavailableError) -> Response:
        if not isinstance(error, CircuitOpenError):
            g.is_admitted = False
            _record_failure(breaker, error)
        return error_response(error_answer(error))

    @app.teardown_request
    def record_success(_error: BaseException | None) -> None:
        if g.pop("is_admitted", False) and breaker.record_success():
            _log.warning("the store answers again")


def _record_failure(breaker: StoreBreaker, error: StoreUnavailableError) -> None:
    if breaker.record_failure(error):
        _log.warning("%s", error)
