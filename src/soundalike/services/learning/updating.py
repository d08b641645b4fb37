"""Keeping an artefact up to date with the library without fitting again."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import compress

import numpy as np

from soundalike.domain.batches import batched
from soundalike.domain.errors import ArtefactReplacedError
from soundalike.domain.ports.learning import ArtefactStore
from soundalike.domain.ports.library import LibraryStore
from soundalike.domain.similarity.extending import has_moved, revise
from soundalike.domain.similarity.recipe import Recipe
from soundalike.domain.similarity.space import Artefact
from soundalike.domain.types import ArtefactVersion, FloatArray, TrackId
from soundalike.services.learning.recipes import RecipeChooser
from soundalike.services.learning.snapshots import LibrarySnapshots

_BATCH = 500

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
    """What an artefact lacks or has wrong: tracks with their vectors, and tracks to drop.

    `latest` is the last change of the library that was looked at.
    """

    track_ids: tuple[TrackId, ...]
    vectors: FloatArray
    dropped: tuple[TrackId, ...]
    latest: str

    def __len__(self) -> int:
        return len(self.track_ids) + len(self.dropped)


class ArtefactUpdater:
    """Compares the artefact in use with the library, and adds what is missing.

    Vectors are read only of tracks that are new, or changed since the artefact was made.

    Parameters
    ----------
    store, artefacts
        The ports it uses.
    library : LibrarySnapshots
        What is compared.
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
        # The artefact that was compared last and had nothing wrong, and up to which change.
        self._compared: tuple[ArtefactVersion, str] | None = None

    def freshness(self, wanted: Recipe | None = None) -> Freshness:
        """Compare the artefact in use with the analysed tracks.

        Parameters
        ----------
        wanted : Recipe, optional
            What `RecipeChooser.wanted` said; by default it is asked.
        """
        artefact = self._recipes.artefact()
        wanted = wanted or self._recipes.wanted()
        analysed = self._library.analysed(self._recipes.schemas_of(wanted))
        if not self._has_tracks(analysed):
            return Freshness.EMPTY
        if artefact is None:
            return Freshness.MISSING if self._artefacts.old_recipe() is None else Freshness.OLD_FORMAT
        if wanted.key != artefact.recipe.key:
            return Freshness.OTHER_RECIPE
        changed = len(self._changes(artefact, analysed))
        fitted = len(artefact.track_ids) - artefact.added_count
        if artefact.added_count + changed > max(1, int(REBUILD_SHARE * fitted)):
            return Freshness.OUTGROWN
        return Freshness.BEHIND if changed else Freshness.CURRENT

    def update(self) -> int:
        """Bring the artefact up to date in its existing space; return how many tracks changed.

        New tracks are added, those whose audio changed get their new place, and those that can no longer be
        analysed leave. Vanished tracks stay: they are left out of every answer, and may come back.
        """
        while (artefact := self._recipes.artefact()) is not None:
            changes = self._changes(artefact, self._library.analysed(artefact.schemas))
            if changes:
                draft = revise(artefact, changes.track_ids, changes.vectors, dropped=changes.dropped)
                try:
                    self._artefacts.publish(
                        replace(draft, library_change=changes.latest), replacing=artefact.version
                    )
                except ArtefactReplacedError:
                    continue  # another process has built or updated meanwhile: begin with its artefact
            return len(changes)
        return 0

    def _changes(self, artefact: Artefact, analysed: frozenset[TrackId]) -> _Changes:
        """Compare an artefact with the library, of whose tracks some have all its sets."""
        # Before vectors are read: what changes meanwhile is compared again.
        latest = self._library.latest_change()
        version, compared = self._compared or (None, "")
        changed = self._library.changed_since(
            compared if version == artefact.version else artefact.library_change
        )
        known = frozenset(artefact.rows)
        present = analysed & known
        suspects = present if changed is None else present & changed
        track_ids: list[TrackId] = []
        vectors = [np.empty((0, sum(map(len, artefact.schemas))), np.float32)]
        for found, summaries in self._library.summaries(artefact.schemas, suspects):
            is_moved = has_moved(artefact, found, summaries)
            track_ids += compress(found, is_moved)
            vectors.append(summaries[is_moved])
        for found, summaries in self._library.summaries(artefact.schemas, self._there(analysed - known)):
            track_ids += found
            vectors.append(summaries)
        dropped = self._there(known - analysed) if self._has_tracks(analysed) else []
        changes = _Changes(tuple(track_ids), np.concatenate(vectors), tuple(dropped), latest)
        if not changes:
            self._compared = artefact.version, latest
        return changes

    def _there(self, track_ids: Collection[TrackId]) -> list[TrackId]:
        """Return the tracks that the library has and that have not vanished, by id."""
        found = self._store.tracks(track_ids).values()
        return sorted(track.id for track in found if not track.is_vanished)

    def _has_tracks(self, track_ids: Collection[TrackId]) -> bool:
        """Whether one of some tracks has not vanished."""
        return any(self._there(batch) for batch in batched(track_ids, _BATCH))
