"""The API of scans: how far they are, and who wants one."""

from dataclasses import replace

from flask import Response, jsonify

from soundalike.domain.scans import ScanRecord
from soundalike.services import Services
from soundalike.web.caching import no_store
from soundalike.web.routes.blueprint import RouteBlueprint
from soundalike.web.routes.protocol import WebProtocol
from soundalike.web.security.current_user import current_listener
from soundalike.wire.scans import scan_body

_PROBLEM = "an administrator sees why"


def scans_blueprint(services: Services, api: WebProtocol) -> RouteBlueprint:
    """Return the routes of scans.

    Parameters
    ----------
    services : Services
        The use cases.
    api : WebProtocol
        That of the JSON API.
    """
    scans = RouteBlueprint("scans", api)

    @scans.handler
    def current() -> Response:
        return _answer(services.scans.current(), has_paths=current_listener().is_admin)

    @scans.handler
    def want() -> tuple[Response, int]:
        return _answer(services.scans.want()), 202

    @scans.handler
    def pause() -> Response:
        return _answer(services.scans.pause(is_paused=True))

    @scans.handler
    def resume() -> Response:
        return _answer(services.scans.pause(is_paused=False))

    scans.after_request(no_store)
    return scans


def _answer(record: ScanRecord, *, has_paths: bool = True) -> Response:
    """Answer with a record; where folders of the server are is for administrators."""
    if not has_paths and record.last is not None and record.last.problem:
        record = replace(record, last=replace(record.last, problem=_PROBLEM))
    return jsonify(scan_body(record))
