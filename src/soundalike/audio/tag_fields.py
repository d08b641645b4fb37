"""What the fields of tags mean: names, numbers, dates, gains and ids, as tinytag hands them over.

The names of fields are those that MusicBrainz Picard writes into each format:
https://picard-docs.musicbrainz.org/en/appendices/tag_mapping.html
"""

import math
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping

from tinytag import TinyTag

from soundalike.domain.tags import ExternalId, ExternalIdKind, Gains, Tags

MOST_CHARACTERS = 1_000
MOST_VALUES = 100
_LAST_YEAR = 9_999
_GREATEST_NUMBER = 99_999
_GREATEST_DB = 200.0
_GREATEST_PEAK = 100.0
_GREATEST_R128 = 1 << 15

_YEAR = re.compile(r"(?<!\d)\d{4}(?!\d)")
_DATE = re.compile(r"\s*(\d{4})(?:-(0[1-9]|1[0-2])(?:-(0[1-9]|[12]\d|3[01]))?)?(?!\d)")
_NUMBER = re.compile(r"\s*([-+]?\d{1,9}(?:\.\d{0,12})?)\s*(?:dB|LU)?\s*", re.IGNORECASE)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_ISRC = re.compile(r"(?<![A-Z0-9])[A-Z]{2}-?[A-Z0-9]{3}-?\d{2}-?\d{5}(?![A-Z0-9])", re.IGNORECASE)
_MUSICBRAINZ = "http://musicbrainz.org"

_UUID_FIELDS = {
    "musicbrainztrackid": ExternalIdKind.RECORDING,
    "musicbrainzreleasetrackid": ExternalIdKind.RELEASE_TRACK,
    "musicbrainzalbumid": ExternalIdKind.ALBUM,
    "musicbrainzreleasegroupid": ExternalIdKind.RELEASE_GROUP,
    "musicbrainzartistid": ExternalIdKind.ARTIST,
    "musicbrainzalbumartistid": ExternalIdKind.ALBUM_ARTIST,
}


def tags_of(found: TinyTag) -> Tags:
    """Return what tinytag found, cleaned."""
    fields = _Fields(found)
    album_artist = fields.first("albumartist")
    artists = _without_credit(fields.texts("artist"))
    if not artists and album_artist is not None:
        artists = (album_artist,)
    return Tags(
        title=fields.first("title"),
        artists=artists,
        album=fields.first("album"),
        album_artist=album_artist,
        genres=fields.texts("genre", separators="\0;"),
        year=_year(fields.first("year")),
        original_date=_date(fields.values("originaldate", "tdor", "originalyear", "tory")),
        track_number=_integer(fields.first("track")),
        disc_number=_integer(fields.first("disc")),
        is_compilation=fields.first("compilation", "tcmp", "cpil", "itunescompilation")
        in {"1", "true", "True"},
        gains=_gains(fields),
        external_ids=tuple(_external_ids(fields)),
    )


class _Fields:
    """All values of each field, by its name without spaces, underscores and case."""

    def __init__(self, found: TinyTag) -> None:
        self._values: dict[str, list[str]] = {}
        own: Mapping[str, object] = vars(found)
        for name in ("title", "artist", "album", "albumartist", "genre", "year", "track", "disc"):
            if isinstance(value := own.get(name), str | int):
                self._add(name, str(value))
        for name, values in found.other.items():
            for value in values:
                self._add(name, value)

    def _add(self, name: str, value: str) -> None:
        kept = self._values.setdefault(re.sub(r"[\s_]", "", name).lower(), [])
        if len(kept) < MOST_VALUES:
            kept.append(value[: 4 * MOST_CHARACTERS])

    def values(self, *names: str) -> list[str]:
        """Return the values of some fields, in the order of the names."""
        return [value for name in names for value in self._values.get(name, ())]

    def texts(self, *names: str, separators: str = "\0") -> tuple[str, ...]:
        """Return the values as plain text, each once, split at some characters."""
        parts = (part for value in self.values(*names) for part in re.split(f"[{separators}]", value))
        return tuple(dict.fromkeys(text for part in parts if (text := _text(part)) is not None))[:MOST_VALUES]

    def first(self, *names: str) -> str | None:
        """Return the first value as plain text."""
        return next(iter(self.texts(*names)), None)


