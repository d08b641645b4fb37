"""What every feature set offers."""

from typing import Protocol

from soundalike.domain.features import FeatureSchema, FeatureVectors
from soundalike.domain.types import FloatArray

RATE = 22_050
"""Samples per second of the signals that features are extracted from."""


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
