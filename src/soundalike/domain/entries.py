"""Artists, albums and genres, as the catalogue lists them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Generic, TypeVar

from soundalike.domain.errors import QueryError
from soundalike.domain.tracks import Track
from soundalike.domain.types import AlbumId, ArtistId, DurationMs, GenreId

EntryT_co = TypeVar("EntryT_co", covariant=True)


class EntryKind(StrEnum):
    """What tracks are listed under; the values are stored."""

    ARTIST = "artist"
    GENRE = "genre"
    ALBUM = "album"


@dataclass(frozen=True, slots=True, kw_only=True)
class Artist:
    """An artist of tracks or albums.

    Parameters
    ----------
    id : ArtistId
        Digest of `key`, and of the MusicBrainz id where several artists have this name.
    key : str
        The folded name.
    name : str
        As most tracks write it.
    track_count : int
        Tracks of theirs, or of their albums, that have not vanished.
    """

    id: ArtistId
    key: str
    name: str
    track_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Genre:
    """A genre.

    Parameters
    ----------
    id : GenreId
        Digest of `key`.
    key : str
        The folded name.
    name : str
        As most tracks write it.
    parent_id : GenreId or None
        The genre above it, where one is known.
    track_count : int
        Its tracks that have not vanished.
    """

    id: GenreId
    key: str
    name: str
    parent_id: GenreId | None = None
    track_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Album:
    """An album.

    Parameters
    ----------
    id : AlbumId
        Digest of album artist and `key`, and of the MusicBrainz id where there are several such albums.
    key : str
        The folded title.
    title : str
        As most tracks write it.
    artist_id, artist : ArtistId or None, str or None
        Whose it is; None for a compilation, or if no track says it.
    is_compilation : bool
        Whether it is by various artists.
    year : int or None
        The earliest of its tracks.
    track_count, duration_ms : int, DurationMs
        Its recordings that have not vanished, and their length together.
    added_at : datetime
        When the latest track was added.
    """

    id: AlbumId
    key: str
    title: str
    artist_id: ArtistId | None = None
    artist: str | None = None
    is_compilation: bool = False
    year: int | None = None
    track_count: int
    duration_ms: DurationMs
    added_at: datetime


CatalogueEntry = Artist | Album | Genre


@dataclass(frozen=True, slots=True)
class Group:
    """The tracks whose tags have one folded name: of artists, of a genre, or of albums."""

    kind: EntryKind
    key: str


@dataclass(frozen=True, slots=True)
class Successor:
    """To which id another leads that no entry has any more."""

    kind: EntryKind
    id: str
    next: str


@dataclass(frozen=True, slots=True)
class GenreTags:
    """What the tags of some tracks say of genres, all the same.

    Parameters
    ----------
    names : tuple of str
        The genres, as written.
    parents : mapping of str to str
        The genre above a genre, by name, where it is known.
    is_there : bool
        Whether the tracks have not vanished.
    count : int
        How many tracks there are.
    """

    names: tuple[str, ...]
    parents: Mapping[str, str]
    is_there: bool
    count: int = 1


@dataclass(frozen=True, slots=True)
class Settled:
    """A group as it is now.

    Parameters
    ----------
    tracks : tuple of Track
        Those whose `entry` is another than before.
    entries : tuple of CatalogueEntry
        All that the group has, by id; also those of vanished tracks, with no tracks.
    successors : mapping of str to str
        To which ids others lead, that no entry has.
    """

    tracks: tuple[Track, ...]
    entries: tuple[CatalogueEntry, ...]
    successors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SettledGroup:
    """A group to be stored as it is now.

    Parameters
    ----------
    group : Group
        Which one.
    settled : Settled
        What it is.
    mark : int
        The number that `unsettled` gave with it, before it was read.
    then : collection of Group
        What becomes unsettled by it.
    """

    group: Group
    settled: Settled
    mark: int
    then: Collection[Group] = ()


class EntryField(StrEnum):
    """What entries can be sorted by."""

    NAME = "name"
    TRACKS = "tracks"
    ARTIST = "artist"
    YEAR = "year"
    ADDED = "added"


FIELDS = {
    EntryKind.ARTIST: (EntryField.NAME, EntryField.TRACKS),
    EntryKind.GENRE: (EntryField.NAME, EntryField.TRACKS),
    EntryKind.ALBUM: (EntryField.NAME, EntryField.ARTIST, EntryField.YEAR, EntryField.ADDED),
}
"""What each kind can be sorted by."""


@dataclass(frozen=True, slots=True)
class EntrySort:
    """An order of entries: names by folded text, missing values always last, ties by id ascending."""

    field: EntryField = EntryField.NAME
    is_descending: bool = False

    @classmethod
    def parse(cls, text: str, kind: EntryKind) -> "EntrySort":
        """Read ``"name"`` or ``"-year"``.

        Raises
        ------
        QueryError
            If entries of this kind have no such field.
        """
        name = text.removeprefix("-")
        if name not in FIELDS[kind]:
            known = ", ".join(FIELDS[kind])
            msg = f"sort {text!r} is not known; use one of {known}, with - in front for descending"
            raise QueryError(msg)
        return cls(EntryField(name), is_descending=text.startswith("-"))

    def __str__(self) -> str:
        """Write it as `parse` reads it."""
        return f"-{self.field}" if self.is_descending else str(self.field)


@dataclass(frozen=True, slots=True)
class EntryPosition:
    """The last row of a page, after which the next begins; `key` is None for a missing value."""

    key: str | int | None
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryPage(Generic[EntryT_co]):
    """A part of a longer list of entries.

    Parameters
    ----------
    entries : tuple of Artist, Album or Genre
        In the order asked for.
    total : int
        How many there are on all pages.
    next : EntryPosition or None
        Where the next page begins; None on the last.
    """

    entries: tuple[EntryT_co, ...]
    total: int
    next: EntryPosition | None
