"""Whole tracks out of and into SQLite, on their way from store to store."""
# ruff: noqa: S608 - only constants and question marks are pasted into statements

import sqlite3
from array import array
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from soundalike.domain.copying import KeptTrack
from soundalike.domain.errors import StoreError
from soundalike.domain.types import TrackId
from soundalike.store.sqlite.connections import Connections
from soundalike.store.sqlite.rows import (
    KEPT_COLUMNS,
    TRACK_COLUMNS,
    from_text,
    kept_vectors_from_row,
    track_from_row,
)
from soundalike.store.sqlite.tables import (
    marks,
    refuse_conflicts,
    write_kept_vectors,
    write_track,
    write_words,
)

# Rows are read so many at a time: no transaction stays open while the caller does its work.
_BATCH = 200


class SqliteCopying:
    """The part of the `LibraryStore` port that copies tracks, on one SQLite file."""

    _connections: Connections

    def kept_tracks(self, *, after: TrackId | None = None) -> Iterator[KeptTrack]:
        """Yield all that is kept of every track, vanished ones too, by id, in bounded memory.

        Raises
        ------
        StoreError
            With the id of a track that is damaged.
        """
        # As bytes, so that ids which are no UTF-8 stand where every store has them.
        where, beyond = ("", ()) if after is None else ("WHERE CAST(id AS BLOB) > ?", (_bytes(after),))
        with self._connections.reading() as connection:
            rows = connection.execute(f"SELECT n FROM tracks {where} ORDER BY CAST(id AS BLOB)", beyond)
            numbers = array("q", (number for (number,) in rows))
        for start in range(0, len(numbers), _BATCH):
            batch = numbers[start : start + _BATCH]
            with self._connections.reading() as connection:
                tracks, vectors = _read(connection, batch)
            for number in batch:
                if number in tracks:
                    yield _kept(tracks[number], vectors[number])

    def keep_tracks(self, tracks: Collection[KeptTrack]) -> None:
        """Insert tracks, or replace those with these ids, vectors and all, many at once; see the port."""
        with self._connections.writing() as connection:
            for kept in tracks:
                refuse_conflicts(connection, kept.track, None)
                number = write_track(connection, kept.track)
                connection.execute("DELETE FROM vectors WHERE track = ?", (number,))
                for vectors in kept.vectors:
                    write_kept_vectors(connection, number, vectors)
                write_words(connection, number, kept.track)


def _bytes(track_id: TrackId) -> bytes:
    return track_id.encode(errors="surrogatepass")


def _read(
    connection: sqlite3.Connection, numbers: Sequence[int]
) -> tuple[dict[int, Any], defaultdict[int, list[Any]]]:
    """Return the rows of tracks and of their vectors, by the tracks' numbers."""
    tracks = connection.execute(
        f"SELECT n, {TRACK_COLUMNS} FROM tracks WHERE n IN ({marks(numbers)})", numbers
    )
    by_number = {number: row for number, *row in tracks}
    vectors: defaultdict[int, list[Any]] = defaultdict(list)
    for number, *row in connection.execute(
        f"SELECT track, {KEPT_COLUMNS} FROM vectors JOIN feature_sets ON n = feature_set"
        f" WHERE track IN ({marks(numbers)}) ORDER BY CAST(name AS BLOB), version",
        numbers,
    ):
        vectors[number].append(row)
    return by_number, vectors


def _kept(track: Any, vectors: Sequence[Any]) -> KeptTrack:  # noqa: ANN401 - rows hold anything
    try:
        return KeptTrack(track=track_from_row(track), vectors=tuple(map(kept_vectors_from_row, vectors)))
    except StoreError as error:
        msg = f"track {_name(track[0])}: {error}"
        raise StoreError(msg) from error


def _name(stored: Any) -> str:  # noqa: ANN401 - a damaged row holds anything
    return from_text(stored) if isinstance(stored, str) else repr(stored)
