"""The addresses of audio and covers."""

from contextlib import suppress
from dataclasses import replace

from flask import Response, request
from werkzeug.exceptions import NotFound

from soundalike.domain.errors import NoCoverError, TrackGoneError
from soundalike.domain.tracks import Sort, SortField, Track, TrackFilter
from soundalike.domain.types import AlbumId, TrackId
from soundalike.services import Services
from soundalike.web.caching import revalidate
from soundalike.web.media.audio_response import audio_response
from soundalike.web.media.covers import cover_response, generated_cover_response
from soundalike.web.routes.blueprint import RouteBlueprint
from soundalike.web.routes.protocol import WebProtocol
from soundalike.web.temporary_files import TemporaryFiles

TRIED_COVERS = 5
"""The first tracks of an album that are asked for its cover; each is a file to open."""


def media_blueprint(services: Services, api: WebProtocol, temporary: TemporaryFiles) -> RouteBlueprint:
    """Return the routes of audio and covers for programs.

    Parameters
    ----------
    services : Services
        The use cases.
    api : WebProtocol
        That of the JSON API.
    temporary : TemporaryFiles
        For large covers.
    """
    media = RouteBlueprint("media", api)

    @media.handler
    def audio(track_id: str) -> Response:
        return audio_response(services.media.audio(TrackId(track_id)), request)

    @media.handler
    def cover(track_id: str) -> Response:
        return cover_response(services.media.cover(TrackId(track_id)), request, temporary)

    media.after_request(revalidate)
    return media


def covers_blueprint(services: Services, pages: WebProtocol, temporary: TemporaryFiles) -> RouteBlueprint:
    """Return the routes of covers for pages, where a track without one has a generated one.

    Parameters
    ----------
    services : Services
        The use cases.
    pages : WebProtocol
        That of pages.
    temporary : TemporaryFiles
        For large covers.
    """
    covers = RouteBlueprint("covers", pages)

    def tracks_of(album: TrackFilter, *, limit: int) -> tuple[Track, ...]:
        return services.library.page(sort=Sort(SortField.ALBUM), limit=limit, only=album).tracks

    @covers.handler
    def page_cover(track_id: str) -> Response:
        try:
            return cover_response(services.media.cover(TrackId(track_id)), request, temporary)
        except (NoCoverError, TrackGoneError):
            return generated_cover_response(services.library.track(TrackId(track_id)), request)

    @covers.handler
    def album_cover(album_id: str) -> Response:
        album = TrackFilter(album=AlbumId(album_id), hides_duplicates=True)
        playable = tracks_of(replace(album, is_playable=True), limit=TRIED_COVERS)
        for track in playable:
            with suppress(NoCoverError, TrackGoneError):
                return cover_response(services.media.cover(track.id), request, temporary)
        named = playable or tracks_of(album, limit=1)
        if not named:
            raise NotFound
        return generated_cover_response(named[0], request)

    covers.after_request(revalidate)
    return covers
