"""Errors as answers: one table from domain errors to status and code, JSON for the API, pages for people."""

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
from soundalike.web.errors.log_once import Repeats

_log = logging.getLogger(__name__)

MAX_BODY_BYTES = 1 << 20
INTERNAL = "something went wrong inside soundalike; its log says what"
AWAY = (
    "the library's store does not answer just now; nothing is lost, and it works again when the store is back"
)
LOG_AWAY = "the event log takes nothing just now"
_NOT_KEPT = f"{LOG_AWAY}; send it again later"


@dataclass(frozen=True, slots=True)
class Fault:
    """Status, code and sentence of an error answer; `index` tells which of several events it is about."""

    status: int
    code: str
    message: str
    index: int | None = None


class Refusal(Exception):  # noqa: N818 - not an error, an answer
    """An answer that a request gets instead of what it asked for.

    Parameters
    ----------
    fault : Fault
        What is wrong with it.
    headers : mapping of str to str
        What the answer carries besides.
    """

    def __init__(self, fault: Fault, headers: Mapping[str, str] = MappingProxyType({})) -> None:
        super().__init__(fault.message)
        self.fault = fault
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


def fault_of(error: Exception) -> Fault:
    """Return how an error is answered; what nobody foresaw says nothing of the inside."""
    if isinstance(error, StoreUnavailableError):
        # Where the store is, and what ails it, is for whoever runs it.
        return Fault(*ANSWERS[StoreUnavailableError], message=AWAY)
    if isinstance(error, EventLogError):
        return Fault(*ANSWERS[EventLogError], message=_NOT_KEPT)
    for kind in type(error).__mro__:
        if kind in ANSWERS:
            return Fault(*ANSWERS[kind], message=str(error), index=getattr(error, "index", None))
    if isinstance(error, NotFound):
        return Fault(404, "not_found", "there is nothing at this address")
    if isinstance(error, HTTPException) and (status := error.code or 0) in _CODES:
        return Fault(status, _CODES[status], error.description or error.name)
    return Fault(500, "internal_error", INTERNAL)


def fault_response(fault: Fault) -> Response:
    """Answer as JSON under ``/api`` and ``/healthz``, as a page elsewhere."""
    if is_api_path(request.path):
        body = {"error": fault.code, "message": fault.message}
        response = jsonify(body if fault.index is None else body | {"index": fault.index})
    else:
        response = make_response(render_template("fault.html", fault=fault))
    response.status_code = fault.status
    response.headers["Cache-Control"] = "no-store"
    response.headers.extend(retry_headers(fault))
    return response


def retry_headers(fault: Fault) -> dict[str, str]:
    """Return what tells a client when to come again, where that may help."""
    return {"Retry-After": str(_RETRY_AFTER_S[fault.code])} if fault.code in _RETRY_AFTER_S else {}


def is_api_path(path: str) -> bool:
    """Whether programs, not people, read what is at this path."""
    return path in {"/healthz", "/api"} or path.startswith("/api/")


def answer_faults(app: Flask) -> None:
    """Make an app answer every error in one form."""
    failures = Repeats()

    @app.before_request
    def refuse_bodies() -> None:
        if (request.content_length or 0) > MAX_BODY_BYTES:
            raise RequestEntityTooLarge

    @app.errorhandler(Refusal)
    def refuse(refusal: Refusal) -> Response:
        response = fault_response(refusal.fault)
        response.headers.extend(dict(refusal.headers))
        return response

    @app.errorhandler(SoundalikeError)
    @app.errorhandler(HTTPException)
    def answer(error: Exception) -> Response:
        fault = fault_of(error)
        if isinstance(error, EventLogError):
            level = logging.WARNING if failures.is_news(str(error)) else logging.DEBUG
            _log.log(level, "%s %s: %s", request.method, request.path, error)
        if fault.code == "internal_error" and not isinstance(error, HTTPException):
            _log.error("%s %s failed", request.method, request.path, exc_info=error)
        response = fault_response(fault)
        if isinstance(error, HTTPException):
            headers = dict(error.get_headers())
            response.headers.extend({name: headers[name] for name in _KEPT_HEADERS if name in headers})
        return response
