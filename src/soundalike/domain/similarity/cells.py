"""Approximate neighbours beyond a million tracks: only cells around a point are compared."""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Protocol

import numpy as np
import numpy.typing as npt

from soundalike.domain.similarity.distances import row_distances
from soundalike.domain.similarity.exact import ExactSearch
from soundalike.domain.similarity.orders import Euclidean, MutualProximity
from soundalike.domain.similarity.space import Neighbours
from soundalike.domain.types import FloatArray, IndexArray

MOST_EXACT = 1_000_000
"""Up to so many tracks all are compared with all."""

RECALL = 0.98
"""The share of the nearest that is found on average, as measured on a sample."""

_CELLS_PER_ROOT = 1
_SAMPLE_PER_CELL, _ROUNDS = 32, 6
_CALIBRATED, _LEAST_MEASURED = 256, 16
_MOST_QUERIES = 2048
# More than float32 loses of a squared distance, as a share of squared lengths.
_SLACK = 1e-5
# A block of distances has at most this many float32 numbers (16 MB).
_BLOCK_ENTRIES = 1 << 22
# Nearest in the corrected order are among so many times as many by distance.
_CORRECTED = 4

Indices = npt.NDArray[np.int64]


class NeighbourSearch(Protocol):
    """Finds the nearest others of rows; several threads or processes may each ask for some."""

    @property
    def order(self) -> Indices:
        """All rows, in an order in which rows that follow each other are asked for at little cost."""

    def nearest(self, queries: Indices) -> Neighbours:
        """Find the nearest others of some rows, given by number."""


def search_of(coordinates: FloatArray, k: int, *, spread: FloatArray | None = None) -> NeighbourSearch:
    """Return an exact search, or beyond a million tracks an approximate one.

    Parameters
    ----------
    coordinates : FloatArray, shape (n, m)
        All tracks, in a space where distance is Euclidean.
    k : int
        How many neighbours.
    spread : FloatArray, shape (n, 2), optional
        Corrects distances, as `MutualProximity` says.
    """
    if len(coordinates) <= MOST_EXACT:
        return ExactSearch(coordinates, k, spread=spread)
    return CellSearch(coordinates, k, spread=spread)


def in_row_order(order: Indices, parts: Iterable[Neighbours], *, k: int) -> Neighbours:
    """Put together what was found for the rows of a search's order, part after part.

    Parameters
    ----------
    order : array of int, shape (n,)
        The search's.
    parts : iterable of Neighbours
        Of its rows, n together; each is needed no longer than until the next.
    k : int
        How many neighbours each has.
    """
    rows, distances = np.empty((len(order), k), np.int32), np.empty((len(order), k), np.float32)
    begin = 0
    for part in parts:
        where = order[begin : begin + len(part.rows)]
        rows[where], distances[where] = part.rows, part.distances
        begin += len(where)
    return Neighbours(rows, distances)


