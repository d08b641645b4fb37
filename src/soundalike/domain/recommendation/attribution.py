"""What a track's place in a slate is due to, computed from what ranked it."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from soundalike.domain.recommendation.results import Role
from soundalike.domain.recommendation.scoring import Scoring
from soundalike.domain.similarity.distances import pairwise_distances
from soundalike.domain.types import FloatArray, IndexArray, TrackId

_MOST_TRACKS = 3
_LEAST_SHARE = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """What a candidate's place is due to.

    Parameters
    ----------
    role : Role
        Which list it comes from.
    positive : tuple of TrackId
        Tracks that raised its score, the one that did most first, then up to two more with a tenth each.
    negative : tuple of TrackId
        Tracks that it is there for being far from.
    is_near : bool
        Whether it is near the first of `positive`.
    distance : float
        To the seed, or else to the first of `positive`, or else to the mean of the library.
    is_close : bool
        Whether that distance is that of near tracks.
    """

    role: Role
    positive: tuple[TrackId, ...] = ()
    negative: tuple[TrackId, ...] = ()
    is_near: bool = False
    distance: float
    is_close: bool = False


def attribute(scoring: Scoring, rows: IndexArray, role: Role, *, taste: int = 0) -> list[Attribution]:
    """Work out what the places of candidates are due to.

    Parameters
    ----------
    scoring : Scoring
        What ranked them.
    rows : IndexArray, shape (k,)
        Of the candidates.
    role : Role
        Which list they come from.
    taste : int
        Which of the listener's tastes they are for; 0 if none.
    """
    if not len(rows):
        return []
    points = scoring.index.coordinates[rows]
    match role:
        case Role.TASTE | Role.SEED:
            return _of_taste(scoring, rows, points, role=role, taste=taste)
        case Role.COLD_START:
            return _of_cold_start(scoring, points)
        case Role.EXPLORATION:
            return [Attribution(role=role, distance=away) for away in _to_mean(scoring, points)]
        case Role.REPEAT:
            ids = scoring.index.artefact.track_ids
            return [Attribution(role=role, positive=(ids[row],), is_near=True, distance=0.0) for row in rows]


def _of_taste(
    scoring: Scoring, rows: IndexArray, points: FloatArray, *, role: Role, taste: int
) -> list[Attribution]:
    index, positive = scoring.index, scoring.taste_profile.positive
    of_tracks, of_seed = scoring.positive_feedback(rows, np.full(len(rows), taste, dtype=np.int32))
    counted = _largest(of_tracks, of_seed)
    away = pairwise_distances(points, index.coordinates[positive.rows])
    nearest = [float(of[one[0]]) if one else np.inf for one, of in zip(counted, away, strict=True)]
    distances: Iterable[float] = nearest
    if scoring.seed is not None:
        distances = pairwise_distances(points, scoring.seed[np.newaxis])[:, 0].tolist()
    return [
        Attribution(
            role=role,
            positive=tuple(positive.track_ids[track] for track in tracks),
            is_near=near <= index.near_distance,
            distance=distance,
            is_close=distance <= index.near_distance,
        )
        for tracks, near, distance in zip(counted, nearest, distances, strict=True)
    ]


def _of_cold_start(scoring: Scoring, points: FloatArray) -> list[Attribution]:
    index, negative = scoring.index, scoring.taste_profile.negative
    to_nearest = pairwise_distances(points, index.coordinates[negative.rows]).min(axis=1, initial=np.inf)
    return [
        Attribution(
            role=Role.COLD_START,
            negative=negative.track_ids if away > index.near_distance else (),
            distance=distance,
        )
        for away, distance in zip(to_nearest, _to_mean(scoring, points), strict=True)
    ]


def _to_mean(scoring: Scoring, points: FloatArray) -> list[float]:
    distances: list[float] = pairwise_distances(points, scoring.index.mean[np.newaxis])[:, 0].tolist()
    return distances


def _largest(of_tracks: FloatArray, of_seed: FloatArray) -> list[list[int]]:
    """Return for each row the tracks that add most: the first, and up to two more that add a tenth.

    Parameters
    ----------
    of_tracks : FloatArray, shape (k, t)
        What each track adds; of equals the one of the lower number comes first.
    of_seed : FloatArray, shape (k,)
        What the seed adds; only where that is 0 the first track counts whatever it adds.
    """
    rows = np.arange(len(of_tracks))
    left = np.round(of_tracks, 5)
    most = np.empty((len(rows), min(_MOST_TRACKS, left.shape[1])), dtype=np.intp)
    for place in range(most.shape[1]):
        most[:, place] = left.argmax(axis=1)
        left[rows, most[:, place]] = -1
    total = of_tracks.sum(axis=1) + of_seed
    counts = of_tracks[rows[:, None], most] >= _LEAST_SHARE * total[:, None]
    counts[:, :1] |= of_seed[:, None] <= 0
    return [tracks[one].tolist() for tracks, one in zip(most, counts, strict=True)]
