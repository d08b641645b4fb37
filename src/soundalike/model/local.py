"""The engine for libraries of one machine: NumPy alone, no Java."""

import numpy as np

from soundalike.domain.errors import EngineError
from soundalike.domain.ports.library import Snapshots
from soundalike.domain.similarity import LshParameters, Neighbours, SimilaritySpace, SpaceRecipe
from soundalike.domain.snapshot import LibraryTable, Snapshot
from soundalike.model.exact import exact_neighbours
from soundalike.model.space import Column, Scale, Sums, fit_space, require_tracks


class LocalEngine:
    """Fits spaces and finds neighbours with NumPy."""

    name = "local"

    def __init__(self, snapshots: Snapshots) -> None:
        self._snapshots = snapshots

    def fit(self, recipe: SpaceRecipe, snapshot: Snapshot) -> SimilaritySpace:
        """Fit a space on every track of a snapshot."""
        return fit_locally(recipe, self._snapshots.read(snapshot))

    def neighbours(self, space: SimilaritySpace, snapshot: Snapshot, *, k: int) -> Neighbours:
        """Find each track's k nearest others exactly, rows in the snapshot's order, ties by row."""
        return exact_neighbours(space.place(self._snapshots.read(snapshot).whole), k)

    def lsh_neighbours(
        self, space: SimilaritySpace, snapshot: Snapshot, *, k: int, parameters: LshParameters
    ) -> Neighbours:
        """Refuse: the method is MLlib's own."""
        del space, snapshot, k, parameters
        msg = "the local engine has no LSH; use '--method exact', or '--engine spark' (Java 17+ and pyspark)"
        raise EngineError(msg)

    def close(self) -> None:
        """Do nothing: nothing was started."""


class TableStatistics:
    """Statistics of a table in memory."""

    def __init__(self, table: LibraryTable) -> None:
        self._table = table

    def extent(self) -> Column:
        """Minimum and maximum of each feature."""
        whole = self._table.whole.astype(np.float64)
        return Column(whole.min(axis=0), whole.max(axis=0))

    def moments(self) -> Column:
        """Mean and standard deviation (n - 1) of each feature."""
        whole = self._table.whole.astype(np.float64)
        mean = whole.mean(axis=0)
        return Column(mean, np.sqrt(((whole - mean) ** 2).sum(axis=0) / max(len(whole) - 1, 1)))

    def sums(self, scale: Scale) -> Sums:
        """Sum in the scaled features."""
        return Sums.of(scale, (self._table.whole, self._table.first_half, self._table.second_half))


def fit_locally(recipe: SpaceRecipe, table: LibraryTable) -> SimilaritySpace:
    """Fit the space that a recipe describes on a table in memory.

    Raises
    ------
    TooFewTracksError
        If the table is empty.
    """
    require_tracks(len(table))
    return fit_space(recipe, TableStatistics(table))
