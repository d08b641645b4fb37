"""Error answers: one table from domain errors to status and code; JSON for the API, pages for people."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from flask import Flask, Response, jsonify, make_response, render_template, request
from werkzeug.exceptions import HTTPException, NotFound, RequestEntityTooLarge

from soundalike.domain.errors import (
    AccountError,
    DamagedArtefactError,
    EventLogError,
    ListenError,
    LoginError,
    NameTakenError,
    NoArtefactError,
    NoAudioError,
    NoCoverError,
    NotAnalysedError,
    QueryError,
    SchemaMismatchError,
    SoundalikeError,
    StoreBusyError,
    StoreUnavailableError,
    TrackGoneError,
    UnknownTrackError,
    UnknownUserError,
)
from soundalike.web.errors.log_once import LogOnce

_log = logging.getLogger(__name__)

MAX_BODY_BYTES = 1 << 20
INTERNAL = "something went wrong inside soundalike; see its log"
STORE_AWAY = "the library's database does not answer; nothing is lost, try again in a moment"
LOG_AWAY = "the event log is not accepting events"
_TRY_AGAIN = f"{LOG_AWAY}; try again later"


@dataclass(frozen=True, slots=True)
class ErrorAnswer:
    """The answer to a request that fails; `index` is the position of the event that it is about."""

    status: int
    code: str
    message: str
    index: int | None = None


class RequestRefusedError(Exception):
    """The request is refused, with this answer.

    Parameters
    ----------
    answer : ErrorAnswer
        What the client gets.
    headers : mapping of str to str
        Additional headers.
    """

    def __init__(self, answer: ErrorAnswer, headers: Mapping[str, str] = MappingProxyType({})) -> None:
        super().__init__(answer.message)
        self.answer = answer
        self.headers = headers


ANSWERS: Mapping[type[SoundalikeError], tuple[int, str]] = MappingProxyType(
    {
        QueryError: (400, "bad_parameter"),
        ListenError: (400, "bad_event"),
        AccountError: (400, "bad_account"),
        LoginError: (401, "wrong_login"),
        NameTakenError: (409, "name_taken"),
        UnknownUserError: (409, "no_account"),
        UnknownTrackError: (404, "unknown_track"),
        NoCoverError: (404, "no_cover"),
        NoAudioError: (409, "no_audio"),
        NotAnalysedError: (409, "not_analysed"),
        TrackGoneError: (410, "track_gone"),
        NoArtefactError: (503, "no_artefact"),
        DamagedArtefactError: (503, "damaged_artefact"),
        SchemaMismatchError: (503, "artefact_mismatch"),
        StoreBusyError: (503, "store_busy"),
        StoreUnavailableError: (503, "store_unavailable"),
        EventLogError: (503, "log_unavailable"),
    }
)

_CODES = MappingProxyType(
    {
        400: "bad_request",
        405: "method_not_allowed",
        413: "too_large",
        415: "unsupported_media_type",
        416: "range_not_satisfiable",
    }
)

_RETRY_AFTER_S = MappingProxyType({"store_busy": 1, "log_unavailable": 1, "store_unavailable": 2})
_KEPT_HEADERS = ("Allow", "Content-Range")


def error_answer(error: Exception) -> ErrorAnswer:
    """Return the answer to an error; one that is not foreseen shows nothing of the inside."""
    if isinstance(error, StoreUnavailableError):
        # The address of the store and what failed there go to the log alone.
        return ErrorAnswer(*ANSWERS[StoreUnavailableError], message=STORE_AWAY)
    if isinstance(error, EventLogError):
        return ErrorAnswer(*ANSWERS[EventLogError], message=_TRY_AGAIN)
    for kind in type(error).__mro__:
        if kind in ANSWERS:
            return ErrorAnswer(*ANSWERS[kind], message=str(error), index=getattr(error, "index", None))
    if isinstance(error, NotFound):
        return ErrorAnswer(404, "not_found", "there is nothing at this address")
    if isinstance(error, HTTPException) and (status := error.code or 0) in _CODES:
        return ErrorAnswer(status, _CODES[status], error.description or error.name)
    return ErrorAnswer(500, "internal_error", INTERNAL)


def error_response(answer: ErrorAnswer) -> Response:
    """Return an error answer as JSON under ``/api`` and ``/healthz``, as a page under other paths."""
    if is_api_path(request.path):
        response = jsonify(error_body(answer))
    else:
        response = make_response(render_template("error.html", error=answer))
    response.status_code = answer.status
    response.headers["Cache-Control"] = "no-store"
    response.headers.extend(retry_headers(answer))
    return response


def error_body(answer: ErrorAnswer) -> dict[str, str | int]:
    """Return an error answer as the API shows it."""
    index = {} if answer.index is None else {"index": answer.index}
    return {"error": answer.code, "message": answer.message, **index}


def retry_headers(answer: ErrorAnswer) -> dict[str, str]:
    """Return the header that says when to try again, where that may help."""
    return {"Retry-After": str(_RETRY_AFTER_S[answer.code])} if answer.code in _RETRY_AFTER_S else {}


def is_api_path(path: str) -> bool:
    """Return whether a path belongs to the API, so that its answers are JSON."""
    return path in {"/healthz", "/api"} or path.startswith("/api/")


def handle_errors(app: Flask) -> None:
    """Answer every error of an app in one form: JSON or a page."""
    log_once = LogOnce()

    @app.before_request
    def refuse_large_bodies() -> None:
        if (request.content_length or 0) > MAX_BODY_BYTES:
            raise RequestEntityTooLarge

    @app.errorhandler(RequestRefusedError)
    def handle_refused(error: RequestRefusedError) -> Response:
        response = error_response(error.answer)
        response.headers.extend(dict(error.headers))
        return response

    @app.errorhandler(SoundalikeError)
    @app.errorhandler(HTTPException)
    def handle(error: Exception) -> Response:
        answer = error_answer(error)
        if isinstance(error, EventLogError):
            level = logging.WARNING if log_once.is_new(str(error)) else logging.DEBUG
            _log.log(level, "%s %s: %s", request.method, request.path, error)
        if answer.code == "internal_error" and not isinstance(error, HTTPException):
            _log.error("%s %s failed", request.method, request.path, exc_info=error)
        response = error_response(answer)
        if isinstance(error, HTTPException):
            headers = dict(error.get_headers())
            response.headers.extend({name: headers[name] for name in _KEPT_HEADERS if name in headers})
        return response
