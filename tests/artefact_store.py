"""Artefacts in memory, for tests of what reads them."""

from dataclasses import fields

import numpy as np

from making import make_schema
from soundalike.domain.errors import NoArtefactError
from soundalike.domain.features import FeatureSchema
from soundalike.domain.similarity.groups import group_vectors
from soundalike.domain.similarity.space import (
    DEFAULT_RECIPE,
    Artefact,
    ArtefactDraft,
    Neighbours,
    SimilaritySpace,
)
from soundalike.domain.types import ArtefactVersion, FloatArray, TrackId


def plain_space(size: int) -> SimilaritySpace:
    """A space in which a vector's coordinates are its own numbers."""
    return SimilaritySpace(
        mean=np.zeros(size, dtype=np.float32),
        scale=np.ones(size, dtype=np.float32),
        clip=None,
        weights=np.eye(size, dtype=np.float32),
        offset=np.zeros(size, dtype=np.float32),
        is_unit_length=False,
    )


def brute_neighbours(points: FloatArray, k: int) -> Neighbours:
    """Each row's k nearest others by sorting all distances, padded with -1."""
    away = np.linalg.norm(points[:, None].astype(np.float64) - points[None], axis=2)
    np.fill_diagonal(away, np.inf)
    rows = np.full((len(points), k), -1, dtype=np.int32)
    distances = np.full((len(points), k), np.inf, dtype=np.float32)
    order = np.argsort(away, axis=1, kind="stable")[:, : min(k, len(points) - 1)]
    rows[:, : order.shape[1]] = order
    distances[:, : order.shape[1]] = np.take_along_axis(away, order, axis=1)
    return Neighbours(rows, distances)


def make_draft(
    points: dict[str, list[float]], *, k: int = 2, schema: FeatureSchema | None = None
) -> ArtefactDraft:
    """A draft in which every track lies where it is put."""
    coordinates = np.array(list(points.values()), dtype=np.float32)
    coordinates.setflags(write=False)
    schema = schema or make_schema(coordinates.shape[1])
    return ArtefactDraft(
        schema=schema,
        recipe=DEFAULT_RECIPE,
        space=plain_space(coordinates.shape[1]),
        track_ids=tuple(TrackId(name) for name in points),
        coordinates=coordinates,
        neighbours=brute_neighbours(coordinates, k),
        groups=group_vectors(schema, coordinates.astype(np.float64)),
    )


class MemoryArtefactStore:
    """The `ArtefactStore` port on a list."""

    def __init__(self) -> None:
        self.published: list[Artefact] = []

    def current(self) -> Artefact:
        if not self.published:
            msg = "nothing has been built yet; run 'soundalike build'"
            raise NoArtefactError(msg)
        return self.published[-1]

    def publish(self, draft: ArtefactDraft) -> ArtefactVersion:
        version = ArtefactVersion(f"{len(self.published) + 1:06d}")
        values = {field.name: getattr(draft, field.name) for field in fields(ArtefactDraft)}
        self.published.append(Artefact(version=version, **values))
        return version
