"""A made library whose distances are like those of real features: clusters, hubs, unequal directions."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from soundalike.domain.features import FeatureSchema
from soundalike.domain.similarity.space import AffineMap, SimilaritySpace
from soundalike.domain.snapshot import Snapshot, SnapshotRow
from soundalike.domain.types import FloatArray, TrackId
from soundalike.learning.snapshots import ParquetSnapshots

_PER_CLUSTER, _SPREAD_SAMPLE = 20, 200


def points(count: int, width: int) -> FloatArray:
    """Return points of length 1, shape (count, width)."""
    rng = np.random.default_rng(width)
    directions = rng.normal(size=(width, width)) * np.arange(1, width + 1) ** -0.5
    centres = rng.normal(size=(max(1, count // _PER_CLUSTER), width))
    made = centres[rng.integers(len(centres), size=count)] + 0.7 * rng.normal(size=(count, width))
    made = made @ directions
    made /= np.linalg.norm(made, axis=1, keepdims=True)
    return np.asarray(made, dtype=np.float32)


def spread_of(coordinates: FloatArray) -> FloatArray:
    """Return the mean and deviation of the distances from each row to a sample, shape (n, 2)."""
    sample = coordinates[np.random.default_rng(0).choice(len(coordinates), _SPREAD_SAMPLE)]
    away = np.sqrt(np.maximum(2 - 2 * coordinates @ sample.T, 0))
    return np.stack([away.mean(axis=1), away.std(axis=1)], axis=1).astype(np.float32)


def schema_of(width: int) -> FeatureSchema:
    """Return a set of so many features."""
    return FeatureSchema("made", 1, tuple(f"f{number}" for number in range(width)), ("all",) * width)


def space_of(width: int) -> SimilaritySpace:
    """Return the space in which features are the coordinates."""
    plain = AffineMap(
        columns=np.arange(width),
        mean=np.zeros(width, dtype=np.float32),
        scale=np.ones(width, dtype=np.float32),
        clip=None,
        weights=np.eye(width, dtype=np.float32),
        offset=np.zeros(width, dtype=np.float32),
        is_unit_length=False,
    )
    return SimilaritySpace((plain,))


def snapshot_of(coordinates: FloatArray, path: Path) -> Snapshot:
    """Write a snapshot whose features are the coordinates."""
    schema = schema_of(coordinates.shape[1])
    return ParquetSnapshots().write([schema], _rows(coordinates), str(path))


def track_id(number: int) -> TrackId:
    """Return the id of a made track; they ascend."""
    return TrackId(f"t{number:07d}")


def _rows(coordinates: FloatArray) -> Iterator[SnapshotRow]:
    none = np.empty((0, coordinates.shape[1]), dtype=np.float32)
    for number, summary in enumerate(coordinates):
        yield SnapshotRow(
            track_id=track_id(number),
            title="",
            artist=None,
            album=None,
            genre=None,
            year=None,
            duration_ms=1,
            root="",
            path="",
            summary=summary,
            parts=(none,),
        )
