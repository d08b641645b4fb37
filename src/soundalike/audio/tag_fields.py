"""What the fields of tags mean: names, numbers, dates, gains and ids, as any dialect has them.

The names of fields are those that MusicBrainz Picard writes into each format:
https://picard-docs.musicbrainz.org/en/appendices/tag_mapping.html
"""

import math
import re
import unicodedata
from collections.abc import Iterable, Iterator

from soundalike.audio.tagging.source import MOST_VALUES, MUSICBRAINZ_ID, TagSource
from soundalike.domain.tags import ExternalId, ExternalIdKind, Gains, Tags

MOST_CHARACTERS = 1_000
MOST_LYRICS_CHARACTERS = 10_000
_LAST_YEAR = 9_999
_LAST_PLANES = "\U000e0000"
_GREATEST_NUMBER = 99_999
_GREATEST_DB = 200.0
_GREATEST_PEAK = 100.0
_GREATEST_R128 = 1 << 15

# A date may be without its dashes: 201905, 20190501.
_YEAR = re.compile(r"(?<!\d)(\d{4})(?:(?:0[1-9]|1[0-2])(?:(?:0[1-9]|[12]\d|3[01])(?:\d{6})?)?)?(?!\d)")
_DATE = re.compile(r"\s*(\d{4})(?:-?(0[1-9]|1[0-2])(?:-?(0[1-9]|[12]\d|3[01]))?)?(?!\d)")
_NUMBER = re.compile(r"\s*([-+\N{MINUS SIGN}]?\d{1,9}(?:[.,]\d{0,12})?)\s*(?:dB|LU)?\s*", re.IGNORECASE)
_ISRC = re.compile(r"(?<![A-Z0-9])[A-Z]{2}-?[A-Z0-9]{3}-?\d{2}-?\d{5}(?![A-Z0-9])", re.IGNORECASE)
_PLAIN_NUMBER = str.maketrans("\N{MINUS SIGN},", "-.")
_YES = {"1", *(write(word) for word in ("true", "yes") for write in (str.lower, str.upper, str.title))}
_MUSICBRAINZ = "http://musicbrainz.org"

_UUID_FIELDS = {
    "musicbrainztrackid": ExternalIdKind.RECORDING,
    "musicbrainzreleasetrackid": ExternalIdKind.RELEASE_TRACK,
    "musicbrainzalbumid": ExternalIdKind.ALBUM,
    "musicbrainzreleasegroupid": ExternalIdKind.RELEASE_GROUP,
    "musicbrainzartistid": ExternalIdKind.ARTIST,
    "musicbrainzalbumartistid": ExternalIdKind.ALBUM_ARTIST,
}


def tags_of(source: TagSource) -> Tags:
    """Return what one tag says, cleaned."""
    return Tags(
        title=_first(source, "title"),
        artists=_without_credit(_texts(source, "artist", "artists", "author")),
        album=_first(source, "album"),
        album_artist=_first(source, "albumartist"),
        genres=_texts(source, "genre", separators=r"\0;"),
        year=_year(source.values("date", "year", "tdrl")),
        original_date=_date(
            source.values(
                "originaldate",
                "originalyear",
                "originalreleasedate",
                "originalreleasetime",
                "originalreleaseyear",
            )
        ),
        track_number=_integer(source.values("track", "tracknumber")),
        disc_number=_integer(source.values("disc", "discnumber")),
        is_compilation=_first(source, "compilation", "itunescompilation", "iscompilation") in _YES,
        gains=_gains(source),
        external_ids=tuple(_external_ids(source)),
        lyrics=_lyrics(source.values("lyrics", "unsyncedlyrics", "unsynchronisedlyrics")),
    )


def _texts(source: TagSource, *names: str, separators: str = r"\0") -> tuple[str, ...]:
    """Return the values as plain text, each once, split at some characters."""
    parts = (part for value in source.values(*names) for part in re.split(f"[{separators}]", value))
    return tuple(dict.fromkeys(text for part in parts if (text := _text(part)) is not None))[:MOST_VALUES]


def _first(source: TagSource, *names: str) -> str | None:
    """Return the first value as plain text."""
    return next(iter(_texts(source, *names)), None)


def _without_credit(artists: tuple[str, ...]) -> tuple[str, ...]:
    """Leave out a credit such as "A feat. B" where A and B are there too, in a field of their own."""
    credit, *names = artists or ("",)
    is_credit = len(names) > 1 and all(name in credit for name in names)
    return tuple(names) if is_credit else artists


