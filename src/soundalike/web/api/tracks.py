"""The JSON API of the library."""

from flask import Response, jsonify

from soundalike.domain.tracks import Sort
from soundalike.domain.types import TrackId
from soundalike.services import Services
from soundalike.web.caching import revalidate
from soundalike.web.cursors import decode_cursor, encode_cursor
from soundalike.web.routes.blueprint import RouteBlueprint
from soundalike.web.routes.protocol import WebProtocol
from soundalike.wire import similar_body
from soundalike.wire.tracks import track_body


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
    def page(query: str, sort: Sort, limit: int, cursor: str | None) -> Response:
        after = None if cursor is None else decode_cursor(cursor, sort=sort, query=query)
        page = services.library.page(query, sort=sort, limit=limit, after=after)
        following = page.next and encode_cursor(page.next, sort=sort, query=query)
        return jsonify(tracks=[track_body(track) for track in page.tracks], total=page.total, next=following)

    @tracks.handler
    def track(track_id: str) -> Response:
        return jsonify(track_body(services.library.track(TrackId(track_id))))

    @tracks.handler
    def similar(track_id: str, limit: int) -> Response:
        return jsonify(similar_body(services.neighbours.similar(TrackId(track_id), limit=limit)))

    tracks.after_request(revalidate)
    return tracks
