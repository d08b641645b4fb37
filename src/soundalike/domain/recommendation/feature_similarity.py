"""In which of its features a track sounds like another."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from soundalike.domain.features import FeatureSchema
from soundalike.domain.recommendation.medoids import AnyFloats
from soundalike.domain.similarity.space import SimilaritySpace
from soundalike.domain.types import FloatArray

_SIMILAR_SHARE = 0.25
_NAMES = {"mfcc": "timbre", "centroid": "brightness", "zcr": "noisiness"}


@dataclass(frozen=True, slots=True)
class Ear:
    """Tells in which groups of features two tracks are alike.

    Parameters
    ----------
    space : SimilaritySpace
        Brings features to a common scale.
    columns : tuple of (str, tuple of int)
        The word for each group, and where its features stand in a vector.
    similar : tuple of float
        For each group how far apart the nearest quarter of random pairs is at most.
    """

    space: SimilaritySpace
    columns: tuple[tuple[str, tuple[int, ...]], ...]
    similar: tuple[float, ...]

    def alike(self, one: FloatArray, other: FloatArray) -> tuple[str, ...]:
        """Return the groups in which two vectors, shape (d,), are nearer than most random pairs are."""
        first, second = self.space.scale_features(np.stack([one, other]))
        apart = [_apart(first[list(columns)], second[list(columns)]) for _, columns in self.columns]
        return tuple(
            name
            for (name, _), away, similar in zip(self.columns, apart, self.similar, strict=True)
            if away <= similar and similar > 0
        )


def train_ear(schema: FeatureSchema, space: SimilaritySpace, vectors: FloatArray) -> Ear:
    """Learn from some tracks of a library, shape (n, d), what is usual between random tracks."""
    columns = tuple(
        (
            _NAMES.get(group, group),
            tuple(place for place, other in enumerate(schema.groups) if other == group),
        )
        for group in dict.fromkeys(schema.groups)
    )
    scaled = space.scale_features(vectors)
    one, other = np.triu_indices(len(vectors), 1)
    similar = [
        float(np.quantile(_apart(scaled[one][:, list(where)], scaled[other][:, list(where)]), _SIMILAR_SHARE))
        if len(one)
        else 0.0
        for _, where in columns
    ]
    return Ear(space, columns, tuple(similar))


def list_words(words: Sequence[str]) -> str:
    """Return ``"timbre, brightness and noisiness"``."""
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def _apart(one: AnyFloats, other: AnyFloats) -> AnyFloats:
    away: AnyFloats = np.linalg.norm(one - other, axis=-1)
    return away
