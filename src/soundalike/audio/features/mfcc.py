"""Mel-frequency cepstral coefficients, as `librosa.feature.mfcc` with its defaults."""

from functools import cache

import numpy as np
import numpy.typing as npt

from soundalike.audio.features.frames import RATE, WINDOW_SAMPLES
from soundalike.domain.types import FloatArray

MEL_BANDS = 128
MFCC_COUNT = 20
TOP_DB = 80.0
POWER_FLOOR = 1e-10

_LINEAR_HERTZ = 200 / 3
_LOG_FROM_HERTZ = 1_000.0
_LOG_FROM_MEL = _LOG_FROM_HERTZ / _LINEAR_HERTZ
_LOG_STEP = np.log(6.4) / 27


def mel_power(power: FloatArray) -> FloatArray:
    """Return the power in each mel band, shape (128, frames), of power spectra (frames, 1025)."""
    mel: FloatArray = _mel_filters() @ power.T
    return mel


def mfcc(mel: FloatArray) -> FloatArray:
    """Return the coefficients 1 to 20, shape (20, frames), of all frames' power in mel bands."""
    from scipy.fft import dct  # noqa: PLC0415 - only workers load SciPy

    coefficients: FloatArray = dct(_decibels(mel), axis=0, type=2, norm="ortho")[:MFCC_COUNT]
    return coefficients


def _decibels(power: FloatArray) -> FloatArray:
    """Power in dB re 1, limited to 80 dB below the loudest."""
    decibels = 10 * np.log10(np.maximum(power, POWER_FLOOR))
    limited: FloatArray = np.maximum(decibels, decibels.max() - TOP_DB)
    return limited


@cache
def _mel_filters() -> FloatArray:
    """Slaney's mel filters, each of unit area: shape (128, 1025).

    Slaney, "Auditory Toolbox", 1998, as in `librosa.filters.mel`: linear to 1 kHz, then logarithmic.
    """
    edges = _hertz(np.linspace(_mel(0.0), _mel(RATE / 2), MEL_BANDS + 2))
    bins = np.linspace(0, RATE / 2, WINDOW_SAMPLES // 2 + 1)
    low, centre, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    triangles = np.maximum(0, np.minimum((bins - low) / (centre - low), (high - bins) / (high - centre)))
    return np.asarray(triangles * (2 / (high - low)), dtype=np.float32)


def _mel(hertz: float) -> float:
    if hertz < _LOG_FROM_HERTZ:
        return hertz / _LINEAR_HERTZ
    return float(_LOG_FROM_MEL + np.log(hertz / _LOG_FROM_HERTZ) / _LOG_STEP)


def _hertz(mel: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    logarithmic = _LOG_FROM_HERTZ * np.exp(_LOG_STEP * (mel - _LOG_FROM_MEL))
    return np.where(mel < _LOG_FROM_MEL, mel * _LINEAR_HERTZ, logarithmic)
