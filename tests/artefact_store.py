"""Artefacts in memory, for tests of what reads them."""

from collections.abc import Callable
from dataclasses import fields

import numpy as np

from making import make_schema
from soundalike.domain.errors import ArtefactReplacedError, NoArtefactError
from soundalike.domain.features import FeatureSchema
from soundalike.domain.similarity.recipe import Ingredient, Recipe
from soundalike.domain.similarity.space import (
    AffineMap,
    Artefact,
    ArtefactDraft,
    Neighbours,
    SimilaritySpace,
)
from soundalike.domain.types import ArtefactVersion, FloatArray, TrackId


def plain_space(size: int) -> SimilaritySpace:
    """A space in which a vector's coordinates are its own numbers."""
    plain = AffineMap(
        columns=np.arange(size),
        mean=np.zeros(size, dtype=np.float32),
        scale=np.ones(size, dtype=np.float32),
        clip=None,
        weights=np.eye(size, dtype=np.float32),
        offset=np.zeros(size, dtype=np.float32),
        is_unit_length=False,
    )
    return SimilaritySpace((plain,))


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
    space = plain_space(coordinates.shape[1])
    return ArtefactDraft(
        schemas=(schema,),
        recipe=Recipe((Ingredient(feature_set=schema.name),)),
        space=space,
        track_ids=tuple(TrackId(name) for name in points),
        coordinates=coordinates,
        neighbours=brute_neighbours(coordinates, k),
        groups=space.group_vectors([schema], coordinates),
    )


class MemoryArtefactStore:
    """The `ArtefactStore` port on a list."""

    def __init__(self) -> None:
        self.published: list[Artefact] = []
        self.in_use: Artefact | None = None
        self.of_older_format: Recipe | None = None
        self.before_publishing: Callable[[], None] = lambda: None

    def current(self) -> Artefact:
        if self.in_use is None:
            msg = "nothing has been built yet; run 'soundalike build'"
            raise NoArtefactError(msg)
        return self.in_use

    def old_recipe(self) -> Recipe | None:
        return self.of_older_format

    def publish(self, draft: ArtefactDraft, *, replacing: ArtefactVersion | None = None) -> ArtefactVersion:
        self.before_publishing()
        if replacing is not None and self.current().version != replacing:
            msg = f"another artefact than {replacing} is in use by now"
            raise ArtefactReplacedError(msg)
        version = ArtefactVersion(f"{len(self.published) + 1:06d}")
        values = {field.name: getattr(draft, field.name) for field in fields(ArtefactDraft)}
        self.published.append(Artefact(version=version, **values))
        self.in_use, self.of_older_format = self.published[-1], None
        return version
