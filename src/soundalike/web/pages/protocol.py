"""The protocol of pages: people log in by a form, read errors as pages, and forms have tokens."""

import re
from urllib.parse import quote, urlsplit

from flask import Response, current_app, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from soundalike.web.routes.blueprint import protocol_at
from soundalike.web.routes.protocol import ErrorAnswer, WebProtocol
from soundalike.web.routes.table import PAGE_ROUTES
from soundalike.web.security.authentication import Authenticator
from soundalike.web.security.csrf import check_csrf_token
from soundalike.web.security.same_origin import SAFE_METHODS, check_origin

LOGIN_ENDPOINT = "login.show"
_TARGET = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]*", re.ASCII)
_MAX_TARGET_LENGTH = 2_000
# A page would be refused its style sheets as well.
_REFUSED_EVERYWHERE = frozenset({"bad_host", "no_accounts"})


def page_protocol(authenticator: Authenticator) -> WebProtocol:
    """Return the protocol of pages, which every address speaks that has no other."""
    return WebProtocol(
        routes=PAGE_ROUTES,
        addresses=("",),
        find_listener=authenticator.find_listener,
        ask_for_login=_ask_for_login,
        check_write=_check_write,
        show_error=_show_error,
    )


def page_target(text: str) -> str:
    """Return an address to redirect to: the one given if it is a page of ours, else the library."""
    target = safe_target(text)
    return target if protocol_at(urlsplit(target).path) is protocol_at("/") else "/"


def safe_target(text: str) -> str:
    """Return an address to redirect to: the one given if it is ours, else the library.

    Browsers read a backslash as a slash and skip control characters, so neither is allowed.
    """
    is_ours = len(text) <= _MAX_TARGET_LENGTH and _TARGET.fullmatch(text) is not None
    return text if is_ours and not urlsplit(text).netloc else "/"


def _ask_for_login() -> ResponseReturnValue:
    target = _requested_target() if request.method in SAFE_METHODS else "/"
    address = url_for(LOGIN_ENDPOINT, next=target if target != "/" else None)
    response = current_app.make_response(redirect(address, code=303))
    response.headers["Cache-Control"] = "no-store"
    return response


def _requested_target() -> str:
    query = request.query_string.decode("ascii", errors="replace")
    return page_target(f"{quote(request.path)}{'?' if query else ''}{query}")


def _check_write() -> None:
    check_origin()
    check_csrf_token()


def _show_error(answer: ErrorAnswer) -> Response:
    if answer.code in _REFUSED_EVERYWHERE:
        return Response(answer.message, answer.status, content_type="text/plain; charset=utf-8")
    return make_response(render_template("error.html", error=answer), answer.status)
