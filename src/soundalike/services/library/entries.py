"""The artists, albums and genres of the library."""

from typing import TypeVar

from soundalike.domain.entries import Album, Artist, EntryPage, EntryPosition, EntrySort, Genre
from soundalike.domain.errors import UnknownEntryError
from soundalike.domain.ports.catalogue import CatalogueStore
from soundalike.domain.types import AlbumId, ArtistId, GenreId
from soundalike.services.library.browse import check_limit

_Entry = TypeVar("_Entry", Artist, Album, Genre)


class Entries:
    """Lists artists, albums and genres that have tracks; an id that has given way leads to its successor."""

    def __init__(self, store: CatalogueStore) -> None:
        self._store = store

    def albums(
        self,
        *,
        sort: EntrySort,
        limit: int,
        after: EntryPosition | None = None,
        offset: int = 0,
        artist: ArtistId | None = None,
    ) -> EntryPage[Album]:
        """Return a page of albums.

        Parameters
        ----------
        sort : EntrySort
            Their order.
        limit : int
            1 to 100.
        after : EntryPosition or None
            Where the page before ended.
        offset : int
            How many to leave out, counted from `after` or from the first.
        artist : ArtistId or None
            Whose albums; None for all. An id that has given way to another means that.

        Raises
        ------
        QueryError
            If `limit` is not 1 to 100.
        """
        check_limit(limit)

        def find(artist: ArtistId | None) -> EntryPage[Album]:
            return self._store.find_albums(sort=sort, limit=limit, after=after, offset=offset, artist=artist)

        page = find(artist)
        # Only an id without albums may be one that a retagging ended.
        if not page.total and artist and (successor := self._store.artist(artist)) is not None:
            page = find(successor.id)
        return page

    def artists(
        self, *, sort: EntrySort, limit: int, after: EntryPosition | None = None, offset: int = 0
    ) -> EntryPage[Artist]:
        """Return a page of artists; parameters and errors as in `albums`."""
        return self._store.find_artists(sort=sort, limit=check_limit(limit), after=after, offset=offset)

    def genres(
        self, *, sort: EntrySort, limit: int, after: EntryPosition | None = None, offset: int = 0
    ) -> EntryPage[Genre]:
        """Return a page of genres; parameters and errors as in `albums`."""
        return self._store.find_genres(sort=sort, limit=check_limit(limit), after=after, offset=offset)

    def album(self, album_id: AlbumId) -> Album:
        """Return an album.

        Raises
        ------
        UnknownEntryError
            If there is none with this id, and none that it has given way to.
        """
        return _found(self._store.album(album_id), "album", album_id)

    def artist(self, artist_id: ArtistId) -> Artist:
        """Return an artist; errors as in `album`."""
        return _found(self._store.artist(artist_id), "artist", artist_id)

    def genre(self, genre_id: GenreId) -> Genre:
        """Return a genre; errors as in `album`."""
        return _found(self._store.genre(genre_id), "genre", genre_id)


def _found(entry: _Entry | None, kind: str, wanted: str) -> _Entry:
    if entry is None:
        msg = f"no {kind} has the id {wanted!r}"
        raise UnknownEntryError(msg)
    return entry
