"""Checks of every request for its host and its proxies; safe headers on every response."""

import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from flask import Flask

from soundalike.domain.errors import SoundalikeError, StoreUnavailableError
from soundalike.web.errors.responses import error_answer, error_response
from soundalike.web.routes.protocol import ErrorAnswer
from soundalike.web.security.client_address import Proxies

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})

SAFE_HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    (
        "Content-Security-Policy",
        (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
            "media-src 'self'; connect-src 'self'; font-src 'self'; base-uri 'none'; "
            "form-action 'self'; frame-ancestors 'none'"
        ),
    ),
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
)

_PROXY_WITHOUT_ACCOUNTS = ErrorAnswer(
    403,
    "no_accounts",
    "the request came through a proxy, and without accounts everyone behind it would be you; "
    "add an account first: soundalike users add NAME",
)
_AUTHORITY = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::[0-9]{0,5})?", re.ASCII | re.IGNORECASE)
_ABSOLUTE = re.compile(r"[a-z][a-z0-9+.-]*://([^/?#]*)", re.ASCII | re.IGNORECASE)


class HostCheck:
    """A WSGI application that refuses requests for foreign hosts before they reach the one inside.

    Another site can point its own name at this machine (DNS rebinding) and then read answers; the browser
    still sends that name as the host, which is neither ``localhost`` nor an address.

    While there are no accounts, requests through a proxy are refused too: everyone who reaches the proxy
    would be the one user who needs no password.

    Parameters
    ----------
    app : Flask
        Gets the requests that pass, and has the forms of errors.
    allowed_hosts : frozenset of str
        Host names to accept besides the local ones, without port.
    has_users : callable
        Returns whether there are accounts.
    is_exposed : bool
        Whether other machines can reach it; then every IP address is accepted as a host.
    proxies : Proxies
        Only those are believed about the address of a client, which the application gets as
        ``REMOTE_ADDR``.
    """

    def __init__(
        self,
        app: Flask,
        allowed_hosts: frozenset[str],
        *,
        has_users: Callable[[], bool],
        is_exposed: bool = False,
        proxies: Proxies,
    ) -> None:
        self._app = app
        self._proxies = proxies
        self._inside = app.wsgi_app
        self._names = LOCAL_HOSTS | {name.lower() for name in allowed_hosts}
        self._has_users = has_users
        self._is_exposed = is_exposed

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer a request, with the safe headers on any answer."""

        def start(status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Any:  # noqa: ANN401 - as WSGI has it
            named = {name.lower() for name, _ in headers}
            added = [header for header in SAFE_HEADERS if header[0].lower() not in named]
            return start_response(status, headers + added, *exc_info)

        environ = self._with_client(environ)
        refused = self._refuse_proxy(environ) or self._refuse_host(environ)
        answer = self._inside if refused is None else self._refusal(refused, environ)
        return answer(environ, start)

    def _refusal(self, refused: ErrorAnswer, environ: "WSGIEnvironment") -> "WSGIApplication":
        # The host that is refused is not one to make addresses with.
        with self._app.request_context({**environ, "HTTP_HOST": "localhost"}):
            return error_response(refused)

    def _with_client(self, environ: "WSGIEnvironment") -> "WSGIEnvironment":
        if not is_forwarded(environ):
            return environ
        peer = environ.get("REMOTE_ADDR", "")
        forwarded_for = environ.get("HTTP_X_FORWARDED_FOR", "")
        self._proxies.warn_of(peer, forwarded_for)
        return {**environ, "REMOTE_ADDR": self._proxies.client_of(peer, forwarded_for)}

    def _refuse_proxy(self, environ: "WSGIEnvironment") -> ErrorAnswer | None:
        if not is_forwarded(environ):
            return None
        try:
            return None if self._has_users() else _PROXY_WITHOUT_ACCOUNTS
        except StoreUnavailableError:
            return None  # the application inside answers 503
        except SoundalikeError as error:
            return error_answer(error)

    def _refuse_host(self, environ: "WSGIEnvironment") -> ErrorAnswer | None:
        for authority in _authorities(environ):
            name = host_name(authority)
            if name not in self._names and not (self._is_exposed and _is_address(name)):
                message = (
                    f"the host {authority[:100]!r} is not served here; "
                    f"open http://localhost:{environ.get('SERVER_PORT', '')}/ "
                    "or add the host to the setting allowed_hosts"
                )
                return ErrorAnswer(400, "bad_host", message)
        return None


def is_forwarded(environ: "WSGIEnvironment") -> bool:
    """Return whether a request has a header that proxies set."""
    return any(name == "HTTP_FORWARDED" or name.startswith("HTTP_X_FORWARDED") for name in environ)


def host_name(authority: str) -> str | None:
    """Return the name of ``name:port`` in lower case, or None where it is malformed."""
    match = _AUTHORITY.fullmatch(authority)
    return match[1].lower() if match else None


def _authorities(environ: "WSGIEnvironment") -> Iterator[str]:
    """Yield every host that a request names: in its Host header, and in an absolute request target."""
    yield environ.get("HTTP_HOST", "")
    if absolute := _ABSOLUTE.match(environ.get("REQUEST_URI", "")):
        yield absolute[1]


def _is_address(name: str | None) -> bool:
    try:
        if name and name.startswith("["):
            ipaddress.IPv6Address(name[1:-1])
        else:
            ipaddress.IPv4Address(name or "")
    except ValueError:
        return False
    return True
