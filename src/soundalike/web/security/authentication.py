"""Who may come in: "you" on one's own machine, else whoever has a session or a token."""

import hashlib
import hmac
import re
from datetime import timedelta
from urllib.parse import quote, urlsplit

from flask import Flask, current_app, redirect, request, session, url_for
from flask.sessions import SecureCookieSessionInterface
from flask.typing import ResponseReturnValue
from flask_login import (  # type: ignore[import-untyped] # ships no types
    LoginManager,
    current_user,
    login_user,
    logout_user,
)

from soundalike.domain.types import UserId
from soundalike.domain.users import YOU, User
from soundalike.services.listeners.accounts import Accounts
from soundalike.web.errors.responses import ErrorAnswer, RequestRefusedError, is_api_path
from soundalike.web.security.current_user import Listener, know
from soundalike.web.security.host_check import is_forwarded
from soundalike.web.security.same_origin import SAFE_METHODS, is_https

OPEN_ENDPOINTS = frozenset({"api.healthz", "assets.file"})
LOGIN_ENDPOINT = "entry.login"
_LOGIN_ENDPOINTS = frozenset({LOGIN_ENDPOINT, "entry.log_in"})
SESSION_DAYS = 30
USER_HEADER = "Soundalike-User"
"""By which a page may say for whom it was made, so that nobody's listens become another's."""

_BEARER = re.compile(r"bearer +([A-Za-z0-9._~+/-]+=*)", re.ASCII | re.IGNORECASE)
_ADDRESS = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]*", re.ASCII)
_MAX_ADDRESS_LENGTH = 2_000
_CHALLENGE = {"WWW-Authenticate": "Bearer"}
_UNKNOWN = ErrorAnswer(401, "unauthorized", "log in, or send a token as Authorization: Bearer TOKEN")
_OTHER_USER = ErrorAnswer(401, "other_user", "somebody else is logged in by now; log in again")
_WRONG_TOKEN = ErrorAnswer(
    401, "wrong_token", "the token is unknown or was revoked; Authorization is Bearer TOKEN"
)


class _Sessions(SecureCookieSessionInterface):
    """Sessions in a signed cookie, which stays on https once it came by it."""

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002 - Flask's own signature
        return is_https(request)


class _Logins(LoginManager):  # type: ignore[misc] # ships no types
    """Flask-Login without its second cookie, which we never set, and which it reads without care."""

    def _load_user_from_remember_cookie(self, _cookie: str) -> None:
        return None


class _Member:
    """An account as Flask-Login knows it."""

    is_authenticated = True
    is_active = True
    is_anonymous = False

    def __init__(self, user: User) -> None:
        self.user = user

    def get_id(self) -> str:
        """Return what a session remembers: with another password, or none, it is somebody else."""
        digest = hashlib.sha256(self.user.password_hash.encode(errors="surrogatepass")).hexdigest()
        return f"{self.user.id}.{digest}"


def recognise_listeners(app: Flask, accounts: Accounts, *, session_key: bytes, is_exposed: bool) -> None:
    """Find out who asks, at every request, and turn away whoever has to be known and is not.

    Parameters
    ----------
    app : Flask
        What is closed to strangers.
    accounts : Accounts
        Asked at every request, so that what another process changes holds at once.
    session_key : bytes
        Signs sessions.
    is_exposed : bool
        Whether other machines reach the player, so that nobody is "you".
    """
    app.secret_key = session_key
    app.session_interface = _Sessions()
    app.config.update(
        SESSION_COOKIE_NAME="soundalike",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=timedelta(days=SESSION_DAYS),
        # An answer that is late would bring a session back that was ended meanwhile.
        SESSION_REFRESH_EACH_REQUEST=False,
    )
    manager = _Logins()
    manager.session_protection = None
    manager.init_app(app, add_context_processor=False)

    @manager.user_loader  # type: ignore[untyped-decorator] # ships no types
    def member(session_id: str) -> _Member | None:
        user = accounts.user(UserId(str(session_id).rpartition(".")[0]))
        found = None if user is None else _Member(user)
        claimed = str(session_id).encode(errors="replace")
        return found if found and hmac.compare_digest(found.get_id().encode(), claimed) else None

    @app.before_request
    def recognise() -> ResponseReturnValue | None:
        if request.endpoint in OPEN_ENDPOINTS:
            return None
        is_login = request.endpoint in _LOGIN_ENDPOINTS
        listener = None if is_login else _bearer(accounts)
        listener = listener or _visitor(accounts, is_exposed=is_exposed)
        if listener and request.headers.get(USER_HEADER, listener.user_id) != listener.user_id:
            raise RequestRefusedError(_OTHER_USER, _CHALLENGE)
        know(listener)
        return None if listener or is_login else _turn_away()


def start_session(user: User) -> None:
    """Log somebody in, with nothing left of the session before."""
    session.clear()
    session.permanent = True
    login_user(_Member(user))
    know(Listener(user.id, user.name))


def end_session() -> None:
    """Log out."""
    logout_user()
    session.clear()
    know(None)


def own_address(text: str) -> str:
    """Return an address that leads to a page of ours, the library where the one given does not.

    Browsers read a backslash as a slash and skip control characters, so neither is let through.
    """
    is_ours = len(text) <= _MAX_ADDRESS_LENGTH and _ADDRESS.fullmatch(text) is not None
    if not is_ours or urlsplit(text).netloc or is_api_path(urlsplit(text).path):
        return "/"
    return text


def _bearer(accounts: Accounts) -> Listener | None:
    header = request.headers.get("Authorization")
    if header is None:
        return None
    match = _BEARER.fullmatch(header)
    user = accounts.user_of_token(match[1]) if match else None
    if user is None:
        raise RequestRefusedError(_WRONG_TOKEN, _CHALLENGE)
    return Listener(user.id, user.name)


def _visitor(accounts: Accounts, *, is_exposed: bool) -> Listener | None:
    if accounts.has_users():
        member = current_user._get_current_object()  # noqa: SLF001 - how a proxy is asked for what it stands for
        return Listener(member.user.id, member.user.name) if isinstance(member, _Member) else None
    return None if is_exposed or is_forwarded(request.environ) else Listener(YOU)


def _turn_away() -> ResponseReturnValue:
    if is_api_path(request.path):
        raise RequestRefusedError(_UNKNOWN, _CHALLENGE)
    address = _asked_address() if request.method in SAFE_METHODS else "/"
    target = url_for(LOGIN_ENDPOINT, next=address if address != "/" else None)
    response = current_app.make_response(redirect(target, code=303))
    response.headers["Cache-Control"] = "no-store"
    return response


def _asked_address() -> str:
    query = request.query_string.decode("ascii", errors="replace")
    return own_address(f"{quote(request.path)}{'?' if query else ''}{query}")
