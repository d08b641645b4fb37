"""Spectral centroid, as `librosa.feature.spectral_centroid` with its defaults."""

import numpy as np

from soundalike.audio.features.frames import RATE, WINDOW_SAMPLES
from soundalike.domain.types import FloatArray


def spectral_centroid(power: FloatArray) -> FloatArray:
    """Return the mean frequency (Hz) of each frame weighted by magnitude; 0 for silence.

    Parameters
    ----------
    power : FloatArray, shape (frames, 1025)
        Power spectra.
    """
    magnitude = np.sqrt(power)
    frequencies = np.linspace(0, RATE / 2, WINDOW_SAMPLES // 2 + 1, dtype=np.float32)
    total = magnitude.sum(axis=1)
    centroid: FloatArray = np.zeros_like(total)
    np.divide(magnitude @ frequencies, total, out=centroid, where=total > np.finfo(np.float32).tiny)
    return centroid
