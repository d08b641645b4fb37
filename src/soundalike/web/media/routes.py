"""The addresses of audio and covers."""

from flask import Blueprint, Response, request

from soundalike.domain.errors import NoCoverError, TrackGoneError
from soundalike.domain.types import TrackId
from soundalike.services import Services
from soundalike.web.caching import revalidate
from soundalike.web.media.audio_response import audio_response
from soundalike.web.media.covers import cover_response, generated_cover_response


def media_blueprint(services: Services) -> Blueprint:
    """Return the routes of audio and covers, for programs under ``/api`` and for pages."""
    media = Blueprint("media", __name__)

    @media.get("/api/tracks/<track_id>/audio")
    def audio(track_id: str) -> Response:
        return audio_response(services.media.audio(TrackId(track_id)), request)

    @media.get("/api/tracks/<track_id>/cover")
    def cover(track_id: str) -> Response:
        return cover_response(services.media.cover(TrackId(track_id)), request)

    @media.get("/tracks/<track_id>/cover")
    def page_cover(track_id: str) -> Response:
        try:
            return cover(track_id)
        except (NoCoverError, TrackGoneError):
            return generated_cover_response(services.library.track(TrackId(track_id)), request)

    media.after_request(revalidate)
    return media
