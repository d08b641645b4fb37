"""Snapshots of the library: what training reads, and what ``export`` writes."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from soundalike.domain.batches import batched
from soundalike.domain.errors import TooFewTracksError
from soundalike.domain.features import FeatureSchema, TrackVectors
from soundalike.domain.ports.learning import Snapshots
from soundalike.domain.ports.library import LibraryStore
from soundalike.domain.snapshot import LibraryTable, Snapshot, SnapshotRow
from soundalike.domain.tracks import Track

_BATCH = 500


class LibrarySnapshots:
    """Writes the tracks that have not vanished, with their vectors of one feature set.

    Parameters
    ----------
    store, snapshots
        The ports it uses.
    schema : FeatureSchema
        The feature set of the vectors.
    workspace : callable
        Makes a temporary folder for one run.
    """

    def __init__(
        self,
        store: LibraryStore,
        snapshots: Snapshots,
        *,
        schema: FeatureSchema,
        workspace: Callable[[], AbstractContextManager[Path]],
    ) -> None:
        self._store = store
        self._snapshots = snapshots
        self._schema = schema
        self._workspace = workspace

    @property
    def schema(self) -> FeatureSchema:
        """The feature set of the vectors."""
        return self._schema

    def export(self, url: str) -> Snapshot:
        """Write the library's tracks and vectors as Parquet."""
        return self._snapshots.write(self._schema, self._rows(), url)

    @contextmanager
    def taken(self) -> Iterator[Snapshot]:
        """Take a snapshot for one run and remove it afterwards.

        Raises
        ------
        TooFewTracksError
            If no track has been analysed.
        """
        with self._workspace() as folder:
            snapshot = self.export(str(folder / "snapshot.parquet"))
            if not snapshot.track_count:
                msg = "no track has been analysed yet; run 'soundalike extract DIR' on a folder of music"
                raise TooFewTracksError(msg)
            yield snapshot

    def read(self, snapshot: Snapshot) -> LibraryTable:
        """Read a whole snapshot."""
        return self._snapshots.read(snapshot)

    def _rows(self) -> Iterator[SnapshotRow]:
        for batch in batched(self._store.track_vectors(self._schema), _BATCH):
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
        root="" if track.file is None else track.file.location.root,
        path="" if track.file is None else track.file.location.path.decode(errors="replace"),
        whole=each.vectors.summary,
        first_half=each.vectors.parts[0],
        second_half=each.vectors.parts[1],
    )
