"""Who a request is from: "you" on this machine, or the account of a session or token."""

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
from soundalike.services import Services
from soundalike.services.listeners.accounts import Accounts
from soundalike.web.errors.responses import ErrorAnswer, RequestRefusedError, is_api_path
from soundalike.web.security.current_user import Listener, current_listener, set_current_listener
from soundalike.web.security.host_check import is_forwarded
from soundalike.web.security.same_origin import SAFE_METHODS, is_https

OPEN_ENDPOINTS = frozenset({"tracks.healthz", "assets.file"})
LOGIN_ENDPOINT = "login.show"
_LOGIN_ENDPOINTS = frozenset({LOGIN_ENDPOINT, "login.submit"})
SESSION_DAYS = 30
USER_HEADER = "Soundalike-User"
"""Names the user that a page was made for, so that no listen is counted for another one."""

_BEARER = re.compile(r"bearer +([A-Za-z0-9._~+/-]+=*)", re.ASCII | re.IGNORECASE)
_TARGET = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]*", re.ASCII)
_MAX_TARGET_LENGTH = 2_000
_CHALLENGE = {"WWW-Authenticate": "Bearer"}
_UNAUTHORIZED = ErrorAnswer(401, "unauthorized", "log in, or send the header Authorization: Bearer TOKEN")
_OTHER_USER = ErrorAnswer(401, "other_user", "another user has logged in since; log in again")
_WRONG_TOKEN = ErrorAnswer(
    401, "wrong_token", "the token is unknown or revoked; the header is Authorization: Bearer TOKEN"
)


class _Sessions(SecureCookieSessionInterface):
    """Sessions in a signed cookie, which is sent over https alone once it was set over https."""

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002 - Flask's own signature
        return is_https(request)


class _Logins(LoginManager):  # type: ignore[misc] # ships no types
    """Flask-Login without its "remember me" cookie, which we never set."""

    def _load_user_from_remember_cookie(self, _cookie: str) -> None:
        return None


class _SessionUser:
    """An account in the form that Flask-Login needs."""

    is_authenticated = True
    is_active = True
    is_anonymous = False

    def __init__(self, user: User) -> None:
        self.user = user

    def get_id(self) -> str:
        """Return what a session stores: the digest ends it when the password changes."""
        digest = hashlib.sha256(self.user.password_hash.encode(errors="surrogatepass")).hexdigest()
        return f"{self.user.id}.{digest}"


def authenticate_requests(app: Flask, accounts: Accounts, *, session_key: bytes, is_exposed: bool) -> None:
    """Find the user of every request; ask for a login where there is none and the route needs one.

    Parameters
    ----------
    app : Flask
        The application.
    accounts : Accounts
        Read at every request, so that a change by another process takes effect at once.
    session_key : bytes
        Signs sessions.
    is_exposed : bool
        Whether other machines can reach the player, so that no request is from "you".
    """
    app.secret_key = session_key
    app.session_interface = _Sessions()
    app.config.update(
        SESSION_COOKIE_NAME="soundalike",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=timedelta(days=SESSION_DAYS),
        # A late answer would bring back a session that was ended meanwhile.
        SESSION_REFRESH_EACH_REQUEST=False,
    )
    manager = _Logins()
    manager.session_protection = None
    manager.init_app(app, add_context_processor=False)

    @manager.user_loader  # type: ignore[untyped-decorator] # ships no types
    def load_user(session_id: str) -> _SessionUser | None:
        user = accounts.user(UserId(str(session_id).rpartition(".")[0]))
        found = None if user is None else _SessionUser(user)
        claimed = str(session_id).encode(errors="replace")
        return found if found and hmac.compare_digest(found.get_id().encode(), claimed) else None

    @app.before_request
    def authenticate() -> ResponseReturnValue | None:
        if request.endpoint in OPEN_ENDPOINTS:
            return None
        is_login = request.endpoint in _LOGIN_ENDPOINTS
        listener = None if is_login else _token_user(accounts)
        listener = listener or _session_user(accounts, is_exposed=is_exposed)
        if listener and request.headers.get(USER_HEADER, listener.user_id) != listener.user_id:
            raise RequestRefusedError(_OTHER_USER, _CHALLENGE)
        set_current_listener(listener)
        return None if listener or is_login else _ask_for_login()


def start_session(user: User) -> None:
    """Log a user in; nothing is left of the session before."""
    session.clear()
    session.permanent = True
    login_user(_SessionUser(user))
    set_current_listener(Listener(user.id, user.name))


def end_session() -> None:
    """Log out."""
    logout_user()
    session.clear()
    set_current_listener(None)


def delete_own_data(services: Services) -> None:
    """Delete all that is stored about the current user, and the account if there is one; log out."""
    listener = current_listener()
    if listener.name is None:
        services.personal_data.erase(listener.user_id)
    else:
        services.accounts.remove(listener.user_id, erase=services.personal_data.erase)
    end_session()


def safe_target(text: str) -> str:
    """Return an address to redirect to: the one given if it is a page of ours, else the library.

    Browsers read a backslash as a slash and skip control characters, so neither is allowed.
    """
    is_ours = len(text) <= _MAX_TARGET_LENGTH and _TARGET.fullmatch(text) is not None
    if not is_ours or urlsplit(text).netloc or is_api_path(urlsplit(text).path):
        return "/"
    return text


def _token_user(accounts: Accounts) -> Listener | None:
    header = request.headers.get("Authorization")
    if header is None:
        return None
    match = _BEARER.fullmatch(header)
    user = accounts.user_of_token(match[1]) if match else None
    if user is None:
        raise RequestRefusedError(_WRONG_TOKEN, _CHALLENGE)
    return Listener(user.id, user.name)


def _session_user(accounts: Accounts, *, is_exposed: bool) -> Listener | None:
    if accounts.has_users():
        known = current_user._get_current_object()  # noqa: SLF001 - a proxy has no public way to its object
        return Listener(known.user.id, known.user.name) if isinstance(known, _SessionUser) else None
    return None if is_exposed or is_forwarded(request.environ) else Listener(YOU)


def _ask_for_login() -> ResponseReturnValue:
    if is_api_path(request.path):
        raise RequestRefusedError(_UNAUTHORIZED, _CHALLENGE)
    target = _requested_target() if request.method in SAFE_METHODS else "/"
    address = url_for(LOGIN_ENDPOINT, next=target if target != "/" else None)
    response = current_app.make_response(redirect(address, code=303))
    response.headers["Cache-Control"] = "no-store"
    return response


def _requested_target() -> str:
    query = request.query_string.decode("ascii", errors="replace")
    return safe_target(f"{quote(request.path)}{'?' if query else ''}{query}")
