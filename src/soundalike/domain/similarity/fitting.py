"""Fitting a similarity space from a few statistics, which each engine computes in its own way."""

import operator
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt

from soundalike.domain.errors import TooFewTracksError
from soundalike.domain.features import FeatureSchema
from soundalike.domain.similarity.recipe import (
    Columns,
    Fitting,
    Ingredient,
    Recipe,
    Rotation,
    Scaling,
    columns_of,
)
from soundalike.domain.similarity.space import AffineMap, SimilaritySpace
from soundalike.domain.snapshot import LibraryTable, TrackParts
from soundalike.domain.types import FloatArray

Float64Array = npt.NDArray[np.float64]

# A range this small relative to the values is float32 rounding: the feature is constant.
_CONSTANT = 4 * float(np.finfo(np.float32).eps)
_NUDGE = 1e-9


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
    """Sum the outer products of parts about the mean of their track, and count what they are worth.

    The mean runs along (Welford 1962): of two halves this is half the product of their difference.
    """
    scatter, freedom = np.zeros((values.shape[1], values.shape[1])), 0
    for count, first in parts.with_count():
        mean = values[first]
        for number in range(1, count):
            difference = mean - values[first + number]
            scatter += number / (number + 1) * (difference.T @ difference)
            mean = mean - difference / (number + 1)
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


def fit_space(recipe: Recipe, schemas: Sequence[FeatureSchema], statistics: Statistics) -> SimilaritySpace:
    """Fit the space that a recipe describes, in float64, rounded to float32.

    A rotation is centred, so that unit length measures angles about the mean of the library.

    Parameters
    ----------
    recipe : Recipe
        What it is made of.
    schemas : sequence of FeatureSchema
        The recipe's feature sets, in its order.
    statistics : Statistics
        Of the library.
    """
    extent = statistics.extent()
    is_standard = any(each.fitting.scaling is Scaling.STANDARD for each in recipe.ingredients)
    moments = statistics.moments() if is_standard else extent
    return SimilaritySpace(
        tuple(
            _fit_map(ingredient, columns_of(ingredient, schemas), (extent, moments), statistics)
            for ingredient in recipe.ingredients
        )
    )


def _fit_map(
    ingredient: Ingredient, columns: Columns, scales: tuple[Column, Column], statistics: Statistics
) -> AffineMap:
    fitting = ingredient.fitting
    extent, moments = (each.of(columns) for each in scales)
    scale = _fit_scale(fitting, extent, moments)
    weights, offset = np.eye(len(scale.mean)), np.zeros(len(scale.mean))
    if fitting.rotation is not Rotation.NONE and fitting.strength > 0:
        sums = statistics.sums(scale, columns)
        is_within = fitting.rotation is Rotation.WITHIN
        spread, count = (sums.within, sums.freedom) if is_within else (sums.covariance, sums.count)
        weights = partial_whitening(shrink(spread, count), fitting.strength)
        offset = -(sums.mean @ weights)
    return AffineMap(
        columns=columns.side_by_side,
        # A mean of n float32 numbers is midway between two of them once in n times; this moves it off.
        mean=(scale.mean * (1 + _NUDGE)).astype(np.float32),
        scale=scale.scale.astype(np.float32),
        clip=fitting.clip,
        weights=weights.astype(np.float32),
        offset=offset.astype(np.float32),
        is_unit_length=fitting.is_unit_length,
        factor=ingredient.weight,
    )


def shrink(covariance: Float64Array, count: int) -> Float64Array:
    """Shrink a covariance towards a multiple of the identity, the more the fewer tracks there are.

    The oracle approximating shrinkage of Chen, Wiesel, Eldar and Hero (2010), eq. 23, needs only
    the covariance and the count. One track, or tracks without variance, give the identity.

    Parameters
    ----------
    covariance : Float64Array, shape (d, d)
        Of the features.
    count : int
        Number of tracks.
    """
    size = len(covariance)
    trace, square = np.trace(covariance), float(np.sum(covariance**2))
    if not trace > 0:
        return np.eye(size)
    numerator = (1 - 2 / size) * square + trace**2
    denominator = (count + 1 - 2 / size) * (square - trace**2 / size)
    share = min(1.0, numerator / denominator) if denominator > 0 else 1.0
    return np.asarray((1 - share) * covariance + share * (trace / size) * np.eye(size))


def partial_whitening(covariance: Float64Array, strength: float) -> Float64Array:
    """Return the symmetric ``covariance ** (-strength / 2)``, each column's largest entry made positive.

    The symmetric root, unlike principal axes, does not turn with the eigenvectors of close
    eigenvalues; a column's sign changes no distance.

    Parameters
    ----------
    covariance : Float64Array, shape (d, d)
        Of the features.
    strength : float
        0 gives the identity, 1 full whitening.
    """
    values, vectors = np.linalg.eigh(covariance)
    floor = values[-1] * 1e-10
    weights = (vectors * np.maximum(values, floor) ** (-strength / 2)) @ vectors.T
    sizes = np.abs(weights)
    # Of nearly equal entries the first decides, so that rounding does not.
    largest = np.argmax(sizes >= sizes.max(axis=0) * (1 - 1e-6), axis=0)
    return np.asarray(weights * np.sign(weights[largest, np.arange(len(weights))]))


def _fit_scale(fitting: Fitting, extent: Column, moments: Column) -> Scale:
    low, high = extent.first, extent.second
    if fitting.scaling is Scaling.MIN_MAX:
        mean, scale = low, high - low
    else:
        mean, scale = moments.first, moments.second
    magnitude = np.maximum(np.abs(low), np.abs(high))
    is_constant = high - low <= _CONSTANT * magnitude
    return Scale(mean=mean, scale=np.where(is_constant, 0.0, scale), clip=fitting.clip)


def require_tracks(count: int) -> None:
    """Check that there is something to learn from.

    Raises
    ------
    TooFewTracksError
        If there is no track.
    """
    if not count:
        msg = "there is no analysed track to learn from; run 'soundalike extract DIR' on a folder with music"
        raise TooFewTracksError(msg)


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


def fit_locally(recipe: Recipe, table: LibraryTable) -> SimilaritySpace:
    """Fit the space that a recipe describes on a table in memory.

    Parameters
    ----------
    recipe : Recipe
        What it is made of.
    table : LibraryTable
        What to fit it on, with parts.

    Raises
    ------
    TooFewTracksError
        If the table is empty.
    """
    require_tracks(len(table))
    return fit_space(recipe, table.schemas, TableStatistics(table, lambda: [table]))
