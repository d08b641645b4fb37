"""Choosing a similarity space by measurement."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from soundalike.domain.ports.learning import SimilarityEngine
from soundalike.domain.ports.library import Progress
from soundalike.domain.similarity.evaluation import (
    QUERY_LIMIT,
    Estimate,
    halves_agreement,
    hubness,
    precision_at_k,
)
from soundalike.domain.similarity.exact import exact_neighbours
from soundalike.domain.similarity.fitting import fit_locally
from soundalike.domain.similarity.space import (
    DEFAULT_RECIPE,
    Rotation,
    Scaling,
    SimilaritySpace,
    SpaceRecipe,
)
from soundalike.domain.snapshot import LibraryTable, Snapshot
from soundalike.domain.tuning import LshTuning, Objective, SpaceScore, SpaceTuning
from soundalike.domain.words import sort_key
from soundalike.services.learning.tuning_lsh import tune_lsh

JUDGED_BY = 10
"""The k of precision at k."""

FEWEST_TRACKS = 20
"""With fewer, differences between recipes are noise."""

_FOLDS = 5


def _clipped(rotation: Rotation, strength: float, *, is_unit_length: bool = True) -> SpaceRecipe:
    return SpaceRecipe(clip=3.0, rotation=rotation, strength=strength, is_unit_length=is_unit_length)


# From the simplest on: of recipes that do equally well, the first is taken.
RECIPES = (
    SpaceRecipe(scaling=Scaling.MIN_MAX),
    SpaceRecipe(),
    SpaceRecipe(clip=3.0),
    SpaceRecipe(clip=3.0, is_unit_length=True),
    _clipped(Rotation.WHITEN, 0.25, is_unit_length=False),
    _clipped(Rotation.WHITEN, 0.25),
    _clipped(Rotation.WHITEN, 0.5),
    _clipped(Rotation.WHITEN, 1.0),
    _clipped(Rotation.WITHIN, 0.5, is_unit_length=False),
    _clipped(Rotation.WITHIN, 0.25),
    _clipped(Rotation.WITHIN, 0.5),
    _clipped(Rotation.WITHIN, 0.75),
    _clipped(Rotation.WITHIN, 1.0),
)


class GridTuner:
    """Fits every recipe of a grid and judges it on the library itself.

    Parameters
    ----------
    seed : int
        Draws folds and samples.
    recipes : sequence of SpaceRecipe
        From the simplest on.
    timer : callable
        Returns seconds from any fixed point.
    """

    def __init__(
        self,
        *,
        seed: int = 0,
        recipes: Sequence[SpaceRecipe] = RECIPES,
        timer: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._seed = seed
        self._timer = timer
        self._recipes = tuple(recipes)

    def tune_space(self, table: LibraryTable, *, progress: Progress) -> SpaceTuning:
        """Fit and judge a grid of recipes and choose one.

        By genre where at least half of the tracks have one that another artist plays too, else by
        whether the halves of a track find each other. Of the recipes within one standard error (of
        the difference, query by query) of the best, the simplest is chosen. Names are compared
        folded: ``Rock`` is ``rock``. The same music gives the same choice, whatever its ids.
        """
        table = _part(table, np.lexsort(table.whole.T))
        table = replace(table, genres=_folded(table.genres), artists=_folded(table.artists))
        objective = choose_objective(table)
        if objective is Objective.NONE:
            return SpaceTuning(objective=objective, scores=(), chosen=DEFAULT_RECIPE, track_count=len(table))
        estimates: list[Estimate] = []
        scores: list[SpaceScore] = []
        for number, recipe in enumerate(self._recipes):
            progress(number, len(self._recipes))
            estimate, crowding = self._judge(recipe, table, objective)
            estimates.append(estimate)
            scores.append(
                SpaceScore(
                    recipe=recipe,
                    score=estimate.value,
                    standard_error=estimate.standard_error,
                    hubness=crowding,
                )
            )
        progress(len(self._recipes), len(self._recipes))
        chosen = self._recipes[_simplest_of_the_best(estimates)]
        return SpaceTuning(objective=objective, scores=tuple(scores), chosen=chosen, track_count=len(table))

    def tune_lsh(
        self, engine: SimilarityEngine, recipe: SpaceRecipe, snapshot: Snapshot, *, progress: Progress
    ) -> LshTuning:
        """Try bucket lengths and tables on a sample of at most 2,000 tracks and choose the knee.

        Raises
        ------
        EngineError
            If the engine has no LSH, or fails.
        """
        return tune_lsh(engine, recipe, snapshot, progress=progress, timer=self._timer, seed=self._seed)

    def _judge(
        self, recipe: SpaceRecipe, table: LibraryTable, objective: Objective
    ) -> tuple[Estimate, float]:
        space = fit_locally(recipe, table)
        coordinates = space.place(table.whole)
        # The same seed for every recipe: all answer the same queries.
        rng = np.random.default_rng(self._seed)
        if objective is Objective.GENRE:
            estimate = precision_at_k(coordinates, table.genres, k=JUDGED_BY, artists=table.artists, rng=rng)
        else:
            estimate = self._judge_by_halves(recipe, table)
        sample = rng.permutation(len(table))[:QUERY_LIMIT]
        return estimate, hubness(exact_neighbours(coordinates[sample], JUDGED_BY).rows)

    def _judge_by_halves(self, recipe: SpaceRecipe, table: LibraryTable) -> Estimate:
        """Ask for the halves of tracks that the space was not fitted on: some recipes fit on halves."""
        order = np.random.default_rng(self._seed).permutation(len(table))
        parts = []
        for space, queries in _folds(recipe, table, order):
            asked = queries[: QUERY_LIMIT // _FOLDS]
            first, second = space.place(table.first_half), space.place(table.second_half)
            parts.append(halves_agreement(first, second, queries=asked).scores)
        return Estimate(np.concatenate(parts))


def choose_objective(table: LibraryTable) -> Objective:
    """Tell what the library can be judged by."""
    if len(table) < FEWEST_TRACKS:
        return Objective.NONE
    artists_of: dict[str, set[str | None]] = defaultdict(set)
    for genre, artist in zip(table.genres, table.artists, strict=True):
        if genre is not None:
            artists_of[genre].add(artist)
    shared = {genre for genre, artists in artists_of.items() if len(artists) > 1}
    answerable = sum(genre in shared for genre in table.genres)
    is_enough = len(shared) > 1 and answerable >= max(FEWEST_TRACKS, len(table) / 2)
    return Objective.GENRE if is_enough else Objective.HALVES


def _folded(names: Sequence[str | None]) -> tuple[str | None, ...]:
    return tuple(sort_key(name) or None for name in names)


def _folds(
    recipe: SpaceRecipe, table: LibraryTable, order: npt.NDArray[np.int64]
) -> Iterator[tuple[SimilaritySpace, npt.NDArray[np.int64]]]:
    """Fit on all but each fifth of the tracks; yield the space with the rows left out."""
    for fold in range(_FOLDS):
        left_out = order[fold::_FOLDS]
        fitted_on = np.setdiff1d(order, left_out)
        yield fit_locally(recipe, _part(table, fitted_on)), left_out


def _part(table: LibraryTable, rows: npt.NDArray[np.int64]) -> LibraryTable:
    return LibraryTable(
        schema=table.schema,
        track_ids=tuple(table.track_ids[row] for row in rows),
        whole=table.whole[rows],
        first_half=table.first_half[rows],
        second_half=table.second_half[rows],
        genres=tuple(table.genres[row] for row in rows),
        artists=tuple(table.artists[row] for row in rows),
    )


def _simplest_of_the_best(estimates: Sequence[Estimate]) -> int:
    best = max(estimates, key=lambda estimate: estimate.value)
    for number, estimate in enumerate(estimates):
        behind = Estimate(best.scores - estimate.scores)
        if behind.value <= behind.standard_error or estimate is best:
            return number
    return 0
