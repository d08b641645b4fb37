"""The JSON API and the bytes of audio and covers; stable for programs."""

from typing import Any

from flask import Blueprint, Response, jsonify, request

from soundalike.domain.ports.listening import LogHealth
from soundalike.domain.types import TrackId
from soundalike.services import Services
from soundalike.web.api.cursors import encode_cursor
from soundalike.web.api.parameters import limit_of, recent_of, tracks_query
from soundalike.web.errors.responses import LOG_AWAY
from soundalike.web.media.audio_response import audio_response
from soundalike.web.pages.covers import cover_response
from soundalike.wire import similar_body, track_body


def make_api(services: Services) -> Blueprint:
    """Return the routes of the API over some services."""
    api = Blueprint("api", __name__)

    @api.get("/healthz")
    def healthz() -> Response:
        version = services.neighbours.artefact_version()
        events = (
            {} if services.listens.is_folding else {"events": _health_body(services.listens.log_health())}
        )
        return jsonify(status="ok", tracks=services.library.count(), artefact=version, **events)

    @api.get("/api/tracks")
    def tracks() -> Response:
        asked = tracks_query(request)
        page = services.library.page(asked.query, sort=asked.sort, limit=asked.limit, after=asked.after)
        cursor = page.next and encode_cursor(page.next, sort=asked.sort, query=asked.query)
        return jsonify(tracks=[track_body(track) for track in page.tracks], total=page.total, next=cursor)

    @api.get("/api/tracks/<track_id>")
    def track(track_id: str) -> Response:
        return jsonify(track_body(services.library.track(TrackId(track_id))))

    @api.get("/api/tracks/<track_id>/similar")
    def similar(track_id: str) -> Response:
        limit = limit_of(request)
        return jsonify(similar_body(services.neighbours.similar(TrackId(track_id), limit=limit)))

    @api.get("/api/tracks/<track_id>/radio")
    def radio(track_id: str) -> Response:
        limit, recent = limit_of(request), recent_of(request)
        return jsonify(similar_body(services.neighbours.radio(TrackId(track_id), recent=recent, limit=limit)))

    @api.get("/api/tracks/<track_id>/audio")
    def audio(track_id: str) -> Response:
        return audio_response(services.listening.audio(TrackId(track_id)), request)

    @api.get("/api/tracks/<track_id>/cover")
    def cover(track_id: str) -> Response:
        return cover_response(services.listening.cover(TrackId(track_id)), request)

    @api.after_request
    def revalidate(response: Response) -> Response:
        response.headers.setdefault("Cache-Control", "private, no-cache")
        return response

    return api


def _health_body(health: LogHealth) -> dict[str, Any]:
    """Tell how the log is; the words of one that is away may name servers, and are for whoever runs it."""
    detail = health.detail if health.is_up else LOG_AWAY
    return {"is_up": health.is_up, "is_consumed": health.is_consumed, "detail": detail}
