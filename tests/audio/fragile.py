"""An extractor that dies or hangs, for workers to be tested with; they import it by name."""

import os
import signal
import time
from dataclasses import dataclass, field

from soundalike.audio.features.extractor import Window
from soundalike.audio.features.frames import RATE
from soundalike.audio.features.timbre import Timbre
from soundalike.domain.features import FeatureSchema, FeatureVectors
from soundalike.domain.types import FloatArray

DEADLY_S, ENDLESS_S = 5, 7


@dataclass(frozen=True)
class Fragile:
    """Timbre, but a signal of a certain length kills its process or never ends."""

    ends_with: int = signal.SIGKILL

    schema: FeatureSchema = field(default_factory=lambda: Timbre().schema)
    rate: int = RATE
    window: Window = Window.EXCERPT
    priority: int = 0

    def extract(self, signal: FloatArray, start_ms: int) -> FeatureVectors:
        seconds = round(len(signal) / RATE)
        if seconds == DEADLY_S:
            os.kill(os.getpid(), self.ends_with)
        if seconds == ENDLESS_S:
            time.sleep(3_600)
        return Timbre().extract(signal, start_ms)
