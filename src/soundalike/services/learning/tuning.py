"""Choosing a similarity space by measurement."""

from collections.abc import Sequence

from soundalike.domain.ports.library import OnProgress
from soundalike.domain.similarity.judging import (
    FITTINGS,
    choose_objective,
    comparable_table,
    judge_recipe,
    simplest_of_the_best,
)
from soundalike.domain.similarity.recipe import DEFAULT_FITTING, Fitting, Recipe
from soundalike.domain.snapshot import LibraryTable
from soundalike.domain.tuning import Objective, SpaceScore, SpaceTuning


def tune_space(
    recipe: Recipe,
    table: LibraryTable,
    *,
    fittings: Sequence[Fitting] = FITTINGS,
    seed: int = 0,
    progress: OnProgress,
) -> SpaceTuning:
    """Fit a recipe in several ways, judge each on the library itself, and choose one.

    It is judged by genre where enough tracks have one, else by whether the halves of a track find each
    other. Of those within one standard error of the best, the simplest is chosen. The same music
    gives the same choice, whatever its ids.

    Parameters
    ----------
    recipe : Recipe
        What the space is made of.
    table : LibraryTable
        What to judge on, with parts.
    fittings : sequence of Fitting
        The simplest first.
    seed : int
        Draws folds and samples.
    progress : callable
        Called with (done, total) fittings.
    """
    table = comparable_table(table)
    objective = choose_objective(table)
    if objective is Objective.NONE:
        chosen = recipe.fitted_by(DEFAULT_FITTING)
        return SpaceTuning(objective=objective, scores=(), chosen=chosen, track_count=len(table))
    recipes = [recipe.fitted_by(fitting) for fitting in fittings]
    estimates, scores = [], []
    for number, tried in enumerate(recipes):
        progress(number, len(recipes))
        estimate, hubness = judge_recipe(tried, table, objective, seed=seed)
        estimates.append(estimate)
        scores.append(
            SpaceScore(
                recipe=tried, score=estimate.value, standard_error=estimate.standard_error, hubness=hubness
            )
        )
    progress(len(recipes), len(recipes))
    chosen = recipes[simplest_of_the_best(estimates)]
    return SpaceTuning(objective=objective, scores=tuple(scores), chosen=chosen, track_count=len(table))
