"""Whole tracks read from and written into SQLite, on their way from store to store."""

from array import array
from collections.abc import Collection, Iterator
from typing import Any

from soundalike.domain.batches import batched
from soundalike.domain.errors import StoreError
from soundalike.domain.tracks import Track
from soundalike.store.sqlite.catalogue_tables import GroupMarks
from soundalike.store.sqlite.connections import Connections
from soundalike.store.sqlite.rows import from_text, track_from_row
from soundalike.store.sqlite.tables import (
    next_version,
    placeholders,
    refuse_conflicts,
    select_tracks,
    write_track,
)

# So many tracks are read at a time, so that no transaction is open while the caller works.
_BATCH = 200


class SqliteStoredTracks:
    """The part of the `LibraryStore` port for copying tracks, on one SQLite file."""

    _connections: Connections

    def stored_tracks(self) -> Iterator[Track]:
        """Yield every track, vanished ones too, by id, in bounded memory.

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
            with self._connections.reading() as connection:
                where = f"n IN ({placeholders(batch)}) ORDER BY CAST(id AS BLOB)"
                found = select_tracks(connection, where, *batch)
            yield from map(_stored_track, found)

    def save_stored_tracks(self, tracks: Collection[Track]) -> None:
        """Insert many tracks, or replace those with their ids; see the port."""
        with self._connections.writing(is_bulk=True) as connection:
            marks = GroupMarks(connection, next_version(connection))
            for track in tracks:
                refuse_conflicts(connection, track, None)
                write_track(connection, track, marks)


def _stored_track(row: Any) -> Track:  # noqa: ANN401 - a row may have anything
    try:
        return track_from_row(row)
    except StoreError as error:
        msg = f"track {_name(row[0])}: {error}"
        raise StoreError(msg) from error


def _name(stored: Any) -> str:  # noqa: ANN401 - a damaged row may have anything
    return from_text(stored) if isinstance(stored, str) else repr(stored)
