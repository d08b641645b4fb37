"""Bringing the artefact up to date with the library with as little work as possible."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from soundalike.domain.ports.learning import ArtefactStore, SimilarityEngine
from soundalike.domain.ports.library import OnProgress
from soundalike.domain.similarity.recipe import Recipe
from soundalike.domain.tuning import SpaceTuning
from soundalike.services.learning.recipes import RecipeChooser
from soundalike.services.learning.training import BuildReport, Trainer
from soundalike.services.learning.updating import ArtefactUpdater, Freshness


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What was done to bring the artefact up to date.

    Parameters
    ----------
    freshness : Freshness
        How it compared with the library before.
    placed : int
        Tracks that were added to its space.
    tuning : SpaceTuning or None
        What was measured to choose another space.
    engine : str
        Which engine built one and why; empty if none was built.
    build : BuildReport or None
        What was built.
    """

    freshness: Freshness
    placed: int = 0
    tuning: SpaceTuning | None = None
    engine: str = ""
    build: BuildReport | None = None


class Learner:
    """Tunes, builds or adds, whichever the library needs.

    Parameters
    ----------
    recipes : RecipeChooser
        Says what should be in use.
    updater : ArtefactUpdater
        Compares, and adds.
    trainer : Trainer
        Tunes and builds.
    artefacts : ArtefactStore
        The port it uses.
    open_engine : callable
        Opens the engine for building, with a sentence that says which it is and why.
    """

    def __init__(
        self,
        *,
        recipes: RecipeChooser,
        updater: ArtefactUpdater,
        trainer: Trainer,
        artefacts: ArtefactStore,
        open_engine: Callable[[], AbstractContextManager[tuple[SimilarityEngine, str]]],
    ) -> None:
        self._recipes = recipes
        self._updater = updater
        self._trainer = trainer
        self._artefacts = artefacts
        self._open_engine = open_engine

    def track_count(self) -> int | None:
        """Count the tracks of the artefact in use; None where there is none."""
        artefact = self._recipes.artefact()
        return None if artefact is None else len(artefact.track_ids)

    def place(self) -> int:
        """Add new tracks to the space in use; return how many."""
        return self._updater.update()

    def catch_up(self, *, progress: OnProgress) -> Learned:
        """Do what is needed.

        Parameters
        ----------
        progress : callable
            Called with (done, total) while spaces are measured.
        """
        wanted = self._recipes.wanted()
        freshness = self._updater.freshness(wanted)
        match freshness:
            case Freshness.CURRENT | Freshness.EMPTY:
                return Learned(freshness=freshness)
            case Freshness.BEHIND:
                return Learned(freshness=freshness, placed=self.place())
            case Freshness.OLD_FORMAT:  # again, in the same way
                return self._built(freshness, self._artefacts.old_recipe(), progress)
        tuning = self._trainer.tune_space(progress=progress) if wanted == self._recipes.default else None
        return self._built(freshness, self._trainer.as_tuned(wanted), progress, tuning=tuning)

    def _built(
        self,
        freshness: Freshness,
        recipe: Recipe | None,
        progress: OnProgress,
        *,
        tuning: SpaceTuning | None = None,
    ) -> Learned:
        with self._open_engine() as (engine, reason):
            build = self._trainer.build(engine, recipe=recipe, progress=progress)
        return Learned(freshness=freshness, tuning=tuning, engine=reason, build=build)
