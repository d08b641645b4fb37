"""What stands before every request and goes with every response: whose name was called, and what is safe."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from soundalike.web.faults import Fault, is_api_path

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

_AUTHORITY = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::[0-9]{0,5})?", re.ASCII | re.IGNORECASE)
_ABSOLUTE = re.compile(r"[a-z][a-z0-9+.-]*://([^/?#]*)", re.ASCII | re.IGNORECASE)


class Guard:
    """A WSGI application that refuses foreign hosts before the one inside hears of them.

    A page elsewhere can point its own name at this machine (DNS rebinding) and read what it is told;
    it cannot make the browser call that name ``localhost``.

    Parameters
    ----------
    inside : WSGIApplication
        What is guarded.
    allowed_hosts : frozenset of str
        Names to answer to besides the local ones, without port.
    """

    def __init__(self, inside: "WSGIApplication", allowed_hosts: frozenset[str]) -> None:
        self._inside = inside
        self._names = LOCAL_HOSTS | {name.lower() for name in allowed_hosts}

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer a request, with the safe headers whatever the answer is."""

        def start(status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Any:  # noqa: ANN401 - as WSGI has it
            named = {name.lower() for name, _ in headers}
            added = [header for header in SAFE_HEADERS if header[0].lower() not in named]
            return start_response(status, headers + added, *exc_info)

        for authority in _authorities(environ):
            if host_name(authority) not in self._names:
                return _refuse(authority, environ, start)
        return self._inside(environ, start)


def host_name(authority: str) -> str | None:
    """Return the name of ``name:port`` in lower case, or None where it is malformed."""
    match = _AUTHORITY.fullmatch(authority)
    return match[1].lower() if match else None


def fault_body(fault: Fault) -> bytes:
    """Write an error as the API does."""
    return json.dumps({"error": fault.code, "message": fault.message}).encode()


def _authorities(environ: "WSGIEnvironment") -> Iterator[str]:
    """Yield every name that a request calls: its host's, and its target's in the form for proxies."""
    yield environ.get("HTTP_HOST", "")
    if absolute := _ABSOLUTE.match(environ.get("REQUEST_URI", "")):
        yield absolute[1]


def _refuse(authority: str, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    port = environ.get("SERVER_PORT", "")
    message = (
        f"the host {authority[:100]!r} is not served here; open http://localhost:{port}/ "
        "or name the host in the setting allowed_hosts"
    )
    if is_api_path(environ.get("PATH_INFO", "")):
        body, kind = fault_body(Fault(400, "bad_host", message)), "application/json"
    else:
        body, kind = message.encode(errors="replace"), "text/plain; charset=utf-8"
    headers = [("Content-Type", kind), ("Content-Length", str(len(body))), ("Cache-Control", "no-store")]
    start_response("400 BAD REQUEST", headers)
    return [] if environ.get("REQUEST_METHOD") == "HEAD" else [body]
