"""Figures for Prometheus, in its text format."""

from collections.abc import Iterator

from flask import Response

from soundalike.domain.scans import ScanRecord, ScanState
from soundalike.services import Services
from soundalike.web.caching import no_store
from soundalike.web.routes.blueprint import RouteBlueprint
from soundalike.web.routes.protocol import WebProtocol, nobody

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def metrics_blueprint(services: Services, api: WebProtocol) -> RouteBlueprint:
    """Return the route of the figures; as `healthz`, it tells how much there is, and never what.

    Parameters
    ----------
    services : Services
        The use cases.
    api : WebProtocol
        That of the JSON API.
    """
    metrics = RouteBlueprint("metrics", api.finding(nobody))

    @metrics.handler
    def show() -> Response:
        lines = _lines(services.scans.current(), services.library.count())
        return Response("".join(lines), content_type=CONTENT_TYPE)

    metrics.after_request(no_store)
    return metrics


def _lines(record: ScanRecord, tracks: int) -> Iterator[str]:
    yield from _gauge("tracks", "Tracks in the library.", tracks)
    yield from _family("scan_state", "What scans do: 1 for the state that they are in.")
    for state in ScanState:
        yield f'soundalike_scan_state{{state="{state.value}"}} {int(record.state is state)}\n'
    progress = record.progress
    yield from _gauge("scan_files_done", "Files that the running scan has analysed.", progress.done)
    yield from _gauge("scan_files", "Files that the running scan has to analyse.", progress.total)
    if progress.seconds_left is not None:
        yield from _gauge("scan_seconds_left", "How long the rest will take.", progress.seconds_left)
    if record.last is not None:
        finished_s = record.last.finished_ms / 1000
        yield from _gauge("scan_last_finished_seconds", "When the last scan ended, since 1970.", finished_s)
        is_whole = int(not record.last.problem)
        yield from _gauge("scan_last_whole", "Whether the last scan could do all it should.", is_whole)


def _gauge(name: str, what: str, value: float) -> Iterator[str]:
    yield from _family(name, what)
    yield f"soundalike_{name} {value}\n"


def _family(name: str, what: str) -> Iterator[str]:
    yield f"# HELP soundalike_{name} {what}\n# TYPE soundalike_{name} gauge\n"
