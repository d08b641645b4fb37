"""The library's record in SQLite: its id, and which tracks changed when."""

from soundalike.domain.types import LibraryId, TrackId
from soundalike.store.sqlite.connections import Connections
from soundalike.store.sqlite.rows import from_text, to_text


class SqliteLibraryRecord:
    """The `LibraryRecord` port on one SQLite file."""

    _connections: Connections

    def library_id(self) -> LibraryId | None:
        """Return the library's id, or None if it has none yet."""
        with self._connections.reading() as connection:
            (stored,) = connection.execute("SELECT id FROM library").fetchone()
        return None if stored is None else LibraryId(from_text(stored))

    def set_library_id(self, library_id: LibraryId, *, replacing: LibraryId | None) -> bool:
        """Store the library's id in place of another, None for none; False if that is not the stored one."""
        with self._connections.writing(is_durable=True) as connection:
            changed = connection.execute(
                "UPDATE library SET id = ? WHERE id IS ?",
                (to_text(library_id), None if replacing is None else to_text(replacing)),
            )
            return changed.rowcount > 0

    def library_version(self) -> int:
        """Return the number of the last change of tracks."""
        with self._connections.reading() as connection:
            return int(connection.execute("SELECT version FROM library").fetchone()[0])

    def changed_since(self, version: int) -> tuple[int, tuple[TrackId, ...]]:
        """Return the library's version, and the tracks that changed after an older one; see the port."""
        with self._connections.reading() as connection:
            (current,) = connection.execute("SELECT version FROM library").fetchone()
            rows = connection.execute(
                "SELECT id FROM track WHERE change > ? ORDER BY change, id", (version,)
            ).fetchall()
        return int(current), tuple(TrackId(from_text(track_id)) for (track_id,) in rows)
