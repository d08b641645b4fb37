"""Fitting a similarity space from a few statistics, which each engine computes in its own way."""

from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt

from soundalike.domain.errors import TooFewTracksError
from soundalike.domain.similarity.space import Rotation, Scaling, SimilaritySpace, SpaceRecipe
from soundalike.domain.snapshot import LibraryTable
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
        """Scale vectors of shape (n, d) as `SimilaritySpace.transform` does."""
        is_constant = self.scale == 0
        scaled = (vectors - self.mean) / np.where(is_constant, 1.0, self.scale)
        scaled[:, is_constant] = 0
        return scaled if self.clip is None else np.clip(scaled, -self.clip, self.clip)


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums over tracks in scaled features, from which covariances follow; sums of parts can be added.

    Parameters
    ----------
    count : int
        Number of tracks.
    total : Float64Array, shape (d,)
        Sum of the scaled vectors.
    products : Float64Array, shape (d, d)
        Sum of their outer products.
    differences : Float64Array, shape (d, d)
        Sum of the outer products of the difference between a track's two halves.
    """

    count: int
    total: Float64Array
    products: Float64Array
    differences: Float64Array

    @classmethod
    def of(cls, scale: Scale, vectors: tuple[FloatArray, FloatArray, FloatArray]) -> Self:
        """Sum over whole vectors and their two halves, each of shape (n, d).

        Parameters
        ----------
        scale : Scale
            Brings features to a common scale.
        vectors : tuple of three FloatArray, shape (n, d)
            Whole tracks, first and second halves.
        """
        whole, first, second = (scale.apply(part) for part in vectors)
        difference = first - second
        return cls(len(whole), whole.sum(axis=0), whole.T @ whole, difference.T @ difference)

    def __add__(self, other: Self) -> Self:
        """Add the sums of two parts."""
        return type(self)(
            self.count + other.count,
            self.total + other.total,
            self.products + other.products,
            self.differences + other.differences,
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
        """Covariance of a half about its own track's mean, pooled over tracks."""
        return self.differences / (2 * self.count)


class Statistics(Protocol):
    """What an engine computes for a library of at least one track."""

    def extent(self) -> Column:
        """Minimum and maximum of each feature."""

    def moments(self) -> Column:
        """Mean and standard deviation (n - 1; 0 for one track) of each feature."""

    def sums(self, scale: Scale) -> Sums:
        """Sum in the scaled features."""


def fit_space(recipe: SpaceRecipe, statistics: Statistics) -> SimilaritySpace:
    """Fit the space that a recipe describes, in float64, rounded to float32.

    A rotation is centred, so that unit length measures angles about the mean of the library.

    Parameters
    ----------
    recipe : SpaceRecipe
        How to fit it.
    statistics : Statistics
        Of the library.
    """
    scale = _fit_scale(recipe, statistics)
    weights, offset = np.eye(len(scale.mean)), np.zeros(len(scale.mean))
    if recipe.rotation is not Rotation.NONE and recipe.strength > 0:
        sums = statistics.sums(scale)
        spread = sums.covariance if recipe.rotation is Rotation.WHITEN else sums.within
        weights = partial_whitening(shrink(spread, sums.count), recipe.strength)
        offset = -(sums.mean @ weights)
    return SimilaritySpace(
        # A mean of n float32 numbers is midway between two of them once in n times; this moves it off.
        mean=(scale.mean * (1 + _NUDGE)).astype(np.float32),
        scale=scale.scale.astype(np.float32),
        clip=recipe.clip,
        weights=weights.astype(np.float32),
        offset=offset.astype(np.float32),
        is_unit_length=recipe.is_unit_length,
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


def _fit_scale(recipe: SpaceRecipe, statistics: Statistics) -> Scale:
    extent = statistics.extent()
    low, high = extent.first, extent.second
    if recipe.scaling is Scaling.MIN_MAX:
        mean, scale = low, high - low
    else:
        moments = statistics.moments()
        mean, scale = moments.first, moments.second
    magnitude = np.maximum(np.abs(low), np.abs(high))
    is_constant = high - low <= _CONSTANT * magnitude
    return Scale(mean=mean, scale=np.where(is_constant, 0.0, scale), clip=recipe.clip)


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
    """Statistics of a table in memory."""

    def __init__(self, table: LibraryTable) -> None:
        self._table = table

    def extent(self) -> Column:
        """Minimum and maximum of each feature."""
        whole = self._table.whole.astype(np.float64)
        return Column(whole.min(axis=0), whole.max(axis=0))

    def moments(self) -> Column:
        """Mean and standard deviation (n - 1) of each feature."""
        whole = self._table.whole.astype(np.float64)
        mean = whole.mean(axis=0)
        return Column(mean, np.sqrt(((whole - mean) ** 2).sum(axis=0) / max(len(whole) - 1, 1)))

    def sums(self, scale: Scale) -> Sums:
        """Sum in the scaled features."""
        return Sums.of(scale, (self._table.whole, self._table.first_half, self._table.second_half))


def fit_locally(recipe: SpaceRecipe, table: LibraryTable) -> SimilaritySpace:
    """Fit the space that a recipe describes on a table in memory.

    Parameters
    ----------
    recipe : SpaceRecipe
        How to fit it.
    table : LibraryTable
        What to fit it on.

    Raises
    ------
    TooFewTracksError
        If the table is empty.
    """
    require_tracks(len(table))
    return fit_space(recipe, TableStatistics(table))
