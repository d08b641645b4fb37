"""What the tags of a file, or an import, say about a track, as written."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum

TAGS_VERSION = 2
"""Raised whenever more or other tags are read: files whose tags an older version read are read again."""


class ExternalIdKind(StrEnum):
    """Who gave an id, and to what; the values are stored and part of the API."""

    FMA = "fma"
    ISRC = "isrc"
    RECORDING = "musicbrainz_recording"
    RELEASE_TRACK = "musicbrainz_track"
    ALBUM = "musicbrainz_album"
    RELEASE_GROUP = "musicbrainz_release_group"
    ARTIST = "musicbrainz_artist"
    ALBUM_ARTIST = "musicbrainz_album_artist"

    @property
    def names_track(self) -> bool:
        """Whether it is the id of a track, not of its album or artists."""
        return self in {
            ExternalIdKind.FMA,
            ExternalIdKind.ISRC,
            ExternalIdKind.RECORDING,
            ExternalIdKind.RELEASE_TRACK,
        }


@dataclass(frozen=True, slots=True, order=True)
class ExternalId:
    """An id that others gave, such as ``musicbrainz_recording`` of a track."""

    kind: ExternalIdKind
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gains:
    """How much louder a track or its album is to be played; a missing value is None.

    Parameters
    ----------
    track_db, album_db : float or None
        ReplayGain, in dB.
    track_peak, album_peak : float or None
        Greatest sample; 1 is full scale.
    r128_track, r128_album : int or None
        Of Opus (RFC 7845): relative to -23 LUFS, in 1/256 dB.
    """

    track_db: float | None = None
    track_peak: float | None = None
    album_db: float | None = None
    album_peak: float | None = None
    r128_track: int | None = None
    r128_album: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tags:
    """What tags say; a missing value is None or empty. The text may be hostile.

    Parameters
    ----------
    title, album, album_artist : str or None
        As written.
    artists, genres : tuple of str
        As written, in order.
    genre_parents : mapping of str to str
        The genre above a genre, by name, where it is known.
    year : int or None
        Of this release, 1 to 9999.
    original_date : str or None
        Of the first release: ``1973``, ``1973-03`` or ``1973-03-01``.
    track_number, disc_number : int or None
        From 1.
    is_compilation : bool
        Whether the tags call the album one of various artists.
    gains : Gains
        ReplayGain and R128.
    external_ids : tuple of ExternalId
        In order: those of artists are in the order of `artists`.
    lyrics : str or None
        In lines; of long ones the beginning.
    licence : str or None
        Under which the track may be used, as written.
    dataset : mapping of str to str
        What a data set says of the track, such as its ``subset`` and ``split``.
    """

    title: str | None = None
    artists: tuple[str, ...] = ()
    album: str | None = None
    album_artist: str | None = None
    genres: tuple[str, ...] = ()
    genre_parents: Mapping[str, str] | None = None
    year: int | None = None
    original_date: str | None = None
    track_number: int | None = None
    disc_number: int | None = None
    is_compilation: bool = False
    gains: Gains = Gains()
    external_ids: tuple[ExternalId, ...] = ()
    lyrics: str | None = None
    licence: str | None = None
    dataset: Mapping[str, str] | None = None

    @property
    def artist(self) -> str | None:
        """The artists' names in one text."""
        return ", ".join(self.artists) if self.artists else None

    @property
    def genre(self) -> str | None:
        """The first genre."""
        return self.genres[0] if self.genres else None

    @property
    def track_ids(self) -> frozenset[ExternalId]:
        """The external ids of the track itself."""
        return frozenset(one for one in self.external_ids if one.kind.names_track)

    def ids(self, kind: ExternalIdKind) -> tuple[str, ...]:
        """Return the external ids of a kind, in order."""
        return tuple(one.value for one in self.external_ids if one.kind is kind)

    def over(self, others: "Tags") -> "Tags":
        """Return these tags with what they lack taken from others.

        External ids of artists and albums are taken only with the names that they belong to.
        """
        taken = {
            name: value
            for name in _FIELDS
            if (value := getattr(others, name)) not in _LACKING and getattr(self, name) in _LACKING
        }
        merged = replace(self, **taken) if taken else self
        more = tuple(
            one
            for one in others.external_ids
            if one not in self.external_ids
            and ((name := _NAMED.get(one.kind)) is None or getattr(merged, name) == getattr(others, name))
            and (one.kind.names_track or not self.ids(one.kind))
        )
        return replace(merged, external_ids=self.external_ids + more) if more else merged

    def without(self, others: "Tags") -> "Tags":
        """Return these tags without what others say too: what is left is surely not from them alone."""
        kept = {
            name: getattr(_NO_TAGS, name) for name in _FIELDS if getattr(self, name) == getattr(others, name)
        }
        ids = tuple(one for one in self.external_ids if one not in others.external_ids)
        return replace(self, **{**kept, "external_ids": ids})


_NO_TAGS = Tags()
_FIELDS = tuple(field.name for field in fields(Tags))
_LACKING = (None, (), False, Gains())

_NAMED = {
    ExternalIdKind.ARTIST: "artists",
    ExternalIdKind.ALBUM_ARTIST: "album_artist",
    ExternalIdKind.ALBUM: "album",
    ExternalIdKind.RELEASE_GROUP: "album",
}
