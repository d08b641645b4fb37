"""Where a request comes from: the page's origin, the scheme, the client's address."""

from flask import Flask, Request, request
from werkzeug.exceptions import UnsupportedMediaType

from soundalike.web.routes.blueprint import current_protocol
from soundalike.web.routes.protocol import ErrorAnswer, RequestRefusedError

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

_OWN_SITES = frozenset({"same-origin", "none"})
_PORTS = {"http": ":80", "https": ":443"}
_FOREIGN = ErrorAnswer(
    403,
    "foreign_origin",
    "the request comes from a page of another origin, which may not change anything; "
    "behind a proxy, pass on Host and set X-Forwarded-Proto",
)


def check_writes(app: Flask) -> None:
    """Have each protocol check what would change something."""

    @app.before_request
    def check() -> None:
        if request.method not in SAFE_METHODS and request.url_rule is not None:
            current_protocol().check_write()


def check_origin() -> None:
    """Refuse a request by a page of another origin.

    Raises
    ------
    RequestRefusedError
        If the browser says that it is one.
    """
    if not is_same_origin(request):
        raise RequestRefusedError(_FOREIGN)


def check_content_type() -> None:
    """Refuse what forms can send, since the JSON API has no tokens against forgery.

    Raises
    ------
    UnsupportedMediaType
        If the content type is not JSON's.
    """
    if request.mimetype != "application/json":
        message = "send the header Content-Type: application/json"
        raise UnsupportedMediaType(message)


def is_same_origin(request: Request) -> bool:
    """Return whether a request comes from our own page, or from no page at all, as those of scripts."""
    origin = request.headers.get("Origin")
    site = request.headers.get("Sec-Fetch-Site")
    return (origin is None or origin == own_origin(request)) and (site is None or site in _OWN_SITES)


def own_origin(request: Request) -> str:
    """Return the origin of our own pages, as the client sees it."""
    scheme = "https" if is_https(request) else "http"
    return f"{scheme}://{request.headers.get('Host', '').lower().removesuffix(_PORTS[scheme])}"


def is_https(request: Request) -> bool:
    """Return whether the browser uses https, which only a proxy in front of us can speak."""
    schemes = request.headers.get("X-Forwarded-Proto", "")
    return schemes.partition(",")[0].strip().lower() == "https"
