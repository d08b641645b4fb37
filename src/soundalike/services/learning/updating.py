"""Keeping an artefact up to date with the library without fitting again."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from soundalike.domain.errors import ArtefactReplacedError
from soundalike.domain.ports.learning import ArtefactStore, SimilarityEngine
from soundalike.domain.ports.library import LibraryStore
from soundalike.domain.similarity.extending import changed_tracks, extend
from soundalike.domain.similarity.recipe import Recipe
from soundalike.domain.similarity.space import Artefact, ArtefactDraft
from soundalike.domain.types import FloatArray, TrackId
from soundalike.services.learning.recipes import RecipeChooser
from soundalike.services.learning.snapshots import LibrarySnapshots
from soundalike.services.learning.training import NEIGHBOUR_COUNT, Method, draft

REBUILD_SHARE = 0.2
"""With more new tracks than this share of those a space was fitted on, `up` builds again."""


class Freshness(StrEnum):
    """How the artefact in use compares with the library."""

    EMPTY = "empty"
    """The library has no vectors."""

    MISSING = "missing"
    """There is none."""

    OLD_FORMAT = "old format"
    """There is one that only an older version of this program reads."""

    OTHER_RECIPE = "other recipe"
    """The library has the sets of a richer recipe by now, or has no longer those of this one."""

    OUTGROWN = "outgrown"
    """Too much was added since its space was fitted."""

    BEHIND = "behind"
    """Some tracks are missing or changed."""

    CURRENT = "current"
    """Nothing has to be done."""


@dataclass(frozen=True, slots=True)
class _Changes:
    """Tracks that an artefact lacks, with their vectors, and those that it has wrong."""

    missing: tuple[TrackId, ...]
    vectors: FloatArray
    stale: tuple[TrackId, ...]

    def __len__(self) -> int:
        return len(self.missing) + len(self.stale)


class ArtefactUpdater:
    """Compares the artefact in use with the library, and adds what is missing.

    Parameters
    ----------
    store, artefacts
        The ports it uses.
    library : LibrarySnapshots
        What is compared, and read if all neighbours have to be found again.
    recipes : RecipeChooser
        Says what should be in use.
    """

    def __init__(
        self,
        store: LibraryStore,
        artefacts: ArtefactStore,
        *,
        library: LibrarySnapshots,
        recipes: RecipeChooser,
    ) -> None:
        self._store = store
        self._artefacts = artefacts
        self._library = library
        self._recipes = recipes

    def freshness(self, wanted: Recipe | None = None) -> Freshness:
        """Compare the artefact in use with the analysed tracks.

        Parameters
        ----------
        wanted : Recipe, optional
            What `RecipeChooser.wanted` said; by default it is asked.
        """
        artefact = self._recipes.artefact()
        wanted = wanted or self._recipes.wanted()
        if next(self._library.summaries(self._recipes.schemas_of(wanted)), None) is None:
            return Freshness.EMPTY
        if artefact is None:
            return Freshness.MISSING if self._artefacts.old_recipe() is None else Freshness.OLD_FORMAT
        if wanted.key != artefact.recipe.key:
            return Freshness.OTHER_RECIPE
        changed = len(self._changes(artefact))
        fitted = len(artefact.track_ids) - artefact.added_count
        if artefact.added_count + changed > max(1, int(REBUILD_SHARE * fitted)):
            return Freshness.OUTGROWN
        return Freshness.BEHIND if changed else Freshness.CURRENT

    def update(self, engine: SimilarityEngine) -> int:
        """Bring the artefact up to date in its existing space; return how many tracks changed.

        New tracks are added. If a track's audio changed or can no longer be analysed, all neighbours
        are found again, still in the same space. Vanished tracks stay: they are left out of every
        answer, and may come back.

        Parameters
        ----------
        engine : SimilarityEngine
            Finds neighbours again if needed; nothing is fitted.
        """
        while (artefact := self._recipes.artefact()) is not None:
            changes = self._changes(artefact)
            try:
                if changes.stale:
                    self._publish(self._found_again(engine, artefact, len(changes)), artefact)
                elif changes.missing:
                    self._publish(extend(artefact, changes.missing, changes.vectors), artefact)
            except ArtefactReplacedError:
                continue  # another process has built or updated meanwhile: begin again with its artefact
            return len(changes)
        return 0

    def _publish(self, draft: ArtefactDraft, artefact: Artefact) -> None:
        self._artefacts.publish(draft, replacing=artefact.version)

    def _found_again(self, engine: SimilarityEngine, artefact: Artefact, changed: int) -> ArtefactDraft:
        with self._library.taken(artefact.schemas) as snapshot:
            neighbours = engine.neighbours(artefact.space, snapshot, k=NEIGHBOUR_COUNT)
            table = self._library.read(snapshot)
        placed = str(artefact.added_count + changed)
        facts = {"engine": engine.name, "method": Method.EXACT.value, "placed": placed}
        return draft(table, artefact.recipe, artefact.space, neighbours, facts)

    def _changes(self, artefact: Artefact) -> _Changes:
        """Compare an artefact with the library, of which a few thousand tracks are in memory at a time."""
        missing: list[TrackId] = []
        vectors: list[FloatArray] = []
        stale: list[TrackId] = []
        lost = set(artefact.track_ids)
        for track_ids, summaries in self._library.summaries(artefact.schemas):
            is_present = np.array([track_id in artefact.rows for track_id in track_ids])
            present = [track_id for track_id in track_ids if track_id in artefact.rows]
            lost.difference_update(present)
            stale += changed_tracks(artefact, present, summaries[is_present])
            missing += [track_id for track_id in track_ids if track_id not in artefact.rows]
            vectors.append(summaries[~is_present])
        if not vectors:
            return _Changes((), np.empty((0, 0), np.float32), ())
        gone = self._store.tracks(lost).values()
        stale += [track.id for track in gone if not track.is_vanished]
        return _Changes(tuple(missing), np.concatenate(vectors), tuple(stale))
