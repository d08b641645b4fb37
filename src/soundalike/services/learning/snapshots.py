"""Snapshots of the library: what training reads, and what ``export`` writes."""

import heapq
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from itertools import groupby
from pathlib import Path

import numpy as np

from soundalike.domain.batches import batched
from soundalike.domain.errors import TooFewTracksError
from soundalike.domain.features import FeatureSchema, FeatureVectors, TrackVectors
from soundalike.domain.ports.learning import Snapshots
from soundalike.domain.ports.library import RecordedLibrary
from soundalike.domain.snapshot import LibraryTable, Snapshot, SnapshotRow
from soundalike.domain.tracks import Track
from soundalike.domain.types import FloatArray, TrackId

_BATCH, _SUMMARY_BATCH = 500, 4096
# Of more tracks than this the vectors are read in one scan of all.
_MOST_SINGLE = 5_000


class LibrarySnapshots:
    """Writes the tracks that have not vanished, with their vectors of some feature sets.

    A track that lacks one of the sets is left out.

    Parameters
    ----------
    store, snapshots
        The ports it uses.
    workspace : callable
        Makes a temporary folder for one run.
    """

    def __init__(
        self,
        store: RecordedLibrary,
        snapshots: Snapshots,
        *,
        workspace: Callable[[], AbstractContextManager[Path]],
    ) -> None:
        self._store = store
        self._snapshots = snapshots
        self._workspace = workspace

    def export(self, url: str, schemas: Sequence[FeatureSchema]) -> Snapshot:
        """Write the library's tracks and vectors as Parquet.

        Parameters
        ----------
        url : str
            Where to.
        schemas : sequence of FeatureSchema
            The sets, whose vectors stand side by side.
        """
        return self._snapshots.write(schemas, self._rows(schemas), url)

    @contextmanager
    def taken(self, schemas: Sequence[FeatureSchema]) -> Iterator[Snapshot]:
        """Take a snapshot for one run and remove it afterwards.

        Raises
        ------
        TooFewTracksError
            If no track has been analysed.
        """
        with self._workspace() as folder:
            snapshot = self.export(str(folder / "snapshot.parquet"), schemas)
            if not snapshot.track_count:
                msg = "no track has features to learn from; run 'soundalike extract DIR' on a folder of music"
                raise TooFewTracksError(msg)
            yield snapshot

    def read(self, snapshot: Snapshot, *, has_parts: bool = False) -> LibraryTable:
        """Read a whole snapshot.

        Parameters
        ----------
        snapshot : Snapshot
            To read.
        has_parts : bool
            Whether to read the parts too.
        """
        return self._snapshots.read(snapshot, has_parts=has_parts)

    def analysed(self, schemas: Sequence[FeatureSchema]) -> frozenset[TrackId]:
        """Return the tracks, vanished ones too, that have vectors of all sets, without reading these."""
        return frozenset.intersection(*(self._store.ids_with_vectors(schema) for schema in schemas))

    def summaries(
        self, schemas: Sequence[FeatureSchema], track_ids: Collection[TrackId]
    ) -> Iterator[tuple[tuple[TrackId, ...], FloatArray]]:
        """Yield some tracks and their vectors side by side, a few thousand at a time, by id.

        Parameters
        ----------
        schemas : sequence of FeatureSchema
            The sets; a track that lacks one is left out.
        track_ids : collection of TrackId
            The tracks.
        """
        for batch in batched(self._vectors(schemas, frozenset(track_ids)), _SUMMARY_BATCH):
            yield tuple(track_id for track_id, _ in batch), np.stack([_summary(each) for _, each in batch])

    def latest_change(self) -> str:
        """Return a text that names the last change of the library, empty without tracks."""
        version, step = self._store.library_version(), 1
        while version > 0:
            since = max(0, version - step)
            _, changed = self._store.changed_since(since)
            if changed:
                return f"{since} {changed[-1]}"
            if since == 0:
                break
            step *= 2
        return ""

    def changed_since(self, change: str) -> frozenset[TrackId] | None:
        """Return the tracks that may have changed after a change, None if this library does not know it.

        Numbers of changes come again where a backup is restored, and in copies. So the track of that change
        has to be among those that changed since then.

        Parameters
        ----------
        change : str
            What `latest_change` said.
        """
        since, _, track_id = change.partition(" ")
        if not track_id:
            return None
        _, changed = self._store.changed_since(int(since))
        return frozenset(changed) if track_id in changed else None

    def _rows(self, schemas: Sequence[FeatureSchema]) -> Iterator[SnapshotRow]:
        for batch in batched(side_by_side(self._streams(schemas)), _BATCH):
            tracks = self._store.tracks([track_id for track_id, _ in batch])
            for track_id, vectors in batch:
                if track_id in tracks:
                    yield _row(tracks[track_id], vectors)

    def _vectors(
        self, schemas: Sequence[FeatureSchema], track_ids: frozenset[TrackId]
    ) -> Iterator[tuple[TrackId, tuple[FeatureVectors, ...]]]:
        if len(track_ids) > _MOST_SINGLE:
            yield from (each for each in side_by_side(self._streams(schemas)) if each[0] in track_ids)
            return
        for track_id in sorted(track_ids):
            vectors = self._store.vectors_in(track_id, schemas)
            if vectors is not None:
                yield track_id, vectors

    def _streams(self, schemas: Sequence[FeatureSchema]) -> list[Iterator[TrackVectors]]:
        return [self._store.track_vectors(schema) for schema in schemas]


def side_by_side(
    streams: Sequence[Iterator[TrackVectors]],
) -> Iterator[tuple[TrackId, tuple[FeatureVectors, ...]]]:
    """Yield the tracks that are in all of some streams by id, and their vectors in each."""
    merged = heapq.merge(*streams, key=_track_id)
    for track_id, found in groupby(merged, key=_track_id):
        vectors = tuple(each.vectors for each in found)
        if len(vectors) == len(streams):
            yield track_id, vectors


def _track_id(each: TrackVectors) -> TrackId:
    return each.track_id


def _summary(vectors: Sequence[FeatureVectors]) -> FloatArray:
    return np.concatenate([each.summary for each in vectors])


def _row(track: Track, vectors: Sequence[FeatureVectors]) -> SnapshotRow:
    return SnapshotRow(
        track_id=track.id,
        title=track.title,
        artist=track.artist,
        album=track.album,
        genre=track.genre,
        year=track.year,
        duration_ms=track.duration_ms,
        root="" if track.file is None else track.file.location.root,
        path="" if track.file is None else track.file.location.path.decode(errors="replace"),
        summary=_summary(vectors),
        parts=tuple(each.parts for each in vectors),
    )
