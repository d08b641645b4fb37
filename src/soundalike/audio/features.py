"""Waveform to numbers: feature sets, each named, versioned and behind one small interface."""

from dataclasses import dataclass, field
from functools import cache
from typing import Protocol

import numpy as np
import numpy.typing as npt

from soundalike.domain.features import FeatureSchema, FeatureVectors
from soundalike.domain.types import FloatArray

RATE = 22_050
WINDOW_SAMPLES = 2_048
HOP_SAMPLES = 512
MEL_BANDS = 128
MFCC_COUNT = 20
VARIANCE_FLOOR = 1e-10
TOP_DB = 80.0
POWER_FLOOR = 1e-10
ZERO_THRESHOLD = 1e-10
_BLOCK_FRAMES = 128  # a block of windows stays in the processor's cache


class Extractor(Protocol):
    """One feature set."""

    @property
    def schema(self) -> FeatureSchema:
        """Name, version and order of its numbers."""

    def extract(self, signal: FloatArray) -> FloatArray:
        """Turn a signal into its vector.

        Parameters
        ----------
        signal : FloatArray, shape (samples,)
            Mono, finite, 22,050 Hz, not empty.
        """

    def extract_parts(self, signal: FloatArray) -> FeatureVectors:
        """Turn a signal into the vectors of the whole and of its halves; `signal` as for `extract`."""


def _timbre_schema() -> FeatureSchema:
    names = [*(f"mfcc_{i}" for i in range(1, MFCC_COUNT + 1)), "centroid", "zcr"]
    groups = [*("mfcc" for _ in range(MFCC_COUNT)), "centroid", "zcr"]
    features = [f"{name}_{statistic}" for statistic in ("mean", "log_var") for name in names]
    return FeatureSchema("timbre", 1, tuple(features), tuple(groups * 2))


@dataclass(frozen=True, slots=True)
class Timbre:
    """MFCC 1 to 20, spectral centroid (Hz) and zero-crossing rate: mean and log variance of frames.

    Equal to librosa's ``mfcc``, ``spectral_centroid`` and ``zero_crossing_rate`` with their defaults,
    but from one STFT in blocks, and without librosa's start of several seconds in every process.
    """

    schema: FeatureSchema = field(default_factory=_timbre_schema)

    def extract(self, signal: FloatArray) -> FloatArray:
        """Turn a signal into its vector; see `Extractor`."""
        return summarise(frame_features(signal))

    def extract_parts(self, signal: FloatArray) -> FeatureVectors:
        """Turn a signal into three vectors.

        The halves are those of the whole's own frames: a frame belongs to the half that its centre
        lies in, may reach over the middle by half a window, and its decibels are limited to 80 below
        the loudest of the whole.
        """
        frames = frame_features(signal)
        middle = max(1, frames.shape[1] // 2)
        first, second = frames[:, :middle], frames[:, frames.shape[1] - middle :]
        return FeatureVectors(self.schema, summarise(frames), summarise(first), summarise(second))


def summarise(frames: npt.NDArray[np.float64]) -> FloatArray:
    """Return each feature's mean, then each one's ln(variance + 1e-10), over frames.

    Parameters
    ----------
    frames : array, shape (features, frames)
        Features of each frame.
    """
    log_variance = np.log(frames.var(axis=1) + VARIANCE_FLOOR)
    return np.concatenate([frames.mean(axis=1), log_variance]).astype(np.float32)


def frame_features(signal: FloatArray) -> npt.NDArray[np.float64]:
    """Return MFCC, centroid (Hz) and zero-crossing rate of each frame, shape (22, frames).

    Frames of 2,048 samples every 512, centred, the signal padded with zeros as `librosa.stft` does.
    """
    from scipy.fft import dct, rfft  # noqa: PLC0415 - workers alone pay for SciPy

    signal = np.ascontiguousarray(signal, dtype=np.float32)
    padded = np.pad(signal, WINDOW_SAMPLES // 2)
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW_SAMPLES)[::HOP_SAMPLES]
    mel = np.empty((MEL_BANDS, len(windows)), np.float32)
    centroid = np.empty(len(windows), np.float32)
    for start in range(0, len(windows), _BLOCK_FRAMES):
        block = slice(start, start + _BLOCK_FRAMES)
        spectrum = rfft(windows[block] * _window(), axis=1, overwrite_x=True)
        power = spectrum.real**2 + spectrum.imag**2
        mel[:, block] = _mel_filters() @ power.T
        centroid[block] = _centroid(np.sqrt(power))
    mfcc = dct(_decibels(mel), axis=0, type=2, norm="ortho")[:MFCC_COUNT]
    return np.vstack([mfcc, centroid, _zero_crossing_rate(signal)]).astype(np.float64)


def _centroid(magnitude: FloatArray) -> FloatArray:
    """Mean frequency of each frame, weighted by magnitude; 0 where there is silence."""
    frequencies = np.linspace(0, RATE / 2, WINDOW_SAMPLES // 2 + 1, dtype=np.float32)
    total = magnitude.sum(axis=1)
    weighted = magnitude @ frequencies
    centroid: FloatArray = np.zeros_like(total)
    np.divide(weighted, total, out=centroid, where=total > np.finfo(np.float32).tiny)
    return centroid


def _decibels(power: FloatArray) -> FloatArray:
    """Power in dB re 1, not below 80 dB under the loudest."""
    decibels = 10 * np.log10(np.maximum(power, POWER_FLOOR))
    limited: FloatArray = np.maximum(decibels, decibels.max() - TOP_DB)
    return limited


def _zero_crossing_rate(signal: FloatArray) -> npt.NDArray[np.float64]:
    """Count changes of sign over each frame's length; ends are repeated, 0 counts as positive."""
    padded = np.pad(signal, WINDOW_SAMPLES // 2, mode="edge")
    is_negative = padded < -ZERO_THRESHOLD
    crossings = np.zeros(len(padded), np.int32)
    np.cumsum(is_negative[1:] ^ is_negative[:-1], out=crossings[1:], dtype=np.int32)
    starts = np.arange(0, len(padded) - WINDOW_SAMPLES + 1, HOP_SAMPLES)
    return (crossings[starts + WINDOW_SAMPLES - 1] - crossings[starts]) / WINDOW_SAMPLES


@cache
def _window() -> FloatArray:
    """Periodic Hann window."""
    phase = 2 * np.pi * np.arange(WINDOW_SAMPLES) / WINDOW_SAMPLES
    return (0.5 - 0.5 * np.cos(phase)).astype(np.float32)


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


_LINEAR_HERTZ = 200 / 3
_LOG_FROM_HERTZ = 1_000.0
_LOG_FROM_MEL = _LOG_FROM_HERTZ / _LINEAR_HERTZ
_LOG_STEP = np.log(6.4) / 27


def _mel(hertz: float) -> float:
    if hertz < _LOG_FROM_HERTZ:
        return hertz / _LINEAR_HERTZ
    return float(_LOG_FROM_MEL + np.log(hertz / _LOG_FROM_HERTZ) / _LOG_STEP)


def _hertz(mel: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    logarithmic = _LOG_FROM_HERTZ * np.exp(_LOG_STEP * (mel - _LOG_FROM_MEL))
    return np.where(mel < _LOG_FROM_MEL, mel * _LINEAR_HERTZ, logarithmic)
