"""What is learned from: the sets that the program computes from audio, and each of those imported."""

import shutil
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from soundalike.app import environment
from soundalike.domain.features import FeatureSchema
from soundalike.domain.fma import FMA_RECIPES, FMA_SETS
from soundalike.domain.ports.learning import ArtefactStore
from soundalike.domain.ports.library import Store
from soundalike.domain.similarity.recipe import RECIPES, Recipe, schemas_of
from soundalike.domain.types import LibraryId
from soundalike.learning.artefacts.belonging import IMPORTED
from soundalike.learning.artefacts.store import FolderArtefactStore
from soundalike.learning.snapshots import ParquetSnapshots
from soundalike.learning.tuning_file import TuningFile
from soundalike.services.learning.recipes import RecipeChooser
from soundalike.services.learning.snapshots import LibrarySnapshots
from soundalike.services.learning.training import Trainer
from soundalike.services.learning.updating import ArtefactUpdater
from soundalike.settings import Settings


@dataclass(frozen=True, slots=True)
class Learning:
    """Feature sets that are learned from together, and the artefacts of them.

    Parameters
    ----------
    schemas : tuple of FeatureSchema
        The sets.
    folder : Path
        Where the artefacts are.
    tuning : Path
        The file in which is kept what tuning chose.
    artefacts, recipes, trainer, updater
        What learns from them.
    """

    schemas: tuple[FeatureSchema, ...]
    folder: Path
    tuning: Path
    artefacts: ArtefactStore
    recipes: RecipeChooser
    trainer: Trainer
    updater: ArtefactUpdater

    def forget(self) -> None:
        """Remove the artefacts, and what tuning chose for them."""
        shutil.rmtree(self.folder, ignore_errors=True)
        with suppress(OSError):
            self.tuning.unlink(missing_ok=True)
        with suppress(OSError):  # another's artefacts are beside them
            self.folder.parent.rmdir()


@dataclass(frozen=True, slots=True)
class LearningMaker:
    """Makes what learns from a library.

    Parameters
    ----------
    settings : Settings
        Name the folders.
    store : Store
        Has the vectors.
    library_id : LibraryId
        For the artefacts.
    snapshots : LibrarySnapshots
        What is learned from.
    """

    settings: Settings
    store: Store
    library_id: LibraryId
    snapshots: LibrarySnapshots

    def from_audio(self, schemas: Sequence[FeatureSchema]) -> Learning:
        """Return what learns from the sets that the program computes."""
        return self._make(schemas, RECIPES, self.settings.artefacts, self.settings.tuning)

    def from_imports(self) -> tuple[Learning, ...]:
        """Return what learns from each of the imported sets, beside the artefacts of the audio."""
        found = []
        for recipe in FMA_RECIPES:
            schemas = schemas_of(recipe, FMA_SETS)
            name = schemas[0].name
            tuning = self.settings.tuning
            beside = tuning.with_name(f"{tuning.stem}-{name}{tuning.suffix}")
            found.append(self._make(schemas, (recipe,), self.settings.artefacts / IMPORTED / name, beside))
        return tuple(found)

    def _make(
        self, schemas: Sequence[FeatureSchema], recipes: Sequence[Recipe], folder: Path, tuning: Path
    ) -> Learning:
        artefacts = FolderArtefactStore(
            folder, schemas=schemas, clock=environment.now, library_id=self.library_id
        )
        chooser = RecipeChooser(self.store, artefacts, schemas=schemas, recipes=recipes)
        trainer = Trainer(
            self.snapshots,
            artefacts,
            tunings=TuningFile(tuning),
            recipes=chooser,
            timer=time.monotonic,
        )
        updater = ArtefactUpdater(self.store, artefacts, library=self.snapshots, recipes=chooser)
        return Learning(tuple(schemas), folder, tuning, artefacts, chooser, trainer, updater)


def snapshots_of(store: Store, settings: Settings) -> LibrarySnapshots:
    """Return what takes snapshots of a library.

    Parameters
    ----------
    store : Store
        Has the library.
    settings : Settings
        Name the data folder, in which a run has a folder of its own.
    """
    return LibrarySnapshots(
        store, ParquetSnapshots(), workspace=partial(environment.workspace, settings.data)
    )
