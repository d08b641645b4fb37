"""The library's record in SQLite: its id, and which tracks changed when."""

from soundalike.domain.library_mark import LibraryMark
from soundalike.domain.types import LibraryId, TrackId
from soundalike.store.sqlite.connections import Connections
from soundalike.store.sqlite.rows import from_text, to_text


class SqliteLibraryRecord:
    """The `LibraryRecord` port on one SQLite file."""

    _connections: Connections

    def library_mark(self) -> LibraryMark:
        """Return the id of the library, and whether the store is an unfinished copy."""
        with self._connections.reading() as connection:
            stored, is_unfinished = connection.execute("SELECT id, is_unfinished FROM library").fetchone()
        library_id = None if stored is None else LibraryId(from_text(stored))
        return LibraryMark(library_id, bool(is_unfinished))

    def set_library_mark(self, mark: LibraryMark, *, replacing: LibraryMark) -> bool:
        """Store a mark in place of another; False if that is not the stored one."""
        values = (
            value
            for one in (mark, replacing)
            for value in (None if one.library_id is None else to_text(one.library_id), one.is_unfinished)
        )
        with self._connections.writing(is_durable=True) as connection:
            changed = connection.execute(
                "UPDATE library SET id = ?, is_unfinished = ? WHERE id IS ? AND is_unfinished = ?",
                tuple(values),
            )
            return changed.rowcount > 0

    def check_writable(self) -> None:
        """Raise if it is known that nothing can be stored now; see the port."""
        self._connections.check_writable()

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
