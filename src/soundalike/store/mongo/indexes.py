"""The collections and indexes of the store in MongoDB, declared in one place and created if missing.

No index but that of ``_id`` is unique, so that tracks and listens can be sharded by a hashed ``_id``.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress

from pymongo import ASCENDING, IndexModel
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from soundalike.domain.entries import FIELDS, EntryField, EntryKind
from soundalike.domain.errors import StoreVersionError
from soundalike.store.mongo.connection import Document, MongoConnection
from soundalike.store.mongo.documents import KEYS
from soundalike.store.mongo.errors import no_error_if_there
from soundalike.store.mongo.paging import SortKey

STORE_VERSION = 2
MIGRATING = "migrating to 2"
"""The version of a store while it is migrated: no number, so that programs of version 1 refuse it too."""

STORE = "store"  # one document, which marks the database as ours
LIBRARY, ROOT, TRACK, LOCATION = "library", "root", "track", "location"
FEATURE_SET, FEATURE, PROBLEM = "feature_set", "feature", "problem"
ARTIST, ALBUM, GENRE = (kind.value for kind in (EntryKind.ARTIST, EntryKind.ALBUM, EntryKind.GENRE))
GROUP, SUCCESSOR = "group", "successor"
LISTEN, LISTENER, USER, NAME, CREDENTIAL = "listen", "listener", "user", "name", "credential"
ENDED_SESSION = "ended_session"
SCAN = "scan"

KEY = "soundalike"
"""The ``_id`` of the only document of ``store``, of ``library`` and of ``scan``."""


def _index(name: str, *fields: str) -> IndexModel:
    return IndexModel([(field, ASCENDING) for field in fields], name=name)


LISTENS_BY_USER = "by_user"

ENTRY_KEYS = {
    EntryField.NAME: SortKey("name_key"),
    EntryField.TRACKS: SortKey("track_count", is_number=True),
    EntryField.ARTIST: SortKey("artist_key", may_be_missing=True),
    EntryField.YEAR: SortKey("year", may_be_missing=True, is_number=True),
    EntryField.ADDED: SortKey("added_ms", is_number=True),
}
"""The field by which artists, albums and genres are sorted in each order."""

INDEXES: Mapping[str, Sequence[IndexModel]] = {
    ROOT: (),
    # `_id` is a location, `track` the track there: a location belongs to one track.
    LOCATION: (),
    FEATURE_SET: (),
    FEATURE: (
        # Which tracks, or hashes, have vectors of a set is read from an index alone.
        _index("by_set", "set", "track"),
        _index("by_hash", "set", "audio_hash"),
    ),
    PROBLEM: (),
    TRACK: (
        # Lists show the tracks that are there: an index for each order and direction, ties by id.
        *(index for key in KEYS.values() for index in key.indexes()),
        _index("by_album_id", "is_there", "album_id"),
        _index("by_artist_id", "is_there", "credited_ids"),
        _index("by_genre_id", "is_there", "genre_ids"),
        _index("by_group", "groups", "_id"),
        _index("by_external_id", "external_ids", "added_ms", "_id"),
        # Only tracks that are there have words.
        _index("by_word", "words"),
        _index("by_location", "root", "path", "_id"),
        _index("by_hash", "audio_hash", "added_ms", "_id"),
        _index("by_change", "change", "_id"),
    ),
    **{
        kind.value: (
            *(index for field in fields for index in ENTRY_KEYS[field].indexes()),
            _index("by_group", "group"),
            *([_index("by_artist_id", "is_there", "artist_id")] if kind is EntryKind.ALBUM else []),
        )
        for kind, fields in FIELDS.items()
    },
    # Groups that are to be settled, in that order; what has been settled is no longer here.
    GROUP: (),
    # `_id` is the kind and an id that has given way to `next`.
    SUCCESSOR: (),
    # In the order in which they are folded; counts are read from the index alone.
    LISTEN: (_index(LISTENS_BY_USER, "user", "generation", "at_ms", "id"),),
    LISTENER: (
        IndexModel([("erased_ms", ASCENDING), ("generation", ASCENDING)], name="by_erasure", sparse=True),
        _index("by_count", "profile.fold", "profile.count", "_id"),
    ),
    USER: (),
    # `_id` is the key of a name, `user` the account with it: a name belongs to one account.
    NAME: (),
    CREDENTIAL: (_index("by_user", "user"),),
    # `_id` is the session's digest.
    ENDED_SESSION: (),
    # One document: the library's id, and how often its tracks have been changed.
    LIBRARY: (),
    # One document, written too often to be part of that of ``library``, which transactions change.
    SCAN: (),
}


def stored_version(connection: MongoConnection) -> object:
    """Return the version of the store in a database, which is marked as ours if it has none.

    Raises
    ------
    StoreVersionError
        If a newer soundalike wrote it, or another program.
    """
    with connection.using() as database:
        # Our document is written before any of our collections.
        there = set(database.list_collection_names())
        version = _version(database)
        if version is None:
            _refuse_foreign(database, connection.hosts, there & {STORE, *INDEXES})
            with suppress(DuplicateKeyError):  # another process was first
                database[STORE].insert_one({"_id": KEY, "version": STORE_VERSION})
            version = _version(database)
        elif version == 1:
            _refuse_foreign(database, connection.hosts, there & {*INDEXES})
        _refuse_newer(version, database.name, connection.hosts)
        return version


def found_version(connection: MongoConnection) -> object:
    """Return the version of the store in a database, None if there is none; nothing is changed.

    Raises
    ------
    StoreVersionError
        If a newer soundalike wrote it.
    """
    with connection.using() as database:
        version = _version(database)
        if version is not None:
            _refuse_newer(version, database.name, connection.hosts)
        return version


def create_missing(connection: MongoConnection, names: Collection[str] = tuple(INDEXES)) -> None:
    """Create what is missing of some collections and their indexes; another process may be doing the same."""
    with connection.using(is_long=True) as database:
        there = set(database.list_collection_names())
        for name, indexes in INDEXES.items():
            if name not in names:
                continue
            if indexes:
                database[name].create_indexes(list(indexes))
            elif name not in there:  # not all servers can inside a transaction
                with no_error_if_there():
                    database.create_collection(name, check_exists=False)
        with suppress(DuplicateKeyError):
            database[LIBRARY].insert_one({"_id": KEY, "version": 0})
        create_scan_record(database)


def create_scan_record(database: Database[Document]) -> None:
    """Create the record of scans, if it is missing, as after a backup without it was restored."""
    with suppress(DuplicateKeyError):
        database[SCAN].insert_one({"_id": KEY, "revision": 0, "body": ""})


def _version(database: Database[Document]) -> object:
    """Return the store's version as it is stored, None if there is no store."""
    document = database[STORE].find_one({"_id": KEY})
    return None if document is None else document.get("version", 0)


def _refuse_foreign(database: Database[Document], hosts: str, names: set[str]) -> None:
    if names:
        msg = (
            f"the database {database.name!r} at {hosts} has a collection {min(names)!r} of another "
            "program; choose another database in --store"
        )
        raise StoreVersionError(msg)


def _refuse_newer(version: object, name: str, hosts: str) -> None:
    if version == MIGRATING or (isinstance(version, int) and 0 < version <= STORE_VERSION):
        return
    msg = (
        f"the database {name!r} at {hosts} was written by a newer soundalike: its store version is "
        f"{version!r}, this one supports {STORE_VERSION}; update soundalike, or choose another database "
        "in --store"
    )
    raise StoreVersionError(msg)
