"""The first tracks for a listener without positive feedback."""

from collections.abc import Iterator

import numpy as np

from soundalike.domain.recommendation.scoring import REJECTED_PENALTY, Scoring

_MIX = 2_654_435_761  # the golden ratio in 32 bits: sends neighbouring rows far apart


def cold_start_order(scoring: Scoring) -> Iterator[tuple[int, float]]:
    """Yield (row, score): first tracks that represent the library, then all others, scattered.

    The medoids' scores fall from 1 to 0 in their own order, less how close each is to what was skipped.
    """
    medoids = scoring.index.medoids
    order = 1 - np.arange(len(medoids)) / max(len(medoids), 1)
    rejected = REJECTED_PENALTY * scoring.is_rejected(medoids)
    scores = order - scoring.negative_feedback(medoids) - rejected
    for number in np.lexsort((medoids, -np.round(scores, 5))):
        yield int(medoids[number]), float(scores[number])
    rest = np.setdiff1d(np.arange(len(scoring.index)), medoids)
    scattered = rest[np.argsort((rest.astype(np.uint64) * _MIX) % 2**32, kind="stable")]
    for row in scattered:
        yield int(row), -1.0
