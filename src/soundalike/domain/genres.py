"""Genres, derived from the tags of all tracks, as `domain.catalogue` derives artists and albums."""

from collections import Counter
from collections.abc import Iterable
from functools import lru_cache

from soundalike.domain.entries import Genre, GenreTags, Settled
from soundalike.domain.parting import most_common
from soundalike.domain.recordings import digest, name_key
from soundalike.domain.tracks import Track
from soundalike.domain.types import GenreId


@lru_cache(maxsize=10_000)
def genre_id(key: str) -> GenreId:
    """Return the id of a genre."""
    return GenreId(digest("genre", key))


def settle_genre(key: str, tags: Iterable[GenreTags]) -> Settled:
    """Settle a genre as `settle` does, by its tracks' tags alone: half the library may have it.

    Parameters
    ----------
    key : str
        Of the genre.
    tags : iterable of GenreTags
        Of all its tracks, in any order.
    """
    there: Counter[str] = Counter()
    gone: Counter[str] = Counter()
    parents: Counter[str] = Counter()
    count = 0
    for one in tags:
        count += one.count * one.is_there
        for name in one.names:
            if name_key(name) == key:
                (there if one.is_there else gone)[name] += one.count
                if name in one.parents:
                    parents[one.parents[name]] += one.count
    shown = most_common((there or gone).elements())
    if shown is None:
        return Settled((), ())
    parent = most_common(parents.elements())
    found = Genre(
        id=genre_id(key),
        key=key,
        name=shown,
        parent_id=None if parent is None else genre_id(name_key(parent)),
        track_count=count,
    )
    return Settled((), (found,))


def genre_tags_of(track: Track) -> GenreTags:
    """Return what a track's tags say of genres."""
    return GenreTags(track.tags.genres, track.tags.genre_parents or {}, is_there=not track.is_vanished)
