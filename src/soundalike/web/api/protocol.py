"""The protocol of the JSON API: programs log in by tokens, browsers by sessions, and errors are JSON."""

from flask import Response, jsonify

from soundalike.web.errors.responses import error_body
from soundalike.web.routes.protocol import ErrorAnswer, WebProtocol
from soundalike.web.routes.table import API_ROUTES
from soundalike.web.security.authentication import Authenticator, refuse_without_login
from soundalike.web.security.same_origin import check_content_type, check_origin


def json_protocol(authenticator: Authenticator) -> WebProtocol:
    """Return the protocol of the JSON API."""
    return WebProtocol(
        routes=API_ROUTES,
        addresses=("/api", "/healthz", "/metrics"),
        find_listener=authenticator.find_listener,
        ask_for_login=refuse_without_login,
        check_write=_check_write,
        show_error=_show_error,
    )


def _check_write() -> None:
    check_origin()
    check_content_type()


def _show_error(answer: ErrorAnswer) -> Response:
    response = jsonify(error_body(answer))
    response.status_code = answer.status
    return response
