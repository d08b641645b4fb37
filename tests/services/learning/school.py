"""A library on a plane, and everything that learns from it."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from artefact_store import MemoryArtefactStore, brute_neighbours, plain_space
from fakes import MemoryStore
from making import make_schema, make_track, with_halves
from soundalike.domain.errors import EngineError
from soundalike.domain.features import FeatureSchema
from soundalike.domain.ports.learning import SimilarityEngine
from soundalike.domain.ports.library import OnProgress
from soundalike.domain.similarity.recipe import DEFAULT_FITTING, Fitting, Ingredient, Recipe, Scaling
from soundalike.domain.similarity.space import LshParameters, Neighbours, SimilaritySpace
from soundalike.domain.snapshot import LibraryTable, Snapshot
from soundalike.domain.tuning import LshTuning, Objective, SpaceTuning
from soundalike.domain.types import FloatArray
from soundalike.learning.snapshots import ParquetSnapshots
from soundalike.services.learning.recipes import RecipeChooser
from soundalike.services.learning.snapshots import LibrarySnapshots
from soundalike.services.learning.training import Method, Trainer
from soundalike.services.learning.updating import ArtefactUpdater

SCHEMA = make_schema(2)
DEFAULT = Recipe((Ingredient(feature_set=SCHEMA.name, fitting=DEFAULT_FITTING),))
MIN_MAX = DEFAULT.fitted_by(Fitting(scaling=Scaling.MIN_MAX))
LSH = LshTuning(recipe=DEFAULT, trials=(), chosen=LshParameters(bucket_length=1.0, tables=2), track_count=5)


class PlainEngine:
    """Fits a space in which vectors stay as they are; its LSH finds one neighbour too few."""

    name = "plain"

    def __init__(self, *, has_lsh: bool = True) -> None:
        self.has_lsh = has_lsh
        self.fitted: list[Recipe] = []

    def fit(self, recipe: Recipe, snapshot: Snapshot) -> SimilaritySpace:
        self.fitted.append(recipe)
        return plain_space(snapshot.width)

    def neighbours(
        self, space: SimilaritySpace, snapshot: Snapshot, *, k: int, spread: FloatArray | None = None
    ) -> Neighbours:
        assert spread is None
        return brute_neighbours(space.transform(ParquetSnapshots().read(snapshot).summaries), k)

    def lsh_neighbours(
        self, space: SimilaritySpace, snapshot: Snapshot, *, k: int, parameters: LshParameters
    ) -> Neighbours:
        if not self.has_lsh:
            msg = "the engine plain has no LSH"
            raise EngineError(msg)
        assert parameters == LSH.chosen
        exact = self.neighbours(space, snapshot, k=k)
        rows, distances = exact.rows.copy(), exact.distances.copy()
        rows[:, 1], distances[:, 1] = -1, np.inf
        return Neighbours(rows, distances)

    def close(self) -> None:
        pass


class FixedTuner:
    """Chooses fixed parameters."""

    def __init__(self) -> None:
        self.tables: list[LibraryTable] = []
        self.lsh_runs = 0

    def tune_space(self, recipe: Recipe, table: LibraryTable, *, progress: OnProgress) -> SpaceTuning:
        assert recipe.key == MIN_MAX.key
        progress(1, 1)
        self.tables.append(table)
        return SpaceTuning(objective=Objective.HALVES, scores=(), chosen=MIN_MAX, track_count=len(table))

    def tune_lsh(
        self,
        engine: SimilarityEngine,
        recipe: Recipe,
        snapshot: Snapshot,
        *,
        progress: OnProgress,
        timer: Callable[[], float],
    ) -> LshTuning:
        del timer
        progress(1, 1)
        engine.fit(recipe, snapshot)
        self.lsh_runs += 1
        return replace(LSH, recipe=recipe)


class MemoryTunings:
    """The `Tunings` port in memory."""

    def __init__(self) -> None:
        self.kept_space: SpaceTuning | None = None
        self.kept_lsh: LshTuning | None = None

    def space(self) -> SpaceTuning | None:
        return self.kept_space

    def lsh(self) -> LshTuning | None:
        return self.kept_lsh

    def save_space(self, tuning: SpaceTuning) -> None:
        self.kept_space = tuning

    def save_lsh(self, tuning: LshTuning) -> None:
        self.kept_lsh = tuning


class School:
    """A library on a plane, and everything that learns from it."""

    def __init__(
        self,
        folder: Path,
        store: MemoryStore | None = None,
        *,
        recipes: Sequence[Recipe] = (DEFAULT,),
        schemas: Sequence[FeatureSchema] = (SCHEMA,),
    ) -> None:
        self.folder = folder
        self.store, self.artefacts, self.tuner = store or MemoryStore(), MemoryArtefactStore(), FixedTuner()
        self.tunings, self.engine = MemoryTunings(), PlainEngine()
        seconds = itertools.count()
        self.library = LibrarySnapshots(self.store, ParquetSnapshots(), workspace=self.workspace)
        self.recipes = RecipeChooser(self.store, self.artefacts, schemas=schemas, recipes=recipes)
        self.trainer = Trainer(
            self.library,
            self.artefacts,
            tunings=self.tunings,
            recipes=self.recipes,
            timer=lambda: float(next(seconds)),
        )
        self.updater = ArtefactUpdater(self.store, self.artefacts, library=self.library, recipes=self.recipes)

    @contextmanager
    def workspace(self) -> Iterator[Path]:
        yield self.folder

    def add(self, name: str, *place: float) -> None:
        parts = (np.array(place, dtype=np.float32) for _ in range(3))
        self.store.save_track(make_track(name, genre="g"), with_halves(SCHEMA, *parts))

    def add_many(self, names: str) -> None:
        for name in names:
            self.add(name, ord(name), (ord(name) * 7) % 5)

    def build(self, method: Method = Method.EXACT) -> None:
        self.trainer.build(self.engine, method=method, progress=quietly)

    def neighbours(self) -> dict[str, list[str]]:
        """Each track's neighbours by id, as the artefact in use has them."""
        artefact = self.artefacts.current()
        ids = artefact.track_ids
        return {
            ids[row]: [ids[n] for n in found if n >= 0] for row, found in enumerate(artefact.neighbours.rows)
        }


def quietly(_done: int, _total: int) -> None:
    """OnProgress that is not shown."""