class CellIndex:
    """Puts tracks into cells around centres, and returns those of the cells around a point.

    An inverted file: Jégou, Douze and Schmid, "Product quantization for nearest neighbor search", PAMI 33,
    2011, section 4. How many tracks are returned is measured for each k on a sample, so that `RECALL` of the
    nearest are among them.

    Parameters
    ----------
    coordinates : FloatArray, shape (n, m)
        Of all tracks.
    seed : int
        Chooses the samples.
    """

    def __init__(self, coordinates: FloatArray, *, seed: int = 0) -> None:
        count = len(coordinates)
        self._coordinates = coordinates
        self._sample = np.random.default_rng(seed).permutation(count)
        cells = max(1, min(count, int(_CELLS_PER_ROOT * count**0.5)))
        self._centres = _find_centres(coordinates[np.sort(self._sample[: cells * _SAMPLE_PER_CELL])], cells)
        cell = _nearest_centres(coordinates, self._centres)
        self.order: Indices = np.argsort(cell, kind="stable")
        """All rows, cell by cell."""
        self._sizes = np.bincount(cell, minlength=cells)
        self._edges = np.append(0, np.cumsum(self._sizes))
        self._cell = cell
        self._compared: dict[int, int] = {}

    def nearest(self, points: FloatArray, k: int) -> IndexArray:
        """Return rows among which are nearly all of the k nearest of each point."""
        count = len(self._coordinates)
        return np.arange(count, dtype=np.int32) if k >= count else self.around(points, self.calibrate(k))

    def around(self, points: FloatArray, count: int) -> IndexArray:
        """Return the tracks of the nearest cells of each point that have so many, ascending."""
        cells, before = self._ranked(points)
        # A cell is visited if those that are nearer have too few tracks.
        visited = np.unique(cells[before < count])
        return np.sort(np.concatenate([self._members(cell) for cell in visited])).astype(np.int32)

    def visits(self, points: FloatArray, k: int) -> Iterator[tuple[Indices, Indices]]:
        """Yield the tracks of each cell, and the numbers of the points that have to be compared with them."""
        cells, before = self._ranked(points)
        point, rank = np.nonzero(before < self.calibrate(k))
        cell = cells[point, rank]
        order = np.argsort(cell, kind="stable")
        starts = np.flatnonzero(np.diff(cell[order], prepend=-1))
        for visitors in np.split(order, starts[1:]):
            yield self._members(cell[visitors[0]]), point[visitors]

    def by_cell(self, rows: Indices) -> Iterator[tuple[FloatArray, Indices]]:
        """Yield the centre, shape (1, m), of each cell that has some of the rows, and where these are."""
        cell = self._cell[rows]
        for each in np.unique(cell):
            yield self._centres[[each]], np.flatnonzero(cell == each)

    def calibrate(self, k: int) -> int:
        """Return how many tracks have to be compared to find enough of the k nearest; measured once."""
        # Of very few neighbours a sample says little.
        measured = min(max(k, _LEAST_MEASURED), len(self._coordinates) - 1)
        if measured not in self._compared:
            self._compared[measured] = self._calibrate(measured)
        return max(k, self._compared[measured])

    def _members(self, cell: int) -> Indices:
        return self.order[self._edges[cell] : self._edges[cell + 1]]

    @property
    def cell_count(self) -> int:
        """How many cells there are."""
        return len(self._centres)

    def _ranked(self, points: FloatArray) -> tuple[Indices, Indices]:
        """Return the cells of each point, nearest first, and how many tracks are in nearer ones."""
        cells = np.argsort(_squares(points, self._centres), axis=1, kind="stable")
        sizes = self._sizes[cells]
        return cells, np.cumsum(sizes, axis=1) - sizes

    def _calibrate(self, k: int) -> int:
        """Return how many tracks have to be compared to find enough of the k nearest."""
        rows = self._sample[:_CALIBRATED]
        true = ExactSearch(self._coordinates, k).nearest(rows).rows
        cells, before = self._ranked(self._coordinates[rows])
        needed = np.empty_like(before)
        np.put_along_axis(needed, cells, before, axis=1)
        of_true = np.take_along_axis(needed, self._cell[true], axis=1)
        return int(np.quantile(of_true, RECALL, method="higher")) + 1


