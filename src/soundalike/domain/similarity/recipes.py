"""Which recipes a similarity space may follow, and how well one does on a library."""

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
from soundalike.domain.similarity.space import Rotation, Scaling, SpaceRecipe
from soundalike.domain.snapshot import LibraryTable
from soundalike.domain.tuning import Objective
from soundalike.domain.words import sort_key

PRECISION_AT = 10
"""The k of precision at k, and of hubness."""

FEWEST_TRACKS = 20
"""With fewer, differences between recipes are noise."""

_FOLDS = 5


def _clipped(rotation: Rotation, strength: float, *, is_unit_length: bool = True) -> SpaceRecipe:
    return SpaceRecipe(clip=3.0, rotation=rotation, strength=strength, is_unit_length=is_unit_length)


# The simplest first: of recipes that do equally well, the first is chosen.
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


def comparable_table(table: LibraryTable) -> LibraryTable:
    """Return a library in an order that its music alone decides, with names folded (``Rock`` is ``rock``)."""
    table = _rows_of(table, np.lexsort(table.whole.T))
    return replace(table, genres=_folded(table.genres), artists=_folded(table.artists))


def choose_objective(table: LibraryTable) -> Objective:
    """Choose what to judge by: genres, if half of the tracks have one that another artist plays too."""
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


def judge_recipe(
    recipe: SpaceRecipe, table: LibraryTable, objective: Objective, *, seed: int
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
    coordinates = fit_locally(recipe, table).transform(table.whole)
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


def _judge_by_halves(recipe: SpaceRecipe, table: LibraryTable, seed: int) -> Estimate:
    """Ask for the halves of tracks that the space was not fitted on, since some recipes fit on halves."""
    order = np.random.default_rng(seed).permutation(len(table))
    parts = []
    for queries, fitted_on in _folds(order):
        space = fit_locally(recipe, _rows_of(table, fitted_on))
        first, second = space.transform(table.first_half), space.transform(table.second_half)
        asked = queries[: QUERY_LIMIT // _FOLDS]
        parts.append(halves_agreement(first, second, queries=asked).scores)
    return Estimate(np.concatenate(parts))


def _folds(order: npt.NDArray[np.int64]) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    """Yield each fifth of the rows, and all the others."""
    for fold in range(_FOLDS):
        left_out = order[fold::_FOLDS]
        yield left_out, np.setdiff1d(order, left_out)


def _rows_of(table: LibraryTable, rows: npt.NDArray[np.int64]) -> LibraryTable:
    return LibraryTable(
        schema=table.schema,
        track_ids=tuple(table.track_ids[row] for row in rows),
        whole=table.whole[rows],
        first_half=table.first_half[rows],
        second_half=table.second_half[rows],
        genres=tuple(table.genres[row] for row in rows),
        artists=tuple(table.artists[row] for row in rows),
    )


def _folded(names: Sequence[str | None]) -> tuple[str | None, ...]:
    return tuple(sort_key(name) or None for name in names)
