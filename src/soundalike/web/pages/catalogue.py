"""The pages of an album, an artist and a genre."""

from dataclasses import replace
from urllib.parse import quote, urlencode

from flask import render_template, request, url_for

from soundalike.domain.entries import EntryField, EntryKind, EntrySort, Genre
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

    def tracks_of(only: TrackFilter, sort: Sort) -> tuple[TrackPage, str | None]:
        """Return a page of tracks, and the address of the next."""
        cursors = TrackCursors(sort=sort, only=only)
        try:
            after = cursors.decode(request.args.get("cursor"))
        except QueryError:  # as in old bookmarks
            after = None
        page = services.library.page(sort=sort, limit=PAGE_LIMIT, after=after, only=only)
        cursor = cursors.encode(page.next)
        disc = page.tracks[-1].tags.disc_number if page.tracks else None
        address = {"cursor": cursor, "disc": disc or 1}
        return page, cursor and f"{quote(request.path)}?{urlencode(address)}"

    @catalogue.handler
    def album(album_id: str) -> str:
        album = services.entries.album(AlbumId(album_id))
        page, more = tracks_of(replace(SHOWN, album=album.id), _BY_ALBUM)
        first = request.args.get("disc", type=int)
        discs = _new_discs(page.tracks, first if "cursor" in request.args else None)
        return render_template("album.html", album=album, page=page, more=more, discs=discs)

    @catalogue.handler
    def artist(artist_id: str) -> str:
        artist = services.entries.artist(ArtistId(artist_id))
        page, more = tracks_of(replace(SHOWN, artist=artist.id), _BY_ALBUM)
        cursors = EntryCursors(EntryKind.ALBUM, sort=_NEWEST_FIRST, of=artist.id)
        try:
            after = cursors.decode(request.args.get("albums"))
        except QueryError:
            after = None
        albums = services.entries.albums(sort=_NEWEST_FIRST, limit=PAGE_LIMIT, after=after, artist=artist.id)
        cursor = cursors.encode(albums.next)
        more_albums = cursor and url_for("catalogue.artist", artist_id=artist.id, albums=cursor)
        return render_template(
            "artist.html", artist=artist, albums=albums, more_albums=more_albums, page=page, more=more
        )

    @catalogue.handler
    def genre(genre_id: str) -> str:
        genre = services.entries.genre(GenreId(genre_id))
        page, more = tracks_of(replace(SHOWN, genre=genre.id), _BY_ARTIST)
        parent = _parent(services, genre)
        return render_template("genre.html", genre=genre, parent=parent, page=page, more=more)

    @catalogue.app_template_filter()
    def credits_of(track: Track) -> list[tuple[ArtistId | None, str]]:
        """Return the artists of a track, each with the id of their page where it is known."""
        names, ids = track.tags.artists, track.entry.artist_ids
        return list(zip(ids if len(ids) == len(names) else [None] * len(names), names, strict=True))

    @catalogue.app_template_filter()
    def genres_of(track: Track) -> list[tuple[GenreId | None, str]]:
        """Return the genres of a track, each with the id of its page where it is known."""
        names, ids = track.tags.genres, track.entry.genre_ids
        return list(zip(ids if len(ids) == len(names) else [None] * len(names), names, strict=True))

    catalogue.after_request(revalidate)
    return catalogue


def _new_discs(tracks: tuple[Track, ...], before: int | None) -> dict[int, int]:
    """Return which rows begin a disc, and its number; nothing where there is one disc alone."""
    numbers = [track.tags.disc_number or 1 for track in tracks]
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
