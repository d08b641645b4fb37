"""Tracks, and pages of them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from soundalike.domain.errors import QueryError
from soundalike.domain.files import FileStamp, Location
from soundalike.domain.types import AudioHash, DurationMs, TrackId


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """One track of the library.

    Parameters
    ----------
    id : TrackId
        Never changes, even if the file is renamed, retagged or away for a while.
    location : Location
        Where its file is, or last was.
    target : Path or None
        Absolute path that a link at `location` led to at the scan; None if there is no link.
    stamp : FileStamp
        Of the file when it was last read.
    audio_hash : AudioHash
        Of the encoded audio without tags.
    title : str
        From the tags, else the file's name without its ending.
    artist, album, genre : str or None
        From the tags.
    year : int or None
        From the tags, 1 to 9999.
    duration_ms : DurationMs
        Length of the whole track.
    media_type : str
        Such as ``"audio/mpeg"``.
    added_at : datetime
        When it was first seen, UTC.
    vanished_at : datetime or None
        When a scan first missed its file, UTC; None while the file exists.
    """

    id: TrackId
    location: Location
    target: Path | None
    stamp: FileStamp
    audio_hash: AudioHash
    title: str
    artist: str | None
    album: str | None
    genre: str | None
    year: int | None
    duration_ms: DurationMs
    media_type: str
    added_at: datetime
    vanished_at: datetime | None = None

    @property
    def is_vanished(self) -> bool:
        """Whether its file was missing at the last scan."""
        return self.vanished_at is not None


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