class CellSearch:
    """Finds neighbours of rows among those that a `CellIndex` returns for each.

    The nearest in the first few cells bound how far the others can be; then each cell is compared with all
    rows that visit it, in one product, and what is within a row's bound is measured exactly.

    Parameters
    ----------
    coordinates : FloatArray, shape (n, m)
        All tracks.
    k : int
        How many neighbours; fewer than n.
    spread : FloatArray, shape (n, 2), optional
        Corrects distances, as `MutualProximity` says.
    """

    def __init__(self, coordinates: FloatArray, k: int, *, spread: FloatArray | None = None) -> None:
        self._coordinates = coordinates
        self._k = k
        self._order = Euclidean() if spread is None else MutualProximity(spread)
        self._reach = min(k if spread is None else _CORRECTED * k, len(coordinates) - 1)
        self._index = CellIndex(coordinates)
        self._index.calibrate(self._reach)

    @property
    def order(self) -> Indices:
        """All rows, cell by cell."""
        return self._index.order

    def nearest(self, queries: Indices) -> Neighbours:
        """Find nearly all of the nearest others of some rows, given by number, shape (q,)."""
        rows = np.empty((len(queries), self._k), dtype=np.int32)
        distances = np.empty((len(queries), self._k), dtype=np.float32)
        size = min(_MOST_QUERIES, max(1, _BLOCK_ENTRIES // 2 // self._index.cell_count))
        for begin in range(0, len(queries), size):
            block = slice(begin, begin + size)
            rows[block], distances[block] = self._nearest_of_block(queries[block])
        return Neighbours(rows, distances)

    def _nearest_of_block(self, queries: Indices) -> tuple[IndexArray, FloatArray]:
        first = self._first(queries)
        found = list(self._within(queries, first.distances[:, -1].astype(np.float64)))
        number, others, away = (np.concatenate(each) for each in zip(*found, strict=True))
        order = np.argsort(number, kind="stable")
        number, others, away = number[order], others[order], away[order]
        edges = np.searchsorted(number, np.arange(len(queries) + 1))
        near = first.rows.astype(np.int64)
        for each, (start, stop) in enumerate(pairwise(edges.tolist())):
            if stop - start > self._reach:
                # One more, since the row itself is among them.
                least = np.argpartition(away[start:stop], self._reach)[: self._reach + 1]
                own = others[start:stop][least]
                near[each] = own[own != queries[each]][: self._reach]
        number = np.repeat(np.arange(len(queries)), self._reach)
        distances = row_distances(self._coordinates[near.ravel()], self._coordinates[queries[number]])
        distances = self._order.distances(distances, queries[number], near.ravel())
        order = np.lexsort((near.ravel(), distances, number)).reshape(near.shape)[:, : self._k]
        return near.ravel()[order].astype(np.int32), distances[order]

    def _first(self, queries: Indices) -> Neighbours:
        """Find the nearest in the first few cells around the cell of each query."""
        rows = np.empty((len(queries), self._reach), dtype=np.int32)
        distances = np.empty(rows.shape, dtype=np.float32)
        count = max(self._reach + 1, self._index.calibrate(self._reach) // 2)
        for centre, members in self._index.by_cell(queries):
            near = self._index.around(centre, count)
            found = ExactSearch(self._coordinates[near], self._reach).nearest(
                np.searchsorted(near, queries[members])
            )
            rows[members], distances[members] = near[found.rows], found.distances
        return Neighbours(rows, distances)

    def _within(
        self, queries: Indices, bound: npt.NDArray[np.float64]
    ) -> Iterator[tuple[Indices, Indices, FloatArray]]:
        """Yield numbers of queries, rows within their bounds, and squared distances, cell by cell."""
        points = self._coordinates[queries]
        squares = np.einsum("ij,ij->i", points, points)
        bounds = ((1 + _SLACK) * bound**2).astype(np.float32)
        for members, visitors in self._index.visits(points, self._reach):
            others = self._coordinates[members]
            away = points[visitors] @ (-2 * others.T)
            away += squares[visitors, None]
            away += np.einsum("ij,ij->i", others, others)
            visitor, member = np.nonzero(away <= bounds[visitors, None])
            yield visitors[visitor], members[member], away[visitor, member]


def _find_centres(points: FloatArray, count: int) -> FloatArray:
    """Return the centres of clusters, by Lloyd's algorithm; the points are in no order."""
    centres = points[:: len(points) // count][:count].copy()
    for _ in range(_ROUNDS):
        cell = _nearest_centres(points, centres)
        sizes = np.bincount(cell, minlength=count)
        is_used = sizes > 0
        order = np.argsort(cell, kind="stable")
        starts = (np.cumsum(sizes) - sizes)[is_used]
        sums = np.add.reduceat(points[order], starts, axis=0, dtype=np.float64)
        centres[is_used] = sums / sizes[is_used, None]
    return centres


def _nearest_centres(points: FloatArray, centres: FloatArray) -> Indices:
    found = np.empty(len(points), dtype=np.int64)
    size = max(1, _BLOCK_ENTRIES // len(centres))
    for begin in range(0, len(points), size):
        block = slice(begin, begin + size)
        found[block] = _squares(points[block], centres).argmin(axis=1)
    return found


def _squares(points: FloatArray, centres: FloatArray) -> FloatArray:
    """Return squared distances but for the squares of the points themselves."""
    squares = np.einsum("ij,ij->i", centres, centres)
    return np.asarray(squares - 2 * (points @ centres.T), dtype=np.float32)
