"""The first tracks for somebody of whom nothing is known, or only what they do not want."""

from collections.abc import Iterator

import numpy as np

from soundalike.domain.recommendation.scoring import TURNED_AWAY, Scoring

_MIX = 2_654_435_761  # the golden ratio in 32 bits: neighbouring rows land far apart


def start(scoring: Scoring) -> Iterator[tuple[int, float]]:
    """Start: yield (row, score), first what stands for the library, away from what is negative.

    The medoids come in their own order, from 1 down to 0, less how close each is to what was skipped;
    then everything else, scattered.
    """
    index = scoring.index
    medoids = index.medoids
    order = 1 - np.arange(len(medoids)) / max(len(medoids), 1)
    scores = order - scoring.push(medoids) - TURNED_AWAY * scoring.is_turned_away(medoids)
    for place in np.lexsort((medoids, -np.round(scores, 5))):
        yield int(medoids[place]), float(scores[place])
    rest = np.setdiff1d(np.arange(len(index)), medoids)
    scattered = rest[np.argsort((rest.astype(np.uint64) * _MIX) % 2**32, kind="stable")]
    for row in scattered:
        yield int(row), -1.0
