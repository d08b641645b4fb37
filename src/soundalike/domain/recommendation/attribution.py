"""What a track's place in a slate is due to, computed from what ranked it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from soundalike.domain.recommendation.scoring import Scoring
from soundalike.domain.recommendation.slate import Candidate, Role
from soundalike.domain.similarity.distances import pairwise_distances
from soundalike.domain.types import FloatArray, TrackId

_MOST_TRACKS = 3
_LEAST_SHARE = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """What a candidate's place is due to.

    Parameters
    ----------
    candidate : Candidate
        What is explained.
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

    candidate: Candidate
    positive: tuple[TrackId, ...] = ()
    negative: tuple[TrackId, ...] = ()
    is_near: bool = False
    distance: float
    is_close: bool = False


def attribute(scoring: Scoring, candidates: Sequence[Candidate]) -> list[Attribution]:
    """Work out what the places of candidates are due to.

    Parameters
    ----------
    scoring : Scoring
        What ranked them.
    candidates : sequence of Candidate
        In the order of the result.
    """
    found: dict[int, Attribution] = {}
    for role, attribute_role in _BY_ROLE.items():
        chosen = [candidate for candidate in candidates if candidate.role is role]
        if chosen:
            points = scoring.index.coordinates[[candidate.row for candidate in chosen]]
            found |= {one.candidate.row: one for one in attribute_role(scoring, chosen, points)}
    return [found[candidate.row] for candidate in candidates]


def _of_taste(scoring: Scoring, candidates: list[Candidate], points: FloatArray) -> list[Attribution]:
    index, positive = scoring.index, scoring.taste_profile.positive
    rows, tastes = (
        np.array([getattr(one, name) for one in candidates], dtype=np.int32) for name in ("row", "taste")
    )
    of_tracks, of_seed = scoring.positive_feedback(rows, tastes)
    away = pairwise_distances(points, index.coordinates[positive.rows])
    attributions = []
    for number, candidate in enumerate(candidates):
        counted = _largest(of_tracks[number], float(of_seed[number]))
        nearest = float(away[number, counted[0]]) if counted else np.inf
        distance = nearest
        if scoring.seed is not None:
            distance = float(pairwise_distances(points[number : number + 1], scoring.seed[np.newaxis])[0, 0])
        attributions.append(
            Attribution(
                candidate=candidate,
                positive=tuple(positive.track_ids[track] for track in counted),
                is_near=nearest <= index.near_distance,
                distance=distance,
                is_close=distance <= index.near_distance,
            )
        )
    return attributions


def _of_cold_start(scoring: Scoring, candidates: list[Candidate], points: FloatArray) -> list[Attribution]:
    index, negative = scoring.index, scoring.taste_profile.negative
    to_nearest = pairwise_distances(points, index.coordinates[negative.rows]).min(axis=1, initial=np.inf)
    return [
        Attribution(
            candidate=candidate,
            negative=negative.track_ids if away > index.near_distance else (),
            distance=distance,
        )
        for candidate, away, distance in zip(candidates, to_nearest, _to_mean(scoring, points), strict=True)
    ]


def _of_exploration(scoring: Scoring, candidates: list[Candidate], points: FloatArray) -> list[Attribution]:
    distances = _to_mean(scoring, points)
    return [
        Attribution(candidate=one, distance=away) for one, away in zip(candidates, distances, strict=True)
    ]


def _of_repeats(_scoring: Scoring, candidates: list[Candidate], _points: FloatArray) -> list[Attribution]:
    return [
        Attribution(candidate=one, positive=(one.track.id,), is_near=True, distance=0.0) for one in candidates
    ]


def _to_mean(scoring: Scoring, points: FloatArray) -> list[float]:
    return [float(away) for away in pairwise_distances(points, scoring.index.mean[np.newaxis])[:, 0]]


def _largest(of_tracks: FloatArray, of_seed: float) -> list[int]:
    """Return the numbers of the tracks that add most: the first, and up to two more that add a tenth."""
    total = float(of_tracks.sum()) + of_seed
    most = np.argsort(-np.round(of_tracks, 5), kind="stable")[:_MOST_TRACKS].tolist()
    has_seed = of_seed > 0
    return [
        int(track)
        for place, track in enumerate(most)
        if of_tracks[track] >= _LEAST_SHARE * total or (place == 0 and not has_seed)
    ]


_BY_ROLE = {
    Role.TASTE: _of_taste,
    Role.SEED: _of_taste,
    Role.COLD_START: _of_cold_start,
    Role.EXPLORATION: _of_exploration,
    Role.REPEAT: _of_repeats,
}
