"""The engine for libraries on one machine: NumPy alone, without Java."""

from soundalike.domain.errors import EngineError
from soundalike.domain.ports.learning import Snapshots
from soundalike.domain.similarity.exact import exact_neighbours
from soundalike.domain.similarity.fitting import fit_space, require_tracks
from soundalike.domain.similarity.recipe import Recipe
from soundalike.domain.similarity.space import LshParameters, Neighbours, SimilaritySpace
from soundalike.domain.similarity.statistics import TableStatistics
from soundalike.domain.snapshot import Snapshot


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

    def neighbours(self, space: SimilaritySpace, snapshot: Snapshot, *, k: int) -> Neighbours:
        """Find each track's k nearest others exactly, rows in the snapshot's order, ties by row."""
        return exact_neighbours(space.transform(self._snapshots.read(snapshot).summaries), k)

    def lsh_neighbours(
        self, space: SimilaritySpace, snapshot: Snapshot, *, k: int, parameters: LshParameters
    ) -> Neighbours:
        """Raise: only MLlib has this method."""
        del space, snapshot, k, parameters
        msg = "the local engine has no LSH; use '--method exact', or '--engine spark' (Java 17+ and pyspark)"
        raise EngineError(msg)

    def close(self) -> None:
        """Do nothing: nothing was started."""
