"""What both stores derive from a track, so that both find and sort it in the same way."""

from collections.abc import Iterable

from soundalike.domain.entries import Album, CatalogueEntry, EntryField
from soundalike.domain.times import to_ms
from soundalike.domain.tracks import SortField, Track
from soundalike.domain.words import index_words, sort_key

MAX_QUERY_WORDS = 50
_BEFORE_ALL = "\0"  # no key has it, since folding makes control characters spaces
_LAST, _GREATEST = "\U0010ffff", 99_999
LARGEST_INTEGER = 2**63 - 1
"""In SQLite and in BSON."""


def search_words(track: Track) -> frozenset[str]:
    """Return the normalized words by which a track is found."""
    texts = (track.title, track.artist, track.album)
    return frozenset[str]().union(*(index_words(text) for text in texts if text is not None))


def sort_keys(track: Track) -> dict[SortField, str | int | None]:
    """Return the key of a track in each sort order; artists by album, albums by disc, number and title."""
    artist, album, title = sort_key(track.artist), sort_key(track.album), sort_key(track.title)
    within = _within_album(track, title or "")
    if album is not None:
        album = f"{album}{_BEFORE_ALL}{track.entry.album_id or ''}{_BEFORE_ALL}{within}"
    if artist is not None:
        artist = f"{artist}{_BEFORE_ALL}{_LAST if album is None else album}{_BEFORE_ALL}{within}"
    return {
        SortField.TITLE: title,
        SortField.ARTIST: artist,
        SortField.ALBUM: album,
        SortField.YEAR: track.year,
        SortField.ADDED: to_ms(track.added_at),
    }


def _within_album(track: Track, title: str) -> str:
    disc, number = track.disc_number or 1, track.tags.track_number
    digits = _LAST if number is None else f"{min(number, _GREATEST):05}"
    return f"{min(disc, _GREATEST):05}{digits}{title}"


def entry_key(entry: CatalogueEntry, field: EntryField) -> str | int | None:
    """Return the key of an entry in a sort order."""
    if isinstance(entry, Album):
        keys = {
            EntryField.NAME: sort_key(entry.title),
            EntryField.ARTIST: sort_key(entry.artist),
            EntryField.YEAR: entry.year,
            EntryField.ADDED: to_ms(entry.added_at),
        }
        return keys[field]
    return sort_key(entry.name) if field is EntryField.NAME else entry.track_count


def narrowing_words(words: Iterable[str]) -> list[str]:
    """Return the words that decide a query, longest first: none that is a prefix of another, at most 50."""
    chosen: list[str] = []
    for word in sorted(set(words), key=len, reverse=True):
        if len(chosen) < MAX_QUERY_WORDS and not any(longer.startswith(word) for longer in chosen):
            chosen.append(word)
    return chosen


def clamped(number: int) -> int:
    """Return a number that a store accepts: one in a query may be of any size."""
    return max(-LARGEST_INTEGER, min(number, LARGEST_INTEGER))
