"""Learning what sounds alike: snapshot, tune, build, and placing what came later."""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from pathlib import Path

import numpy as np

from soundalike.domain.errors import (
    DamagedArtefactError,
    ModelError,
    NoArtefactError,
    TooFewTracksError,
)
from soundalike.domain.features import FeatureSchema, TrackVectors
from soundalike.domain.ports import (
    ArtefactShelf,
    Placer,
    Progress,
    SimilarityEngine,
    Snapshots,
    Store,
    Tuner,
    Tunings,
)
from soundalike.domain.similarity import (
    DEFAULT_RECIPE,
    Artefact,
    ArtefactDraft,
    Neighbours,
    SimilaritySpace,
    SpaceRecipe,
)
from soundalike.domain.table import LibraryTable, Snapshot, SnapshotRow
from soundalike.domain.tracks import Track
from soundalike.domain.tuning import LshTuning, SpaceTuning
from soundalike.domain.types import ArtefactVersion, FloatArray, TrackId
from soundalike.services.evaluating import recall_at_k

NEIGHBOUR_COUNT = 50
"""Neighbours that an artefact keeps for each track; longer lists are computed when asked for."""

REBUILD_SHARE = 0.2
"""With more new tracks than this share of an artefact, `up` learns anew instead of placing them."""

_RECALL_AT = 10
_BATCH = 500
_SAME_POINT = 1e-4

_log = logging.getLogger(__name__)


class Method(StrEnum):
    """How neighbours are found: exactly, or by MLlib's `approxSimilarityJoin`."""

    EXACT = "exact"
    LSH = "lsh"


class Freshness(StrEnum):
    """How the artefact in use compares with the library; EMPTY is a library without vectors."""

    EMPTY = "empty"
    MISSING = "missing"
    CURRENT = "current"
    BEHIND = "behind"
    OUTGROWN = "outgrown"


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildReport:
    """What one build came to.

    Parameters
    ----------
    version : ArtefactVersion
        The new artefact.
    engine : str
        Its name.
    method : Method
        How neighbours were found.
    recipe : SpaceRecipe
        How the space was fitted.
    track_count : int
        Tracks in the artefact.
    recall : float or None
        Share of the 10 exact neighbours that LSH found; None where they are exact.
    seconds : float
        Wall time.
    """

    version: ArtefactVersion
    engine: str
    method: Method
    recipe: SpaceRecipe
    track_count: int
    recall: float | None
    seconds: float


