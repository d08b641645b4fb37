"""What both stores derive from a track, so that both find and sort it in the same way."""

from collections.abc import Iterable

from soundalike.domain.times import to_ms
from soundalike.domain.tracks import SortField, Track
from soundalike.domain.words import index_words, sort_key

MAX_QUERY_WORDS = 50
LARGEST_INTEGER = 2**63 - 1
"""In SQLite and in BSON."""


def search_words(track: Track) -> frozenset[str]:
    """Return the normalized words by which a track is found."""
    texts = (track.title, track.artist, track.album)
    return frozenset[str]().union(*(index_words(text) for text in texts if text is not None))


def sort_keys(track: Track) -> dict[SortField, str | int | None]:
    """Return the key of a track in each sort order."""
    return {
        SortField.TITLE: sort_key(track.title),
        SortField.ARTIST: sort_key(track.artist),
        SortField.ALBUM: sort_key(track.album),
        SortField.YEAR: track.year,
        SortField.ADDED: to_ms(track.added_at),
    }


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
