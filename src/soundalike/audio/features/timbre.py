"""The feature set ``timbre``: MFCC 1 to 20, spectral centroid (Hz) and zero-crossing rate."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from soundalike.audio.features.centroid import spectral_centroid
from soundalike.audio.features.extractor import Window
from soundalike.audio.features.frames import RATE, power_spectra
from soundalike.audio.features.mfcc import MFCC_COUNT, mel_power, mfcc
from soundalike.audio.features.zero_crossings import zero_crossing_rate
from soundalike.domain.features import FeatureSchema, FeatureVectors, whole_and_halves
from soundalike.domain.types import FloatArray

VARIANCE_FLOOR = 1e-10


def _schema() -> FeatureSchema:
    names = [*(f"mfcc_{i}" for i in range(1, MFCC_COUNT + 1)), "centroid", "zcr"]
    groups = [*("mfcc" for _ in range(MFCC_COUNT)), "centroid", "zcr"]
    features = [f"{name}_{statistic}" for statistic in ("mean", "log_var") for name in names]
    return FeatureSchema("timbre", 1, tuple(features), tuple(groups * 2))


@dataclass(frozen=True, slots=True)
class Timbre:
    """Mean and log variance of each family's numbers over frames, of the excerpt and its halves.

    Equal to librosa's, but from one STFT in blocks, and without librosa's start of several seconds in
    every process.
    """

    schema: FeatureSchema = field(default_factory=_schema)
    rate: int = RATE
    window: Window = Window.EXCERPT
    priority: int = 0

    def extract(self, signal: FloatArray, start_ms: int) -> FeatureVectors:
        """Turn a signal into three vectors; see `Extractor`.

        The halves are those of the whole's own frames: a frame belongs to the half that its centre is
        in, may reach over the middle by half a window, and its decibels are limited to 80 below the
        loudest of the whole.
        """
        frames = frame_features(signal)
        middle = max(1, frames.shape[1] // 2)
        first, second = frames[:, :middle], frames[:, frames.shape[1] - middle :]
        values = np.stack([summarise(each) for each in (frames, first, second)])
        patches = whole_and_halves(start_ms, len(signal) * 1_000 // RATE)
        return FeatureVectors(self.schema, patches, values)


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
    """Return MFCC, centroid (Hz) and zero-crossing rate of each frame, shape (22, frames)."""
    signal = np.ascontiguousarray(signal, dtype=np.float32)
    mel, centroid = [], []
    for power in power_spectra(signal):
        mel.append(mel_power(power))
        centroid.append(spectral_centroid(power))
    coefficients = mfcc(np.concatenate(mel, axis=1))
    return np.vstack([coefficients, np.concatenate(centroid), zero_crossing_rate(signal)]).astype(np.float64)