class Training:
    """Turns the store's vectors into artefacts.

    Parameters
    ----------
    store, snapshots, shelf, tuner, tunings, placer
        The ports it works through.
    schema : FeatureSchema
        The feature set that is learnt from.
    workspace : callable
        Opens a folder for one run that is removed after it.
    timer : callable
        Returns seconds from any fixed point.
    """

    def __init__(  # noqa: PLR0913 - one argument per port
        self,
        *,
        store: Store,
        snapshots: Snapshots,
        shelf: ArtefactShelf,
        tuner: Tuner,
        tunings: Tunings,
        placer: Placer,
        schema: FeatureSchema,
        workspace: Callable[[], AbstractContextManager[Path]],
        timer: Callable[[], float],
    ) -> None:
        self._store = store
        self._snapshots = snapshots
        self._shelf = shelf
        self._tuner = tuner
        self._tunings = tunings
        self._placer = placer
        self._schema = schema
        self._workspace = workspace
        self._timer = timer

    def export(self, url: str) -> Snapshot:
        """Write the library's tracks and vectors as Parquet."""
        return self._snapshots.write(self._schema, self._rows(), url)

    def tune_space(self, *, progress: Progress) -> SpaceTuning:
        """Choose a similarity space by measurement and remember it.

        Raises
        ------
        TooFewTracksError
            If no track has been analysed.
        """
        with self._snapshot() as snapshot:
            tuning = self._tuner.tune_space(self._snapshots.read(snapshot), progress=progress)
        self._tunings.save_space(tuning)
        return tuning

    def tune_lsh(self, engine: SimilarityEngine, *, progress: Progress) -> LshTuning:
        """Choose LSH parameters by measurement, in the space that a build would fit, and remember them.

        Raises
        ------
        TooFewTracksError
            If no track has been analysed.
        EngineError
            If the engine has no LSH, or fails.
        """
        with self._snapshot() as snapshot:
            tuning = self._tuner.tune_lsh(engine, self._recipe(), snapshot, progress=progress)
        self._tunings.save_lsh(tuning)
        return tuning

    def build(
        self, engine: SimilarityEngine, *, method: Method = Method.EXACT, progress: Progress
    ) -> BuildReport:
        """Fit the chosen space on the whole library, find neighbours, publish an artefact.

        Raises
        ------
        TooFewTracksError
            If no track has been analysed.
        EngineError
            If the engine fails, or has no LSH though `method` asks for it.
        """
        started = self._timer()
        if method is Method.LSH and self._tunings.lsh() is None:
            self.tune_lsh(engine, progress=progress)
        with self._snapshot() as snapshot:
            recipe = self._recipe()
            space = engine.fit(recipe, snapshot)
            if method is Method.LSH:
                neighbours, recall = self._by_lsh(engine, space, snapshot)
            else:
                recall = None
                neighbours = engine.neighbours(space, snapshot, k=NEIGHBOUR_COUNT)
            table = self._snapshots.read(snapshot)
        draft = _draft(table, recipe, space, neighbours, {"engine": engine.name, "method": method.value})
        version = self._shelf.publish(draft)
        return BuildReport(
            version=version,
            engine=engine.name,
            method=method,
            recipe=recipe,
            track_count=len(table),
            recall=recall,
            seconds=self._timer() - started,
        )

    def freshness(self) -> Freshness:
        """Tell how the artefact in use compares with what has been analysed."""
        artefact = self._artefact()
        vectors = dict(self._vectors())
        if not vectors:
            return Freshness.EMPTY
        if artefact is None:
            return Freshness.MISSING
        missing, stale = self._differences(artefact, vectors)
        if not missing and not stale:
            return Freshness.CURRENT
        few = max(1, int(REBUILD_SHARE * len(artefact.track_ids)))
        return Freshness.BEHIND if len(missing) + len(stale) <= few else Freshness.OUTGROWN

    def place(self, engine: SimilarityEngine) -> int:
        """Bring the artefact in step with the library in its existing space; return how many moved.

        New tracks are added to what is there. Where a track's sound changed or can no longer be
        heard, all neighbours are found anew, still in the same space. Vanished tracks stay: they
        are left out of every answer, and may come back.

        Parameters
        ----------
        engine : SimilarityEngine
            Finds neighbours anew where that is needed; nothing is fitted.
        """
        artefact = self._artefact()
        if artefact is None:
            return 0
        vectors = dict(self._vectors())
        missing, stale = self._differences(artefact, vectors)
        if not missing and not stale:
            return 0
        if stale:
            self._replace(engine, artefact)
        else:
            new = np.stack([vectors[track_id] for track_id in missing])
            self._shelf.publish(self._placer.extend(artefact, missing, new))
        return len(missing) + len(stale)

    def _replace(self, engine: SimilarityEngine, artefact: Artefact) -> None:
        with self._snapshot() as snapshot:
            neighbours = engine.neighbours(artefact.space, snapshot, k=NEIGHBOUR_COUNT)
            table = self._snapshots.read(snapshot)
        facts = {"engine": engine.name, "method": Method.EXACT.value}
        self._shelf.publish(_draft(table, artefact.recipe, artefact.space, neighbours, facts))

    def _artefact(self) -> Artefact | None:
        """Return the artefact in use, if it is whole and of this feature set."""
        try:
            artefact = self._shelf.current()
        except NoArtefactError:
            return None
        except DamagedArtefactError as error:
            _log.warning("%s; it will be built anew", error)
            return None
        return artefact if artefact.schema.fingerprint == self._schema.fingerprint else None

    def _vectors(self) -> Iterator[tuple[TrackId, FloatArray]]:
        for each in self._store.track_vectors(self._schema):
            yield each.track_id, each.vectors.whole

    def _differences(
        self, artefact: Artefact, vectors: Mapping[TrackId, FloatArray]
    ) -> tuple[list[TrackId], list[TrackId]]:
        """Return the tracks that the artefact lacks, and those it holds wrongly."""
        held = set(artefact.track_ids)
        missing = [track_id for track_id in vectors if track_id not in held]
        kept = [(row, track_id) for row, track_id in enumerate(artefact.track_ids) if track_id in vectors]
        stale: list[TrackId] = []
        if kept:
            placed = artefact.space.place(np.stack([vectors[track_id] for _, track_id in kept]))
            was = artefact.coordinates[[row for row, _ in kept]]
            has_moved = np.abs(placed - was).max(axis=1) > _SAME_POINT
            stale = [track_id for (_, track_id), moved in zip(kept, has_moved, strict=True) if moved]
        lost = self._store.tracks(held - vectors.keys())
        return missing, stale + [track.id for track in lost.values() if not track.is_vanished]

    def _recipe(self) -> SpaceRecipe:
        tuning = self._tunings.space()
        return tuning.chosen if tuning else DEFAULT_RECIPE

    def _by_lsh(
        self, engine: SimilarityEngine, space: SimilaritySpace, snapshot: Snapshot
    ) -> tuple[Neighbours, float]:
        tuning = self._tunings.lsh()
        if tuning is None:
            msg = "LSH has no parameters yet; run 'soundalike tune --lsh'"
            raise ModelError(msg)
        found = engine.lsh_neighbours(space, snapshot, k=NEIGHBOUR_COUNT, parameters=tuning.chosen)
        exact = engine.neighbours(space, snapshot, k=_RECALL_AT)
        return found, recall_at_k(found.rows[:, :_RECALL_AT], exact.rows)

    @contextmanager
    def _snapshot(self) -> Iterator[Snapshot]:
        with self._workspace() as folder:
            snapshot = self.export(str(folder / "snapshot.parquet"))
            if not snapshot.track_count:
                msg = "no track has been analysed yet; run 'soundalike extract DIR' on a folder of music"
                raise TooFewTracksError(msg)
            yield snapshot

    def _rows(self) -> Iterator[SnapshotRow]:
        vectors = self._store.track_vectors(self._schema)
        while batch := list(islice(vectors, _BATCH)):
            tracks = self._store.tracks([each.track_id for each in batch])
            for each in batch:
                if each.track_id in tracks:
                    yield _row(tracks[each.track_id], each)


def _row(track: Track, each: TrackVectors) -> SnapshotRow:
    return SnapshotRow(
        track_id=track.id,
        title=track.title,
        artist=track.artist,
        album=track.album,
        genre=track.genre,
        year=track.year,
        duration_ms=track.duration_ms,
        root=track.location.root,
        path=track.location.path.decode(errors="replace"),
        whole=each.vectors.whole,
        first_half=each.vectors.first_half,
        second_half=each.vectors.second_half,
    )


def _draft(
    table: LibraryTable,
    recipe: SpaceRecipe,
    space: SimilaritySpace,
    neighbours: Neighbours,
    facts: Mapping[str, str],
) -> ArtefactDraft:
    return ArtefactDraft(
        schema=table.schema,
        recipe=recipe,
        space=space,
        track_ids=table.track_ids,
        coordinates=space.place(table.whole),
        neighbours=neighbours,
        facts=facts,
    )
