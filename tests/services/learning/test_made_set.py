"""A set of 40 parts of 64 numbers in float16 beside timbre: weighted in a recipe, built, searched."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from audio.grains import Grains
from audio.sounds import noise, sine
from making import SOME_TIME, make_track
from services.learning.school import MemoryTunings, quietly
from soundalike.audio.features.frames import RATE
from soundalike.audio.features.timbre import Timbre
from soundalike.domain.errors import NotAnalysedError
from soundalike.domain.features import FeatureVectors
from soundalike.domain.files import Root
from soundalike.domain.similarity.recipe import DEFAULT_RECIPE, Ingredient, Recipe
from soundalike.domain.types import FloatArray, RootName, TrackId
from soundalike.learning.artefacts.files import read_version
from soundalike.learning.artefacts.store import FolderArtefactStore
from soundalike.learning.numpy_engine import LocalEngine
from soundalike.learning.snapshots import ParquetSnapshots
from soundalike.services.learning.recipes import RecipeChooser
from soundalike.services.learning.snapshots import LibrarySnapshots
from soundalike.services.learning.training import Trainer
from soundalike.services.learning.updating import ArtefactUpdater, Freshness
from soundalike.services.library.browse import Library
from soundalike.services.library.roots import RootMap
from soundalike.services.recommendation.similar import NeighbourFinder
from soundalike.store.sqlite.store import SqliteStore

TIMBRE, GRAINS = Timbre(), Grains()
SCHEMAS = (TIMBRE.schema, GRAINS.schema)
MIXED = Recipe(
    (
        *DEFAULT_RECIPE.ingredients,
        Ingredient(feature_set="grains", groups=("high",), weight=0.25),
        Ingredient(feature_set="grains", groups=("low",), weight=2.0),
    )
)
TRACKS = 24


class World:
    """A stored library of tones, and what learns from it and is asked."""

    def __init__(self, folder: Path, store: SqliteStore) -> None:
        self.store, self.folder = store, folder
        store.save_root(Root(RootName("music"), Path("/m")))
        self.artefacts = FolderArtefactStore(folder / "artefacts", schemas=SCHEMAS, clock=lambda: SOME_TIME)
        recipes = RecipeChooser(store, self.artefacts, schemas=SCHEMAS, recipes=[DEFAULT_RECIPE, MIXED])
        library = LibrarySnapshots(store, ParquetSnapshots(), workspace=self.workspace)
        self.trainer = Trainer(
            library, self.artefacts, tunings=MemoryTunings(), recipes=recipes, timer=lambda: 0.0
        )
        self.updater = ArtefactUpdater(store, self.artefacts, library=library, recipes=recipes)
        self.neighbours = NeighbourFinder(store, self.artefacts, Library(store, RootMap(store, {})))
        self.engine = LocalEngine(ParquetSnapshots())

    @contextmanager
    def workspace(self) -> Iterator[Path]:
        yield self.folder

    def build(self) -> None:
        self.trainer.build(self.engine, progress=quietly)

    def add(self, number: int, *sets: FeatureVectors) -> None:
        self.store.save_track(make_track(f"t{number:02}"), *sets)


def tone(number: int, rate: int) -> FloatArray:
    return sine(200 + 97 * number, 2.0, rate=rate) + noise(2.0, rate=rate, seed=number)


def timbre(number: int) -> FeatureVectors:
    return TIMBRE.extract(tone(number, RATE), 0)


def grains(number: int) -> FeatureVectors:
    return GRAINS.extract(tone(number, GRAINS.rate), 0)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    store = SqliteStore(tmp_path / "library.sqlite")
    made = World(tmp_path, store)
    for number in range(TRACKS):
        made.add(number, timbre(number), grains(number))
    yield made
    store.close()


def test_it_is_weighted_fitted_built_and_searched(world: World) -> None:
    world.build()
    artefact = world.artefacts.current()
    assert (artefact.recipe, artefact.schemas) == (MIXED, SCHEMAS)
    assert artefact.coordinates.shape == (TRACKS, 44 + 32 + 32)
    lengths = [
        np.linalg.norm(artefact.coordinates[:, columns], axis=1)
        for columns in (slice(44), slice(44, 76), slice(76, 108))
    ]
    for length, weight in zip(lengths, (1.0, 0.25, 2.0), strict=True):
        np.testing.assert_allclose(length, weight, rtol=1e-5)
    found = world.neighbours.similar(TrackId("t10"), limit=TRACKS)
    away = np.linalg.norm(artefact.coordinates - artefact.coordinates[10], axis=1)
    nearest = [artefact.track_ids[row] for row in np.argsort(away) if row != 10]
    assert [one.track.id for one in found.neighbours] == nearest
    assert artefact.groups is not None
    assert [(one.feature_set, one.group) for one in artefact.groups.groups] == [
        *(("timbre", group) for group in ("mfcc", "centroid", "zcr")),
        ("grains", "high"),
        ("grains", "low"),
    ]


def test_a_track_without_it_is_outside_and_placed_as_it_comes(world: World) -> None:
    world.build()
    world.add(50, timbre(50))
    assert world.updater.freshness() is Freshness.CURRENT
    with pytest.raises(NotAnalysedError):
        world.neighbours.similar(TrackId("t50"))
    world.add(50, grains(50))
    assert world.neighbours.similar(TrackId("t50")).neighbours, "its place is told by its vectors"
    assert world.updater.update() == 1
    artefact = world.artefacts.current()
    assert artefact.track_ids[-1] == "t50"
    assert artefact.coordinates.shape == (TRACKS + 1, 44 + 32 + 32)


def test_the_library_moves_to_it_when_nearly_all_tracks_have_it(world: World) -> None:
    for number in range(TRACKS, TRACKS + 2):
        world.add(number, timbre(number))
    world.build()
    assert world.artefacts.current().recipe == DEFAULT_RECIPE
    world.add(TRACKS, grains(TRACKS))
    assert world.updater.freshness() is Freshness.OTHER_RECIPE
    world.build()
    assert world.artefacts.current().recipe == MIXED
    poorer = read_version(world.folder / "artefacts" / DEFAULT_RECIPE.key / "000001")
    assert len(poorer.track_ids) == TRACKS + 2
