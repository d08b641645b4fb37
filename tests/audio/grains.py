"""A made feature set as others may come to be: a module of its own; workers import it by name."""

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from soundalike.audio.features.extractor import Window
from soundalike.domain.features import FeatureSchema, FeatureVectors, Patch, PatchRole
from soundalike.domain.types import FloatArray

PARTS, BANDS = 40, 64


def _schema() -> FeatureSchema:
    names = tuple(f"band_{number}" for number in range(BANDS))
    groups = tuple("low" if number < BANDS // 2 else "high" for number in range(BANDS))
    return FeatureSchema("grains", 1, names, groups, dtype="float16")


@dataclass(frozen=True)
class Grains:
    """The share of each band in the amplitude of each part, at a rate of its own; after timbre."""

    schema: FeatureSchema = field(default_factory=_schema)
    rate: int = 16_000
    window: Window = Window.EXCERPT
    priority: int = 1

    def extract(self, signal: FloatArray, start_ms: int) -> FeatureVectors:
        edges = np.linspace(0, len(signal), PARTS + 1).astype(int)
        starts_ms = [int(edge) * 1_000 // self.rate for edge in edges]
        patches = tuple(
            Patch(PatchRole.PART, start_ms + start, end - start) for start, end in pairwise(starts_ms)
        )
        values = [_bands(part) for part in np.split(signal, edges[1:-1])]
        return FeatureVectors(self.schema, patches, np.array(values, dtype=np.float16))


def _bands(part: FloatArray) -> FloatArray:
    amplitude = np.abs(np.fft.rfft(part, n=BANDS * 32))[1:]
    bands = amplitude.reshape(BANDS, -1).sum(axis=1)
    return np.asarray(bands / max(float(bands.sum()), 1e-9), dtype=np.float32)
