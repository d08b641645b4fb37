"""Exact nearest neighbours by blocked matrix products: fast in float32, then exact for the nearest."""

from collections.abc import Callable
from functools import partial
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from soundalike.domain.similarity.distances import row_distances
from soundalike.domain.similarity.orders import Euclidean, MutualProximity, Order
from soundalike.domain.similarity.space import Neighbours
from soundalike.domain.types import FloatArray, IndexArray

# So many rows are multiplied at a time with so many others: 32 MB of distances.
_BLOCK_ROWS = 64
_PANEL_ROWS = 1 << 17
# The least of so many distances stands for them until it is known which groups matter.
_GROUP = 16
# So many groups are looked through at a time.
_MOST_GROUPS = 1 << 14
# So many numbers are in float64 at a time.
_MEASURED = 1 << 19
# Sums of squares of larger numbers overflow float32.
_LARGEST = 1e15

Indices = npt.NDArray[np.int64]


def exact_neighbours(
    coordinates: FloatArray, k: int, *, queries: Indices | None = None, spread: FloatArray | None = None
) -> Neighbours:
    """Find the k nearest others of some rows, ties by row number.

    Parameters
    ----------
    coordinates : FloatArray, shape (n, m)
        All tracks, in a space where distance is Euclidean.
    k : int
        At least 1; may exceed n - 1, then rows are padded with -1 and infinity.
    queries : array of int, shape (q,), optional
        Row numbers to query; all by default.
    spread : FloatArray, shape (n, 2), optional
        Mean and standard deviation of the distances from each track: then `MutualProximity` is the
        distance.

    Returns
    -------
    Neighbours
        Of shape (q, k).
    """
    queries = np.arange(len(coordinates)) if queries is None else queries
    return ExactSearch(coordinates, k, spread=spread).nearest(queries)


