"""Where a request comes from: which page made it, over which scheme, from which address."""

import ipaddress

from flask import Flask, Request, request
from werkzeug.exceptions import UnsupportedMediaType

from soundalike.web.errors.responses import ErrorAnswer, RequestRefusedError, is_api_path

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

_OWN_SITES = frozenset({"same-origin", "none"})
_PORTS = {"http": ":80", "https": ":443"}
_IPV6_NETWORK_BITS = 64
_FOREIGN = ErrorAnswer(
    403,
    "foreign_origin",
    "this was sent by a page of another origin, which may change nothing here; "
    "a proxy has to pass on Host and X-Forwarded-Proto",
)


def refuse_foreign_pages(app: Flask) -> None:
    """Let nothing be changed by pages of other origins, nor by what a form elsewhere can send as JSON."""

    @app.before_request
    def refuse() -> None:
        if request.method in SAFE_METHODS or request.url_rule is None:
            return
        if not is_of_own_page(request):
            raise RequestRefusedError(_FOREIGN)
        if is_api_path(request.path) and request.mimetype != "application/json":
            message = "send it as Content-Type: application/json"
            raise UnsupportedMediaType(message)


def is_of_own_page(request: Request) -> bool:
    """Whether a request comes from our own page, or from no page at all as those of scripts do."""
    origin = request.headers.get("Origin")
    site = request.headers.get("Sec-Fetch-Site")
    return (origin is None or origin == own_origin(request)) and (site is None or site in _OWN_SITES)


def own_origin(request: Request) -> str:
    """Return the origin that our own pages have for whoever asks."""
    scheme = "https" if is_https(request) else "http"
    return f"{scheme}://{request.headers.get('Host', '').lower().removesuffix(_PORTS[scheme])}"


def is_https(request: Request) -> bool:
    """Whether the browser speaks https, to a proxy: we speak http, and without accounts there is none."""
    schemes = request.headers.get("X-Forwarded-Proto", "")
    return schemes.partition(",")[0].strip().lower() == "https"


def client_address(request: Request) -> str:
    """Return whom to count attempts by: an address, of IPv6 the network that one customer has.

    A proxy on this machine says whom it asks for; whoever asks from elsewhere may say what they like.
    """
    address = _parse(request.remote_addr or "")
    if address is None or address.is_loopback:
        forwarded = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
        address = _parse(forwarded) or address
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network((int(address), _IPV6_NETWORK_BITS), strict=False))
    return str(address)


def _parse(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
