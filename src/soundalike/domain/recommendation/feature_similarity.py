"""In which of its features a track sounds like another."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from soundalike.domain.features import FeatureSchema
from soundalike.domain.similarity.space import SimilaritySpace
from soundalike.domain.types import FloatArray

_SIMILAR_QUANTILE = 0.25
_NAMES = {"mfcc": "timbre", "centroid": "brightness", "zcr": "noisiness"}


@dataclass(frozen=True, slots=True)
class FeatureSimilarity:
    """Finds the groups of features in which two tracks are similar.

    Parameters
    ----------
    space : SimilaritySpace
        Brings features to a common scale.
    columns : tuple of (str, tuple of int)
        The name of each group, and the columns of its features.
    thresholds : tuple of float
        For each group the distance that a quarter of random pairs does not exceed.
    """

    space: SimilaritySpace
    columns: tuple[tuple[str, tuple[int, ...]], ...]
    thresholds: tuple[float, ...]

    @classmethod
    def fit(cls, schema: FeatureSchema, space: SimilaritySpace, vectors: FloatArray) -> Self:
        """Measure the distances of random tracks in each group of features.

        Parameters
        ----------
        schema : FeatureSchema
            Of d features.
        space : SimilaritySpace
            Brings features to a common scale.
        vectors : FloatArray, shape (n, d)
            Of a sample of the library.
        """
        columns = tuple(
            (_NAMES.get(group, group), tuple(np.flatnonzero(np.array(schema.groups) == group).tolist()))
            for group in dict.fromkeys(schema.groups)
        )
        scaled = space.scale_features(vectors)
        first, second = np.triu_indices(len(vectors), 1)
        thresholds = []
        for _, group in columns:
            values = scaled[:, list(group)]
            distances = _distances(values[first], values[second])
            thresholds.append(float(np.quantile(distances, _SIMILAR_QUANTILE)) if len(distances) else 0.0)
        return cls(space, columns, tuple(thresholds))

    def similar_groups(self, first: FloatArray, second: FloatArray) -> tuple[str, ...]:
        """Return the groups in which two vectors, shape (d,), are nearer than most random pairs.

        Parameters
        ----------
        first, second : FloatArray, shape (d,)
            Raw features of two tracks.
        """
        difference = np.subtract(*self.space.scale_features(np.stack([first, second])))
        return tuple(
            name
            for (name, group), threshold in zip(self.columns, self.thresholds, strict=True)
            if 0 < threshold >= np.linalg.norm(difference[list(group)])
        )


def list_words(words: Sequence[str]) -> str:
    """Return ``"timbre, brightness and noisiness"``."""
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def _distances(first: npt.NDArray[np.float64], second: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    distances: npt.NDArray[np.float64] = np.linalg.norm(first - second, axis=-1)
    return distances
