"""Learning what sounds alike: tune and build."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from enum import StrEnum

from soundalike.domain.errors import ModelError
from soundalike.domain.features import FeatureSchema
from soundalike.domain.ports.learning import ArtefactStore, SimilarityEngine, Tunings
from soundalike.domain.ports.library import OnProgress
from soundalike.domain.similarity.evaluation import recall_at_k
from soundalike.domain.similarity.recipe import Recipe
from soundalike.domain.similarity.space import ArtefactDraft, LshParameters, Neighbours, SimilaritySpace
from soundalike.domain.snapshot import LibraryTable, Snapshot
from soundalike.domain.tuning import LshTuning, SpaceTuning
from soundalike.domain.types import ArtefactVersion
from soundalike.services.learning.recipes import RecipeChooser
from soundalike.services.learning.snapshots import LibrarySnapshots
from soundalike.services.learning.tuning import tune_space
from soundalike.services.learning.tuning_lsh import tune_lsh

NEIGHBOUR_COUNT = 50
"""Neighbours of each track in an artefact; longer lists are computed on demand."""

_RECALL_AT = 10


class Method(StrEnum):
    """How neighbours are found: exactly, or by MLlib's `approxSimilarityJoin`."""

    EXACT = "exact"
    LSH = "lsh"


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildReport:
    """Result of one build.

    Parameters
    ----------
    version : ArtefactVersion
        The new artefact.
    engine : str
        Its name.
    method : Method
        How neighbours were found.
    recipe : Recipe
        What the space is made of, and how it was fitted.
    track_count : int
        Tracks in the artefact.
    recall : float or None
        Share of the 10 exact neighbours that LSH found; None if they are exact.
    seconds : float
        Wall time.
    """

    version: ArtefactVersion
    engine: str
    method: Method
    recipe: Recipe
    track_count: int
    recall: float | None
    seconds: float


