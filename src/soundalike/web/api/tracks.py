"""The JSON API of the library."""

from flask import Response, jsonify

from soundalike.domain.tracks import Sort, TrackFilter
from soundalike.domain.types import AlbumId, ArtistId, GenreId, TrackId
from soundalike.services import Services
from soundalike.web.caching import revalidate
from soundalike.web.cursors import TrackCursors
from soundalike.web.routes.blueprint import RouteBlueprint
from soundalike.web.routes.protocol import WebProtocol
from soundalike.wire import similar_body
from soundalike.wire.tracks import track_body, track_details


def tracks_blueprint(services: Services, api: WebProtocol) -> RouteBlueprint:
    """Return the routes of tracks and their similarity.

    Parameters
    ----------
    services : Services
        The use cases.
    api : WebProtocol
        That of the JSON API.
    """
    tracks = RouteBlueprint("tracks", api)

    @tracks.handler
    def page(  # noqa: PLR0913 - the parameters of its route
        *,
        query: str,
        sort: Sort,
        limit: int,
        cursor: str | None,
        offset: int,
        album: AlbumId | None,
        artist: ArtistId | None,
        genre: GenreId | None,
        duplicates: str | None,
        playable: str | None,
    ) -> Response:
        only = TrackFilter(
            album=album,
            artist=artist,
            genre=genre,
            hides_duplicates=duplicates is not None,
            is_playable=playable == "only",
        )
        cursors = TrackCursors(sort=sort, query=query, only=only)
        page = services.library.page(
            query, sort=sort, limit=limit, after=cursors.decode(cursor), offset=offset, only=only
        )
        bodies = [track_body(track) for track in page.tracks]
        return jsonify(tracks=bodies, total=page.total, next=cursors.encode(page.next))

    @tracks.handler
    def track(track_id: str) -> Response:
        return jsonify(track_details(services.library.track(TrackId(track_id))))

    @tracks.handler
    def similar(track_id: str, limit: int, duplicates: str | None) -> Response:
        found = services.neighbours.similar(
            TrackId(track_id), limit=limit, hides_duplicates=duplicates is not None
        )
        return jsonify(similar_body(found))

    tracks.after_request(revalidate)
    return tracks
