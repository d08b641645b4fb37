"""The library's record in MongoDB: its id, and which tracks changed when."""

from pymongo.client_session import ClientSession
from pymongo.database import Database

from soundalike.domain.errors import StoreReplacedError
from soundalike.domain.library_mark import LibraryMark
from soundalike.domain.types import LibraryId, TrackId
from soundalike.store.keys import clamped
from soundalike.store.mongo.connection import Document, MongoConnection
from soundalike.store.mongo.documents import reports_damage
from soundalike.store.mongo.encoding import from_optional, from_text, to_optional
from soundalike.store.mongo.indexes import KEY, LIBRARY, TRACK
from soundalike.store.mongo.tracks import version_from


class MongoLibraryRecord:
    """The `LibraryRecord` port on a MongoDB database."""

    _connection: MongoConnection

    def library_mark(self) -> LibraryMark:
        """Return the id of the library, and whether the store is an unfinished copy."""
        record = self._record() or {}
        mark = _mark_from(record)
        self._connection.library_id = record.get("id")
        return mark

    def set_library_mark(self, mark: LibraryMark, *, replacing: LibraryMark) -> bool:
        """Store a mark in place of another; False if that is not the stored one."""
        with self._connection.using() as database:
            changed = database[LIBRARY].update_one(
                {"_id": KEY, **_mark_to_fields(replacing)}, {"$set": _mark_to_fields(mark)}
            )
        if changed.matched_count:
            self._connection.library_id = to_optional(mark.library_id)
        return changed.matched_count > 0

    def check_writable(self) -> None:
        """Raise if it is known that nothing can be stored now; see the port."""
        with self._connection.using() as database:
            check_library(self._connection, database)
        self._connection.last_failure.check()

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


def check_library(
    connection: MongoConnection, database: Database[Document], session: ClientSession | None = None
) -> None:
    """Raise unless the database still has the library that was opened: it may have been dropped or replaced.

    Parameters
    ----------
    connection : MongoConnection
        Knows the library.
    database : Database
        Its database.
    session : ClientSession or None
        Of a transaction.

    Raises
    ------
    StoreReplacedError
        If it has none, or another one.
    """
    found = database[LIBRARY].find_one({"_id": KEY}, ["id"], session=session)
    if found is not None and connection.library_id in {None, found.get("id")}:
        return
    msg = (
        f"the database {database.name!r} at {connection.hosts} was dropped or replaced while the store was "
        "open, and nothing is stored until it is back: stop everything that uses it, restore a backup with "
        "'mongorestore --drop', and start again"
    )
    raise StoreReplacedError(msg)


def _mark_to_fields(mark: LibraryMark) -> Document:
    return {"id": to_optional(mark.library_id), "is_unfinished": mark.is_unfinished or None}


@reports_damage
def _mark_from(record: Document) -> LibraryMark:
    stored = from_optional(record.get("id"))
    return LibraryMark(None if stored is None else LibraryId(stored), record.get("is_unfinished") is True)
