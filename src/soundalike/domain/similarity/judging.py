"""Which ways to fit a recipe are tried, and how well one does on a library."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from soundalike.domain.similarity.evaluation import (
    QUERY_LIMIT,
    Estimate,
    halves_agreement,
    hubness,
    precision_at_k,
)
from soundalike.domain.similarity.exact import exact_neighbours
from soundalike.domain.similarity.fitting import fit_locally
from soundalike.domain.similarity.recipe import Fitting, Recipe, Rotation, Scaling
from soundalike.domain.snapshot import LibraryTable
from soundalike.domain.tuning import Objective
from soundalike.domain.types import FloatArray
from soundalike.domain.words import sort_key

PRECISION_AT = 10
"""The k of precision at k, and of hubness."""

FEWEST_TRACKS = 20
"""With fewer, differences between recipes are noise."""

_FOLDS = 5


def _clipped(rotation: Rotation, strength: float, *, is_unit_length: bool = True) -> Fitting:
    return Fitting(clip=3.0, rotation=rotation, strength=strength, is_unit_length=is_unit_length)


# The simplest first: of those that do equally well, the first is chosen.
FITTINGS = (
    Fitting(scaling=Scaling.MIN_MAX),
    Fitting(),
    Fitting(clip=3.0),
    Fitting(clip=3.0, is_unit_length=True),
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


def comparable_table(table: LibraryTable) -> LibraryTable:
    """Return a library in an order that its music alone decides, with names folded (``Rock`` is ``rock``)."""
    table = table.of(np.lexsort(table.summaries.T))
    return replace(table, genres=_folded(table.genres), artists=_folded(table.artists))


def choose_objective(table: LibraryTable) -> Objective:
    """Choose what to judge by: genres, if half of the tracks have one that another artist plays too.

    Else halves, if every track has parts.
    """
    if len(table) < FEWEST_TRACKS:
        return Objective.NONE
    artists_of: dict[str, set[str | None]] = defaultdict(set)
    for genre, artist in zip(table.genres, table.artists, strict=True):
        if genre is not None:
            artists_of[genre].add(artist)
    shared = {genre for genre, artists in artists_of.items() if len(artists) > 1}
    answerable = sum(genre in shared for genre in table.genres)
    is_enough = len(shared) > 1 and answerable >= max(FEWEST_TRACKS, len(table) / 2)
    if is_enough:
        return Objective.GENRE
    return Objective.HALVES if all((each.counts > 1).all() for each in table.parts) else Objective.NONE


def judge_recipe(
    recipe: Recipe, table: LibraryTable, objective: Objective, *, seed: int
) -> tuple[Estimate, float]:
    """Fit a space and measure it.

    Parameters
    ----------
    recipe : SpaceRecipe
        How to fit it.
    table : LibraryTable
        What to fit it on.
    objective : Objective
        GENRE or HALVES.
    seed : int
        Draws queries and folds; with the same seed all recipes answer the same queries.

    Returns
    -------
    estimate : Estimate
        By the objective.
    hubness : float
        Of the `PRECISION_AT` nearest neighbours.
    """
    coordinates = fit_locally(recipe, table).transform(table.summaries)
    rng = np.random.default_rng(seed)
    if objective is Objective.GENRE:
        estimate = precision_at_k(coordinates, table.genres, k=PRECISION_AT, artists=table.artists, rng=rng)
    else:
        estimate = _judge_by_halves(recipe, table, seed)
    sample = rng.permutation(len(table))[:QUERY_LIMIT]
    return estimate, hubness(exact_neighbours(coordinates[sample], PRECISION_AT).rows)


def simplest_of_the_best(estimates: Sequence[Estimate]) -> int:
    """Return the number of the first estimate within one standard error of the best.

    The standard error is that of the difference, query by query.
    """
    best = max(estimates, key=lambda estimate: estimate.value)
    for number, estimate in enumerate(estimates):
        behind = Estimate(best.scores - estimate.scores)
        if behind.value <= behind.standard_error or estimate is best:
            return number
    return 0


def _judge_by_halves(recipe: Recipe, table: LibraryTable, seed: int) -> Estimate:
    """Ask for the halves of tracks that the space was not fitted on, since some recipes fit on halves."""
    order = np.random.default_rng(seed).permutation(len(table))
    halves = _halves(table)
    scores = []
    for queries, fitted_on in _folds(order):
        space = fit_locally(recipe, table.of(fitted_on))
        first, second = (space.transform(half) for half in halves)
        asked = queries[: QUERY_LIMIT // _FOLDS]
        scores.append(halves_agreement(first, second, queries=asked).scores)
    return Estimate(np.concatenate(scores))


def _halves(table: LibraryTable) -> tuple[FloatArray, FloatArray]:
    """Return the first and the last part of each track, its sets side by side."""
    first = [parts.values[parts.starts] for parts in table.parts]
    last = [parts.values[parts.starts + parts.counts - 1] for parts in table.parts]
    return np.concatenate(first, axis=1), np.concatenate(last, axis=1)


def _folds(order: npt.NDArray[np.int64]) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    """Yield each fifth of the rows, and all the others."""
    for fold in range(_FOLDS):
        left_out = order[fold::_FOLDS]
        yield left_out, np.setdiff1d(order, left_out)


def _folded(names: Sequence[str | None]) -> tuple[str | None, ...]:
    return tuple(sort_key(name) or None for name in names)