def _without_credit(artists: tuple[str, ...]) -> tuple[str, ...]:
    """Leave out a credit such as "A feat. B" where A and B are there too: tinytag puts them together."""
    credit, *names = artists or ("",)
    is_credit = len(names) > 1 and all(name in credit for name in names)
    return tuple(names) if is_credit else artists


def _text(value: str) -> str | None:
    """Strip, remove control characters and cut; None if nothing is left that can be seen."""
    kept = " ".join("".join(_plain(character) for character in value).split())[:MOST_CHARACTERS].strip()
    return kept if any(map(_is_visible, kept)) else None


def _plain(character: str) -> str:
    if character.isspace():
        return " "
    return "" if unicodedata.category(character) in {"Cc", "Cs", "Cn"} else character


def _is_visible(character: str) -> bool:
    """Whether a character is more than space, a mark on others, or a sign that joins them."""
    return unicodedata.category(character)[0] not in "ZCM"


def _year(text: str | None) -> int | None:
    """Return the first number of four digits, 1 to 9999."""
    match = _YEAR.search(text or "")
    year = int(match[0]) if match else 0
    return year if 1 <= year <= _LAST_YEAR else None


def _date(values: Iterable[str]) -> str | None:
    """Return the first date, as far as it is given."""
    matches = (_DATE.match(value) for value in values)
    found = ("-".join(filter(None, match.groups())) for match in matches if match and int(match[1]))
    return next(found, None)


def _integer(text: str | None) -> int | None:
    match = re.match(r"\d{1,9}", text or "")
    number = int(match[0]) if match else 0
    return number if 1 <= number <= _GREATEST_NUMBER else None


def _number(values: Iterable[str], least: float, greatest: float) -> float | None:
    matches = (_NUMBER.fullmatch(value[:MOST_CHARACTERS]) for value in values)
    numbers = (float(match[1]) for match in matches if match)
    return next((one for one in numbers if math.isfinite(one) and least <= one <= greatest), None)


def _gains(fields: _Fields) -> Gains:
    def decibels(whose: str) -> float | None:
        return _number(fields.values(f"replaygain{whose}gain"), -_GREATEST_DB, _GREATEST_DB)

    def peak(whose: str) -> float | None:
        return _number(fields.values(f"replaygain{whose}peak"), 0.0, _GREATEST_PEAK)

    def r128(whose: str) -> int | None:
        number = _number(fields.values(f"r128{whose}gain"), -_GREATEST_R128, _GREATEST_R128)
        return None if number is None else int(number)

    return Gains(
        track_db=decibels("track"),
        track_peak=peak("track"),
        album_db=decibels("album"),
        album_peak=peak("album"),
        r128_track=r128("track"),
        r128_album=r128("album"),
    )


def _external_ids(fields: _Fields) -> Iterator[ExternalId]:
    seen: set[ExternalId] = set()
    for kind, text in _written_ids(fields):
        found = ExternalId(kind, text)
        # The same artist may be there twice, in its places.
        if kind in {ExternalIdKind.ARTIST, ExternalIdKind.ALBUM_ARTIST} or found not in seen:
            seen.add(found)
            yield found


def _written_ids(fields: _Fields) -> Iterator[tuple[ExternalIdKind, str]]:
    # In ID3 the recording is in a frame of its own, with its owner in front.
    for value in fields.values("ufid"):
        if value.startswith(_MUSICBRAINZ):
            yield from ((ExternalIdKind.RECORDING, one.lower()) for one in _UUID.findall(value))
    for name, kind in _UUID_FIELDS.items():
        for value in fields.values(name):
            yield from ((kind, one.lower()) for one in _UUID.findall(value))
    for value in fields.values("isrc"):
        yield from ((ExternalIdKind.ISRC, one.replace("-", "").upper()) for one in _ISRC.findall(value))
