"""Who a request is from: "you" on this machine, or the account of a session or token."""

import hashlib
import hmac
import re
import secrets
from datetime import timedelta
from typing import NoReturn

from flask import Flask, request, session
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
from soundalike.web.routes.blueprint import current_protocol, current_route
from soundalike.web.routes.protocol import ErrorAnswer, Listener, RequestRefusedError
from soundalike.web.routes.route import Who
from soundalike.web.security.current_user import current_listener, set_current_listener
from soundalike.web.security.host_check import is_forwarded
from soundalike.web.security.same_origin import is_https

SESSION_DAYS = 30
_SECRET = "secret"  # noqa: S105 - a name
"""Under which a session stores what nobody can guess, and by which it is ended."""
# Twice as long as a cookie lasts: a clock that is wrong by less than a month brings no session back.
_ENDED_FOR = timedelta(days=2 * SESSION_DAYS)
USER_HEADER = "Soundalike-User"
"""Names the user that a page was made for, so that no listen is counted for another one."""

_BEARER = re.compile(r"bearer +([A-Za-z0-9._~+/-]+=*)", re.ASCII | re.IGNORECASE)
_CHALLENGE = {"WWW-Authenticate": "Bearer"}
_UNAUTHORIZED = ErrorAnswer(401, "unauthorized", "log in, or send the header Authorization: Bearer TOKEN")
_OTHER_USER = ErrorAnswer(401, "other_user", "another user has logged in since; log in again")
_NOT_ADMIN = ErrorAnswer(
    403,
    "not_admin",
    "only administrators may do this; one of them can make you one: soundalike users admin NAME",
)
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
        return f"{self.user.id}.{_digest(self.user.password_hash)}"


class Authenticator:
    """Finds who a request is from, by a token, a session, or because nobody needs an account.

    Parameters
    ----------
    accounts : Accounts
        Read at every request, so that a change by another process takes effect at once.
    is_exposed : bool
        Whether other machines can reach the player, so that no request is from "you".
    """

    def __init__(self, accounts: Accounts, *, is_exposed: bool) -> None:
        self._accounts = accounts
        self._is_exposed = is_exposed

    def find_listener(self) -> Listener | None:
        """Return who the current request is from; a token takes precedence over a session.

        Raises
        ------
        RequestRefusedError
            If the token is wrong, or the request names another user.
        """
        return _check_user(self._find_by_token() or self._find_by_session())

    def find_by_session(self) -> Listener | None:
        """Return who the current request is from, as `find_listener`, whatever token it has."""
        return _check_user(self._find_by_session())

    def _find_by_token(self) -> Listener | None:
        header = request.headers.get("Authorization")
        if header is None:
            return None
        match = _BEARER.fullmatch(header)
        user = self._accounts.user_of_token(match[1]) if match else None
        if user is None:
            raise RequestRefusedError(_WRONG_TOKEN, _CHALLENGE)
        return _listener(user)

    def _find_by_session(self) -> Listener | None:
        known = current_user._get_current_object()  # noqa: SLF001 - a proxy has no public way to its object
        if isinstance(known, _SessionUser):
            return _listener(known.user)
        needs_account = self._is_exposed or is_forwarded(request.environ) or self._accounts.has_users()
        return None if needs_account else Listener(YOU, is_admin=True)


def keep_sessions(app: Flask, accounts: Accounts, *, session_key: bytes) -> None:
    """Keep who has logged in, in a signed cookie.

    Parameters
    ----------
    app : Flask
        The application.
    accounts : Accounts
        Where the users of sessions are looked up.
    session_key : bytes
        Signs sessions.
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
        if found is None or not hmac.compare_digest(found.get_id().encode(), claimed):
            return None
        return None if accounts.is_session_ended(_session_digests()[0]) else found


def authenticate_requests(app: Flask) -> None:
    """Find the user of every request, as its protocol does; refuse it where its route is not for them."""

    @app.before_request
    def authenticate() -> ResponseReturnValue | None:
        protocol, route = current_protocol(), current_route()
        listener = protocol.find_listener()
        set_current_listener(listener)
        # An address that no route has is closed.
        who = Who.USER if route is None else route.who
        if listener is None:
            return None if who is Who.ANYONE else protocol.ask_for_login()
        if who is Who.ADMINISTRATOR and not listener.is_admin:
            raise RequestRefusedError(_NOT_ADMIN)
        return None


def refuse_without_login() -> NoReturn:
    """Refuse a request that needs a user and has none.

    Raises
    ------
    RequestRefusedError
        In any case.
    """
    raise RequestRefusedError(_UNAUTHORIZED, _CHALLENGE)


def start_session(user: User) -> None:
    """Log a user in; nothing is left of the session before."""
    session.clear()
    session.permanent = True
    session[_SECRET] = secrets.token_urlsafe()
    login_user(_SessionUser(user))
    set_current_listener(_listener(user))


def end_session(accounts: Accounts) -> None:
    """Log out: no copy of the session's cookie is valid any more, in any process."""
    if isinstance(current_user._get_current_object(), _SessionUser):  # noqa: SLF001 - as above
        accounts.end_session(current_listener().user_id, _session_digests(), lasts=_ENDED_FOR)
    _forget_session()


def _forget_session() -> None:
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
    _forget_session()  # without its account no session is valid


def _session_digests() -> list[str]:
    """Return by what the session of the request is recognised, the surest first.

    A session that began in a version without `_SECRET` has the secret of its forms from its first page on,
    and until then only what Flask-Login knows of the browser.
    """
    forms, browser = session.get("csrf_token"), session.get("_id")
    names = [session[_SECRET]] if _SECRET in session else [*([forms] if forms else []), browser]
    return [_digest(f"{session.get('_user_id')} {name}") for name in names]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def _listener(user: User) -> Listener:
    return Listener(user.id, user.name, is_admin=user.is_admin)


def _check_user(listener: Listener | None) -> Listener | None:
    if listener and request.headers.get(USER_HEADER, listener.user_id) != listener.user_id:
        raise RequestRefusedError(_OTHER_USER, _CHALLENGE)
    return listener
