"""Choosing LSH parameters by measurement, on a sample."""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, runtime_checkable

import numpy as np

from soundalike.domain.errors import EngineError
from soundalike.domain.ports.learning import SimilarityEngine
from soundalike.domain.ports.library import Progress
from soundalike.domain.similarity.evaluation import recall_at_k
from soundalike.domain.similarity.exact import exact_neighbours
from soundalike.domain.similarity.space import LshParameters, Neighbours, SimilaritySpace, SpaceRecipe
from soundalike.domain.snapshot import Snapshot
from soundalike.domain.tuning import LshTrial, LshTuning
from soundalike.domain.types import FloatArray

SAMPLE_LIMIT = 2000
"""So many tracks at most are tried."""

RECALL_AT = 10
LOWEST_RECALL = 0.8

# In units of how far apart a track and its tenth neighbour come to lie on a random line: in m
# dimensions, their distance divided by the root of m. Shorter buckets part them, longer hold everybody.
BUCKET_LENGTHS = (0.5, 1.0, 2.0)
TABLES = (2, 4, 8)


class LshJoin(Protocol):
    """A join of a sample with itself."""

    def neighbours(self, k: int) -> Neighbours:
        """Join, and keep the k nearest of what each track met."""

    def candidates(self) -> float:
        """Count the tracks that share a bucket with a track, on average."""


@runtime_checkable
class LshEngine(Protocol):
    """What an engine with LSH offers beside its port."""

    def places(self, space: SimilaritySpace, snapshot: Snapshot) -> FloatArray:
        """Return every track's coordinates, in the snapshot's order."""

    def lsh_join(self, coordinates: FloatArray, parameters: LshParameters) -> LshJoin:
        """Prepare a join over coordinates in memory."""


def tune_lsh(
    engine: SimilarityEngine,
    recipe: SpaceRecipe,
    snapshot: Snapshot,
    *,
    progress: Progress,
    timer: Callable[[], float],
    seed: int,
) -> LshTuning:
    """Try bucket lengths and tables on a sample of at most 2,000 tracks and choose the knee.

    Raises
    ------
    EngineError
        If the engine has no LSH, or fails.
    """
    if not isinstance(engine, LshEngine):
        msg = f"the engine {engine.name} has no LSH; use '--engine spark' (Java 17+ and pyspark)"
        raise EngineError(msg)
    if snapshot.track_count < 2:  # noqa: PLR2004 - a pair, and nothing to measure without one
        chosen = LshParameters(bucket_length=1.0, tables=1)
        return LshTuning(recipe=recipe, trials=(), chosen=chosen, track_count=1)
    coordinates = engine.places(engine.fit(recipe, snapshot), snapshot)
    rng = np.random.default_rng(seed)
    sample = coordinates[np.sort(rng.permutation(len(coordinates))[:SAMPLE_LIMIT])]
    exact = exact_neighbours(sample, RECALL_AT)
    grid = list(_grid(exact, sample.shape[1]))
    trials = []
    # The first join also warms the engine up, so it is done twice and timed once.
    engine.lsh_join(sample, grid[0]).neighbours(RECALL_AT)
    for number, parameters in enumerate(grid):
        progress(number, len(grid))
        join = engine.lsh_join(sample, parameters)
        started = timer()
        found = join.neighbours(RECALL_AT)
        seconds = timer() - started
        recall = recall_at_k(found.rows, exact.rows)
        trials.append(
            LshTrial(parameters=parameters, recall=recall, candidates=join.candidates(), seconds=seconds)
        )
    progress(len(grid), len(grid))
    return LshTuning(
        recipe=recipe,
        trials=tuple(trials),
        chosen=knee(trials, len(sample)),
        track_count=len(sample),
    )


def knee(trials: Sequence[LshTrial], track_count: int) -> LshParameters:
    """Choose where recall exceeds the share of the library that was looked at by most.

    Looking at a random tenth of the library finds a tenth of the neighbours: what lies above that
    is what hashing is good for, and where it stops growing is the knee. Trials that miss more than
    a fifth of the neighbours come into question only where all do. Ties go to fewer candidates.
    """
    others = max(track_count - 1, 1)
    good = [trial for trial in trials if trial.recall >= LOWEST_RECALL] or trials
    best = max(good, key=lambda trial: (trial.recall - trial.candidates / others, -trial.candidates))
    return best.parameters


def _grid(exact: Neighbours, dimensions: int) -> Iterator[LshParameters]:
    reach = exact.distances[np.isfinite(exact.distances)]
    last = exact.distances[:, min(RECALL_AT, max(1, len(exact.rows) - 1)) - 1]
    typical = (float(np.median(last)) or float(reach.max()) or 1.0) / dimensions**0.5
    for length in BUCKET_LENGTHS:
        for tables in TABLES:
            yield LshParameters(bucket_length=typical * length, tables=tables)
