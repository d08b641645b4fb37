"""An extractor that dies or hangs, for workers to be tested with; they import it by name."""

import os
import signal
import time
from dataclasses import dataclass

from soundalike.audio.features.timbre import Timbre
from soundalike.domain.features import FeatureSchema, FeatureVectors
from soundalike.domain.types import FloatArray

DEADLY_S, ENDLESS_S = 5, 7


@dataclass(frozen=True)
class Fragile:
    """Timbre, but a signal of a certain length kills its process or never ends."""

    ends_with: int = signal.SIGKILL

    @property
    def schema(self) -> FeatureSchema:
        return Timbre().schema

    def extract(self, signal: FloatArray) -> FloatArray:
        return Timbre().extract(signal)

    def extract_parts(self, signal: FloatArray) -> FeatureVectors:
        seconds = round(len(signal) / 22_050)
        if seconds == DEADLY_S:
            os.kill(os.getpid(), self.ends_with)
        if seconds == ENDLESS_S:
            time.sleep(3_600)
        return Timbre().extract_parts(signal)
