"""Choosing LSH parameters by measurement, on a sample."""

import time
from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

import numpy as np

from soundalike.domain.errors import EngineError
from soundalike.domain.ports.learning import SimilarityEngine
from soundalike.domain.ports.library import OnProgress
from soundalike.domain.similarity.evaluation import recall_at_k
from soundalike.domain.similarity.exact import exact_neighbours
from soundalike.domain.similarity.lsh import BUCKET_LENGTHS, RECALL_AT, TABLES, knee, lsh_grid
from soundalike.domain.similarity.recipe import Recipe
from soundalike.domain.similarity.space import LshParameters, Neighbours, SimilaritySpace
from soundalike.domain.snapshot import Snapshot
from soundalike.domain.tuning import LshTrial, LshTuning
from soundalike.domain.types import FloatArray

SAMPLE_LIMIT = 2000


class LshJoin(Protocol):
    """A join of a sample with itself."""

    def neighbours(self, k: int) -> Neighbours:
        """Join, and return the k nearest of the tracks that share a bucket with each track."""

    def candidates(self) -> float:
        """Count the tracks that share a bucket with a track, on average."""


@runtime_checkable
class LshEngine(Protocol):
    """What an engine with LSH offers beside its port."""

    def coordinates(self, space: SimilaritySpace, snapshot: Snapshot) -> FloatArray:
        """Return every track's coordinates, in the snapshot's order."""

    def lsh_join(self, coordinates: FloatArray, parameters: LshParameters) -> LshJoin:
        """Prepare a join over coordinates in memory."""


def tune_lsh(  # noqa: PLR0913 - each is one knob, and all but three have defaults
    engine: SimilarityEngine,
    recipe: Recipe,
    snapshot: Snapshot,
    *,
    progress: OnProgress,
    timer: Callable[[], float] = time.perf_counter,
    seed: int = 0,
    sample_limit: int = SAMPLE_LIMIT,
    bucket_lengths: Sequence[float] = BUCKET_LENGTHS,
    tables: Sequence[int] = TABLES,
) -> LshTuning:
    """Try bucket lengths and numbers of tables on a sample of the library and choose the knee.

    Parameters
    ----------
    engine : SimilarityEngine
        One with LSH.
    recipe : Recipe
        What the space is made of.
    snapshot : Snapshot
        The library.
    progress : callable
        Called with (done, total) trials.
    timer : callable
        Returns seconds from any fixed point.
    seed : int
        Draws the sample.
    sample_limit : int
        At most this many tracks are tried.
    bucket_lengths, tables : sequence of numbers
        See `lsh_grid`.

    Raises
    ------
    EngineError
        If the engine has no LSH, or fails.
    """
    if not isinstance(engine, LshEngine):
        msg = f"the engine {engine.name} has no LSH; use '--engine spark' (Java 17+ and pyspark)"
        raise EngineError(msg)
    if snapshot.track_count < 2:  # noqa: PLR2004 - without a pair there is nothing to measure
        chosen = LshParameters(bucket_length=1.0, tables=1)
        return LshTuning(recipe=recipe, trials=(), chosen=chosen, track_count=1)
    coordinates = engine.coordinates(engine.fit(recipe, snapshot), snapshot)
    rng = np.random.default_rng(seed)
    sample = coordinates[np.sort(rng.permutation(len(coordinates))[:sample_limit])]
    exact = exact_neighbours(sample, RECALL_AT)
    grid = list(lsh_grid(exact, sample.shape[1], bucket_lengths=bucket_lengths, tables=tables))
    # The first join also warms the engine up, so it is done twice and timed once.
    engine.lsh_join(sample, grid[0]).neighbours(RECALL_AT)
    trials = []
    for number, parameters in enumerate(grid):
        progress(number, len(grid))
        trials.append(_trial(engine.lsh_join(sample, parameters), parameters, exact, timer))
    progress(len(grid), len(grid))
    chosen = knee(trials, len(sample))
    return LshTuning(recipe=recipe, trials=tuple(trials), chosen=chosen, track_count=len(sample))


def _trial(
    join: LshJoin, parameters: LshParameters, exact: Neighbours, timer: Callable[[], float]
) -> LshTrial:
    started = timer()
    found = join.neighbours(RECALL_AT)
    seconds = timer() - started
    recall = recall_at_k(found.rows, exact.rows)
    return LshTrial(parameters=parameters, recall=recall, candidates=join.candidates(), seconds=seconds)
