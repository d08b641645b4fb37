"""Keeping an artefact up to date with the library without fitting again."""

from collections.abc import Mapping
from enum import StrEnum

import numpy as np

from soundalike.domain.errors import DamagedArtefactError, NoArtefactError
from soundalike.domain.features import FeatureSchema
from soundalike.domain.ports.learning import ArtefactStore, SimilarityEngine
from soundalike.domain.ports.library import LibraryStore
from soundalike.domain.similarity.extending import changed_tracks, extend
from soundalike.domain.similarity.space import Artefact
from soundalike.domain.types import FloatArray, TrackId
from soundalike.services.learning.snapshots import LibrarySnapshots
from soundalike.services.learning.training import NEIGHBOUR_COUNT, Method, draft

REBUILD_SHARE = 0.2
"""With more new tracks than this share of those a space was fitted on, `up` builds again."""


class Freshness(StrEnum):
    """How the artefact in use compares with the library; EMPTY is a library without vectors."""

    EMPTY = "empty"
    MISSING = "missing"
    CURRENT = "current"
    BEHIND = "behind"
    OUTGROWN = "outgrown"


class ArtefactUpdater:
    """Compares the artefact in use with the library, and adds what is missing.

    Parameters
    ----------
    store, artefacts
        The ports it uses.
    library : LibrarySnapshots
        Read if all neighbours have to be found again.
    schema : FeatureSchema
        The feature set of the library.
    """

    def __init__(
        self,
        store: LibraryStore,
        artefacts: ArtefactStore,
        *,
        library: LibrarySnapshots,
        schema: FeatureSchema,
    ) -> None:
        self._store = store
        self._artefacts = artefacts
        self._library = library
        self._schema = schema

    def freshness(self) -> Freshness:
        """Compare the artefact in use with the analysed tracks."""
        artefact = self._artefact()
        vectors = self._vectors()
        if not vectors:
            return Freshness.EMPTY
        if artefact is None:
            return Freshness.MISSING
        missing, stale = self._differences(artefact, vectors)
        changed = len(missing) + len(stale)
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
        artefact = self._artefact()
        if artefact is None:
            return 0
        vectors = self._vectors()
        missing, stale = self._differences(artefact, vectors)
        if not vectors or not (missing or stale):
            return 0
        if stale:
            self._replace(engine, artefact, len(missing) + len(stale))
        else:
            new = np.stack([vectors[track_id] for track_id in missing])
            self._artefacts.publish(extend(artefact, missing, new))
        return len(missing) + len(stale)

    def _replace(self, engine: SimilarityEngine, artefact: Artefact, changed: int) -> None:
        with self._library.taken() as snapshot:
            neighbours = engine.neighbours(artefact.space, snapshot, k=NEIGHBOUR_COUNT)
            table = self._library.read(snapshot)
        placed = str(artefact.added_count + changed)
        facts = {"engine": engine.name, "method": Method.EXACT.value, "placed": placed}
        self._artefacts.publish(draft(table, artefact.recipe, artefact.space, neighbours, facts))

    def _artefact(self) -> Artefact | None:
        """Return the artefact in use, if there is an intact one."""
        try:
            return self._artefacts.current()
        except (NoArtefactError, DamagedArtefactError):
            return None

    def _vectors(self) -> dict[TrackId, FloatArray]:
        return {each.track_id: each.vectors.summary for each in self._store.track_vectors(self._schema)}

    def _differences(
        self, artefact: Artefact, vectors: Mapping[TrackId, FloatArray]
    ) -> tuple[list[TrackId], list[TrackId]]:
        """Return the tracks that the artefact lacks, and those that it has wrong."""
        present = set(artefact.track_ids)
        missing = [track_id for track_id in vectors if track_id not in present]
        changed = changed_tracks(artefact, vectors)
        lost = self._store.tracks(present - vectors.keys())
        return missing, changed + [track.id for track in lost.values() if not track.is_vanished]
