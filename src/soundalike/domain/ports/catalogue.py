"""The port of the catalogue: artists, albums and genres, derived from the tracks (`domain.catalogue`)."""

from collections.abc import Collection, Iterator, Sequence
from typing import Protocol

from soundalike.domain.entries import (
    Album,
    Artist,
    EntryPage,
    EntryPosition,
    EntrySort,
    Genre,
    GenreTags,
    Group,
    SettledGroup,
    Successor,
)
from soundalike.domain.tags import ExternalId
from soundalike.domain.tracks import Track
from soundalike.domain.types import AlbumId, ArtistId, GenreId


class CatalogueStore(Protocol):
    """Stores what `domain.catalogue.settle` derives, and which groups are to be settled.

    `save_track`, `save_stored_tracks`, `mark_vanished` and `remove_tracks` mark every group (`groups_of`)
    that a track belongs to, and those that it belonged to before, as unsettled, in the same transaction. They
    also keep the `successions` from the tags that the track had to those that it has.
    """

    def unsettled(self, limit: int) -> dict[Group, int]:
        """Return some groups to be settled, artists first, then genres, then albums, each by key.

        The numbers change whenever a group is marked again; `save_settled` wants them.
        """

    def tracks_in(self, group: Group) -> Iterator[Track]:
        """Yield the tracks of a group, vanished ones too, in any order, in bounded memory."""

    def genre_tags(self, group: Group) -> Iterator[GenreTags]:
        """Yield what the tags of a genre's tracks say of genres, vanished ones too, in any order.

        Tracks that say the same may be counted together.
        """

    def save_settled(self, found: Sequence[SettledGroup]) -> None:
        """Store the entries of groups, and what they decide of those of their tracks, instead of what was.

        A group is settled then, its successors replace those of the same ids, and the groups in `then`
        become unsettled. Nothing happens to one whose number is no longer `mark`, since a track of it has
        changed meanwhile. After a crash each group has been stored wholly or not at all.
        """

    def find_artists(
        self, *, sort: EntrySort, limit: int, after: EntryPosition | None = None, offset: int = 0
    ) -> EntryPage[Artist]:
        """Return a page of the artists that have tracks; see `find_albums`."""

    def find_genres(
        self, *, sort: EntrySort, limit: int, after: EntryPosition | None = None, offset: int = 0
    ) -> EntryPage[Genre]:
        """Return a page of the genres that have tracks; see `find_albums`."""

    def find_albums(
        self,
        *,
        sort: EntrySort,
        limit: int,
        after: EntryPosition | None = None,
        offset: int = 0,
        artist: ArtistId | None = None,
    ) -> EntryPage[Album]:
        """Return a page of the albums that have tracks, of one artist or of all.

        They are sorted by `store.keys.entry_key`, missing values last in both directions, ties by
        ascending id. `offset` entries are left out, counted from `after` or from the first.
        """

    def artist(self, artist_id: ArtistId) -> Artist | None:
        """Return an artist, or the one that its id has given way to (`successions`), or None.

        Of those whose tracks have all vanished, `track_count` is 0.
        """

    def album(self, album_id: AlbumId) -> Album | None:
        """Return an album; see `artist`."""

    def genre(self, genre_id: GenreId) -> Genre | None:
        """Return a genre; see `artist`."""

    def successors(self) -> Iterator[Successor]:
        """Yield every successor, artists' first, then genres', then albums', by id, in bounded memory."""

    def save_successors(self, successors: Collection[Successor]) -> None:
        """Insert some, each new or in place of the one of its id; for copying from store to store."""

    def remove_successor(self, successor: Successor) -> None:
        """Let an id lead nowhere."""

    def tracks_with_ids(self, ids: Collection[ExternalId]) -> tuple[Track, ...]:
        """Return the tracks that bear any of these ids, vanished ones too, by (added_at, id)."""
