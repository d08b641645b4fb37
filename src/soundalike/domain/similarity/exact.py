"""Exact nearest neighbours by blocked matrix products: fast in float32, then exact for the nearest."""

import numpy as np
import numpy.typing as npt

from soundalike.domain.similarity.distances import row_distances
from soundalike.domain.similarity.space import Neighbours
from soundalike.domain.types import FloatArray, IndexArray

# A block of distances has at most this many float32 numbers (32 MB).
_BLOCK_ENTRIES = 1 << 23
# An eighth of the tracks, and at least this many, give each query a first bound on its k-th distance.
_SAMPLE = 8192
# Sums of squares of larger numbers overflow float32.
_LARGEST = 1e15

Indices = npt.NDArray[np.int64]


def exact_neighbours(coordinates: FloatArray, k: int, *, queries: Indices | None = None) -> Neighbours:
    """Find the k nearest others of some rows, ties by row number.

    Squared distances come from ``|a|² + |b|² - 2ab`` in float32, which cancels for close pairs. So each
    is taken as an interval that contains the true one. All that may be among the k nearest are measured
    again as ``|a - b|²`` in float64: the result is exact, also for duplicates.

    Parameters
    ----------
    coordinates : FloatArray, shape (n, m)
        All tracks, in a space where distance is Euclidean.
    k : int
        At least 1; may exceed n - 1, then rows are padded with -1 and infinity.
    queries : array of int, shape (q,), optional
        Row numbers to query; all by default.

    Returns
    -------
    Neighbours
        Of shape (q, k).
    """
    count = len(coordinates)
    queries = np.arange(count) if queries is None else queries
    rows = np.full((len(queries), k), -1, dtype=np.int32)
    distances = np.full((len(queries), k), np.inf, dtype=np.float32)
    wanted = min(k, count - 1)
    if wanted > 0:
        search = _Search(coordinates, wanted)
        size = max(1, _BLOCK_ENTRIES // count)
        for begin in range(0, len(queries), size):
            block = slice(begin, begin + size)
            rows[block, :wanted], distances[block, :wanted] = search.nearest(queries[block])
    return Neighbours(rows, distances)


class _Search:
    """What all blocks of queries share."""

    def __init__(self, coordinates: FloatArray, wanted: int) -> None:
        count, width = coordinates.shape
        self.coordinates = coordinates
        self.wanted = wanted
        # Centring the points does not change distances, but makes their rounding smaller.
        centred = coordinates - coordinates.mean(axis=0, dtype=np.float64)
        is_square_safe = np.abs(centred).max() < _LARGEST
        self.centred = centred.astype(np.float32 if is_square_safe else np.float64)
        self.squares = np.einsum("ij,ij->i", self.centred, self.centred)
        # Standard bound on a float32 dot product (Higham 2002, 3.1), and a little for the centring.
        self.slack = np.float32((width + 16) * np.finfo(np.float32).eps)
        self.low_squares = self.squares * (1 - self.slack)
        self.sample = np.arange(0, count, max(1, count // max(_SAMPLE, count // 8, 4 * (wanted + 1))))

    def nearest(self, queries: Indices) -> tuple[IndexArray, FloatArray]:
        """Return rows and distances, each of shape (len(queries), wanted)."""
        low = self.centred[queries] @ self.centred.T
        low *= -2
        low += self.low_squares
        low[np.arange(len(queries)), queries] = np.inf
        # low <= |b|² - 2ab <= low + 2 slack (|a|² + |b|²): the k-th smallest upper end bounds the rest.
        margin = 2 * self.slack * self.squares[self.sample]
        upper = low[:, self.sample] + margin
        bound = np.partition(upper, self.wanted - 1, axis=1)[:, self.wanted - 1]
        bound += 2 * self.slack * self.squares[queries]
        query, found = np.nonzero(low <= bound[:, None])
        distances = np.empty(len(query), dtype=np.float32)
        for begin in range(0, len(query), _BLOCK_ENTRIES // 64):
            part = slice(begin, begin + _BLOCK_ENTRIES // 64)
            points = self.coordinates[queries[query[part]]]
            distances[part] = row_distances(self.coordinates[found[part]], points)
        order = np.lexsort((found, distances, query))
        starts = np.searchsorted(query, np.arange(len(queries)))
        chosen = order[starts[:, None] + np.arange(self.wanted)]
        return found[chosen].astype(np.int32), distances[chosen]
