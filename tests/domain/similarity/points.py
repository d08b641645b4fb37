"""Points that hypothesis chooses."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from soundalike.domain.types import FloatArray

# Whole numbers meet often: ties and duplicates are the hard part.
POINTS = arrays(
    np.float32, st.tuples(st.integers(1, 30), st.integers(1, 5)), elements=st.integers(-3, 3).map(float)
)


def spread_of(points: FloatArray) -> FloatArray:
    """Mean and standard deviation of the distances from each row to all."""
    away = np.linalg.norm(points[:, None].astype(np.float64) - points, axis=2)
    return np.stack([away.mean(axis=1), away.std(axis=1)], axis=1).astype(np.float32)
