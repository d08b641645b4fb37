"""Zero-crossing rate, as `librosa.feature.zero_crossing_rate` with its defaults."""

import numpy as np
import numpy.typing as npt

from soundalike.audio.features.frames import HOP_SAMPLES, WINDOW_SAMPLES
from soundalike.domain.types import FloatArray

ZERO_THRESHOLD = 1e-10


def zero_crossing_rate(signal: FloatArray) -> npt.NDArray[np.float64]:
    """Return the changes of sign per sample of each frame; the ends are repeated, 0 counts as positive."""
    padded = np.pad(signal, WINDOW_SAMPLES // 2, mode="edge")
    is_negative = padded < -ZERO_THRESHOLD
    crossings = np.zeros(len(padded), np.int32)
    np.cumsum(is_negative[1:] ^ is_negative[:-1], out=crossings[1:], dtype=np.int32)
    starts = np.arange(0, len(padded) - WINDOW_SAMPLES + 1, HOP_SAMPLES)
    return (crossings[starts + WINDOW_SAMPLES - 1] - crossings[starts]) / WINDOW_SAMPLES
