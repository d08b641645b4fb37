"""Choosing a similarity space by measurement."""

from collections.abc import Sequence

from soundalike.domain.ports.library import OnProgress
from soundalike.domain.similarity.recipes import (
    RECIPES,
    choose_objective,
    comparable_table,
    judge_recipe,
    simplest_of_the_best,
)
from soundalike.domain.similarity.space import DEFAULT_RECIPE, SpaceRecipe
from soundalike.domain.snapshot import LibraryTable
from soundalike.domain.tuning import Objective, SpaceScore, SpaceTuning


def tune_space(
    table: LibraryTable,
    *,
    recipes: Sequence[SpaceRecipe] = RECIPES,
    seed: int = 0,
    progress: OnProgress,
) -> SpaceTuning:
    """Fit and judge each recipe on the library itself and choose one.

    It is judged by genre where enough tracks have one, else by whether the halves of a track find each
    other. Of the recipes within one standard error of the best, the simplest is chosen. The same music
    gives the same choice, whatever its ids.

    Parameters
    ----------
    table : LibraryTable
        What to judge them on.
    recipes : sequence of SpaceRecipe
        The simplest first.
    seed : int
        Draws folds and samples.
    progress : callable
        Called with (done, total) recipes.
    """
    table = comparable_table(table)
    objective = choose_objective(table)
    if objective is Objective.NONE:
        return SpaceTuning(objective=objective, scores=(), chosen=DEFAULT_RECIPE, track_count=len(table))
    estimates, scores = [], []
    for number, recipe in enumerate(recipes):
        progress(number, len(recipes))
        estimate, hubness = judge_recipe(recipe, table, objective, seed=seed)
        estimates.append(estimate)
        scores.append(
            SpaceScore(
                recipe=recipe, score=estimate.value, standard_error=estimate.standard_error, hubness=hubness
            )
        )
    progress(len(recipes), len(recipes))
    chosen = recipes[simplest_of_the_best(estimates)]
    return SpaceTuning(objective=objective, scores=tuple(scores), chosen=chosen, track_count=len(table))
