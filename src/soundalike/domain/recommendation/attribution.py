"""What a track's place in a list rests on, worked out from what ranked it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from soundalike.domain.recommendation.scoring import Scoring
from soundalike.domain.recommendation.slate import Candidate, Role
from soundalike.domain.similarity.distances import pairwise_distances
from soundalike.domain.types import FloatArray, TrackId

_MOST_TRACKS = 3
_SHARE_THAT_COUNTS = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """What a candidate's place rests on.

    Parameters
    ----------
    candidate : Candidate
        What is explained.
    positive : tuple of TrackId
        Tracks that it is positive for, the one that says most first; up to two more that make a tenth.
    negative : tuple of TrackId
        Tracks that it is there for being away from.
    is_near : bool
        Whether it is near the first of `positive`.
    distance : float
        To the seed, or else to that, or else to the middle of the library.
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
    """Work out what the places of candidates rest on."""
    found: dict[int, Attribution] = {}
    for role, work_out in _BY_ROLE.items():
        those = [candidate for candidate in candidates if candidate.role is role]
        if those:
            points = scoring.index.coordinates[[candidate.row for candidate in those]]
            found |= {one.candidate.row: one for one in work_out(scoring, those, points)}
    return [found[candidate.row] for candidate in candidates]


def _of_taste(scoring: Scoring, candidates: list[Candidate], points: FloatArray) -> list[Attribution]:
    index, positive = scoring.index, scoring.taste_profile.positive
    rows, tastes = (
        np.array([getattr(one, name) for one in candidates], dtype=np.int32) for name in ("row", "taste")
    )
    said, of_seed = scoring.positive_feedback(rows, tastes)
    away = pairwise_distances(points, index.coordinates[positive.rows])
    attributions = []
    for place, candidate in enumerate(candidates):
        counted = _those_that_count(said[place], float(of_seed[place]))
        nearest = float(away[place, counted[0]]) if counted else np.inf
        distance = nearest
        if scoring.seed is not None:
            distance = float(pairwise_distances(points[place : place + 1], scoring.seed[np.newaxis])[0, 0])
        attributions.append(
            Attribution(
                candidate=candidate,
                positive=tuple(positive.track_ids[number] for number in counted),
                is_near=nearest <= index.near_distance,
                distance=distance,
                is_close=distance <= index.near_distance,
            )
        )
    return attributions


def _of_start(scoring: Scoring, candidates: list[Candidate], points: FloatArray) -> list[Attribution]:
    index, negative = scoring.index, scoring.taste_profile.negative
    is_away = pairwise_distances(points, index.coordinates[negative.rows]).min(axis=1, initial=np.inf)
    return [
        Attribution(
            candidate=candidate,
            negative=negative.track_ids if away > index.near_distance else (),
            distance=distance,
        )
        for candidate, away, distance in zip(candidates, is_away, _to_middle(scoring, points), strict=True)
    ]


def _of_chance(scoring: Scoring, candidates: list[Candidate], points: FloatArray) -> list[Attribution]:
    distances = _to_middle(scoring, points)
    return [
        Attribution(candidate=one, distance=away) for one, away in zip(candidates, distances, strict=True)
    ]


def _of_repeats(_scoring: Scoring, candidates: list[Candidate], _points: FloatArray) -> list[Attribution]:
    return [
        Attribution(candidate=one, positive=(one.track.id,), is_near=True, distance=0.0) for one in candidates
    ]


def _to_middle(scoring: Scoring, points: FloatArray) -> list[float]:
    return [float(away) for away in pairwise_distances(points, scoring.index.mean[np.newaxis])[:, 0]]


def _those_that_count(said: FloatArray, of_seed: float) -> list[int]:
    """Return the places of what says most, and of up to two more that say a tenth of all."""
    total = float(said.sum()) + of_seed
    most = np.argsort(-np.round(said, 5), kind="stable")[:_MOST_TRACKS].tolist()
    is_seeded = of_seed > 0
    return [
        int(number)
        for place, number in enumerate(most)
        if said[number] >= _SHARE_THAT_COUNTS * total or (place == 0 and not is_seeded)
    ]


_BY_ROLE = {
    Role.TASTE: _of_taste,
    Role.SEED: _of_taste,
    Role.COLD_START: _of_start,
    Role.EXPLORATION: _of_chance,
    Role.REPEAT: _of_repeats,
}
