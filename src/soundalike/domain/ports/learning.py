"""The ports of learning: engines, snapshots and what they produce."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from soundalike.domain.features import FeatureSchema
from soundalike.domain.similarity.recipe import Recipe
from soundalike.domain.similarity.space import (
    Artefact,
    ArtefactDraft,
    LshParameters,
    Neighbours,
    SimilaritySpace,
)
from soundalike.domain.snapshot import LibraryTable, Snapshot, SnapshotRow
from soundalike.domain.tuning import LshTuning, SpaceTuning
from soundalike.domain.types import ArtefactVersion, FloatArray


class SimilarityEngine(Protocol):
    """Fits similarity spaces and finds neighbours; all engines give the same results."""

    @property
    def name(self) -> str:
        """``"local"`` or ``"spark"``."""

    def fit(self, recipe: Recipe, snapshot: Snapshot) -> SimilaritySpace:
        """Fit a space on every track of a snapshot.

        Parameters
        ----------
        recipe : Recipe
            What it is made of.
        snapshot : Snapshot
            The library, with the recipe's feature sets in its order.

        Raises
        ------
        TooFewTracksError
            If there is no track.
        EngineError
            If the engine fails.
        """

    def neighbours(
        self, space: SimilaritySpace, snapshot: Snapshot, *, k: int, spread: FloatArray | None = None
    ) -> Neighbours:
        """Find each track's k nearest others; rows in the snapshot's order, ties by row.

        None is missed up to a million tracks, and beyond that at most one in twenty on average
        (`domain.similarity.cells.search_of`).

        Parameters
        ----------
        space : SimilaritySpace
            Where distance is Euclidean.
        snapshot : Snapshot
            Of n tracks.
        k : int
            How many neighbours.
        spread : FloatArray, shape (n, 2), optional
            Mean and standard deviation of the distances from each track to others. Distances are
            corrected by it then, as `domain.similarity.orders.MutualProximity` says.
        """

    def lsh_neighbours(
        self, space: SimilaritySpace, snapshot: Snapshot, *, k: int, parameters: LshParameters
    ) -> Neighbours:
        """Find neighbours by MLlib's `approxSimilarityJoin`; rows with fewer than k are padded with -1.

        Parameters
        ----------
        space : SimilaritySpace
            Where distance is Euclidean.
        snapshot : Snapshot
            Of n tracks.
        k : int
            How many neighbours.
        parameters : LshParameters
            Bucket length and number of tables.

        Raises
        ------
        EngineError
            If the engine has no LSH (the local one).
        """

    def close(self) -> None:
        """Stop whatever it started."""


class Snapshots(Protocol):
    """Writes and reads the Parquet snapshot."""

    def write(self, schemas: Sequence[FeatureSchema], rows: Iterable[SnapshotRow], url: str) -> Snapshot:
        """Write a snapshot to a temporary name and rename it, in bounded memory.

        Parameters
        ----------
        schemas : sequence of FeatureSchema
            Of the vectors, side by side.
        rows : iterable of SnapshotRow
            By track id.
        url : str
            Where to write it.
        """

    def read(self, snapshot: Snapshot, *, has_parts: bool = False) -> LibraryTable:
        """Read a whole snapshot.

        Parameters
        ----------
        snapshot : Snapshot
            To read.
        has_parts : bool
            Whether to read the parts too, which may be many times as large.
        """

    def blocks(self, snapshot: Snapshot, *, has_parts: bool = True) -> Iterator[LibraryTable]:
        """Yield a whole snapshot, a few thousand tracks at a time.

        Parameters
        ----------
        snapshot : Snapshot
            To read.
        has_parts : bool
            Whether to read the parts too.
        """


class ArtefactStore(Protocol):
    """Stores artefact versions; readers only ever see complete ones."""

    def current(self) -> Artefact:
        """Return the artefact in use, mapped into memory; a new version is loaded at the next call.

        A version that is damaged, or of other features than the library's, is logged and not used; the
        previous one stays in use.

        Raises
        ------
        NoArtefactError
            If nothing has been built.
        DamagedArtefactError
            If no version is complete.
        """

    def old_recipe(self) -> Recipe | None:
        """Return by which recipe the newest version of an older format was built, if there is one."""

    def publish(self, draft: ArtefactDraft, *, replacing: ArtefactVersion | None = None) -> ArtefactVersion:
        """Write a new version to disk, then make it current; remove old ones.

        Parameters
        ----------
        draft : ArtefactDraft
            What to write.
        replacing : ArtefactVersion, optional
            The version that the draft was made from; it has to be the one in use still.

        Raises
        ------
        ArtefactReplacedError
            If another version than `replacing` is in use by now; nothing is written.
        """


class Tunings(Protocol):
    """Remembers what tuning chose."""

    def space(self) -> SpaceTuning | None:
        """Return the last choice of a recipe, or None."""

    def lsh(self) -> LshTuning | None:
        """Return the last choice of LSH parameters, or None."""

    def save_space(self, tuning: SpaceTuning) -> None:
        """Remember a choice of a recipe."""

    def save_lsh(self, tuning: LshTuning) -> None:
        """Remember a choice of LSH parameters."""
