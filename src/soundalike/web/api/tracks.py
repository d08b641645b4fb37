"""The JSON API of the library."""

from typing import Any

from flask import Blueprint, Response, jsonify, request

from soundalike.domain.ports.listening import LogHealth
from soundalike.domain.types import TrackId
from soundalike.services import Services
from soundalike.web.api.parameters import parse_limit, parse_tracks_query
from soundalike.web.caching import revalidate
from soundalike.web.cursors import encode_cursor
from soundalike.web.errors.responses import LOG_AWAY
from soundalike.wire import similar_body, track_body


def tracks_blueprint(services: Services) -> Blueprint:
    """Return the routes of tracks and their similarity, and of the player's health."""
    tracks = Blueprint("tracks", __name__)

    @tracks.get("/healthz")
    def healthz() -> Response:
        version = services.neighbours.artefact_version()
        events = (
            {} if services.listens.is_folding else {"events": _health_body(services.listens.log_health())}
        )
        return jsonify(status="ok", tracks=services.library.count(), artefact=version, **events)

    @tracks.get("/api/tracks")
    def page() -> Response:
        asked = parse_tracks_query(request)
        page = services.library.page(asked.query, sort=asked.sort, limit=asked.limit, after=asked.after)
        cursor = page.next and encode_cursor(page.next, sort=asked.sort, query=asked.query)
        return jsonify(tracks=[track_body(track) for track in page.tracks], total=page.total, next=cursor)

    @tracks.get("/api/tracks/<track_id>")
    def track(track_id: str) -> Response:
        return jsonify(track_body(services.library.track(TrackId(track_id))))

    @tracks.get("/api/tracks/<track_id>/similar")
    def similar(track_id: str) -> Response:
        limit = parse_limit(request)
        return jsonify(similar_body(services.neighbours.similar(TrackId(track_id), limit=limit)))

    tracks.after_request(revalidate)
    return tracks


def _health_body(health: LogHealth) -> dict[str, Any]:
    """Return the health of the log; what a log that is away says may name servers, so it is left out."""
    detail = health.detail if health.is_up else LOG_AWAY
    return {"is_up": health.is_up, "is_consumed": health.is_consumed, "detail": detail}
