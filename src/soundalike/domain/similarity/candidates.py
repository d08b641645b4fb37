"""Retrieving candidates: the tracks near some points, out of which a question is answered."""

from typing import Protocol

import numpy as np

from soundalike.domain.types import FloatArray, IndexArray

_BLOCK = 8_192


class CandidateIndex(Protocol):
    """Finds the tracks near points of a similarity space.

    An approximate index may miss some: of the k nearest it finds at least 95 % on average
    (`tests/domain/similarity/candidates_contract.py`).
    """

    def nearest(self, points: FloatArray, k: int) -> IndexArray:
        """Return rows among which are the k nearest of each point; there may be more.

        Parameters
        ----------
        points : FloatArray, shape (q, m)
            Distance is Euclidean.
        k : int
            At least 1; k or fewer tracks are all returned.

        Returns
        -------
        IndexArray, shape (r,)
            Ascending, each once.
        """


class ExactIndex:
    """Compares all tracks, so that none is missed.

    Parameters
    ----------
    coordinates : FloatArray, shape (n, m)
        Of all tracks.
    """

    def __init__(self, coordinates: FloatArray) -> None:
        self._coordinates = coordinates

    def nearest(self, points: FloatArray, k: int) -> IndexArray:
        """Return rows among which are the k nearest of each point, and others as near as the k-th."""
        count, width = self._coordinates.shape
        if k >= count:
            return np.arange(count, dtype=np.int32)
        squares = np.empty((len(points), count), dtype=np.float32)
        largest = np.float32(0)
        for begin in range(0, count, _BLOCK):
            part = self._coordinates[begin : begin + _BLOCK]
            lengths = np.einsum("ij,ij->i", part, part)
            largest = max(largest, lengths.max())
            squares[:, begin : begin + _BLOCK] = lengths - 2 * (points @ part.T)
        bounds = np.partition(squares, k - 1, axis=1)[:, k - 1]
        # Rounding moves each value by a little (Higham 2002, 3.1): what is as near as that may be nearer.
        lengths = np.einsum("ij,ij->i", points, points)
        slack = 4 * (width + 16) * np.finfo(np.float32).eps * (largest + lengths)
        is_far = (squares > (bounds + slack)[:, None]).all(axis=0)
        return np.flatnonzero(~is_far).astype(np.int32)
