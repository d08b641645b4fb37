"""Whole tracks read from and written into SQLite, on their way from store to store."""
# ruff: noqa: S608 - only constants and placeholders are inserted into statements

from array import array
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from soundalike.domain.batches import batched
from soundalike.domain.errors import StoreError
from soundalike.domain.stored_tracks import StoredTrack
from soundalike.store.sqlite.connections import Connections
from soundalike.store.sqlite.rows import (
    STORED_COLUMNS,
    TRACK_COLUMNS,
    from_text,
    stored_vectors_from_row,
    track_from_row,
)
from soundalike.store.sqlite.tables import (
    placeholders,
    refuse_conflicts,
    write_stored_vectors,
    write_track,
)

# So many tracks are read at a time, so that no transaction is open while the caller works.
_BATCH = 200


class SqliteStoredTracks:
    """The part of the `LibraryStore` port for copying tracks, on one SQLite file."""

    _connections: Connections

    def stored_tracks(self) -> Iterator[StoredTrack]:
        """Yield every track with all its vectors, vanished ones too, by id, in bounded memory.

        Raises
        ------
        StoreError
            With the id of a track that is damaged.
        """
        with self._connections.reading() as connection:
            # By their bytes, since SQLite puts ids that are not UTF-8 last.
            rows = connection.execute("SELECT n FROM track ORDER BY CAST(id AS BLOB)")
            numbers = array("q", (number for (number,) in rows))
        for batch in batched(numbers, _BATCH):
            vectors: defaultdict[int, list[Any]] = defaultdict(list)
            with self._connections.reading() as connection:
                tracks = connection.execute(
                    f"SELECT n, {TRACK_COLUMNS} FROM track WHERE n IN ({placeholders(batch)})"
                    " ORDER BY CAST(id AS BLOB)",
                    batch,
                ).fetchall()
                for number, *row in connection.execute(
                    f"SELECT track, {STORED_COLUMNS} FROM feature JOIN feature_set ON n = feature_set"
                    f" WHERE track IN ({placeholders(batch)}) ORDER BY CAST(name AS BLOB), version",
                    batch,
                ):
                    vectors[number].append(row)
            for number, *row in tracks:
                yield _stored_track(row, vectors[number])

    def save_stored_tracks(self, tracks: Collection[StoredTrack]) -> None:
        """Insert many tracks with their vectors, or replace those with their ids; see the port."""
        with self._connections.writing() as connection:
            for stored in tracks:
                refuse_conflicts(connection, stored.track, None)
                number = write_track(connection, stored.track)
                connection.execute("DELETE FROM feature WHERE track = ?", (number,))
                for vectors in stored.vectors:
                    write_stored_vectors(connection, number, vectors)


def _stored_track(track: Any, vectors: Sequence[Any]) -> StoredTrack:  # noqa: ANN401 - a row may have anything
    try:
        return StoredTrack(track=track_from_row(track), vectors=tuple(map(stored_vectors_from_row, vectors)))
    except StoreError as error:
        msg = f"track {_name(track[0])}: {error}"
        raise StoreError(msg) from error


def _name(stored: Any) -> str:  # noqa: ANN401 - a damaged row may have anything
    return from_text(stored) if isinstance(stored, str) else repr(stored)
