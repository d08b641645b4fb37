"""In which of its features a track sounds like another."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from soundalike.domain.recommendation.medoids import sample_rows
from soundalike.domain.similarity.groups import GroupVectors
from soundalike.domain.types import FloatArray

_SAMPLE = 128
_SIMILAR_QUANTILE = 0.25
_NAMES = {"mfcc": "timbre", "centroid": "brightness", "zcr": "noisiness"}


@dataclass(frozen=True, slots=True)
class FeatureSimilarity:
    """Finds the groups of features in which two tracks are similar.

    Parameters
    ----------
    columns : tuple of (str, slice)
        The name of each group, and the columns of its features.
    thresholds : tuple of float
        For each group the distance that a quarter of random pairs does not exceed.
    """

    columns: tuple[tuple[str, slice], ...]
    thresholds: tuple[float, ...]

    @classmethod
    def fit(cls, vectors: GroupVectors) -> Self:
        """Measure the distances of random tracks in each group of features."""
        sample = sample_rows(len(vectors.values), _SAMPLE)
        first, second = np.triu_indices(len(sample), 1)
        thresholds = []
        for group in vectors.groups:
            values = vectors.of(group)[sample].astype(np.float64)
            distances = np.linalg.norm(values[first] - values[second], axis=-1)
            thresholds.append(float(np.quantile(distances, _SIMILAR_QUANTILE)) if len(distances) else 0.0)
        columns = ((_NAMES.get(one.group, one.group), slice(one.start, one.stop)) for one in vectors.groups)
        return cls(tuple(columns), tuple(thresholds))

    def similar_groups(self, first: FloatArray, second: FloatArray) -> tuple[str, ...]:
        """Return the groups in which two tracks are nearer than most random pairs.

        Parameters
        ----------
        first, second : FloatArray, shape (c,)
            Rows of group vectors.
        """
        difference = np.subtract(first, second, dtype=np.float64)
        return tuple(
            name
            for (name, group), threshold in zip(self.columns, self.thresholds, strict=True)
            if 0 < threshold >= np.linalg.norm(difference[group])
        )