class Trainer:
    """Turns the store's vectors into artefacts.

    Parameters
    ----------
    library : LibrarySnapshots
        What it learns from.
    artefacts, tunings
        The ports it uses.
    recipes : RecipeChooser
        Says what to build.
    timer : callable
        Returns seconds from any fixed point.
    """

    def __init__(
        self,
        library: LibrarySnapshots,
        artefacts: ArtefactStore,
        *,
        tunings: Tunings,
        recipes: RecipeChooser,
        timer: Callable[[], float],
    ) -> None:
        self._library = library
        self._artefacts = artefacts
        self._tunings = tunings
        self._recipes = recipes
        self._timer = timer

    @property
    def schemas(self) -> tuple[FeatureSchema, ...]:
        """The feature sets of the recipe that it learns by, unless another is asked for."""
        return self._recipes.schemas_of(self._recipes.default)

    def tune_space(self, *, progress: OnProgress) -> SpaceTuning:
        """Choose by measurement how the default recipe is fitted, and save the choice.

        Raises
        ------
        TooFewTracksError
            If no track has been analysed.
        """
        recipe = self._recipes.default
        with self._taken(recipe) as snapshot:
            tuning = tune_space(recipe, self._library.read(snapshot, has_parts=True), progress=progress)
        self._tunings.save_space(tuning)
        return tuning

    def tune_lsh(self, engine: SimilarityEngine, *, progress: OnProgress) -> LshTuning:
        """Choose LSH parameters by measurement, in the space that a build would fit, and save them.

        Parameters
        ----------
        engine : SimilarityEngine
            One with LSH.
        progress : callable
            Called with (done, total) trials.

        Raises
        ------
        TooFewTracksError
            If no track has been analysed.
        EngineError
            If the engine has no LSH, or fails.
        """
        recipe = self.recipe()
        with self._taken(recipe) as snapshot:
            tuning = tune_lsh(engine, recipe, snapshot, progress=progress, timer=self._timer)
        self._tunings.save_lsh(tuning)
        return tuning

    def build(
        self,
        engine: SimilarityEngine,
        *,
        recipe: Recipe | None = None,
        method: Method = Method.EXACT,
        progress: OnProgress,
    ) -> BuildReport:
        """Fit a space on the whole library, find neighbours, publish an artefact.

        Parameters
        ----------
        engine : SimilarityEngine
            Fits and finds neighbours.
        recipe : Recipe, optional
            What to build; by default what `recipe` says.
        method : Method
            How to find neighbours.
        progress : callable
            Called with (done, total) while LSH is tuned.

        Raises
        ------
        TooFewTracksError
            If no track has been analysed.
        EngineError
            If the engine fails, or has no LSH though `method` asks for it.
        """
        started = self._timer()
        recipe = recipe or self.recipe()
        if method is Method.LSH and self._lsh_parameters(recipe) is None:
            self.tune_lsh(engine, progress=progress)
        # Before the vectors are read: what changes meanwhile is compared again.
        change = self._library.latest_change()
        with self._taken(recipe) as snapshot:
            space = engine.fit(recipe, snapshot)
            if method is Method.LSH:
                neighbours, recall = self._by_lsh(engine, space, snapshot, recipe)
            else:
                recall = None
                neighbours = engine.neighbours(space, snapshot, k=NEIGHBOUR_COUNT)
            table = self._library.read(snapshot)
        made = draft(table, recipe, space, neighbours, {"engine": engine.name, "method": method.value})
        version = self._artefacts.publish(replace(made, library_change=change))
        return BuildReport(
            version=version,
            engine=engine.name,
            method=method,
            recipe=recipe,
            track_count=len(table),
            recall=recall,
            seconds=self._timer() - started,
        )

    def recipe(self) -> Recipe:
        """Return the recipe to build by now, fitted as tuning chose."""
        return self.as_tuned(self._recipes.wanted())

    def as_tuned(self, recipe: Recipe) -> Recipe:
        """Return a recipe, fitted as tuning chose if it is the one that was tuned."""
        tuning = self._tunings.space()
        return tuning.chosen if tuning and tuning.chosen.key == recipe.key else recipe

    def _taken(self, recipe: Recipe) -> AbstractContextManager[Snapshot]:
        return self._library.taken(self._recipes.schemas_of(recipe))

    def _lsh_parameters(self, recipe: Recipe) -> LshParameters | None:
        """Return the tuned LSH parameters, if they are for the space that is built now."""
        tuning = self._tunings.lsh()
        return tuning.chosen if tuning and tuning.recipe == recipe else None

    def _by_lsh(
        self, engine: SimilarityEngine, space: SimilaritySpace, snapshot: Snapshot, recipe: Recipe
    ) -> tuple[Neighbours, float]:
        parameters = self._lsh_parameters(recipe)
        if parameters is None:
            msg = "LSH has no parameters for this space; run 'soundalike tune --lsh'"
            raise ModelError(msg)
        found = engine.lsh_neighbours(space, snapshot, k=NEIGHBOUR_COUNT, parameters=parameters)
        exact = engine.neighbours(space, snapshot, k=_RECALL_AT)
        return found, recall_at_k(found.rows[:, :_RECALL_AT], exact.rows)


def draft(
    table: LibraryTable,
    recipe: Recipe,
    space: SimilaritySpace,
    neighbours: Neighbours,
    facts: Mapping[str, str],
) -> ArtefactDraft:
    """Put together an artefact.

    Parameters
    ----------
    table : LibraryTable
        Of n tracks.
    recipe : Recipe
        What the space is made of.
    space : SimilaritySpace
        The fitted map.
    neighbours : Neighbours
        Of shape (n, k).
    facts : mapping of str to str
        What `doctor` shows.
    """
    return ArtefactDraft(
        schemas=table.schemas,
        recipe=recipe,
        space=space,
        track_ids=table.track_ids,
        coordinates=space.transform(table.summaries),
        neighbours=neighbours,
        facts=facts,
        groups=space.group_vectors(table.schemas, table.summaries),
    )
