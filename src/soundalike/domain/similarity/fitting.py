"""Fitting a similarity space from a few statistics, which each engine computes in its own way."""

from collections.abc import Sequence

import numpy as np

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
from soundalike.domain.similarity.statistics import Column, Float64Array, Scale, Statistics, TableStatistics
from soundalike.domain.snapshot import LibraryTable

# A range this small relative to the values is float32 rounding: the feature is constant.
_CONSTANT = 4 * float(np.finfo(np.float32).eps)
_NUDGE = 1e-9


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
