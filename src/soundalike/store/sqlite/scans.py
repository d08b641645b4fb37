"""The record of scans in SQLite."""

from soundalike.domain.scans import ScanRecord
from soundalike.store.sqlite.connections import Connections
from soundalike.wire.scans import scan_record_from, scan_record_text


class SqliteScans:
    """The `ScanStore` port on one SQLite file."""

    _connections: Connections

    def scan_record(self) -> ScanRecord:
        """Return the record; see the port."""
        with self._connections.reading() as connection:
            revision, body = connection.execute("SELECT revision, body FROM scan").fetchone()
        return scan_record_from(body, revision)

    def save_scan_record(self, record: ScanRecord, *, replacing: ScanRecord) -> bool:
        """Store a record in place of another; False if that is not the stored one."""
        with self._connections.writing() as connection:
            changed = connection.execute(
                "UPDATE scan SET revision = revision + 1, body = ? WHERE revision = ?",
                (scan_record_text(record), replacing.revision),
            )
            return changed.rowcount > 0
