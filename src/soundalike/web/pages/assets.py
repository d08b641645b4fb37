"""Styles, scripts and icons: our own and Bootstrap's, under a path that changes with them."""

import hashlib
from pathlib import Path

import flask_bootstrap
from flask import Response, send_from_directory, url_for

from soundalike.web.caching import refuse_other_versions
from soundalike.web.routes.blueprint import RouteBlueprint
from soundalike.web.routes.protocol import WebProtocol, nobody

_OWN = Path(__file__).parents[1] / "static"
_BOOTSTRAP = Path(flask_bootstrap.__file__).parent / "static" / "bootstrap5"
_IMMUTABLE = "public, max-age=31536000, immutable"


def assets_blueprint(pages: WebProtocol) -> RouteBlueprint:
    """Return the routes of static files.

    The version is part of the path, not of a query, so that modules that import each other by relative
    path always have the same version.

    Parameters
    ----------
    pages : WebProtocol
        That of pages.
    """
    assets = RouteBlueprint("assets", pages.finding(nobody))
    version = _fingerprint()

    @assets.handler
    def file(asked: str, name: str) -> Response:
        folder, inner = (_BOOTSTRAP, name.removeprefix("bootstrap/")) if _is_bootstrap(name) else (_OWN, name)
        response = refuse_other_versions(send_from_directory(folder, inner))
        response.headers["Cache-Control"] = _IMMUTABLE if asked == version else "no-cache"
        return response

    @assets.app_template_global()
    def asset(name: str) -> str:
        return url_for("assets.file", asked=version, name=name)

    return assets


def _is_bootstrap(name: str) -> bool:
    return name.startswith("bootstrap/")


def _fingerprint() -> str:
    digest = hashlib.blake2b(digest_size=6)
    for path in [*sorted(_OWN.rglob("*")), _BOOTSTRAP / "css" / "bootstrap.min.css"]:
        if path.is_file():
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
