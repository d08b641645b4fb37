"""Which parameters of locality-sensitive hashing to try, and which to choose."""

from collections.abc import Iterator, Sequence

import numpy as np

from soundalike.domain.similarity.space import LshParameters, Neighbours
from soundalike.domain.tuning import LshTrial

RECALL_AT = 10
LOWEST_RECALL = 0.8

BUCKET_LENGTHS = (0.5, 1.0, 2.0)
"""In units of how far apart a track and its tenth neighbour typically are on a random line.

In m dimensions that is their distance divided by the root of m. Shorter buckets separate them, longer
ones hold the whole library.
"""

TABLES = (2, 4, 8)


def lsh_grid(
    exact: Neighbours,
    dimensions: int,
    *,
    bucket_lengths: Sequence[float] = BUCKET_LENGTHS,
    tables: Sequence[int] = TABLES,
) -> Iterator[LshParameters]:
    """Yield the parameters to try.

    Parameters
    ----------
    exact : Neighbours
        The exact neighbours of a sample.
    dimensions : int
        Of its space.
    bucket_lengths : sequence of float
        In units of the typical distance on a random line.
    tables : sequence of int
        How many hash tables.
    """
    finite = exact.distances[np.isfinite(exact.distances)]
    last = exact.distances[:, min(RECALL_AT, max(1, len(exact.rows) - 1)) - 1]
    typical = (float(np.median(last)) or float(finite.max()) or 1.0) / dimensions**0.5
    for length in bucket_lengths:
        for count in tables:
            yield LshParameters(bucket_length=typical * length, tables=count)


def knee(trials: Sequence[LshTrial], track_count: int) -> LshParameters:
    """Choose where recall exceeds the share of the library that was compared by most.

    Comparing a random tenth of the library finds a tenth of the neighbours: what exceeds that is the
    gain of hashing, and where it stops growing is the knee. Trials that miss more than a fifth of the
    neighbours are considered only if all do. Ties go to fewer candidates.

    Parameters
    ----------
    trials : sequence of LshTrial
        At least one.
    track_count : int
        Tracks in the sample.
    """
    others = max(track_count - 1, 1)
    good = [trial for trial in trials if trial.recall >= LOWEST_RECALL] or trials
    best = max(good, key=lambda trial: (trial.recall - trial.candidates / others, -trial.candidates))
    return best.parameters
