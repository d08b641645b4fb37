"""The record of scans in MongoDB."""

from soundalike.domain.scans import ScanRecord
from soundalike.store.mongo.connection import MongoConnection
from soundalike.store.mongo.indexes import KEY, SCAN, create_scan_record
from soundalike.store.mongo.record import check_library
from soundalike.wire.scans import scan_record_from, scan_record_text


class MongoScans:
    """The `ScanStore` port on a MongoDB database."""

    _connection: MongoConnection

    def scan_record(self) -> ScanRecord:
        """Return the record; see the port."""
        with self._connection.using() as database:
            found = database[SCAN].find_one({"_id": KEY}) or {}
        return scan_record_from(found.get("body", ""), found.get("revision", 0))

    def save_scan_record(self, record: ScanRecord, *, replacing: ScanRecord) -> bool:
        """Store a record in place of another; False if that is not the stored one."""
        change = {"revision": replacing.revision + 1, "body": scan_record_text(record)}
        with self._connection.using() as database:
            changed = database[SCAN].update_one(
                {"_id": KEY, "revision": replacing.revision}, {"$set": change}
            )
            if changed.matched_count:
                return True
            check_library(self._connection, database)  # or who asks again would do so for ever
            create_scan_record(database)
            return False
