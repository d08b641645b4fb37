"""Frames of a signal and their power spectra, which families share: 2,048 samples every 512, centred."""

from collections.abc import Iterator
from functools import cache

import numpy as np

from soundalike.domain.types import FloatArray

RATE = 22_050
"""Samples per second of the signals that families are computed from."""

WINDOW_SAMPLES = 2_048
HOP_SAMPLES = 512
_BLOCK_FRAMES = 128  # a block of windows stays in the processor's cache


def power_spectra(signal: FloatArray) -> Iterator[FloatArray]:
    """Yield the power spectra of blocks of frames, shape (frames, 1025), as `librosa.stft` does.

    The signal is padded with zeros by half a window at both ends.
    """
    from scipy.fft import rfft  # noqa: PLC0415 - only workers load SciPy

    padded = np.pad(signal, WINDOW_SAMPLES // 2)
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW_SAMPLES)[::HOP_SAMPLES]
    for start in range(0, len(windows), _BLOCK_FRAMES):
        spectrum = rfft(windows[start : start + _BLOCK_FRAMES] * _window(), axis=1, overwrite_x=True)
        yield spectrum.real**2 + spectrum.imag**2


@cache
def _window() -> FloatArray:
    """Periodic Hann window."""
    phase = 2 * np.pi * np.arange(WINDOW_SAMPLES) / WINDOW_SAMPLES
    return (0.5 - 0.5 * np.cos(phase)).astype(np.float32)
