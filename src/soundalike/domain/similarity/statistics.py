"""The few statistics of a library from which a space is fitted, and how to compute them in memory."""

import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import reduce
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt

from soundalike.domain.similarity.recipe import Columns
from soundalike.domain.snapshot import LibraryTable, TrackParts
from soundalike.domain.types import FloatArray

Float64Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Column:
    """Two numbers per feature, such as minimum and maximum, or mean and standard deviation (n - 1)."""

    first: Float64Array
    second: Float64Array

    def of(self, columns: Columns) -> "Column":
        """Return the numbers of one ingredient's features."""
        return Column(self.first[columns.side_by_side], self.second[columns.side_by_side])


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """The scaling of a space before rounding to float32, whose last bit would differ between engines.

    Parameters
    ----------
    mean, scale : Float64Array, shape (d,)
        Constant features have scale 0.
    clip : float or None
        Bound on the scaled values.
    """

    mean: Float64Array
    scale: Float64Array
    clip: float | None

    def apply(self, vectors: FloatArray) -> Float64Array:
        """Scale vectors of shape (n, d) as `AffineMap.scale_features` does."""
        is_constant = self.scale == 0
        scaled = (vectors - self.mean) / np.where(is_constant, 1.0, self.scale)
        scaled[:, is_constant] = 0
        return scaled if self.clip is None else np.clip(scaled, -self.clip, self.clip)


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums over tracks in scaled features, from which covariances follow; sums of blocks can be added.

    Parameters
    ----------
    count : int
        Number of tracks.
    total : Float64Array, shape (d,)
        Sum of the scaled vectors.
    products : Float64Array, shape (d, d)
        Sum of their outer products.
    scatter : Float64Array, shape (d, d)
        Sum of the outer products of how each part differs from the mean of its own track's parts.
    freedom : int
        Number of parts beyond the first of each track.
    """

    count: int
    total: Float64Array
    products: Float64Array
    scatter: Float64Array
    freedom: int

    @classmethod
    def of(cls, scale: Scale, summaries: FloatArray, parts: TrackParts) -> Self:
        """Sum over the vectors of n tracks and their parts.

        Parameters
        ----------
        scale : Scale
            Brings features to a common scale.
        summaries : FloatArray, shape (n, d)
            One vector for each track.
        parts : TrackParts
            Of the same tracks and features.
        """
        whole = scale.apply(summaries)
        scatter, freedom = _scatter(scale.apply(parts.values), parts)
        return cls(len(whole), whole.sum(axis=0), whole.T @ whole, scatter, freedom)

    def __add__(self, other: Self) -> Self:
        """Add the sums of two blocks of tracks."""
        return type(self)(
            self.count + other.count,
            self.total + other.total,
            self.products + other.products,
            self.scatter + other.scatter,
            self.freedom + other.freedom,
        )

    @property
    def mean(self) -> Float64Array:
        """Mean scaled vector."""
        return self.total / self.count

    @property
    def covariance(self) -> Float64Array:
        """Covariance (n - 1) of the scaled features; zero for a single track."""
        if self.count == 1:
            return np.zeros_like(self.products)
        return (self.products - self.count * np.outer(self.mean, self.mean)) / (self.count - 1)

    @property
    def within(self) -> Float64Array:
        """Covariance of a part about its own track's mean, pooled over tracks; zero without parts."""
        return self.scatter / max(self.freedom, 1)


def _scatter(values: Float64Array, parts: TrackParts) -> tuple[Float64Array, int]:
    """Sum the outer products of parts about the mean of their track, and count what they are worth."""
    scatter, freedom = np.zeros((values.shape[1], values.shape[1])), 0
    for count, first in parts.with_count():
        if count == 2:  # noqa: PLR2004 - of two halves it is half that of their difference, without rounding
            difference = values[first] - values[first + 1]
            scatter += difference.T @ difference / 2
        else:
            block = values[first[:, None] + np.arange(count)]
            block -= block.mean(axis=1, keepdims=True)
            apart = block.reshape(-1, values.shape[1])
            scatter += apart.T @ apart
        freedom += (count - 1) * len(first)
    return scatter, freedom


class Statistics(Protocol):
    """What an engine computes for a library of at least one track."""

    def extent(self) -> Column:
        """Minimum and maximum of each feature, side by side."""

    def moments(self) -> Column:
        """Mean and standard deviation (n - 1; 0 for one track) of each feature, side by side."""

    def sums(self, scale: Scale, columns: Columns) -> Sums:
        """Sum in the scaled features of one ingredient.

        Parameters
        ----------
        scale : Scale
            Of its features.
        columns : Columns
            Which they are.
        """


class TableStatistics:
    """Statistics of a table in memory.

    Parameters
    ----------
    table : LibraryTable
        Need not have parts.
    blocks : callable
        Yields the same tracks with their parts, a few thousand at a time.
    """

    def __init__(self, table: LibraryTable, blocks: Callable[[], Iterable[LibraryTable]]) -> None:
        self._table = table
        self._blocks = blocks

    def extent(self) -> Column:
        """Minimum and maximum of each feature, side by side."""
        whole = self._table.summaries.astype(np.float64)
        return Column(whole.min(axis=0), whole.max(axis=0))

    def moments(self) -> Column:
        """Mean and standard deviation (n - 1) of each feature, side by side."""
        whole = self._table.summaries.astype(np.float64)
        mean = whole.mean(axis=0)
        return Column(mean, np.sqrt(((whole - mean) ** 2).sum(axis=0) / max(len(whole) - 1, 1)))

    def sums(self, scale: Scale, columns: Columns) -> Sums:
        """Sum in the scaled features of one ingredient, block by block."""
        sums = [
            Sums.of(
                scale,
                block.summaries[:, columns.side_by_side],
                block.parts[columns.set_number].select(columns.own),
            )
            for block in self._blocks()
        ]
        return reduce(operator.add, sums)
