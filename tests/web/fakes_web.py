"""Fakes behind a player: quick passwords, a failing store, one artefact, recorded files."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np

from artefact_store import plain_space
from fakes import MemoryStore
from making import with_halves
from soundalike.domain.errors import NoArtefactError, TrackGoneError
from soundalike.domain.features import FeatureSchema, FeatureVectors, TrackVectors
from soundalike.domain.files import FileStamp
from soundalike.domain.ports.audio import Cover
from soundalike.domain.similarity.recipe import Ingredient, Recipe
from soundalike.domain.similarity.space import (
    Artefact,
    ArtefactDraft,
    Neighbours,
)
from soundalike.domain.tracks import Track
from soundalike.domain.types import ArtefactVersion, FloatArray, IndexArray, TrackId
from soundalike.passwords import find_weakness


class QuickHasher:
    """Hashes without salt in no time; remembers each comparison."""

    def __init__(self) -> None:
        self.compared: list[tuple[str, str]] = []

    def hash(self, password: str) -> str:
        return hashlib.sha256(password.encode(errors="surrogatepass")).hexdigest()

    def is_right(self, password: str, password_hash: str) -> bool:
        self.compared.append((password, password_hash))
        return self.hash(password) == password_hash

    def weakness(self, password: str, known: Sequence[str]) -> str | None:
        return find_weakness(password, known)


class FailingStore(MemoryStore):
    """A store in memory that can be made to fail."""

    def __init__(self) -> None:
        super().__init__()
        self.failure: Exception | None = None

    def track(self, track_id: TrackId) -> Track | None:
        if self.failure:
            raise self.failure
        return super().track(track_id)

    def lose(self, track_id: TrackId) -> None:
        """Remove a track, which no program does."""
        del self._tracks[track_id]


class OneArtefact:
    """An artefact store with one artefact or none, which can be made to fail."""

    def __init__(self) -> None:
        self.artefact: Artefact | None = None
        self.failure: Exception | None = None

    def current(self) -> Artefact:
        if self.failure:
            raise self.failure
        if self.artefact is None:
            msg = "nothing has been built yet; run 'soundalike build'"
            raise NoArtefactError(msg)
        return self.artefact

    def old_recipe(self) -> Recipe | None:
        return None

    def publish(self, draft: ArtefactDraft, *, replacing: ArtefactVersion | None = None) -> ArtefactVersion:
        raise NotImplementedError


class RecordingFiles:
    """Opens files without checks, and remembers them."""

    def __init__(self) -> None:
        self.covers: dict[str, Cover] = {}
        self.failure: Exception | None = None
        self.opened: list[BinaryIO] = []
        self.put_on_disk: Callable[[BinaryIO], BinaryIO] = lambda file: file
        """Puts each file that is opened on a disk of the test's own."""

    def open(self, real_path: Path, stamp: FileStamp) -> BinaryIO:
        if self.failure is not None:
            raise self.failure
        try:
            file = self.put_on_disk(real_path.open("rb"))
        except OSError as error:
            msg = f"{real_path.name} is gone"
            raise TrackGoneError(msg) from error
        self.opened.append(file)
        assert real_path.stat().st_size == stamp.size_bytes
        return file

    def cover(self, file: BinaryIO) -> Cover | None:
        return self.covers.get(Path(file.name).name)

    def folder_cover(self, folder: Path) -> Cover | None:
        return self.covers.get(folder.name)


def make_vectors(schema: FeatureSchema, point: tuple[float, float]) -> FeatureVectors:
    """Return the vectors of a track that lies at a point of the plane."""
    whole, first, second = np.tile(np.array(point, dtype=np.float32), (3, 1))
    return with_halves(schema, whole, first, second)


def make_artefact(
    version: str, schema: FeatureSchema, vectors: Sequence[TrackVectors], *, k: int
) -> Artefact:
    """Return an artefact in which the distance is the Euclidean one of the points themselves."""
    points = np.stack([one.vectors.summary for one in vectors])
    return Artefact(
        version=ArtefactVersion(version),
        schemas=(schema,),
        recipe=Recipe((Ingredient(feature_set=schema.name),)),
        space=plain_space(2),
        track_ids=tuple(one.track_id for one in vectors),
        coordinates=points,
        neighbours=_exact(points, min(k, len(points) - 1)),
    )


def _exact(points: FloatArray, k: int) -> Neighbours:
    away = np.linalg.norm(points[:, np.newaxis] - points[np.newaxis], axis=2)
    np.fill_diagonal(away, np.inf)
    rows: IndexArray = np.argsort(away, axis=1, kind="stable")[:, :k].astype(np.int32)
    return Neighbours(rows, np.take_along_axis(away, rows, axis=1).astype(np.float32))
