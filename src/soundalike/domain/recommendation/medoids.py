"""Tracks that represent a library: what a listener of unknown taste is offered first."""

import numpy as np

from soundalike.domain.similarity.distances import pairwise_distances
from soundalike.domain.types import FloatArray, IndexArray

SAMPLE = 1_024
COUNT = 128


def sample_rows(count: int, size: int) -> IndexArray:
    """Return at most `size` of `count` rows, spread evenly, always the same.

    Parameters
    ----------
    count : int
        How many rows there are.
    size : int
        How many are needed.
    """
    if count <= size:
        return np.arange(count, dtype=np.int32)
    return (np.arange(size) * count // size).astype(np.int32)


def choose_medoids(coordinates: FloatArray, *, sample: int = SAMPLE, count: int = COUNT) -> IndexArray:
    """Return rows that represent all others, the one that represents most first.

    Each is the track that brings all others nearest to some chosen one (the BUILD step of Kaufman and
    Rousseeuw's PAM, 1990), so the first few already cover the library, and outliers come late.

    Parameters
    ----------
    coordinates : FloatArray, shape (n, m)
        Distance is Euclidean.
    sample : int
        A larger library is sampled: this many rows, spread evenly.
    count : int
        How many to choose.

    Returns
    -------
    IndexArray, shape (min(n, count, sample),)
    """
    rows = sample_rows(len(coordinates), sample)
    if not len(rows):
        return rows
    away = pairwise_distances(coordinates[rows], coordinates[rows])
    to_nearest = np.full(len(rows), away.max() + 1, dtype=np.float32)
    chosen: list[int] = []
    for _ in range(min(count, len(rows))):
        gain = np.maximum(to_nearest - away, 0).sum(axis=1)
        gain[chosen] = -1
        best = int(np.argmax(np.round(gain, 4)))
        chosen.append(best)
        to_nearest = np.minimum(to_nearest, away[best])
    return rows[chosen]
