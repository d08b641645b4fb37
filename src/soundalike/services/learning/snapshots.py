"""Snapshots of the library: what training reads, and what ``export`` writes."""

import heapq
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from itertools import groupby
from pathlib import Path

import numpy as np

from soundalike.domain.batches import batched
from soundalike.domain.errors import TooFewTracksError
from soundalike.domain.features import FeatureSchema, FeatureVectors, TrackVectors
from soundalike.domain.ports.learning import Snapshots
from soundalike.domain.ports.library import LibraryStore
from soundalike.domain.snapshot import LibraryTable, Snapshot, SnapshotRow
from soundalike.domain.tracks import Track
from soundalike.domain.types import FloatArray, TrackId

_BATCH, _SUMMARY_BATCH = 500, 4096


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
        store: LibraryStore,
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

    def summaries(self, schemas: Sequence[FeatureSchema]) -> Iterator[tuple[tuple[TrackId, ...], FloatArray]]:
        """Yield the tracks and their vectors side by side, a few thousand at a time, by id."""
        for batch in batched(side_by_side(self._streams(schemas)), _SUMMARY_BATCH):
            yield tuple(track_id for track_id, _ in batch), np.stack([_summary(each) for _, each in batch])

    def _rows(self, schemas: Sequence[FeatureSchema]) -> Iterator[SnapshotRow]:
        for batch in batched(side_by_side(self._streams(schemas)), _BATCH):
            tracks = self._store.tracks([track_id for track_id, _ in batch])
            for track_id, vectors in batch:
                if track_id in tracks:
                    yield _row(tracks[track_id], vectors)

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
