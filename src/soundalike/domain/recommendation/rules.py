"""The rules that every slate follows, one function each."""

import math
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import count

import numpy as np
import numpy.typing as npt

from soundalike.domain.catalogue import first_artist
from soundalike.domain.recommendation.weighted_tracks import TasteProfile
from soundalike.domain.recordings import SAME_LENGTH_MS
from soundalike.domain.similarity.distances import pairwise_distances, row_distances
from soundalike.domain.tracks import Track
from soundalike.domain.types import ArtistId, FloatArray, TrackId
from soundalike.domain.words import sort_key

MEMORY = 100
"""A track is not repeated within this many tracks."""

ARTIST_WINDOW, ARTIST_CAP = 10, 3
"""Of this many tracks in a row at most this many are by one artist, unless the listener plays them more."""

_PRIOR_WEIGHT = 3.0


def recently_played(taste_profile: TasteProfile, *, memory: int = MEMORY) -> tuple[TrackId, ...]:
    """No repeats: return the tracks that must not come again yet, the latest first.

    Parameters
    ----------
    taste_profile : TasteProfile
        Of the listener.
    memory : int
        How many tracks.
    """
    return taste_profile.played[:memory]


def longest_ago(
    taste_profile: TasteProfile, *, memory: int = MEMORY, negative: Collection[TrackId] = ()
) -> tuple[TrackId, ...]:
    """Only repeats left: return what was played recently, the longest ago first, negative tracks last.

    Parameters
    ----------
    taste_profile : TasteProfile
        Of the listener.
    memory : int
        How many tracks count as recent.
    negative : collection of TrackId
        Tracks that the listener does not want.
    """
    recent = reversed(recently_played(taste_profile, memory=memory))
    return tuple(sorted(recent, key=lambda track_id: track_id in negative))


def is_same_title(one: Track, other: Track) -> bool:
    """Return whether artist and title are the same, and the lengths differ by at most 2 s.

    Parameters
    ----------
    one, other : Track
        Any tracks; those without an artist are never the same.
    """
    return (
        _folded(one.artist) is not None
        and abs(one.duration_ms - other.duration_ms) <= SAME_LENGTH_MS
        and name_of(one) == name_of(other)
    )


def name_of(track: Track) -> tuple[str | None, str | None]:
    """Return artist and title without letter case and accents; None for a name of which nothing is left."""
    return _folded(track.artist), _folded(track.title)


@lru_cache(maxsize=10_000)
def _folded(name: str | None) -> str | None:
    return sort_key(name) or None


def is_same_position(point: FloatArray, others: FloatArray, *, threshold: float) -> bool:
    """Return whether a point is so near to any other that it is the same recording.

    Parameters
    ----------
    point, others : FloatArray, shapes (m,) and (k, m)
        Coordinates.
    threshold : float
        Up to this distance two tracks are the same recording.
    """
    return bool(len(others)) and float(row_distances(others, point).min()) <= threshold


def are_same_positions(
    points: FloatArray, others: FloatArray, *, thresholds: FloatArray
) -> npt.NDArray[np.bool_]:
    """Return which points are so near to any other that they are the same recording.

    Parameters
    ----------
    points, others : FloatArray, shapes (n, m) and (k, m)
        Coordinates.
    thresholds : FloatArray, shape (n,)
        The same for each point.
    """
    if not len(others):
        return np.zeros(len(points), dtype=bool)
    is_close: npt.NDArray[np.bool_] = pairwise_distances(points, others).min(axis=1) <= thresholds
    return is_close


def artist_caps(plays: Iterable[tuple[Track, float]]) -> dict[ArtistId, int]:
    """Artist cap: return the artists that may have more than 3 of 10, since the listener plays them more.

    Parameters
    ----------
    plays : iterable of (Track, float)
        The positive tracks and their weights. The weight of three plays counts as by no artist, so
        that a first track does not give the whole slate to its artist.
    """
    by_artist: dict[ArtistId, float] = {}
    total = _PRIOR_WEIGHT
    for track, weight in plays:
        total += weight
        key = first_artist(track)
        if key is not None:
            by_artist[key] = by_artist.get(key, 0.0) + weight
    caps = {artist: math.ceil(ARTIST_WINDOW * weight / total) for artist, weight in by_artist.items()}
    return {artist: cap for artist, cap in caps.items() if cap > ARTIST_CAP}


class ArtistRules:
    """How often an artist may come: at most 3 of any 10 tracks in a row, and never twice in a row.

    Both give way where no other artist can be had (`slate`).

    Parameters
    ----------
    caps : mapping of ArtistId to int
        For artists (by `first_artist`) that may have more than 3.
    latest : iterable of ArtistId or None
        Artists (by `first_artist`) of what was played before, the latest last.
    are_apart : bool
        Whether an artist must not come twice in a row.
    """

    def __init__(
        self, caps: Mapping[ArtistId, int], latest: Iterable[ArtistId | None] = (), *, are_apart: bool = True
    ) -> None:
        self._caps = caps
        self._latest: deque[ArtistId | None] = deque(latest, maxlen=ARTIST_WINDOW - 1)
        self.are_apart = are_apart

    def admits(self, track: Track) -> bool:
        """Whether a track may come next."""
        return self.is_below_cap(track) and self.is_other(track)

    def is_below_cap(self, track: Track) -> bool:
        """Whether its artist may have one more of ten tracks."""
        artist = first_artist(track)
        return artist is None or self._latest.count(artist) < self._caps.get(artist, ARTIST_CAP)

    def is_other(self, track: Track) -> bool:
        """Whether it is by another artist than the latest track, as far as that matters."""
        artist = first_artist(track)
        return not self.are_apart or artist is None or not self._latest or self._latest[-1] != artist

    def take(self, track: Track) -> None:
        """Remember that a track came."""
        self._latest.append(first_artist(track))


def proportional_turns(shares: Sequence[float], served: Sequence[float]) -> Iterator[int]:
    """Several tastes: yield whose turn it is, each in proportion (Webster and Sainte-Laguë).

    Parameters
    ----------
    shares : sequence of float
        How much each counts.
    served : sequence of float
        What each has had already.
    """
    served = list(served)
    while shares:
        turn = max(range(len(shares)), key=lambda one: (shares[one] / (2 * served[one] + 1), -one))
        served[turn] += 1
        yield turn


def exploration_slots(adventure: float, phase: float) -> Iterator[bool]:
    """Exploration: yield for each place of a slate whether it is for exploration.

    Parameters
    ----------
    adventure : float
        Share of any number of places in a row that is for exploration, rounded up or down.
    phase : float
        0 to 1; shifts these places.
    """
    for place in count():
        yield math.floor((place + 1) * adventure + phase) > math.floor(place * adventure + phase)
