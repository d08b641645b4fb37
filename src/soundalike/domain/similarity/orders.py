"""What near means: distance itself, or distance corrected by how far each track is from all others."""

import math
from statistics import NormalDist
from typing import Protocol

import numpy as np
import numpy.typing as npt

from soundalike.domain.types import FloatArray

Indices = npt.NDArray[np.int64]

# Float32 rounds a distance by less than this share.
_ROUNDING = 1e-6
# Less than the least float32 above 0.
_LEAST = 1e-45

_complementary_error = np.frompyfunc(math.erfc, 1, 1)


class Order(Protocol):
    """Orders rows by their distance from a row; `NeighbourSearch` finds the first of each row's order.

    A *key* is a float32 number for a pair of rows that says quickly which distances cannot be among the
    least.
    """

    def to_keys(self, squares: FloatArray, query: int, rows: slice) -> None:
        """Turn lower bounds of a row's squared Euclidean distances into keys, in place.

        Parameters
        ----------
        squares : FloatArray, shape (r,)
            Perhaps a little below 0. There may be more than `rows`, which are far away.
        query : int
            The row.
        rows : slice
            The rows to which they are distances.
        """

    def largest_keys(self, distances: FloatArray) -> FloatArray:
        """Return what no key is above whose pair has such a distance, or is nearer."""

    def distances(self, euclidean: FloatArray, rows: Indices, others: Indices) -> FloatArray:
        """Turn exact Euclidean distances of pairs of rows into distances.

        Parameters
        ----------
        euclidean : FloatArray, shape (p,)
            Of each pair.
        rows, others : array of int, shape (p,)
            The pairs.
        """


class Euclidean:
    """Distance itself; keys are squares."""

    def to_keys(self, squares: FloatArray, query: int, rows: slice) -> None:
        """Leave them as they are."""

    def largest_keys(self, distances: FloatArray) -> FloatArray:
        """Return the squares, and a little more."""
        return np.asarray((distances.astype(np.float64) * (1 + _ROUNDING)) ** 2)

    def distances(self, euclidean: FloatArray, rows: Indices, others: Indices) -> FloatArray:
        """Return them."""
        del rows, others
        return euclidean


class MutualProximity:
    """Corrects distances so that no track is near to very many others (a hub) or to none.

    Two tracks are near if each is nearer to the other than to most: the distances from a track are taken
    as normally distributed, and a pair's distance becomes ``1 - P(X > d | i) P(X > d | j)``, from 0 to 1
    (Schnitzer, Flexer, Schedl and Widmer, "Local and global scaling reduce hubs in space", JMLR 13, 2012,
    eq. 5 with Gaussians).

    Parameters
    ----------
    spread : FloatArray, shape (n, 2)
        Mean and standard deviation of the Euclidean distances from each track to others.
    """

    # A track that is as far from all others would have a step instead of a distribution.
    _LEAST_SHARE = 1e-3

    def __init__(self, spread: FloatArray) -> None:
        mean = spread[:, 0].astype(np.float64)
        deviation = np.maximum(spread[:, 1], self._LEAST_SHARE * mean.max(initial=0) or 1)
        # A distance d is (d * steep - shift) standard deviations above the mean.
        self._steep, self._shift = 1 / deviation, mean / deviation
        self._quick = self._steep.astype(np.float32), self._shift.astype(np.float32)
        # An array of them is faster than the number.
        self._zeros = np.zeros(len(spread), dtype=np.float32)
        self._rounding = 16 * float(np.finfo(np.float32).eps) * (1 + float(self._shift.max(initial=0)))

    def to_keys(self, squares: FloatArray, query: int, rows: slice) -> None:
        """Turn them into the standard score of the distance from the one or the other, which is larger."""
        steep, shift = self._quick
        known = squares[: rows.stop - rows.start]
        np.maximum(known, self._zeros[: len(known)], out=known)
        np.sqrt(known, out=known)
        other = known * steep[rows]
        np.subtract(other, shift[rows], out=other)
        np.multiply(known, steep[query], out=known)
        np.subtract(known, shift[query], out=known)
        np.maximum(known, other, out=known)

    def largest_keys(self, distances: FloatArray) -> FloatArray:
        """Return the score at which the one probability alone is as large as the distance."""
        normal = NormalDist()
        reach = np.maximum(distances.astype(np.float64), _LEAST) * (1 + _ROUNDING)
        scores = np.array([normal.inv_cdf(each) if each < 1 else np.inf for each in reach.tolist()])
        return np.asarray(scores + self._rounding * (1 + np.abs(scores)))

    def distances(self, euclidean: FloatArray, rows: Indices, others: Indices) -> FloatArray:
        """Turn them into the probability that one of both has fewer tracks as near, in float64."""
        one, other = (
            0.5 * _complementary_error((self._shift[each] - euclidean * self._steep[each]) / math.sqrt(2))
            for each in (rows, others)
        )
        # 1 - (1 - one)(1 - other), without what rounding near 1 would lose.
        return np.asarray(one + other - one * other, dtype=np.float32)
