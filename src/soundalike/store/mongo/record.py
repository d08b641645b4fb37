"""The library's record in MongoDB: its id, and which tracks changed when."""

from soundalike.domain.types import LibraryId, TrackId
from soundalike.store.keys import clamped
from soundalike.store.mongo.connection import Document, MongoConnection
from soundalike.store.mongo.documents import reports_damage
from soundalike.store.mongo.encoding import from_optional, from_text, to_optional, to_text
from soundalike.store.mongo.indexes import KEY, LIBRARY, TRACK
from soundalike.store.mongo.tracks import version_from


class MongoLibraryRecord:
    """The `LibraryRecord` port on a MongoDB database."""

    _connection: MongoConnection

    def library_id(self) -> LibraryId | None:
        """Return the library's id, or None if it has none yet."""
        return _id_from(self._record())

    def set_library_id(self, library_id: LibraryId, *, replacing: LibraryId | None) -> bool:
        """Store the library's id in place of another, None for none; False if that is not the stored one."""
        query = {"_id": KEY, "id": to_optional(replacing)}
        with self._connection.using() as database:
            changed = database[LIBRARY].update_one(query, {"$set": {"id": to_text(library_id)}})
            return changed.matched_count > 0

    def library_version(self) -> int:
        """Return the number of the last change of tracks."""
        return version_from(self._record())

    def changed_since(self, version: int) -> tuple[int, tuple[TrackId, ...]]:
        """Return the library's version, and the tracks that changed after an older one; see the port."""
        now = self.library_version()
        # What changes meanwhile is left for the next call.
        query = {"change": {"$gt": clamped(version), "$lte": now}}
        with self._connection.using(is_long=True) as database:
            found = database[TRACK].find(query, {"_id": True}, sort=[("change", 1), ("_id", 1)])
            return now, tuple(TrackId(from_text(document["_id"])) for document in found)

    def _record(self) -> Document | None:
        with self._connection.using() as database:
            return database[LIBRARY].find_one({"_id": KEY})


@reports_damage
def _id_from(record: Document | None) -> LibraryId | None:
    stored = from_optional((record or {}).get("id"))
    return None if stored is None else LibraryId(stored)
