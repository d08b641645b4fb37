"""Tracks, and pages of them."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from soundalike.domain.errors import QueryError
from soundalike.domain.files import Location, TrackFile
from soundalike.domain.tags import TAGS_VERSION, Tags
from soundalike.domain.types import (
    AlbumId,
    ArtistId,
    AudioHash,
    DurationMs,
    GenreId,
    RelativePath,
    TrackId,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackEntry:
    """Where a track stands among artists, albums, genres and recordings, as `domain.catalogue` derives it.

    Parameters
    ----------
    artist_ids, genre_ids : tuple of ArtistId or GenreId
        One for each of the tags' artists and genres.
    album_id : AlbumId or None
        None without an album.
    album_artist_id : ArtistId or None
        Of the tags' album artist.
    is_compilation : bool
        Whether the album is one of various artists.
    recording : str or None
        The same for each copy of one recording on one album; None if album, number or title are missing.
    is_preferred : bool
        Whether it is the one to play of its recording.
    preferred_for : tuple of ArtistId or GenreId
        Whose tracks it is the one to play of all the same, since better copies name neither.
    """

    artist_ids: tuple[ArtistId, ...] = ()
    album_id: AlbumId | None = None
    album_artist_id: ArtistId | None = None
    genre_ids: tuple[GenreId, ...] = ()
    is_compilation: bool = False
    recording: str | None = None
    is_preferred: bool = True
    preferred_for: tuple[ArtistId | GenreId, ...] = ()

    @property
    def credited_ids(self) -> frozenset[ArtistId]:
        """Who made the track, and whose album it is on."""
        return frozenset(self.artist_ids) | ({self.album_artist_id} if self.album_artist_id else set())


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """One track of the library.

    Parameters
    ----------
    id : TrackId
        Never changes, even if the file is renamed, retagged or away for a while.
    file : TrackFile or None
        What it is played from; None if only its metadata is here.
    tags : Tags
        What its file says, and where that says nothing, `imported`.
    imported : Tags or None
        What an import of metadata said.
    tags_version : int
        `TAGS_VERSION` of the program that read the file's tags.
    entry : TrackEntry
        Derived from the tags of all tracks.
    title : str
        From the tags, else the file's name without its ending.
    duration_ms : DurationMs
        Length of the whole track.
    added_at : datetime
        When it was first seen, UTC.
    vanished_at : datetime or None
        When a scan first missed its file, UTC, or its import was removed; None while it is there.
    """

    id: TrackId
    file: TrackFile | None
    tags: Tags
    imported: Tags | None = None
    tags_version: int = TAGS_VERSION
    entry: TrackEntry = TrackEntry()
    title: str
    duration_ms: DurationMs
    added_at: datetime
    vanished_at: datetime | None = None

    @property
    def artist(self) -> str | None:
        """Its artists' names in one text."""
        return self.tags.artist

    @property
    def album(self) -> str | None:
        """The title of its album."""
        return self.tags.album

    @property
    def genre(self) -> str | None:
        """The first of its genres."""
        return self.tags.genre

    @property
    def year(self) -> int | None:
        """The year of its release."""
        return self.tags.year

    @property
    def disc_number(self) -> int | None:
        """Which disc of its album it is on, as its tags say; else its folder, such as "CD2"."""
        if self.tags.disc_number is not None or self.file is None:
            return self.tags.disc_number
        return self.file.location.disc_number

    @property
    def audio_hash(self) -> AudioHash | None:
        """The hash of its audio, if it has any."""
        return None if self.file is None else self.file.audio_hash

    @property
    def has_audio(self) -> bool:
        """Whether it has a file, there or vanished."""
        return self.file is not None

    @property
    def is_vanished(self) -> bool:
        """Whether its file was missing at the last scan."""
        return self.vanished_at is not None

    @property
    def is_playable(self) -> bool:
        """Whether it has a file that was there at the last scan."""
        return self.has_audio and not self.is_vanished


def set_aside(track: Track) -> Track:
    """Return a track with its file moved to where none can be, so that another may have its place."""
    if track.file is None:
        return track
    path = RelativePath(b"//" + track.id.encode(errors="surrogatepass"))
    return replace(track, file=replace(track.file, location=Location(track.file.location.root, path)))


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackFilter:
    """Which tracks are asked for; all that have not vanished if nothing is given.

    Parameters
    ----------
    album, artist, genre : id or None
        Those of this album or genre, and those by this artist or on an album of theirs.
    hides_duplicates : bool
        Of each recording, only the preferred track: of those by the artist and of the genre, if given.
    is_playable : bool
        Only those that have a file.
    """

    album: AlbumId | None = None
    artist: ArtistId | None = None
    genre: GenreId | None = None
    hides_duplicates: bool = False
    is_playable: bool = False


EVERY_TRACK = TrackFilter()


class SortField(StrEnum):
    """What tracks can be sorted by."""

    TITLE = "title"
    ARTIST = "artist"
    ALBUM = "album"
    YEAR = "year"
    ADDED = "added"


@dataclass(frozen=True, slots=True)
class Sort:
    """An order of tracks: names by folded text, missing values always last, ties by id ascending."""

    field: SortField = SortField.TITLE
    is_descending: bool = False

    @classmethod
    def parse(cls, text: str) -> "Sort":
        """Read ``"title"`` or ``"-year"``.

        Raises
        ------
        QueryError
            If there is no such field.
        """
        name = text.removeprefix("-")
        try:
            return cls(SortField(name), is_descending=text.startswith("-"))
        except ValueError:
            known = ", ".join(SortField)
            msg = f"sort {text!r} is not known; use one of {known}, with - in front for descending"
            raise QueryError(msg) from None

    def __str__(self) -> str:
        """Write it as `parse` reads it."""
        return f"-{self.field}" if self.is_descending else str(self.field)


@dataclass(frozen=True, slots=True)
class Position:
    """The last row of a page, after which the next begins; `key` is None for a missing value."""

    key: str | int | None
    track_id: TrackId


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackPage:
    """A part of a longer list of tracks.

    Parameters
    ----------
    tracks : tuple of Track
        In the order asked for.
    total : int
        How many tracks match, on all pages.
    next : Position or None
        Where the next page begins; None on the last.
    """

    tracks: tuple[Track, ...]
    total: int
    next: Position | None
