"""Scores: how much a listener wants each track of a library."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from soundalike.domain.recommendation.library_index import LibraryIndex
from soundalike.domain.recommendation.taste_clusters import (
    MERGE_DISTANCE,
    TasteClusters,
    find_taste_clusters,
    merge_into_tastes,
)
from soundalike.domain.recommendation.weighted_tracks import TasteProfile, WeightedTracks
from soundalike.domain.similarity.distances import pairwise_distances
from soundalike.domain.types import FloatArray, IndexArray

MAX_POSITIVE_CLUSTERS, MAX_NEGATIVE_CLUSTERS = 8, 4

BLEND = 0.5
"""Share of all tastes together in the ranking of each; the rest is its own."""

SEED_BLEND = 0.25
"""Share of all tastes together in the ranking by a seed; the rest is the seed."""

NEGATIVE_WEIGHT = 0.4
"""Weight of negative feedback against positive feedback."""

REJECTED_PENALTY = np.float32(2)
"""More than any two scores differ."""

RETRIEVED = 250_000
"""How many tracks near each positive cluster, or the seed, are candidates: all of a smaller library."""

SHORTLIST = 400
"""Length of a candidate list; what follows is ranked only when it is needed."""

SERVED_LATELY = 10
"""How many of the latest tracks count as served when tastes take turns."""

_BLOCK = 8_192
_SAMPLED = 8
_SORTED = 2_000


@dataclass(frozen=True, slots=True)
class CandidateList:
    """The tracks that fit one taste best.

    Parameters
    ----------
    share : float
        How much of a slate is for this taste, relative to the others.
    rows : IndexArray, shape (k,)
        In the index, best first.
    scores : FloatArray, shape (k,)
        Descending.
    """

    share: float
    rows: IndexArray
    scores: FloatArray


@dataclass(frozen=True)
class Scoring:
    """Scores of the candidates for each of a listener's tastes, or for a seed.

    A track's score is its closeness to the positive clusters of a taste, less its closeness to the
    negative ones; the mean score of its nearest tracks counts as much as its own (one step of label
    propagation). Closeness is ``1 / (1 + (distance / spread) ** 2)``.

    Parameters
    ----------
    index : LibraryIndex
        Of n tracks.
    taste_profile : TasteProfile
        Of the listener.
    positive, negative : TasteClusters
        Of the tracks the listener wants more, or less, of; perhaps none.
    taste_of : array of int, shape (len(positive),)
        The taste of each positive cluster.
    seed : FloatArray or None, shape (m,)
        Coordinates of the seed.
    """

    index: LibraryIndex
    taste_profile: TasteProfile
    positive: TasteClusters
    negative: TasteClusters
    taste_of: npt.NDArray[np.intp]
    seed: FloatArray | None

    @property
    def is_cold_start(self) -> bool:
        """Whether there is neither a seed nor positive feedback."""
        return self.seed is None and not len(self.positive)

    @cached_property
    def shares(self) -> FloatArray:
        """How much each taste counts, or the seed alone.

        The square root of its weight: a taste that was hardly played yet had no chance of more.
        """
        if self.seed is not None:
            return np.ones(1, dtype=np.float32)
        return np.sqrt(np.bincount(self.taste_of, self.positive.weights)).astype(np.float32)

    @cached_property
    def served(self) -> tuple[int, ...]:
        """How many of the latest tracks each taste has had: those nearest to a cluster of it."""
        if self.seed is not None or not len(self.positive):
            return (0,)
        rows = self.index.rows_of(self.taste_profile.played[:SERVED_LATELY])
        nearest = pairwise_distances(self.index.coordinates[rows], self.positive.centroids).argmin(axis=1)
        return tuple(np.bincount(self.taste_of[nearest], minlength=len(self.shares)).tolist())

    @cached_property
    def candidate_lists(self) -> tuple[CandidateList, ...]:
        """The best candidates of each taste, by score and row."""
        candidates = self._retrieved()
        return tuple(
            CandidateList(float(share), *self._ranked(scores, _top(scores, SHORTLIST, among=candidates)))
            for share, scores in zip(self.shares, self._raw_scores(candidates), strict=True)
        )

    def raw_scores(self) -> FloatArray:
        """Return the scores of the candidates for each taste before smoothing, shape (tastes, n)."""
        return self._raw_scores(self._retrieved())

    def beyond(self, taste: int, raw_scores: FloatArray) -> Iterator[tuple[int, float]]:
        """Yield (row, score) of every candidate that is not in the list of a taste, best first.

        Parameters
        ----------
        taste : int
            Which of the listener's tastes.
        raw_scores : FloatArray, shape (tastes, n)
            As `raw_scores` returns them.
        """
        seen = self.candidate_lists[taste].rows
        rest = np.setdiff1d(self._retrieved(), seen, assume_unique=True)
        scores = raw_scores[taste]
        final = np.round(self._final(rest, scores[rest], scores[self.index.nearest_rows[rest]]), 5)
        # Few are needed as a rule, so the best are sorted first.
        bound = np.partition(final, -_SORTED)[-_SORTED] if len(rest) > _SORTED else -np.inf
        for part in (rest[final >= bound], rest[final < bound]):
            rows, ranked = self._ranked(scores, part)
            yield from zip(rows.tolist(), ranked.tolist(), strict=True)

    def scores_of(self, rows: IndexArray) -> FloatArray:
        """Return the score of each row by the taste that it fits best, shape (k,)."""
        nearest = self.index.nearest_rows[rows]
        needed, found = np.unique(np.concatenate([rows[:, None], nearest], axis=1), return_inverse=True)
        raw = self._scores_at(needed.astype(np.int32)).max(axis=0)[found.reshape(len(rows), -1)]
        return self._final(rows, raw[:, 0], raw[:, 1:])

    def positive_feedback(self, rows: IndexArray, tastes: IndexArray) -> tuple[FloatArray, FloatArray]:
        """Return what each positive track, and the seed, adds to the scores of rows.

        Parameters
        ----------
        rows, tastes : IndexArray, shape (k,)
            Of tracks, and in whose candidate lists they are.

        Returns
        -------
        positive, seed : FloatArray, shapes (k, len(taste_profile.positive)) and (k,)
            Before damping; 0 or more.
        """
        index, tracks = self.index, self.taste_profile.positive
        points = self._with_seed(index.coordinates[tracks.rows])
        needed = np.concatenate([rows[:, None], index.nearest_rows[rows]], axis=1)
        close = closeness(index.lifted[needed.ravel()], points, index.spread)
        close = _smooth(close.T.reshape(*needed.shape, -1))
        cluster_of = self.positive.cluster_of
        of_track = self._mixture[:, cluster_of] * (tracks.weights / self.positive.weights[cluster_of])
        of_seed = np.zeros(len(rows), dtype=np.float32)
        if self.seed is not None:
            of_seed = self._mixture[tastes, -1] * close[:, -1]
        return close[:, : len(tracks)] * of_track[tastes], of_seed

    def negative_feedback(self, rows: IndexArray) -> FloatArray:
        """Return how close each row is to the negative clusters, 0 to 1, shape (k,)."""
        index = self.index
        return self._weigh_negative(closeness(index.lifted[rows], self.negative.centroids, index.spread))

    def is_rejected(self, rows: IndexArray) -> npt.NDArray[np.bool_]:
        """Return which rows are themselves negative: they come after everything else."""
        is_negative = np.zeros(len(self.index), dtype=bool)
        is_negative[self.taste_profile.negative.rows] = True
        return is_negative[rows]

    def _retrieved(self) -> IndexArray:
        return self.index.candidates.nearest(self._with_seed(self.positive.centroids), RETRIEVED)

    def _raw_scores(self, candidates: IndexArray) -> FloatArray:
        """Return the scores of candidates, and of their nearest, before smoothing, shape (tastes, n)."""
        scores = np.zeros((len(self.shares), len(self.index)), dtype=np.float32)
        if len(candidates) == len(self.index):
            for begin in range(0, len(self.index), _BLOCK):
                part = slice(begin, begin + _BLOCK)
                scores[:, part] = self._scores_at(part)  # slices are views: no row is copied
            return scores
        needed = np.unique(np.append(candidates, self.index.nearest_rows[candidates]))
        for begin in range(0, len(needed), _BLOCK):
            rows = needed[begin : begin + _BLOCK]
            scores[:, rows] = self._scores_at(rows)
        return scores

    def _scores_at(self, rows: slice | IndexArray) -> FloatArray:
        index, count = self.index, self._mixture.shape[1]
        close = _closeness(index.lifted[rows], self._factors)
        scores = self._mixture @ close[:count]
        scores *= index.damping[rows]
        scores -= NEGATIVE_WEIGHT * self._weigh_negative(close[count:])
        return scores

    @cached_property
    def _factors(self) -> FloatArray:
        """For the closeness to each positive cluster, the seed, and each negative cluster."""
        positive = self._with_seed(self.positive.centroids)
        return _closeness_factors(np.concatenate([positive, self.negative.centroids]), self.index.spread)

    def _with_seed(self, points: FloatArray) -> FloatArray:
        return points if self.seed is None else np.concatenate([points, self.seed[np.newaxis]])

    @cached_property
    def _mixture(self) -> FloatArray:
        """Weight of each positive cluster, and of the seed, for each taste; each row sums to 1."""
        weights = self.positive.weights
        overall = weights / weights.sum() if len(weights) else weights
        if self.seed is not None:
            share = SEED_BLEND if len(weights) else 0.0
            return np.append(share * overall, np.float32(1 - share))[np.newaxis].astype(np.float32)
        own = (self.taste_of == np.arange(len(self.shares))[:, None]) * weights
        own = own / own.sum(axis=1, keepdims=True)
        return np.asarray((1 - BLEND) * own + BLEND * overall, dtype=np.float32)

    def _weigh_negative(self, close: FloatArray) -> FloatArray:
        """Weigh the closeness to negative clusters: one early skip counts half of what many do."""
        weights = self.negative.weights
        weighed: FloatArray = weights @ close / (weights.sum() + 1)
        return weighed

    def _ranked(self, scores: FloatArray, rows: IndexArray) -> tuple[IndexArray, FloatArray]:
        """Return rows with their final scores, best first, from the raw scores of all rows."""
        final = self._final(rows, scores[rows], scores[self.index.nearest_rows[rows]])
        # Rounded, so that the last bit of a product decides nothing; then by row.
        order = np.lexsort((rows, -np.round(final, 5)))
        return rows[order], final[order]

    def _final(self, rows: IndexArray, own: FloatArray, nearest: FloatArray) -> FloatArray:
        smoothed = _smooth(np.concatenate([own[:, None], nearest], axis=1)[..., None])[:, 0]
        final: FloatArray = smoothed - REJECTED_PENALTY * self.is_rejected(rows).astype(np.float32)
        return final


def score_library(
    index: LibraryIndex, taste_profile: TasteProfile, seed: FloatArray | None = None
) -> Scoring:
    """Prepare the scores of a library for a listener.

    Parameters
    ----------
    index : LibraryIndex
        Of the library.
    taste_profile : TasteProfile
        Of the listener.
    seed : FloatArray or None, shape (m,)
        Coordinates of the track to rank by, if any.
    """
    positive = _clusters(taste_profile.positive, index, MAX_POSITIVE_CLUSTERS)
    return Scoring(
        index=index,
        taste_profile=taste_profile,
        positive=positive,
        negative=_clusters(taste_profile.negative, index, MAX_NEGATIVE_CLUSTERS),
        taste_of=merge_into_tastes(positive, apart=MERGE_DISTANCE * index.spread),
        seed=seed,
    )


def closeness(lifted: FloatArray, centroids: FloatArray, spread: float) -> FloatArray:
    """Return ``1 / (1 + (distance / spread) ** 2)`` of each point to each centroid.

    Parameters
    ----------
    lifted : FloatArray, shape (n, m + 2)
        Rows of `LibraryIndex.lifted`.
    centroids : FloatArray, shape (k, m)
        Points of the same space.
    spread : float
        The distance at which closeness is one half.

    Returns
    -------
    FloatArray, shape (k, n)
        0 to 1.
    """
    return _closeness(lifted, _closeness_factors(centroids, spread))


def _closeness_factors(centroids: FloatArray, spread: float) -> FloatArray:
    """Return what lifted points are multiplied by, shape (k, m + 2)."""
    factors = np.empty((len(centroids), centroids.shape[1] + 2), dtype=np.float32)
    factors[:, :-2] = -2 * centroids
    factors[:, -2] = 1
    factors[:, -1] = np.einsum("ij,ij->i", centroids, centroids) + spread**2
    factors /= np.float32(spread**2)
    return factors


def _closeness(lifted: FloatArray, factors: FloatArray) -> FloatArray:
    close: FloatArray = factors @ lifted.T
    np.maximum(close, 1, out=close)
    return np.reciprocal(close, out=close)


def _smooth(values: FloatArray) -> FloatArray:
    """Return the mean of the first along axis 1 and the mean of the others, if there are others."""
    own, others = values[:, 0], values[:, 1:]
    return (own + others.mean(axis=1)) / 2 if others.shape[1] else own


def _clusters(tracks: WeightedTracks, index: LibraryIndex, limit: int) -> TasteClusters:
    return find_taste_clusters(index.coordinates[tracks.rows], tracks.weights, limit=limit)


def _top(scores: FloatArray, count: int, *, among: IndexArray) -> IndexArray:
    """Return the rows of the highest scores among some rows, which ascend."""
    rows = among
    scores = scores if len(among) == len(scores) else scores[among]
    if len(scores) > _SAMPLED * count:
        # A score that too many of a sample exceed is exceeded by too many of the whole.
        sample = scores[::_SAMPLED]
        position = len(sample) - 2 * count // _SAMPLED
        found = np.flatnonzero(scores >= np.partition(sample, position)[position])
        if len(found) >= count:
            rows, scores = among[found], scores[found]
    if len(rows) <= count:
        return rows
    return rows[np.argpartition(scores, len(rows) - count)[-count:]]
