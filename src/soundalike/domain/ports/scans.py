"""The port of what a store has of scans."""

from typing import Protocol

from soundalike.domain.scans import ScanRecord


class ScanStore(Protocol):
    """Stores the one `ScanRecord`, by which all processes agree who scans; it is not copied."""

    def scan_record(self) -> ScanRecord:
        """Return the record; a new store, or one whose record is damaged, has one of defaults."""

    def save_scan_record(self, record: ScanRecord, *, replacing: ScanRecord) -> bool:
        """Store a record in place of the one of a revision; False if that is not the stored one any more.

        The stored record has the next revision.
        """
