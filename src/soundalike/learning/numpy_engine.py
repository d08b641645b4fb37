"""The engine for libraries on one machine: NumPy alone, without Java."""

from soundalike.domain.errors import EngineError
from soundalike.domain.ports.learning import Snapshots
from soundalike.domain.similarity.exact import exact_neighbours
from soundalike.domain.similarity.fitting import fit_locally
from soundalike.domain.similarity.space import LshParameters, Neighbours, SimilaritySpace, SpaceRecipe
from soundalike.domain.snapshot import Snapshot


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
        return exact_neighbours(space.transform(self._snapshots.read(snapshot).whole), k)

    def lsh_neighbours(
        self, space: SimilaritySpace, snapshot: Snapshot, *, k: int, parameters: LshParameters
    ) -> Neighbours:
        """Raise: only MLlib has this method."""
        del space, snapshot, k, parameters
        msg = "the local engine has no LSH; use '--method exact', or '--engine spark' (Java 17+ and pyspark)"
        raise EngineError(msg)

    def close(self) -> None:
        """Do nothing: nothing was started."""
