"""The pages of an album, an artist and a genre."""

from dataclasses import replace
from urllib.parse import quote, urlencode

from flask import render_template, request, url_for

from soundalike.domain.entries import Album, Artist, EntryField, EntryKind, EntryPage, EntrySort, Genre
from soundalike.domain.errors import QueryError, UnknownEntryError
from soundalike.domain.tracks import Sort, SortField, Track, TrackFilter, TrackPage
from soundalike.domain.types import AlbumId, ArtistId, GenreId
from soundalike.services import Services
from soundalike.web.caching import revalidate
from soundalike.web.cursors import EntryCursors, TrackCursors
from soundalike.web.pages.library import SHOWN
from soundalike.web.routes.blueprint import RouteBlueprint
from soundalike.web.routes.protocol import WebProtocol

PAGE_LIMIT = 100
_BY_ALBUM, _BY_ARTIST = Sort(SortField.ALBUM), Sort(SortField.ARTIST)
_NEWEST_FIRST = EntrySort(EntryField.YEAR, is_descending=True)


def catalogue_blueprint(services: Services, pages: WebProtocol) -> RouteBlueprint:
    """Return the routes of the pages of albums, artists and genres.

    Parameters
    ----------
    services : Services
        The use cases.
    pages : WebProtocol
        That of pages.
    """
    catalogue = RouteBlueprint("catalogue", pages)

    @catalogue.handler
    def album(album_id: str) -> str:
        album = services.entries.album(AlbumId(album_id))
        page, more = _tracks(services, replace(SHOWN, album=album.id), _BY_ALBUM)
        first = request.args.get("disc", type=int)
        discs = _new_discs(page.tracks, first if "cursor" in request.args else None)
        return render_template("album.html", album=album, page=page, more=more, discs=discs)

    @catalogue.handler
    def artist(artist_id: str) -> str:
        artist = services.entries.artist(ArtistId(artist_id))
        page, more = _tracks(services, replace(SHOWN, artist=artist.id), _BY_ALBUM)
        albums, more_albums = _albums(services, artist)
        return render_template(
            "artist.html", artist=artist, albums=albums, more_albums=more_albums, page=page, more=more
        )

    @catalogue.handler
    def genre(genre_id: str) -> str:
        genre = services.entries.genre(GenreId(genre_id))
        page, more = _tracks(services, replace(SHOWN, genre=genre.id), _BY_ARTIST)
        parent = _parent(services, genre)
        return render_template("genre.html", genre=genre, parent=parent, page=page, more=more)

    @catalogue.app_template_filter()
    def credits_of(track: Track) -> list[tuple[str | None, str]]:
        return _linked(track.tags.artists, track.entry.artist_ids)

    @catalogue.app_template_filter()
    def genres_of(track: Track) -> list[tuple[str | None, str]]:
        return _linked(track.tags.genres, track.entry.genre_ids)

    catalogue.after_request(revalidate)
    return catalogue


def _tracks(services: Services, only: TrackFilter, sort: Sort) -> tuple[TrackPage, str | None]:
    """Return a page of tracks, and the address of the next."""
    cursors = TrackCursors(sort=sort, only=only)
    try:
        after = cursors.decode(request.args.get("cursor"))
    except QueryError:  # as in old bookmarks
        after = None
    page = services.library.page(sort=sort, limit=PAGE_LIMIT, after=after, only=only)
    cursor = cursors.encode(page.next)
    disc = page.tracks[-1].disc_number if page.tracks else None
    address = {"cursor": cursor, "disc": disc or 1}
    return page, cursor and f"{quote(request.path)}?{urlencode(address)}"


def _albums(services: Services, artist: Artist) -> tuple[EntryPage[Album], str | None]:
    """Return a page of an artist's albums, and the address of the next."""
    cursors = EntryCursors(EntryKind.ALBUM, sort=_NEWEST_FIRST, of=artist.id)
    try:
        after = cursors.decode(request.args.get("albums"))
    except QueryError:
        after = None
    page = services.entries.albums(sort=_NEWEST_FIRST, limit=PAGE_LIMIT, after=after, artist=artist.id)
    cursor = cursors.encode(page.next)
    return page, cursor and url_for("catalogue.artist", artist_id=artist.id, albums=cursor)


def _linked(names: tuple[str, ...], ids: tuple[str, ...]) -> list[tuple[str | None, str]]:
    """Return names with the ids of their pages, where these are known."""
    return list(zip(ids if len(ids) == len(names) else [None] * len(names), names, strict=True))


def _new_discs(tracks: tuple[Track, ...], before: int | None) -> dict[int, int]:
    """Return which rows begin a disc, and its number; nothing where there is one disc alone."""
    numbers = [track.disc_number or 1 for track in tracks]
    if before is None and set(numbers) <= {1}:
        return {}
    known = [before or 0, *numbers]
    return {row: number for row, number in enumerate(numbers) if number != known[row]}


def _parent(services: Services, genre: Genre) -> Genre | None:
    """Return the genre above one, if the library has it."""
    try:
        return None if genre.parent_id is None else services.entries.genre(genre.parent_id)
    except UnknownEntryError:
        return None
