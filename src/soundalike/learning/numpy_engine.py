"""The engine for libraries on one machine: NumPy alone, without Java."""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from threadpoolctl import threadpool_limits

from soundalike.domain.errors import EngineError
from soundalike.domain.ports.learning import Snapshots
from soundalike.domain.similarity.cells import in_row_order, search_of
from soundalike.domain.similarity.fitting import fit_space, require_tracks
from soundalike.domain.similarity.recipe import Recipe
from soundalike.domain.similarity.space import LshParameters, Neighbours, SimilaritySpace
from soundalike.domain.similarity.statistics import TableStatistics
from soundalike.domain.snapshot import Snapshot
from soundalike.domain.types import FloatArray

# Each takes some 50 MB.
_MOST_THREADS = 4
_ROWS_PER_TASK = 2048


class LocalEngine:
    """Fits spaces and finds neighbours with NumPy."""

    name = "local"

    def __init__(self, snapshots: Snapshots) -> None:
        self._snapshots = snapshots

    def fit(self, recipe: Recipe, snapshot: Snapshot) -> SimilaritySpace:
        """Fit a space on every track of a snapshot; parts are read a few thousand tracks at a time."""
        require_tracks(snapshot.track_count)
        statistics = TableStatistics(self._snapshots.read(snapshot), lambda: self._snapshots.blocks(snapshot))
        return fit_space(recipe, snapshot.schemas, statistics)

    def neighbours(
        self, space: SimilaritySpace, snapshot: Snapshot, *, k: int, spread: FloatArray | None = None
    ) -> Neighbours:
        """Find each track's k nearest others, rows in the snapshot's order, ties by row.

        Parameters
        ----------
        space : SimilaritySpace
            Where distance is Euclidean.
        snapshot : Snapshot
            Of n tracks.
        k : int
            How many neighbours.
        spread : FloatArray, shape (n, 2), optional
            Corrects distances, as `MutualProximity` says.
        """
        blocks = self._snapshots.blocks(snapshot, has_parts=False)
        coordinates = [space.transform(block.summaries) for block in blocks]
        return find_neighbours(np.concatenate(coordinates), k, spread=spread)

    def lsh_neighbours(
        self, space: SimilaritySpace, snapshot: Snapshot, *, k: int, parameters: LshParameters
    ) -> Neighbours:
        """Raise: only MLlib has this method."""
        del space, snapshot, k, parameters
        msg = "the local engine has no LSH; use '--method exact', or '--engine spark' (Java 17+ and pyspark)"
        raise EngineError(msg)

    def close(self) -> None:
        """Do nothing: nothing was started."""


def find_neighbours(coordinates: FloatArray, k: int, *, spread: FloatArray | None = None) -> Neighbours:
    """Find each row's k nearest others with a thread on each core, up to four.

    Parameters
    ----------
    coordinates : FloatArray, shape (n, m)
        All tracks.
    k : int
        How many neighbours.
    spread : FloatArray, shape (n, 2), optional
        Corrects distances, as `MutualProximity` says.
    """
    search = search_of(coordinates, k, spread=spread)
    tasks = np.array_split(search.order, max(1, -(-len(coordinates) // _ROWS_PER_TASK)))
    # Selecting takes longer than multiplying, and only the latter would use BLAS's own threads.
    with (
        threadpool_limits(limits=1, user_api="blas"),
        ThreadPoolExecutor(min(os.cpu_count() or 1, _MOST_THREADS)) as pool,
    ):
        return in_row_order(search.order, pool.map(search.nearest, tasks), k=k)
