"""A small library on disk, with everything that a player needs around it."""

import os
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from flask.testing import FlaskClient

from fakes import MemoryStore
from making import make_schema, make_track
from soundalike.domain.errors import NoArtefactError, TrackGoneError
from soundalike.domain.features import FeatureVectors
from soundalike.domain.files import FileStamp, Root
from soundalike.domain.ports import Cover
from soundalike.domain.similarity import Artefact, ArtefactDraft, Neighbours, SimilaritySpace, SpaceRecipe
from soundalike.domain.tracks import Track
from soundalike.domain.types import ArtefactVersion, FloatArray, IndexArray, RootName, TrackId
from soundalike.services import Services
from soundalike.services.library import Library
from soundalike.services.listening import Listening
from soundalike.services.neighbours import NeighbourFinder
from soundalike.services.roots import RootMap
from soundalike.web.app import create_app

SCHEMA = make_schema(2)
LOCAL = {"Host": "localhost"}


class Store(MemoryStore):
    """A store in memory that can be made to fail."""

    def __init__(self) -> None:
        super().__init__()
        self.failure: Exception | None = None

    def track(self, track_id: TrackId) -> Track | None:
        if self.failure:
            raise self.failure
        return super().track(track_id)


class Shelf:
    """Holds one artefact, or none, and can be made to fail."""

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

    def publish(self, draft: ArtefactDraft) -> ArtefactVersion:
        raise NotImplementedError


class Files:
    """Opens files as they are, and remembers what it opened."""

    def __init__(self) -> None:
        self.covers: dict[str, Cover] = {}
        self.opened: list[BinaryIO] = []

    def open(self, real_path: Path, stamp: FileStamp) -> BinaryIO:
        try:
            file = real_path.open("rb")
        except OSError as error:
            msg = f"{real_path.name} is gone"
            raise TrackGoneError(msg) from error
        self.opened.append(file)
        assert real_path.stat().st_size == stamp.size_bytes
        return file

    def cover(self, file: BinaryIO) -> Cover | None:
        return self.covers.get(Path(file.name).name)


class Stage:
    """A library in a folder; `add` puts a track there, `build` learns from all of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = Store()
        self.store.save_root(Root(RootName("music"), folder))
        self.shelf = Shelf()
        self.files = Files()
        self.allowed_hosts: frozenset[str] = frozenset()

    @property
    def services(self) -> Services:
        roots = RootMap(self.store, {})
        library = Library(self.store, roots)
        return Services(
            library=library,
            listening=Listening(library, roots, self.files),
            neighbours=NeighbourFinder(self.store, self.shelf, library),
        )

    def client(self) -> FlaskClient:
        return create_app(self.services, allowed_hosts=self.allowed_hosts).test_client()

    def add(
        self,
        track_id: str,
        *,
        data: bytes = b"sound",
        size_bytes: int | None = None,
        point: tuple[float, float] | None = (0.0, 0.0),
        cover: Cover | None = None,
        **tags: Any,
    ) -> Track:
        size_bytes = len(data) if size_bytes is None else size_bytes
        track = make_track(track_id, size_bytes=size_bytes, **tags)
        name = track.location.path.decode()
        (self.folder / name).write_bytes(data)
        os.truncate(self.folder / name, size_bytes)
        if cover is not None:
            self.files.covers[name] = cover
        self.store.save_track(track, None if point is None else _vectors(point))
        return track

    def build(self, version: str = "v1", *, k: int = 2) -> None:
        known = list(self.store.track_vectors(SCHEMA))
        points = np.stack([one.vectors.whole for one in known])
        self.shelf.artefact = Artefact(
            version=ArtefactVersion(version),
            schema=SCHEMA,
            recipe=SpaceRecipe(),
            space=_plain_space(),
            track_ids=tuple(one.track_id for one in known),
            coordinates=points,
            neighbours=_exact(points, min(k, len(points) - 1)),
        )


def _vectors(point: tuple[float, float]) -> FeatureVectors:
    whole, first, second = np.tile(np.array(point, dtype=np.float32), (3, 1))
    return FeatureVectors(SCHEMA, whole, first, second)


def _plain_space() -> SimilaritySpace:
    zeros, ones = np.zeros(2, dtype=np.float32), np.ones(2, dtype=np.float32)
    weights = np.eye(2, dtype=np.float32)
    return SimilaritySpace(
        mean=zeros, scale=ones, clip=None, weights=weights, offset=zeros, is_unit_length=False
    )


def _exact(points: FloatArray, k: int) -> Neighbours:
    away = np.linalg.norm(points[:, np.newaxis] - points[np.newaxis], axis=2)
    np.fill_diagonal(away, np.inf)
    rows: IndexArray = np.argsort(away, axis=1, kind="stable")[:, :k].astype(np.int32)
    return Neighbours(rows, np.take_along_axis(away, rows, axis=1).astype(np.float32))
