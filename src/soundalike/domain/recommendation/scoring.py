"""How much each track of a library is positive."""

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
"""What all tastes together count in the ranking of each; the rest is its own."""

SEED_BLEND = 0.25
"""The same where a seed is asked about: the seed comes first."""

NEGATIVE_WEIGHT = 0.4
"""What many negative tracks weigh against positive ones."""

REJECTED_PENALTY = np.float32(2)
"""More than any two scores are apart."""

SHORTLIST = 400

SERVED_LATELY = 10
"""So many of the latest tracks tell which taste has had its turn."""

_BLOCK = 4_096
_SAMPLED = 8


@dataclass(frozen=True, slots=True)
class CandidateList:
    """Tracks that one taste would play, best first.

    Parameters
    ----------
    share : float
        How much of what is played is for it.
    rows : IndexArray, shape (k,)
        The best of the library.
    scores : FloatArray, shape (k,)
        Falling.
    """

    share: float
    rows: IndexArray
    scores: FloatArray


@dataclass(frozen=True)
class Scoring:
    """What a listener's tastes, and perhaps a seed, make of every track.

    A track is as positive as it is close to the centres of a taste, less so if it is close to what was
    skipped, and half of that by what its own nearest tracks are (label propagation by one step: what
    surrounds a track tells of it too). Closeness is ``1 / (1 + (distance / spread) ** 2)``.

    Parameters
    ----------
    index : LibraryIndex
        Of n tracks.
    taste_profile : TasteProfile
        Of the listener's taste.
    positive, negative : TasteClusters
        Of what it wants and does not want; perhaps none.
    taste_of : array of int, shape (len(positive),)
        Which taste each positive centre is of.
    seed : FloatArray or None, shape (m,)
        Where the seed is.
    """

    index: LibraryIndex
    taste_profile: TasteProfile
    positive: TasteClusters
    negative: TasteClusters
    taste_of: npt.NDArray[np.intp]
    seed: FloatArray | None

    @property
    def is_cold_start(self) -> bool:
        """Whether nothing is known to be positive."""
        return self.seed is None and not len(self.positive)

    @cached_property
    def shares(self) -> FloatArray:
        """How much each taste counts, or the seed alone.

        The root of its weight: a taste that was hardly played yet had no chance to gather more.
        """
        if self.seed is not None:
            return np.ones(1, dtype=np.float32)
        return np.sqrt(np.bincount(self.taste_of, self.positive.weights)).astype(np.float32)

    @cached_property
    def served(self) -> tuple[int, ...]:
        """How many of the latest tracks each taste has had: those nearest to a centre of it."""
        if self.seed is not None or not len(self.positive):
            return (0,)
        rows = self.index.rows_of(self.taste_profile.played[:SERVED_LATELY])
        nearest = pairwise_distances(self.index.coordinates[rows], self.positive.centroids).argmin(axis=1)
        return tuple(np.bincount(self.taste_of[nearest], minlength=len(self.shares)).tolist())

    @cached_property
    def candidate_lists(self) -> tuple[CandidateList, ...]:
        """The best tracks of each taste, by score and row."""
        return tuple(
            CandidateList(float(share), *self._ranked(scores, _top(scores, SHORTLIST)))
            for share, scores in zip(self.shares, self._raw_scores(), strict=True)
        )

    def beyond(self, taste: int) -> Iterator[tuple[int, float]]:
        """Yield (row, score) of every track that is not in the candidates of a taste, best first."""
        scores = self._raw_scores()[taste]
        everything = np.arange(len(scores), dtype=np.int32)
        rows, scores = self._ranked(scores, everything)
        seen = set(self.candidate_lists[taste].rows.tolist())
        for row, score in zip(rows.tolist(), scores.tolist(), strict=True):
            if row not in seen:
                yield row, score

    def scores_of(self, rows: IndexArray) -> FloatArray:
        """Return by how much each row is positive by the taste that wants it most, shape (k,)."""
        around = self.index.nearest_rows[rows]
        needed, places = np.unique(np.concatenate([rows[:, None], around], axis=1), return_inverse=True)
        raw = self._scores_at(needed.astype(np.int32)).max(axis=0)[places.reshape(len(rows), -1)]
        return self._settled(rows, raw[:, 0], raw[:, 1:])

    def positive_feedback(self, rows: IndexArray, tastes: IndexArray) -> tuple[FloatArray, FloatArray]:
        """Return what each positive track, and the seed, adds to the scores of rows in their candidate_lists.

        Parameters
        ----------
        rows, tastes : IndexArray, shape (k,)
            Places of tracks, and in whose candidate_lists they are.

        Returns
        -------
        positive, seed : FloatArray, shapes (k, len(taste_profile.positive)) and (k,)
            Before damping; 0 or more.
        """
        index, tracks = self.index, self.taste_profile.positive
        centres = self._with_seed(index.coordinates[tracks.rows])
        places = np.concatenate([rows[:, None], index.nearest_rows[rows]], axis=1)
        flat = places.ravel()
        close = closeness(index.lifted[flat], centres, index.spread)
        close = _halved(close.T.reshape(*places.shape, -1))
        of_track = self._mixture[:, self.positive.cluster_of] * (
            tracks.weights / self.positive.weights[self.positive.cluster_of]
        )
        of_seed = np.zeros(len(rows), dtype=np.float32)
        if self.seed is not None:
            of_seed = self._mixture[tastes, -1] * close[:, -1]
        return close[:, : len(tracks)] * of_track[tastes], of_seed

    def is_rejected(self, rows: IndexArray) -> npt.NDArray[np.bool_]:
        """Tell which rows are themselves negative: they come behind everything else."""
        is_negative = np.zeros(len(self.index), dtype=bool)
        is_negative[self.taste_profile.negative.rows] = True
        return is_negative[rows]

    def negative_feedback(self, rows: IndexArray) -> FloatArray:
        """Return how close each row is to what is negative, 0 to 1, shape (k,)."""
        index = self.index
        return self._weigh_negative(closeness(index.lifted[rows], self.negative.centroids, index.spread))

    def _raw_scores(self) -> FloatArray:
        """Return the scores of all rows before smoothing, shape (tastes, n)."""
        scores = np.empty((len(self.shares), len(self.index)), dtype=np.float32)
        for begin in range(0, len(self.index), _BLOCK):
            part = slice(begin, begin + _BLOCK)
            scores[:, part] = self._scores_at(part)
        return scores

    def _scores_at(self, rows: slice | IndexArray) -> FloatArray:
        index = self.index
        centres = self._with_seed(self.positive.centroids)
        close = closeness(
            index.lifted[rows], np.concatenate([centres, self.negative.centroids]), index.spread
        )
        scores = self._mixture @ close[: len(centres)]
        scores *= index.damping[rows]
        scores -= NEGATIVE_WEIGHT * self._weigh_negative(close[len(centres) :])
        return scores

    def _with_seed(self, points: FloatArray) -> FloatArray:
        return points if self.seed is None else np.concatenate([points, self.seed[np.newaxis]])

    @cached_property
    def _mixture(self) -> FloatArray:
        """What each positive centre, and the seed, count in each candidates; each row sums to 1."""
        weights = self.positive.weights
        overall = weights / weights.sum() if len(weights) else weights
        if self.seed is not None:
            share = SEED_BLEND if len(weights) else 0.0
            return np.append(share * overall, np.float32(1 - share))[np.newaxis].astype(np.float32)
        own = (self.taste_of == np.arange(len(self.shares))[:, None]) * weights
        own = own / own.sum(axis=1, keepdims=True)
        return np.asarray((1 - BLEND) * own + BLEND * overall, dtype=np.float32)

    def _weigh_negative(self, close: FloatArray) -> FloatArray:
        """Weigh the closeness to negative centres: one early skip counts half of what many do."""
        weights = self.negative.weights
        pushed: FloatArray = weights @ close / (weights.sum() + 1)
        return pushed

    def _ranked(self, scores: FloatArray, rows: IndexArray) -> tuple[IndexArray, FloatArray]:
        """Return rows with their scores, best first, of raw scores of all rows."""
        settled = self._settled(rows, scores[rows], scores[self.index.nearest_rows[rows]])
        # Rounded, so that the last bit of a product decides nothing; then by row.
        order = np.lexsort((rows, -np.round(settled, 5)))
        return rows[order], settled[order]

    def _settled(self, rows: IndexArray, own: FloatArray, around: FloatArray) -> FloatArray:
        smoothed = _halved(np.concatenate([own[:, None], around], axis=1)[..., None])[:, 0]
        settled: FloatArray = smoothed - REJECTED_PENALTY * self.is_rejected(rows).astype(np.float32)
        return settled


