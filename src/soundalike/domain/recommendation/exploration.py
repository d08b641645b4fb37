"""Exploration: now and then a track that the listener's taste would not bring."""

import numpy as np

from soundalike.domain.recommendation.scoring import Scoring
from soundalike.domain.recommendation.seeded_random import SeededRandom
from soundalike.domain.types import FloatArray, IndexArray

_SPARE, _DRAWN_FOR_EACH = 40, 4


def explore(scoring: Scoring, random: SeededRandom, *, places: int) -> tuple[IndexArray, FloatArray]:
    """Draw tracks at random; the half with the better scores comes first, in the order drawn.

    What the listener rejected is in the other half, so that exploration is worth the risk.

    Parameters
    ----------
    scoring : Scoring
        Of the library.
    random : SeededRandom
        Draws the tracks.
    places : int
        How many places of the slate are for exploration.

    Returns
    -------
    rows, scores : IndexArray and FloatArray, shape (k,)
        Of several times as many tracks, since some may not be played.
    """
    total = len(scoring.index)
    drawn_count = _SPARE + _DRAWN_FOR_EACH * places
    if total <= drawn_count:
        rows = np.argsort(random.numbers("explore", total), kind="stable").astype(np.int32)
    else:
        drawn = (random.numbers("explore", drawn_count) * total).astype(np.int32)
        _, first = np.unique(drawn, return_index=True)
        rows = drawn[np.sort(first)]
    scores = scoring.scores_of(rows)
    is_worse = np.round(scores, 5) < np.round(np.median(scores), 5) if len(rows) else np.zeros(0, dtype=bool)
    order = np.argsort(is_worse, kind="stable")
    return rows[order], scores[order]
