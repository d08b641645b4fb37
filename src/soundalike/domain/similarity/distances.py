"""Euclidean distances in a similarity space, measured in float64."""

import numpy as np
import numpy.typing as npt

from soundalike.domain.types import FloatArray

AnyFloats = npt.NDArray[np.floating]


def row_distances(points: AnyFloats, others: AnyFloats) -> FloatArray:
    """Measure each row of one array to the same row of another, as ``|a - b|``: exact, also near 0.

    Parameters
    ----------
    points, others : array, shapes (n, m)
        One of them may be of shape (m,): every row is then measured to it.

    Returns
    -------
    FloatArray, shape (n,)
    """
    difference = points.astype(np.float64) - others
    return np.asarray(np.sqrt(np.einsum("ij,ij->i", difference, difference)), dtype=np.float32)


def pairwise_distances(points: AnyFloats, others: AnyFloats) -> FloatArray:
    """Measure every row of one array to every row of another.

    One matrix product: fast, but rounded to some 1e-8 of the lengths where two points coincide.

    Parameters
    ----------
    points, others : array, shapes (n, m) and (k, m)
        In the same space.

    Returns
    -------
    FloatArray, shape (n, k)
    """
    return np.asarray(np.sqrt(squared_distances(points, others)), dtype=np.float32)


def squared_distances(points: AnyFloats, others: AnyFloats) -> npt.NDArray[np.float64]:
    """Return the squares of `pairwise_distances`, as ``|a|² + |b|² - 2ab``, in float64.

    Parameters
    ----------
    points, others : array, shapes (n, m) and (k, m)
        In the same space.
    """
    first, second = np.asarray(points, dtype=np.float64), np.asarray(others, dtype=np.float64)
    squares = (first**2).sum(axis=1)[:, None] + (second**2).sum(axis=1) - 2 * first @ second.T
    return np.asarray(np.maximum(squares, 0))