def score_library(
    index: LibraryIndex, taste_profile: TasteProfile, seed: FloatArray | None = None
) -> Scoring:
    """Prepare what ranks a library for a listener, and perhaps by a seed at some place, shape (m,)."""
    positive = _clusters(taste_profile.positive, index, MAX_POSITIVE_CLUSTERS)
    return Scoring(
        index=index,
        taste_profile=taste_profile,
        positive=positive,
        negative=_clusters(taste_profile.negative, index, MAX_NEGATIVE_CLUSTERS),
        taste_of=merge_into_tastes(positive, apart=MERGE_DISTANCE * index.spread),
        seed=seed,
    )


def closeness(lifted: FloatArray, centres: FloatArray, spread: float) -> FloatArray:
    """Return ``1 / (1 + (distance / spread) ** 2)`` of each place to each centre.

    Parameters
    ----------
    lifted : FloatArray, shape (n, m + 2)
        Rows of `LibraryIndex.lifted`.
    centres : FloatArray, shape (k, m)
        What they may be close to.

    Returns
    -------
    FloatArray, shape (k, n)
        0 to 1.
    """
    factors = np.empty((len(centres), lifted.shape[1]), dtype=np.float32)
    factors[:, :-2] = -2 * centres
    factors[:, -2] = 1
    factors[:, -1] = np.einsum("ij,ij->i", centres, centres) + spread**2
    factors /= np.float32(spread**2)
    close: FloatArray = factors @ lifted.T
    np.maximum(close, 1, out=close)
    return np.reciprocal(close, out=close)


def _halved(values: FloatArray) -> FloatArray:
    """Weigh the first of axis 1 as much as the mean of the others, where there are others."""
    own, others = values[:, 0], values[:, 1:]
    return (own + others.mean(axis=1)) / 2 if others.shape[1] else own


def _clusters(tracks: WeightedTracks, index: LibraryIndex, limit: int) -> TasteClusters:
    return find_taste_clusters(index.coordinates[tracks.rows], tracks.weights, limit=limit)


def _top(scores: FloatArray, count: int) -> IndexArray:
    """Return the rows of the highest scores."""
    rows = np.arange(len(scores), dtype=np.int32)
    if len(scores) > _SAMPLED * count:
        # What a sample has too many of above it, the whole has, too.
        sample = scores[::_SAMPLED]
        place = len(sample) - 2 * count // _SAMPLED
        found = np.flatnonzero(scores >= np.partition(sample, place)[place])
        if len(found) >= count:
            rows = found.astype(np.int32)
    if len(rows) <= count:
        return rows
    return rows[np.argpartition(scores[rows], len(rows) - count)[-count:]]