class ExactSearch:
    """Finds the nearest of blocks of rows; several threads may ask one search.

    Squared distances come from one product in float32, ``|a|² + |b|² - 2ab``, the lengths as two more
    columns. They cancel for close pairs, so each is taken as a lower bound of the true one. Columns are put
    into groups, and the k groups with the least minima hold the k least bounds. Those k are measured as
    ``|a - b|²`` in float64, and then all others whose bound is not above the k-th of these: so the result
    is exact, also for duplicates.

    Parameters
    ----------
    coordinates : FloatArray, shape (n, m)
        All tracks.
    k : int
        How many neighbours.
    spread : FloatArray, shape (n, 2), optional
        As for `exact_neighbours`.
    """

    def __init__(self, coordinates: FloatArray, k: int, *, spread: FloatArray | None = None) -> None:
        self._coordinates = coordinates
        self._k = k
        self._spread = spread
        self._order: Order = Euclidean() if spread is None else MutualProximity(spread)
        count, width = coordinates.shape
        # Centring the points does not change distances, but makes their rounding smaller.
        self._centre = coordinates.mean(axis=0, dtype=np.float64) if count else np.zeros(width)
        largest = np.abs(coordinates).max(initial=0)
        self._dtype: type[np.floating] = np.float32 if largest < _LARGEST else np.float64
        self._far = float(np.finfo(self._dtype).max) / 4
        # Three standard bounds on a float32 dot product (Higham 2002, 3.1), and a little for the centring.
        self._slack = (1.5 * width + 16) * float(np.finfo(np.float32).eps)
        edges = np.linspace(0, count, -(-count // _PANEL_ROWS) + 1).astype(int).tolist()
        self._panels = [
            (slice(start, stop), self._panel(slice(start, stop))) for start, stop in pairwise(edges)
        ]

    def __reduce__(self) -> tuple[Callable[..., "ExactSearch"], tuple[FloatArray, int]]:
        """Pickle what it is made of: the panels are as large again."""
        return partial(ExactSearch, spread=self._spread), (self._coordinates, self._k)

    @property
    def order(self) -> Indices:
        """All rows."""
        return np.arange(len(self._coordinates))

    def nearest(self, queries: Indices) -> Neighbours:
        """Find the nearest others of some rows, given by number, shape (q,)."""
        rows = np.full((len(queries), self._k), -1, dtype=np.int32)
        distances = np.full((len(queries), self._k), np.inf, dtype=np.float32)
        wanted = min(self._k, len(self._coordinates) - 1)
        if wanted > 0:
            buffer = np.empty(_BLOCK_ROWS * max(panel.shape[1] for _, panel in self._panels), self._dtype)
            for begin in range(0, len(queries), _BLOCK_ROWS):
                block = slice(begin, begin + _BLOCK_ROWS)
                found = self._nearest_of_block(queries[block], wanted, buffer)
                rows[block, :wanted], distances[block, :wanted] = found
        return Neighbours(rows, distances)

    def _panel(self, rows: slice) -> FloatArray:
        """Return columns by which a block of queries is multiplied, shape (m + 2, columns)."""
        points = self._centred(rows)
        columns = -(-len(points) // _GROUP) * _GROUP
        panel = np.zeros((points.shape[1] + 2, columns), dtype=self._dtype)
        panel[:-2, : len(points)] = points.T
        # What fills the last group is far away.
        panel[-2] = self._far
        panel[-2, : len(points)] = self._low_squares(points)
        panel[-1] = 1
        return panel

    def _centred(self, rows: slice | Indices) -> FloatArray:
        return np.asarray(self._coordinates[rows] - self._centre, dtype=self._dtype)

    def _low_squares(self, points: FloatArray) -> FloatArray:
        return np.asarray(np.einsum("ij,ij->i", points, points) * (1 - self._slack), dtype=self._dtype)

    def _nearest_of_block(
        self, queries: Indices, wanted: int, buffer: FloatArray
    ) -> tuple[IndexArray, FloatArray]:
        """Return rows and distances, each of shape (len(queries), wanted)."""
        points = self._centred(queries)
        factors = np.empty((len(points), points.shape[1] + 2), dtype=self._dtype)
        factors[:, :-2], factors[:, -2], factors[:, -1] = -2 * points, 1, self._low_squares(points)
        found = []
        for rows, panel in self._panels:
            keys = buffer[: len(queries) * panel.shape[1]].reshape(len(queries), -1)
            np.matmul(factors, panel, out=keys)
            minima = np.empty((len(keys), keys.shape[1] // _GROUP), dtype=self._dtype)
            # One after another, so that each stays in the processor's cache.
            for each, least, query in zip(keys, minima, queries.tolist(), strict=True):
                self._order.to_keys(each, query, rows)
                np.minimum.reduce(each.reshape(_GROUP, -1), axis=0, out=least)
            found.append(self._select(keys, minima, queries, rows, wanted))
        numbers, distances = (np.concatenate(each, axis=1) for each in zip(*found, strict=True))
        # Panels ascend, and so does what is equally near within each.
        nearest = np.argsort(distances, axis=1, kind="stable")[:, :wanted]
        return np.take_along_axis(numbers, nearest, 1), np.take_along_axis(distances, nearest, 1)

    def _select(
        self, keys: FloatArray, minima: FloatArray, queries: Indices, rows: slice, wanted: int
    ) -> tuple[Indices, FloatArray]:
        """Return the nearest rows of a panel and their distances; the query itself is infinitely far.

        Parameters
        ----------
        keys : FloatArray, shape (q, columns)
            Of the queries and each row of the panel.
        minima : FloatArray, shape (q, groups)
            The least keys of the groups: columns that are as many apart as there are groups.
        queries : array of int, shape (q,)
            Row numbers.
        rows : slice
            The row numbers of the panel.
        wanted : int
            How many neighbours; one more is returned, or all rows of the panel.
        """
        count, size = len(queries), rows.stop - rows.start
        most = min(wanted + 1, size)
        chosen = _least(minima, most)
        columns = (chosen[:, None, :] + _members(minima.shape[1])[:, None]).reshape(count, -1)
        near = np.take_along_axis(keys, columns, axis=1)
        first = _least(near, most)
        number = np.repeat(np.arange(count), most)
        others = rows.start + np.take_along_axis(columns, first, axis=1).ravel()
        distances = self._measure(queries[number], others)
        if most == size:
            return _sorted(number, others, distances, most)
        last = np.partition(distances.reshape(count, most), wanted - 1, axis=1)[:, wanted - 1]
        bound = np.minimum(self._order.largest_keys(last), self._far / 2)[:, None]
        is_left = minima <= bound
        np.put_along_axis(is_left, chosen, values=False, axis=1)
        if count > 1 and np.count_nonzero(is_left) > _MOST_GROUPS:
            # Very many are as near, as duplicates are: less at a time.
            halves = (slice(count // 2), slice(count // 2, count))
            parts = [self._select(keys[at], minima[at], queries[at], rows, wanted) for at in halves]
            return np.concatenate([each for each, _ in parts]), np.concatenate([each for _, each in parts])
        np.put_along_axis(near, first, np.inf, axis=1)
        more, place = np.nonzero(near <= bound)
        left, column = _within(keys, bound, is_left)
        more, added = np.concatenate([more, left]), np.concatenate([columns[more, place], column])
        added += rows.start
        return _sorted(
            np.concatenate([number, more]),
            np.concatenate([others, added]),
            np.concatenate([distances, self._measure(queries[more], added)]),
            most,
        )

    def _measure(self, queries: Indices, rows: Indices) -> FloatArray:
        """Measure pairs of rows; a row is infinitely far from itself."""
        distances = np.empty(len(rows), dtype=np.float32)
        step = max(1, _MEASURED // self._coordinates.shape[1])
        for begin in range(0, len(rows), step):
            one, other = queries[begin : begin + step], rows[begin : begin + step]
            euclidean = row_distances(self._coordinates[other], self._coordinates[one])
            distances[begin : begin + step] = self._order.distances(euclidean, one, other)
        distances[queries == rows] = np.inf
        return distances


def _least(values: FloatArray, count: int) -> Indices:
    """Return where the least numbers of each row are, in no order; all if there are no more."""
    if count >= values.shape[1]:
        return np.broadcast_to(np.arange(values.shape[1]), values.shape)
    return np.argpartition(values, count - 1, axis=1)[:, :count]


def _sorted(query: Indices, rows: Indices, distances: FloatArray, count: int) -> tuple[Indices, FloatArray]:
    """Return the nearest of each query, ties by row number.

    Parameters
    ----------
    query : array of int, shape (p,)
        Numbers from 0.
    rows : array of int, shape (p,)
        Their row numbers.
    distances : FloatArray, shape (p,)
        Theirs.
    count : int
        How many are returned of each query; none has fewer.
    """
    order = np.lexsort((rows, distances, query))
    starts = np.flatnonzero(np.diff(query[order], prepend=-1))
    nearest = order[starts[:, None] + np.arange(count)]
    return rows[nearest], distances[nearest]


def _members(groups: int) -> Indices:
    """Return the columns of the first of some groups."""
    return np.arange(0, _GROUP * groups, groups)


def _within(keys: FloatArray, bound: FloatArray, is_open: npt.NDArray[np.bool_]) -> tuple[Indices, Indices]:
    """Return row and column of the keys in some groups that are not above their row's bound."""
    row, group = np.nonzero(is_open)
    columns = group[:, None] + _members(is_open.shape[1])
    pair, member = np.nonzero(keys[row[:, None], columns] <= bound[row])
    return row[pair], columns[pair, member]
