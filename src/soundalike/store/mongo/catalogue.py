"""The catalogue in MongoDB, which has none yet: its collections come next."""
# ruff: noqa: ARG002 - the signatures are the port's

from collections.abc import Collection, Iterator, Sequence

from soundalike.domain.entries import (
    Album,
    Artist,
    EntryPage,
    EntryPosition,
    EntrySort,
    EntryT_co,
    Genre,
    Group,
    Settled,
)
from soundalike.domain.files import Location, Part
from soundalike.domain.tags import ExternalId
from soundalike.domain.tracks import EVERY_TRACK, Position, Sort, Track, TrackFilter, TrackPage
from soundalike.domain.types import AlbumId, ArtistId, GenreId
from soundalike.store.mongo.library import MongoLibrary


class MongoCatalogue(MongoLibrary):
    """The `CatalogueStore` port with nothing in it: each track is a whole file and a recording."""

    def track_at(self, location: Location, part: Part | None = None) -> Track | None:
        """Return the track at a location; see the port."""
        return super().track_at(location) if part is None else None

    def find_tracks(
        self,
        words: Sequence[str],
        *,
        sort: Sort,
        limit: int,
        after: Position | None = None,
        offset: int = 0,
        only: TrackFilter = EVERY_TRACK,
    ) -> TrackPage:
        """Return a page of the tracks; see the port."""
        if only.album or only.artist or only.genre:
            return TrackPage(tracks=(), total=0, next=None)
        if offset:
            before = super().find_tracks(words, sort=sort, limit=min(offset, 1 << 30), after=after)
            if before.next is None:
                return TrackPage(tracks=(), total=before.total, next=None)
            after = before.next
        return super().find_tracks(words, sort=sort, limit=limit, after=after)

    def unsettled(self, limit: int) -> dict[Group, int]:
        """Return nothing."""
        return {}

    def tracks_in(self, group: Group) -> Iterator[Track]:
        """Yield nothing."""
        return iter(())

    def save_settled(
        self, group: Group, settled: Settled, *, mark: int, then: Collection[Group] = ()
    ) -> None:
        """Do nothing."""

    def find_artists(
        self, *, sort: EntrySort, limit: int, after: EntryPosition | None = None, offset: int = 0
    ) -> EntryPage[Artist]:
        """Return an empty page."""
        return _nothing()

    def find_genres(
        self, *, sort: EntrySort, limit: int, after: EntryPosition | None = None, offset: int = 0
    ) -> EntryPage[Genre]:
        """Return an empty page."""
        return _nothing()

    def find_albums(
        self,
        *,
        sort: EntrySort,
        limit: int,
        after: EntryPosition | None = None,
        offset: int = 0,
        artist: ArtistId | None = None,
    ) -> EntryPage[Album]:
        """Return an empty page."""
        return _nothing()

    def artist(self, artist_id: ArtistId) -> Artist | None:
        """Return nothing."""

    def album(self, album_id: AlbumId) -> Album | None:
        """Return nothing."""

    def genre(self, genre_id: GenreId) -> Genre | None:
        """Return nothing."""

    def tracks_with_ids(self, ids: Collection[ExternalId]) -> tuple[Track, ...]:
        """Return nothing."""
        return ()


def _nothing() -> EntryPage[EntryT_co]:
    return EntryPage(entries=(), total=0, next=None)
