"""How good a similarity space is: precision by label, halves that find each other, recall and hubness."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from soundalike.domain.similarity.distances import squared_distances
from soundalike.domain.types import FloatArray, IndexArray

QUERY_LIMIT = 2000
"""A larger library is judged by this many queries, drawn at random."""

_BLOCK_ENTRIES = 1 << 22

_Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """Scores of single queries, 0 to 1 each, shape (q,), and their mean."""

    scores: npt.NDArray[np.float64]

    @property
    def value(self) -> float:
        """Mean over the queries; 0 if there are none."""
        return float(self.scores.mean()) if len(self.scores) else 0.0

    @property
    def standard_error(self) -> float:
        """Of the mean; infinite for fewer than two queries."""
        count = len(self.scores)
        return float(self.scores.std(ddof=1) / np.sqrt(count)) if count > 1 else float("inf")


def precision_at_k(
    coordinates: FloatArray,
    labels: Sequence[str | None],
    *,
    k: int,
    artists: Sequence[str | None] | None = None,
    rng: np.random.Generator,
) -> Estimate:
    """Return the share of a track's k nearest that have its label, of those that could.

    A query's candidates are the labelled tracks other than itself and, if `artists` are given, not by
    its own artist (whose tracks sound alike because of their production). With fewer than k candidates
    of its label, a query is judged by what it could have found; one with none is left out.

    Parameters
    ----------
    coordinates : FloatArray, shape (n, m)
        Distance is Euclidean.
    labels, artists : sequence of n (str or None)
        None is unknown: a track without a label is neither query nor candidate; one without an artist
        excludes nothing.
    k : int
        How many neighbours.
    rng : numpy.random.Generator
        Draws the queries of a large library.
    """
    is_labelled = np.array([label is not None for label in labels], dtype=bool)
    points = coordinates[is_labelled]
    label_of = _numbers([label for label in labels if label is not None])
    given = labels if artists is None else artists
    own = _numbers([artist for artist, kept in zip(given, is_labelled, strict=True) if kept])
    is_excluding = artists is not None
    scores = []
    for queries in _blocks(_sample(len(points), rng), len(points)):
        distances = squared_distances(points[queries], points)
        distances[np.arange(len(queries)), queries] = np.inf
        if is_excluding:
            is_same = (own[queries, None] == own) & (own[queries, None] >= 0)
            distances[is_same] = np.inf
        nearest = _nearest(distances, k)
        is_alike = (label_of == label_of[queries, None]) & np.isfinite(distances)
        hits = np.take_along_axis(is_alike, nearest, axis=1).sum(axis=1)
        possible = np.minimum(is_alike.sum(axis=1), k)
        scores.append(hits[possible > 0] / possible[possible > 0])
    return Estimate(np.concatenate(scores) if scores else np.empty(0))


def halves_agreement(
    first: FloatArray, second: FloatArray, *, queries: npt.NDArray[np.int64] | None = None
) -> Estimate:
    """Return how well the two halves of a track find each other in the whole library.

    Each half is looked for among the same halves of all tracks; its score is one over its rank (mean
    reciprocal rank), ties against it. Unlike the share found at rank 1, this still separates spaces in
    which most tracks are found, or few.

    Parameters
    ----------
    first, second : FloatArray, shape (n, m)
        Coordinates of the halves of each track.
    queries : array of int, optional
        Rows to query; all by default.
    """
    count = len(first)
    asked = np.arange(count) if queries is None else queries
    scores = []
    for block in _blocks(asked, count):
        ranks = np.zeros((2, len(block)))
        for side, (here, there) in enumerate(((first, second), (second, first))):
            distances = squared_distances(here[block], there)
            own = distances[np.arange(len(block)), block]
            ranks[side] = (distances <= own[:, None]).sum(axis=1)
        scores.append((1 / ranks).mean(axis=0))
    return Estimate(np.concatenate(scores) if scores else np.empty(0))


def recall_at_k(found: IndexArray, exact: IndexArray) -> float:
    """Return the share of the exact neighbours, both of shape (n, k), that were found; -1 is none.

    Parameters
    ----------
    found, exact : IndexArray, shape (n, k)
        Neighbours of n tracks; -1 is none.
    """
    is_asked = exact >= 0
    if not is_asked.any():
        return 1.0
    is_found = (exact[:, :, None] == found[:, None, :]).any(axis=2) if found.size else np.zeros_like(is_asked)
    return float((is_found & is_asked).sum() / is_asked.sum())


def hubness(neighbours: IndexArray) -> float:
    """Return the skewness of how often each track is a neighbour of others (Radovanović et al. 2010).

    Parameters
    ----------
    neighbours : IndexArray, shape (n, k)
        Row numbers; -1 is none.

    Returns
    -------
    float
        0 if all tracks are neighbours equally often; more if a few hubs are neighbours of most.
    """
    occurrences = np.bincount(neighbours[neighbours >= 0].ravel(), minlength=len(neighbours))
    deviations = occurrences - occurrences.mean() if len(occurrences) else np.zeros(1)
    variance = float((deviations**2).mean())
    return float((deviations**3).mean() / variance**1.5) if variance > 0 else 0.0


def _numbers(names: Sequence[str | None]) -> _Indices:
    """Give each distinct name a number from 0; None is -1."""
    number_of = {name: number for number, name in enumerate(dict.fromkeys(n for n in names if n is not None))}
    return np.array([-1 if name is None else number_of[name] for name in names], dtype=np.int64)


def _sample(count: int, rng: np.random.Generator) -> _Indices:
    if count <= QUERY_LIMIT:
        return np.arange(count)
    return np.sort(rng.choice(count, QUERY_LIMIT, replace=False))


def _blocks(rows: _Indices, count: int) -> Iterator[_Indices]:
    size = max(1, _BLOCK_ENTRIES // max(count, 1))
    for begin in range(0, len(rows), size):
        yield rows[begin : begin + size]


def _nearest(distances: npt.NDArray[np.float64], k: int) -> _Indices:
    if k >= distances.shape[1]:
        return np.broadcast_to(np.arange(distances.shape[1]), distances.shape)
    return np.argpartition(distances, k - 1, axis=1)[:, :k]
