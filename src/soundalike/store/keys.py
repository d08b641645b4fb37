"""What every store keeps beside a track, so that it is found and listed alike in all of them."""

from collections.abc import Iterable

from soundalike.domain.times import to_ms
from soundalike.domain.tracks import SortField, Track
from soundalike.domain.words import index_words, sort_key

MOST_QUERY_WORDS = 50


def search_words(track: Track) -> frozenset[str]:
    """Return the folded words that a track is found by."""
    texts = (track.title, track.artist, track.album)
    return frozenset[str]().union(*(index_words(text) for text in texts if text is not None))


def sort_keys(track: Track) -> dict[SortField, str | int | None]:
    """Return what a track is ordered by in each order."""
    return {
        SortField.TITLE: sort_key(track.title),
        SortField.ARTIST: sort_key(track.artist),
        SortField.ALBUM: sort_key(track.album),
        SortField.YEAR: track.year,
        SortField.ADDED: to_ms(track.added_at),
    }


def narrowing_words(words: Iterable[str]) -> list[str]:
    """Return the words that decide a query, longest first: none that begins another, 50 at most."""
    chosen: list[str] = []
    for word in sorted(set(words), key=len, reverse=True):
        if len(chosen) < MOST_QUERY_WORDS and not any(longer.startswith(word) for longer in chosen):
            chosen.append(word)
    return chosen
