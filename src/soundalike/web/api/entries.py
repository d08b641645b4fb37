"""The JSON API of artists, albums and genres."""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Response, jsonify

from soundalike.domain.entries import Album, Artist, EntryKind, EntryPage, EntrySort, Genre
from soundalike.domain.types import AlbumId, ArtistId, GenreId
from soundalike.services import Services
from soundalike.web.caching import revalidate
from soundalike.web.cursors import EntryCursors
from soundalike.web.routes.blueprint import RouteBlueprint
from soundalike.web.routes.protocol import WebProtocol
from soundalike.wire.tracks import album_body, artist_body, genre_body

_Entry = TypeVar("_Entry", Artist, Album, Genre)


def entries_blueprint(services: Services, api: WebProtocol) -> RouteBlueprint:
    """Return the routes of artists, albums and genres.

    Parameters
    ----------
    services : Services
        The use cases.
    api : WebProtocol
        That of the JSON API.
    """
    entries = RouteBlueprint("entries", api)

    @entries.handler
    def albums(
        sort: EntrySort, limit: int, cursor: str | None, offset: int, artist: ArtistId | None
    ) -> Response:
        cursors = EntryCursors(EntryKind.ALBUM, sort=sort, of=artist)
        page = services.entries.albums(
            sort=sort, limit=limit, after=cursors.decode(cursor), offset=offset, artist=artist
        )
        return jsonify(_page_body("albums", page, album_body, cursors))

    @entries.handler
    def artists(sort: EntrySort, limit: int, cursor: str | None, offset: int) -> Response:
        cursors = EntryCursors(EntryKind.ARTIST, sort=sort)
        page = services.entries.artists(sort=sort, limit=limit, after=cursors.decode(cursor), offset=offset)
        return jsonify(_page_body("artists", page, artist_body, cursors))

    @entries.handler
    def genres(sort: EntrySort, limit: int, cursor: str | None, offset: int) -> Response:
        cursors = EntryCursors(EntryKind.GENRE, sort=sort)
        page = services.entries.genres(sort=sort, limit=limit, after=cursors.decode(cursor), offset=offset)
        return jsonify(_page_body("genres", page, genre_body, cursors))

    @entries.handler
    def album(album_id: str) -> Response:
        return jsonify(album_body(services.entries.album(AlbumId(album_id))))

    @entries.handler
    def artist(artist_id: str) -> Response:
        return jsonify(artist_body(services.entries.artist(ArtistId(artist_id))))

    @entries.handler
    def genre(genre_id: str) -> Response:
        return jsonify(genre_body(services.entries.genre(GenreId(genre_id))))

    entries.after_request(revalidate)
    return entries


def _page_body(
    name: str, page: EntryPage[_Entry], body: Callable[[_Entry], dict[str, Any]], cursors: EntryCursors
) -> dict[str, Any]:
    return {name: list(map(body, page.entries)), "total": page.total, "next": cursors.encode(page.next)}
