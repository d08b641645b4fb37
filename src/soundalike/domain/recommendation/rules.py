"""What a listener may expect of any list, one rule a function."""

import hashlib
import json
import math
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import count

import numpy as np
import numpy.typing as npt

from soundalike.domain.recommendation.weighted_tracks import TasteProfile
from soundalike.domain.similarity.distances import pairwise_distances, row_distances
from soundalike.domain.tracks import Track
from soundalike.domain.types import FloatArray, TrackId
from soundalike.domain.words import sort_key

MEMORY = 100
"""Nothing is repeated within the last so many tracks."""

ARTIST_WINDOW, ARTIST_CAP = 10, 3
"""Of so many tracks in a row at most so many are by one artist, unless the listener plays them more."""

SAME_LENGTH_MS = 2_000

_NOBODYS = 3.0


def recently_played(taste_profile: TasteProfile, *, memory: int = MEMORY) -> tuple[TrackId, ...]:
    """Nothing repeated: return the last so many tracks that were played, latest first."""
    return taste_profile.played[:memory]


def longest_ago(
    taste_profile: TasteProfile, *, memory: int = MEMORY, negative: Collection[TrackId] = ()
) -> tuple[TrackId, ...]:
    """Nothing left but repeats: return those played lately, the longest ago first, the negative last."""
    lately = reversed(recently_played(taste_profile, memory=memory))
    return tuple(sorted(lately, key=lambda track_id: track_id in negative))


def is_same_title(one: Track, other: Track) -> bool:
    """Tell the same recording: whether artist and title are the same, and the length to 2 s."""
    return (
        key_of(one.artist) is not None
        and abs(one.duration_ms - other.duration_ms) <= SAME_LENGTH_MS
        and name_of(one) == name_of(other)
    )


@lru_cache(maxsize=10_000)
def key_of(name: str | None) -> str | None:
    """Return what makes a name the same as another; None where there is none."""
    return sort_key(name) or None


def name_of(track: Track) -> tuple[str | None, str | None]:
    """Return artist and title without regard to letter case and accents."""
    return key_of(track.artist), key_of(track.title)


def is_same_position(point: FloatArray, others: FloatArray, *, threshold: float) -> bool:
    """Return whether a point, shape (m,), is within a distance of any of others, shape (k, m)."""
    return bool(len(others)) and float(row_distances(others, point).min()) <= threshold


def are_same_positions(
    points: FloatArray, others: FloatArray, *, thresholds: FloatArray
) -> npt.NDArray[np.bool_]:
    """Return which points are so near to any of others that they are the same recording.

    Parameters
    ----------
    points, others : FloatArray, shapes (n, m) and (k, m)
        Places.
    thresholds : FloatArray, shape (n,)
        How near the same recording is.
    """
    if not len(others):
        return np.zeros(len(points), dtype=bool)
    is_close: npt.NDArray[np.bool_] = pairwise_distances(points, others).min(axis=1) <= thresholds
    return is_close


def artist_caps(plays: Iterable[tuple[str | None, float]]) -> dict[str, int]:
    """Artist cap: tell which artists may have more than 3 of 10, because the listener gives them more.

    Parameters
    ----------
    plays : iterable of (str or None, float)
        Artist and weight of the tracks that are positive. As much as three plays weigh is taken to be
        nobody's, so that a first track does not hand the list to its artist.
    """
    by_artist: dict[str, float] = {}
    total = _NOBODYS
    for artist, weight in plays:
        total += weight
        key = key_of(artist)
        if key is not None:
            by_artist[key] = by_artist.get(key, 0.0) + weight
    caps = {artist: math.ceil(ARTIST_WINDOW * weight / total) for artist, weight in by_artist.items()}
    return {artist: cap for artist, cap in caps.items() if cap > ARTIST_CAP}


class ArtistCap:
    """Artist cap: at most so many of any 10 in a row by one artist; tracks without one never clash.

    Parameters
    ----------
    caps : mapping of str to int
        Of artists (by `key_of`) that may have more than 3.
    latest : iterable of str or None
        Artists of what was played before, the latest last.
    """

    def __init__(self, caps: Mapping[str, int], latest: Iterable[str | None] = ()) -> None:
        self._caps = caps
        self._latest: deque[str | None] = deque(map(key_of, latest), maxlen=ARTIST_WINDOW - 1)

    def admits(self, artist: str | None) -> bool:
        """Whether a track by an artist may come next."""
        key = key_of(artist)
        return key is None or self._latest.count(key) < self._caps.get(key, ARTIST_CAP)

    def take(self, artist: str | None) -> None:
        """Remember that a track by an artist came."""
        self._latest.append(key_of(artist))


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
    """Exploration: yield for each place of a list whether it is for something else.

    Of any number of places in a row the share `adventure` is, to one; `phase`, of 0 to 1, tells where
    in the list they fall.
    """
    for place in count():
        yield math.floor((place + 1) * adventure + phase) > math.floor(place * adventure + phase)


class SeededRandom:
    """Numbers that are drawn from a hash: the same question, the same draw.

    Parameters
    ----------
    *question : str, float, None or sequence of str
        All that an answer may depend on.
    """

    def __init__(self, *question: str | float | Sequence[str] | None) -> None:
        self._key = hashlib.blake2b(json.dumps(question).encode(), digest_size=32).digest()

    def numbers(self, name: str, count: int) -> npt.NDArray[np.float64]:
        """Return so many numbers of 0 to 1 that are drawn for one purpose, shape (count,)."""
        stream = hashlib.shake_128(self._key + name.encode()).digest(4 * count)
        return np.frombuffer(stream, dtype="<u4").astype(np.float64) / 2**32
