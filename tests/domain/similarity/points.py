"""Points that hypothesis chooses."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

# Whole numbers meet often: ties and duplicates are the hard part.
POINTS = arrays(
    np.float32, st.tuples(st.integers(1, 30), st.integers(1, 5)), elements=st.integers(-3, 3).map(float)
)
