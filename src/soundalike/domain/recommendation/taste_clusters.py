"""Clusters of a listener's tracks: a fan of metal and harp gets both, not what is in between."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from soundalike.domain.similarity.distances import pairwise_distances
from soundalike.domain.types import FloatArray

MAX_TASTES = 5

MERGE_DISTANCE = 0.9
"""Clusters whose tracks are farther apart than this, on average, are two tastes; in spreads."""

_ROUNDS = 5

_Float64 = npt.NDArray[np.float64]
_Numbers = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class TasteClusters:
    """Clusters of weighted points.

    Parameters
    ----------
    centroids : FloatArray, shape (k, m)
        Weighted mean of each cluster.
    weights : FloatArray, shape (k,)
        Sum of the weights of each cluster, above 0.
    variances : FloatArray, shape (k,)
        Mean squared distance of each cluster's points from its centroid.
    cluster_of : array of int, shape (n,)
        The cluster of each point.
    """

    centroids: FloatArray
    weights: FloatArray
    variances: FloatArray
    cluster_of: _Numbers

    def __len__(self) -> int:
        """Count the clusters."""
        return len(self.weights)


def find_taste_clusters(points: FloatArray, weights: FloatArray, *, limit: int) -> TasteClusters:
    """Find at most `limit` clusters of weighted points by k-means.

    It starts from the heaviest point and adds the point that is farthest from all before, by weight, so
    that the same points give the same clusters.

    Parameters
    ----------
    points : FloatArray, shape (n, m)
        Up to `limit` of them are a cluster each.
    weights : FloatArray, shape (n,)
        Above 0.
    limit : int
        How many clusters there may be.
    """
    if len(points) <= limit:
        return TasteClusters(points, weights, np.zeros(len(points), np.float32), np.arange(len(points)))
    exact: _Float64 = points.astype(np.float64)  # once, rather than for every distance
    centroids = exact[_far_apart(exact, weights, limit)]
    nearest = _nearest(exact, centroids)
    for _ in range(_ROUNDS):
        centroids = _means(exact, weights, nearest, before=centroids)
        now = _nearest(exact, centroids)
        if (now == nearest).all():
            break
        nearest = now
    used, cluster_of = np.unique(nearest, return_inverse=True)
    sums = np.bincount(cluster_of, weights)
    squares = pairwise_distances(exact, centroids)[np.arange(len(exact)), nearest] ** 2
    variances = np.bincount(cluster_of, weights * squares) / sums
    return TasteClusters(
        centroids[used].astype(np.float32),
        sums.astype(np.float32),
        variances.astype(np.float32),
        cluster_of,
    )


def merge_into_tastes(clusters: TasteClusters, *, apart: float, most: int = MAX_TASTES) -> _Numbers:
    """Merge the two nearest clusters, by mean squared distance, again and again.

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
        The taste of each cluster, numbered from 0 in order of its first cluster.
    """
    members = [[number] for number in range(len(clusters))]
    centroids: _Float64 = clusters.centroids.astype(np.float64)
    weights: _Float64 = clusters.weights.astype(np.float64)
    variances: _Float64 = clusters.variances.astype(np.float64)
    while len(members) > 1:
        squares = pairwise_distances(centroids, centroids).astype(np.float64) ** 2
        between = squares + variances[:, None] + variances
        between[np.tril_indices(len(members))] = np.inf
        one, other = divmod(int(np.argmin(np.round(between, 6))), len(members))
        if between[one, other] > apart**2 and len(members) <= most:
            break
        centroids[one], weights[one], variances[one] = _merged(centroids, weights, variances, [one, other])
        members[one] = sorted(members[one] + members.pop(other))
        centroids, weights, variances = (
            np.delete(array, other, axis=0) for array in (centroids, weights, variances)
        )
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


def _nearest(points: _Float64, centroids: _Float64) -> _Numbers:
    return np.asarray(np.round(pairwise_distances(points, centroids), 5).argmin(axis=1))


def _means(points: _Float64, weights: FloatArray, nearest: _Numbers, *, before: _Float64) -> _Float64:
    """Move each centroid to the mean of its points; one without points stays."""
    belongs = (nearest[:, None] == np.arange(len(before))) * weights[:, None]
    sums = belongs.sum(axis=0)[:, None]
    means: _Float64 = np.divide(belongs.T @ points, sums, out=before.copy(), where=sums > 0)
    return means


def _merged(
    centroids: _Float64, weights: _Float64, variances: _Float64, pair: list[int]
) -> tuple[_Float64, float, float]:
    share = weights[pair] / weights[pair].sum()
    mean: _Float64 = share @ centroids[pair]
    variance = float(share @ (variances[pair] + ((centroids[pair] - mean) ** 2).sum(axis=1)))
    return mean, float(weights[pair].sum()), variance
