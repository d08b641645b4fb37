"""What a radio plays: the nearest tracks, without repeats and without one artist twice in a row."""

from collections.abc import Collection, Iterable, Iterator

from soundalike.domain.similarity.space import Neighbour
from soundalike.domain.types import TrackId
from soundalike.domain.words import sort_key

RADIO_MEMORY = 100
"""A radio repeats none of this many latest tracks."""


def radio(
    nearest: Iterable[Neighbour], *, recent: Collection[TrackId], last_artist: str | None
) -> Iterator[Neighbour]:
    """Yield what a radio plays next: the nearest first, no recent track, no artist twice in a row.

    If all that is left is by the artist who has just played, that artist comes again.

    Parameters
    ----------
    nearest : iterable of Neighbour
        Candidates, nearest first; read no further than needed.
    recent : collection of TrackId
        Not to be repeated.
    last_artist : str or None
        Of the track that has just played; tracks without an artist never clash.
    """
    candidates = (neighbour for neighbour in nearest if neighbour.track.id not in recent)
    waiting: list[Neighbour] = []
    artist = sort_key(last_artist)
    while True:
        chosen = _pop_other(waiting, artist)
        while chosen is None:
            candidate = next(candidates, None)
            if candidate is None:
                break
            if artist is not None and sort_key(candidate.track.artist) == artist:
                waiting.append(candidate)
            else:
                chosen = candidate
        if chosen is None:
            if not waiting:
                return
            chosen = waiting.pop(0)
        yield chosen
        artist = sort_key(chosen.track.artist)


def _pop_other(waiting: list[Neighbour], artist: str | None) -> Neighbour | None:
    """Remove and return the first by another artist; all that wait have an artist."""
    for index, neighbour in enumerate(waiting):
        if sort_key(neighbour.track.artist) != artist:
            return waiting.pop(index)
    return None
