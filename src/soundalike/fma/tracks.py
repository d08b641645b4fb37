"""Tracks as FMA's files have them: ``tracks.csv``, ``raw_tracks.csv``, and the index of fma_small."""

import html
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from soundalike.domain.fma import FmaTrack, Trouble, fma_id
from soundalike.domain.tags import Tags
from soundalike.domain.types import DurationMs
from soundalike.fma.genres import Genres
from soundalike.fma.lists import genres_in
from soundalike.fma.rows import plain_text

Cells = Mapping[str, str]
"""The cells of a row by column, such as ``track.title``; without those that are empty."""

LONGEST_TEXT = 500
"""Characters of a name; what is longer is cut."""

MOST_ARTISTS = 3
"""So many artists make an album a compilation, as with files (`domain.catalogue`)."""

_DIGITS = 9
_LONGEST_CELL = 10 * LONGEST_TEXT
_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_AMERICAN = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What one of the files calls the columns that are read; None where it has none of a kind."""

    number: str
    title: str
    artist: str
    album: str
    album_number: str | None = None
    artist_number: str | None = None
    track_number: str | None = None
    disc_number: str | None = None
    licence: str | None = None
    seconds: str | None = None
    dates: tuple[str, ...] = ()
    genre_top: str | None = None
    genres: tuple[str, ...] = ()
    split: str | None = None
    subset: str | None = None
    only_subset: str | None = None

    @property
    def used(self) -> frozenset[str]:
        """All columns that are read."""
        others = (self.album_number, self.artist_number, self.track_number, self.disc_number)
        more = (self.licence, self.seconds, *self.dates, self.genre_top, *self.genres, self.split)
        return frozenset(filter(None, (*self.needed, *others, *more, self.subset)))

    @property
    def needed(self) -> tuple[str, ...]:
        """The columns without which it is not this file."""
        return (self.number, self.title, self.artist, self.album)


TRACKS = Layout(
    number="track_id",
    title="track.title",
    artist="artist.name",
    album="album.title",
    album_number="album.id",
    artist_number="artist.id",
    track_number="track.number",
    licence="track.license",
    seconds="track.duration",
    dates=("album.date_released", "track.date_recorded"),
    genre_top="track.genre_top",
    genres=("track.genres", "track.genres_all"),
    split="set.split",
    subset="set.subset",
)
"""``tracks.csv``: two rows of headers."""

RAW_TRACKS = Layout(
    number="track_id",
    title="track_title",
    artist="artist_name",
    album="album_title",
    album_number="album_id",
    artist_number="artist_id",
    track_number="track_number",
    disc_number="track_disc_number",
    licence="license_title",
    seconds="track_duration",
    dates=("track_date_recorded",),
    genres=("track_genres",),
)

SMALL_INDEX = Layout(
    number="track_id",
    title="title",
    artist="artist_name",
    album="album_title",
    licence="license_title",
    seconds="track_duration",
    genre_top="genre",
    only_subset="small",
)


def number_of(cells: Cells, column: str | None) -> int | None:
    """Return the number in a column, ``7`` or ``7.0``; None if there is none above 0."""
    text = "" if column is None else cells.get(column, "").removesuffix(".0")
    if not (text.isascii() and text.isdecimal() and len(text) <= _DIGITS):
        return None
    return int(text) or None


def read_track(
    cells: Cells,
    layout: Layout,
    number: int,
    *,
    genres: Genres,
    compilations: Callable[[int], bool],
) -> tuple[FmaTrack, set[Trouble]]:
    """Return what a row says of a track, and what is wrong with it.

    Parameters
    ----------
    cells : mapping of str to str
        The row.
    layout : Layout
        Of its file.
    number : int
        FMA's id of the track.
    genres : Genres
        All that there are.
    compilations : callable
        Returns whether an album, by number, is one of various artists.
    """
    troubles: set[Trouble] = set()
    names, parents = _genres(cells, layout, genres, troubles)
    artist = _text(cells, layout.artist)
    released = next((found for each in layout.dates if (found := _date(cells.get(each, "")))), None)
    album_number = number_of(cells, layout.album_number)
    sets = {
        "subset": layout.only_subset or _text(cells, layout.subset),
        "split": _text(cells, layout.split),
    }
    tags = Tags(
        title=_text(cells, layout.title),
        artists=(artist,) if artist else (),
        album=_text(cells, layout.album),
        genres=names,
        genre_parents=parents or None,
        year=None if released is None else released.year,
        original_date=None if released is None else released.isoformat(),
        track_number=number_of(cells, layout.track_number),
        disc_number=number_of(cells, layout.disc_number),
        is_compilation=album_number is not None and compilations(album_number),
        external_ids=(fma_id(number),),
        licence=_text(cells, layout.licence),
        dataset={name: value for name, value in sets.items() if value} or None,
    )
    return FmaTrack(number, tags, _duration(cells.get(layout.seconds or "", ""))), troubles


def _text(cells: Cells, column: str | None) -> str | None:
    text = "" if column is None else cells.get(column, "")
    # Some are as they stood in a page: "Tom &amp; Ann".
    return plain_text(html.unescape(text[:_LONGEST_CELL]))[:LONGEST_TEXT] or None


def _genres(
    cells: Cells, layout: Layout, genres: Genres, troubles: set[Trouble]
) -> tuple[tuple[str, ...], dict[str, str]]:
    """Return the names of a track's genres, the top one first, and the name above each."""
    top = _text(cells, layout.genre_top)
    named: dict[int, str | None] = {}
    for column in layout.genres:
        try:
            named |= dict(genres_in(cells.get(column, "")))
        except ValueError:
            troubles.add(Trouble.BAD_LIST)
    unknown = {one: name for one, name in named.items() if one not in genres.names}
    if genres.names and unknown:
        troubles.add(Trouble.UNKNOWN_GENRE)
    first = genres.by_name.get(top or "")
    numbers = genres.with_parents([*([] if first is None else [first]), *named])
    names = [top, *(genres.names[one] for one in numbers), *unknown.values()]
    return tuple(dict.fromkeys(filter(None, names))), genres.parent_names(numbers)


def _date(text: str) -> date | None:
    if found := _ISO.match(text):
        year, month, day = found.groups()
    elif found := _AMERICAN.match(text):
        month, day, year = found.groups()
    else:
        return None
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def _duration(text: str) -> DurationMs:
    """Read seconds, ``168`` or ``168.0``, or ``02:48``."""
    seconds = 0.0
    for part in text.split(":"):
        try:
            seconds = seconds * 60 + float(part)
        except ValueError:
            return DurationMs(0)
    return DurationMs(round(seconds * 1000) if 0 < seconds < 1e6 else 0)  # noqa: PLR2004 - eleven days
