"""What every feature set offers."""

from enum import IntEnum
from typing import Protocol

from soundalike.domain.features import FeatureSchema, FeatureVectors
from soundalike.domain.types import FloatArray


class Window(IntEnum):
    """Which part of a track a set is computed from: the middle so many seconds, all of a shorter track."""

    EXCERPT = 30

    TRACK = 1_800
    """The whole track; of more than half an hour the middle, so that memory is bounded."""


class Extractor(Protocol):
    """One feature set."""

    @property
    def schema(self) -> FeatureSchema:
        """Name, version and order of its numbers."""

    @property
    def rate(self) -> int:
        """Samples per second of the signals that it takes."""

    @property
    def window(self) -> Window:
        """Which part of a track it takes."""

    @property
    def priority(self) -> int:
        """When it is computed: sets of lower numbers first, for the whole library, equal ones together."""

    def extract(self, signal: FloatArray, start_ms: int) -> FeatureVectors:
        """Turn a signal into the vectors of its patches.

        Parameters
        ----------
        signal : FloatArray, shape (samples,)
            Mono, finite, at `rate`, not empty.
        start_ms : int
            Where in the track the signal begins.
        """
