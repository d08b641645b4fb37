"""The first tracks for somebody of whom nothing is known, or only what they do not want."""

from collections.abc import Iterator

import numpy as np

from soundalike.domain.recommendation.scoring import REJECTED_PENALTY, Scoring

_MIX = 2_654_435_761  # the golden ratio in 32 bits: neighbouring rows land far apart


def cold_start_order(scoring: Scoring) -> Iterator[tuple[int, float]]:
    """Start: yield (row, score), first what stands for the library, away from what is negative.

    The medoids come in their own order, from 1 down to 0, less how close each is to what was skipped;
    then everything else, scattered.
    """
    index = scoring.index
    medoids = index.medoids
    order = 1 - np.arange(len(medoids)) / max(len(medoids), 1)
    scores = order - scoring.negative_feedback(medoids) - REJECTED_PENALTY * scoring.is_rejected(medoids)
    for place in np.lexsort((medoids, -np.round(scores, 5))):
        yield int(medoids[place]), float(scores[place])
    rest = np.setdiff1d(np.arange(len(index)), medoids)
    scattered = rest[np.argsort((rest.astype(np.uint64) * _MIX) % 2**32, kind="stable")]
    for row in scattered:
        yield int(row), -1.0