def _text(value: str) -> str | None:
    """Strip, remove control characters and cut; None if nothing is left that can be seen."""
    kept = " ".join("".join(_plain(character) for character in value).split())[:MOST_CHARACTERS].strip()
    return kept if any(map(_is_visible, kept)) else None


def _lyrics(values: Iterable[str]) -> str | None:
    """Return the first lyrics, cleaned line by line and cut."""
    for value in values:
        lines = ("".join(map(_plain, line)).rstrip() for line in value.splitlines())
        text = "\n".join(lines).strip()[:MOST_LYRICS_CHARACTERS].strip()
        if any(map(_is_visible, text)):
            return text
    return None


def _plain(character: str) -> str:
    if character.isspace():
        return " "
    # What stands for a character that could not be read, or for the order of bytes, says nothing.
    is_empty = character in "\ufffd\ufeff" or unicodedata.category(character) in {"Cc", "Cs"}
    return "" if is_empty or _is_noncharacter(character) else character


def _is_noncharacter(character: str) -> bool:
    """Whether a character can never be one, unlike those that a later version of Unicode has."""
    return "\ufdd0" <= character <= "\ufdef" or ord(character) & 0xFFFE == 0xFFFE  # noqa: PLR2004 - Unicode's


def _is_visible(character: str) -> bool:
    """Whether a character is more than space, a mark on others, or a sign that joins them."""
    category = unicodedata.category(character)
    # Python may not know a new character yet; on the last planes there are none to be seen.
    return category[0] not in "ZCM" or (category == "Cn" and character < _LAST_PLANES)


def _year(values: Iterable[str]) -> int | None:
    """Return the first year of four digits, 1 to 9999, alone or in a date."""
    years = (int(match[1]) for value in values if (match := _YEAR.search(value[:MOST_CHARACTERS])))
    return next((year for year in years if 1 <= year <= _LAST_YEAR), None)


def _date(values: Iterable[str]) -> str | None:
    """Return the first date, as far as it is given."""
    matches = (_DATE.match(value) for value in values)
    found = ("-".join(filter(None, match.groups())) for match in matches if match and int(match[1]))
    return next(found, None)


def _integer(values: Iterable[str]) -> int | None:
    """Return the first number; of a track and how many there are (3/12) that of the track."""
    numbers = (int(match[1]) for value in values if (match := re.match(r"\s*(\d{1,9})", value)))
    return next((number for number in numbers if 1 <= number <= _GREATEST_NUMBER), None)


def _number(values: Iterable[str], least: float, greatest: float) -> float | None:
    matches = (_NUMBER.fullmatch(value[:MOST_CHARACTERS]) for value in values)
    numbers = (float(match[1].translate(_PLAIN_NUMBER)) for match in matches if match)
    return next((one for one in numbers if math.isfinite(one) and least <= one <= greatest), None)


def _gains(source: TagSource) -> Gains:
    def decibels(whose: str) -> float | None:
        return _number(source.values(f"replaygain{whose}gain"), -_GREATEST_DB, _GREATEST_DB)

    def peak(whose: str) -> float | None:
        return _number(source.values(f"replaygain{whose}peak"), 0.0, _GREATEST_PEAK)

    def r128(whose: str) -> int | None:
        number = _number(source.values(f"r128{whose}gain"), -_GREATEST_R128, _GREATEST_R128)
        return None if number is None else int(number)

    return Gains(
        track_db=decibels("track"),
        track_peak=peak("track"),
        album_db=decibels("album"),
        album_peak=peak("album"),
        r128_track=r128("track"),
        r128_album=r128("album"),
    )


def _external_ids(source: TagSource) -> Iterator[ExternalId]:
    seen: set[ExternalId] = set()
    for kind, text in _written_ids(source):
        found = ExternalId(kind, text)
        # The same artist may be there twice, in its places.
        if kind in {ExternalIdKind.ARTIST, ExternalIdKind.ALBUM_ARTIST} or found not in seen:
            seen.add(found)
            yield found


def _written_ids(source: TagSource) -> Iterator[tuple[ExternalIdKind, str]]:
    # In ID3 the recording is in a frame of its own, with its owner in front.
    for value in source.values("ufid"):
        if value.startswith(_MUSICBRAINZ):
            yield from ((ExternalIdKind.RECORDING, one.lower()) for one in MUSICBRAINZ_ID.findall(value))
    for name, kind in _UUID_FIELDS.items():
        for value in source.values(name):
            yield from ((kind, one.lower()) for one in MUSICBRAINZ_ID.findall(value))
    for value in source.values("isrc"):
        yield from ((ExternalIdKind.ISRC, one.replace("-", "").upper()) for one in _ISRC.findall(value))
