"""Error answers: one table from domain errors to status and code, and the handlers that use it."""

import logging
from collections.abc import Mapping
from types import MappingProxyType

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, NotFound, RequestEntityTooLarge

from soundalike.domain.errors import (
    AccountError,
    AheadOfClockError,
    AnswerTooLargeError,
    DamagedArtefactError,
    EarlyListensError,
    EventLogError,
    FileUnavailableError,
    ListenError,
    LoginError,
    MissingTracksError,
    NameTakenError,
    NoArtefactError,
    NoAudioError,
    NoCoverError,
    NotAnalysedError,
    QueryError,
    SchemaMismatchError,
    ServerBusyError,
    SoundalikeError,
    StoreBusyError,
    StoreReplacedError,
    StoreUnavailableError,
    StoreUnfitError,
    TrackGoneError,
    UnknownEntryError,
    UnknownGenerationError,
    UnknownTrackError,
    UnknownUserError,
)
from soundalike.domain.times import rfc3339
from soundalike.web.errors.log_once import LogOnce
from soundalike.web.routes.blueprint import current_protocol
from soundalike.web.routes.protocol import ErrorAnswer, RequestRefusedError

_log = logging.getLogger(__name__)

MAX_BODY_BYTES = 1 << 20
INTERNAL = "something went wrong inside soundalike; see its log"
STORE_AWAY = "the library's database does not answer; nothing is lost, try again in a moment"
STORE_REPLACED = (
    "the library's store was removed or replaced while it was in use; stop soundalike, put the store back, "
    "from a backup if need be, and start it again; its log says more"
)
STORE_UNFIT = (
    "the library's store takes nothing; see in the log of soundalike why, such as a disk that is full or may "
    "not be written to"
)
LOG_AWAY = "the event log is not accepting events"


ANSWERS: Mapping[type[SoundalikeError], tuple[int, str]] = MappingProxyType(
    {
        QueryError: (400, "bad_parameter"),
        ListenError: (400, "bad_event"),
        AheadOfClockError: (409, "ahead_of_clock"),
        MissingTracksError: (409, "unknown_track"),
        UnknownGenerationError: (409, "unknown_generation"),
        AccountError: (400, "bad_account"),
        LoginError: (401, "wrong_login"),
        NameTakenError: (409, "name_taken"),
        UnknownUserError: (409, "no_account"),
        UnknownTrackError: (404, "unknown_track"),
        UnknownEntryError: (404, "unknown_entry"),
        NoCoverError: (404, "no_cover"),
        NoAudioError: (409, "no_audio"),
        NotAnalysedError: (409, "not_analysed"),
        TrackGoneError: (410, "track_gone"),
        FileUnavailableError: (503, "file_unavailable"),
        ServerBusyError: (503, "server_busy"),
        AnswerTooLargeError: (413, "too_large"),
        NoArtefactError: (503, "no_artefact"),
        DamagedArtefactError: (503, "damaged_artefact"),
        SchemaMismatchError: (503, "artefact_mismatch"),
        StoreBusyError: (503, "store_busy"),
        StoreUnavailableError: (503, "store_unavailable"),
        StoreUnfitError: (503, "store_unavailable"),
        EventLogError: (503, "log_unavailable"),
    }
)

# Where the store or the log is, and what failed there, goes to the log alone.
_MESSAGES: Mapping[type[SoundalikeError], str] = MappingProxyType(
    {
        StoreUnavailableError: STORE_AWAY,
        StoreReplacedError: STORE_REPLACED,
        StoreUnfitError: STORE_UNFIT,
        EventLogError: f"{LOG_AWAY}; try again later",
    }
)

_CODES = MappingProxyType(
    {
        400: "bad_request",
        404: "not_found",
        405: "method_not_allowed",
        412: "precondition_failed",
        413: "too_large",
        415: "unsupported_media_type",
        416: "range_not_satisfiable",
    }
)

_INTERNAL_STATUS = 500
_RETRY_AFTER_S = MappingProxyType(
    {"store_busy": 1, "log_unavailable": 1, "store_unavailable": 2, "file_unavailable": 2, "server_busy": 10}
)
_KEPT_HEADERS = ("Allow", "Content-Range")


def error_answer(error: Exception) -> ErrorAnswer:
    """Return the answer to an error; one that is not foreseen shows nothing of the inside."""
    for kind, message in _MESSAGES.items():
        if isinstance(error, kind):
            return ErrorAnswer(*status_and_code(kind), message=message)
    status, code = status_and_code(type(error))
    if status == _INTERNAL_STATUS:
        return ErrorAnswer(status, code, INTERNAL)
    if isinstance(error, NotFound):
        return ErrorAnswer(status, code, "there is nothing at this address")
    if isinstance(error, HTTPException):
        return ErrorAnswer(status, code, error.description or error.name)
    return ErrorAnswer(status, code, str(error), _details(error))


def _details(error: Exception) -> dict[str, object]:
    """Return what a program needs to know to send the rest of what it sent."""
    details: dict[str, object] = {}
    if isinstance(error, ListenError) and error.index is not None:
        details["index"] = error.index
    if isinstance(error, EarlyListensError):
        details["indexes"] = error.indexes
    if isinstance(error, AheadOfClockError):
        details["server_time"] = rfc3339(error.server_time)
    if isinstance(error, UnknownGenerationError):
        details["generation"] = error.generation
    return details


def status_and_code(kind: type[Exception]) -> tuple[int, str]:
    """Return how errors of a kind are answered."""
    if issubclass(kind, HTTPException) and (status := kind.code or 0) in _CODES:
        return status, _CODES[status]
    known = (ANSWERS[one] for one in kind.__mro__ if one in ANSWERS)
    return next(known, (_INTERNAL_STATUS, "internal_error"))


def error_response(answer: ErrorAnswer) -> Response:
    """Return an error answer in the form of the protocol that the request speaks."""
    response = current_protocol().show_error(answer)
    response.headers["Cache-Control"] = "no-store"
    if answer.code in _RETRY_AFTER_S:
        response.headers["Retry-After"] = str(_RETRY_AFTER_S[answer.code])
    return response


def error_body(answer: ErrorAnswer) -> dict[str, object]:
    """Return an error answer as the API shows it."""
    return {"error": answer.code, "message": answer.message, **answer.details}


def handle_errors(app: Flask) -> None:
    """Answer every error of an app in the form of the protocol that the request speaks."""
    logged_once = {kind: LogOnce() for kind in (EventLogError, FileUnavailableError, StoreUnfitError)}
    traced_once = LogOnce()

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
        for kind, log_once in logged_once.items():
            if isinstance(error, kind):
                level = logging.WARNING if log_once.is_new(str(error)) else logging.DEBUG
                _log.log(level, "%s %s: %s", request.method, request.path, error)
        if answer.code == "internal_error" and not isinstance(error, HTTPException):
            # Once for a while, or a lasting error fills the disk with its tracebacks.
            traced = error if traced_once.is_new(repr(error)) else None
            _log.error("%s %s failed: %r", request.method, request.path, error, exc_info=traced)
        response = error_response(answer)
        if isinstance(error, HTTPException):
            headers = dict(error.get_headers())
            response.headers.extend({name: headers[name] for name in _KEPT_HEADERS if name in headers})
        return response
