"""Several centres of one taste: who likes metal and harp is not served what lies between."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from soundalike.domain.similarity.distances import pairwise_distances
from soundalike.domain.types import FloatArray

MAX_TASTES = 5

MERGE_DISTANCE = 0.9
"""Of what two random tracks are apart: tastes that are more so, on average, are two."""

_ROUNDS = 5

_Float64 = npt.NDArray[np.float64]
_Numbers = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class TasteClusters:
    """Few points in the stead of many.

    Parameters
    ----------
    centroids : FloatArray, shape (k, m)
        Weighted means of the tracks that each stands for.
    weights : FloatArray, shape (k,)
        Sums of their weights, all above 0.
    variances : FloatArray, shape (k,)
        Mean squared distance of its tracks from each.
    cluster_of : array of int, shape (n,)
        Which of them stands for each of the many.
    """

    centroids: FloatArray
    weights: FloatArray
    variances: FloatArray
    cluster_of: _Numbers

    def __len__(self) -> int:
        """Count the centres."""
        return len(self.weights)


def find_taste_clusters(places: FloatArray, weights: FloatArray, *, limit: int) -> TasteClusters:
    """Gather weighted places, shape (n, m), in at most `limit` centres; up to that, each is its own.

    k-means that starts from the heaviest point and goes on with what is farthest from all before, by
    weight: the same points give the same centres.
    """
    if len(places) <= limit:
        return TasteClusters(places, weights, np.zeros(len(places), dtype=np.float32), np.arange(len(places)))
    points: _Float64 = places.astype(np.float64)  # once, rather than for every distance
    centres = points[_far_apart(points, weights, limit)]
    nearest = _nearest(points, centres)
    for _ in range(_ROUNDS):
        centres = _means(points, weights, nearest, before=centres)
        now = _nearest(points, centres)
        if (now == nearest).all():
            break
        nearest = now
    used, cluster_of = np.unique(nearest, return_inverse=True)
    sums = np.bincount(cluster_of, weights)
    away = pairwise_distances(points, centres)[np.arange(len(points)), nearest] ** 2
    loose = np.bincount(cluster_of, weights * away) / sums
    return TasteClusters(
        centres[used].astype(np.float32), sums.astype(np.float32), loose.astype(np.float32), cluster_of
    )


def merge_into_tastes(clusters: TasteClusters, *, apart: float, most: int = MAX_TASTES) -> _Numbers:
    """Tell which clusters are one taste: join the two nearest, by mean squared distance, again and again.

    Parameters
    ----------
    clusters : TasteClusters
        k of them.
    apart : float
        Tastes whose tracks are on average farther apart stay two, unless there are too many.
    most : int
        How many tastes there may be.

    Returns
    -------
    array of int, shape (k,)
        The taste of each centre, numbered from 0 in order of the first centre.
    """
    members = [[number] for number in range(len(clusters))]
    points: _Float64 = clusters.centroids.astype(np.float64)
    weights: _Float64 = clusters.weights.astype(np.float64)
    loose: _Float64 = clusters.variances.astype(np.float64)
    while len(members) > 1:
        between = pairwise_distances(points, points).astype(np.float64) ** 2 + loose[:, None] + loose
        between[np.tril_indices(len(members))] = np.inf
        one, other = divmod(int(np.argmin(np.round(between, 6))), len(members))
        if between[one, other] > apart**2 and len(members) <= most:
            break
        points[one], weights[one], loose[one] = _joined(points, weights, loose, [one, other])
        members[one] = sorted(members[one] + members.pop(other))
        points, weights, loose = (np.delete(array, other, axis=0) for array in (points, weights, loose))
    taste_of = np.zeros(len(clusters), dtype=np.intp)
    for number, group in enumerate(sorted(members)):
        taste_of[group] = number
    return taste_of


def _far_apart(points: _Float64, weights: FloatArray, count: int) -> list[int]:
    chosen = [int(np.argmax(weights))]
    away = pairwise_distances(points, points[chosen])[:, 0] ** 2
    while len(chosen) < count:
        chosen.append(int(np.argmax(np.round(away * weights, 5))))
        away = np.minimum(away, pairwise_distances(points, points[chosen[-1:]])[:, 0] ** 2)
    return chosen


def _nearest(points: _Float64, centres: _Float64) -> _Numbers:
    return np.asarray(np.round(pairwise_distances(points, centres), 5).argmin(axis=1))


def _means(points: _Float64, weights: FloatArray, nearest: _Numbers, *, before: _Float64) -> _Float64:
    """Move each centre to the mean of its points; one without any stays."""
    belongs = (nearest[:, None] == np.arange(len(before))) * weights[:, None]
    sums = belongs.sum(axis=0)[:, None]
    means: _Float64 = np.divide(belongs.T @ points, sums, out=before.copy(), where=sums > 0)
    return means


def _joined(
    points: _Float64, weights: _Float64, loose: _Float64, pair: list[int]
) -> tuple[_Float64, float, float]:
    share = weights[pair] / weights[pair].sum()
    mean: _Float64 = share @ points[pair]
    spread = float(share @ (loose[pair] + ((points[pair] - mean) ** 2).sum(axis=1)))
    return mean, float(weights[pair].sum()), spread
