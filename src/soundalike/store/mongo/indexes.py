"""The collections and indexes of the store in MongoDB, declared in one place and created if missing.

No index but that of ``_id`` is unique, so that tracks and listens can be sharded by a hashed ``_id``.
"""

from collections.abc import Mapping, Sequence

from pymongo import ASCENDING, IndexModel
from pymongo.database import Database
from pymongo.errors import CollectionInvalid, DuplicateKeyError

from soundalike.domain.errors import StoreVersionError
from soundalike.store.mongo.connection import Document, MongoConnection

STORE_VERSION = 1

STORE = "store"  # one document, which marks the database as ours
ROOTS, TRACKS, LOCATIONS, FEATURE_SETS, PROBLEMS = "roots", "tracks", "locations", "feature_sets", "problems"
LISTENS, LISTENERS, USERS, NAMES, TOKENS = "listens", "listeners", "users", "names", "tokens"

_KEY = "soundalike"


def _index(name: str, *fields: str) -> IndexModel:
    return IndexModel([(field, ASCENDING) for field in fields], name=name)


LISTENS_BY_USER = "by_user"

INDEXES: Mapping[str, Sequence[IndexModel]] = {
    ROOTS: (),
    # `_id` is a location, `track` the track there: a location belongs to one track.
    LOCATIONS: (),
    FEATURE_SETS: (),
    PROBLEMS: (),
    TRACKS: (
        # Lists show the tracks that are there: an index for each order, ties by id.
        _index("by_title", "is_there", "title_key", "_id"),
        _index("by_artist", "is_there", "artist_key", "_id"),
        _index("by_album", "is_there", "album_key", "_id"),
        _index("by_year", "is_there", "year", "_id"),
        _index("by_added", "is_there", "added_ms", "_id"),
        # Only tracks that are there have words.
        _index("by_word", "words"),
        _index("by_location", "root", "path", "_id"),
        _index("by_hash", "audio_hash", "added_ms", "_id"),
        # Which tracks, or hashes, have vectors is read from the index alone.
        _index("by_feature_set", "feature_sets", "audio_hash", "_id"),
    ),
    # In the order in which they are folded; counts are read from the index alone.
    LISTENS: (_index(LISTENS_BY_USER, "user", "generation", "at_ms", "id"),),
    LISTENERS: (
        IndexModel([("erased_ms", ASCENDING), ("generation", ASCENDING)], name="by_erasure", sparse=True),
        _index("by_count", "profile.fold", "profile.count", "_id"),
    ),
    USERS: (),
    # `_id` is the key of a name, `user` the account with it: a name belongs to one account.
    NAMES: (),
    TOKENS: (_index("by_user", "user"),),
}


def prepare(connection: MongoConnection) -> None:
    """Create what is missing in a database; another process may be doing the same.

    Raises
    ------
    StoreVersionError
        If a newer soundalike wrote it, or another program.
    """
    with connection.using() as database:
        # Our document is written before any of our collections.
        there = set(database.list_collection_names())
        if _version(database) is None:
            foreign = sorted(there & {STORE, *INDEXES})
            if foreign:
                msg = (
                    f"the database {database.name!r} at {connection.hosts} has a collection {foreign[0]!r} "
                    "of another program; choose another database in --store"
                )
                raise StoreVersionError(msg)
            _mark(database)
        _refuse_newer(database, connection.hosts)
    with connection.using(is_long=True) as database:
        for name, indexes in INDEXES.items():
            if indexes:
                database[name].create_indexes(list(indexes))
            elif name not in there:
                _create(database, name)


def _version(database: Database[Document]) -> object:
    """Return the store's version as it is stored, None if there is no store."""
    document = database[STORE].find_one({"_id": _KEY})
    return None if document is None else document.get("version", 0)


def _mark(database: Database[Document]) -> None:
    try:
        database[STORE].insert_one({"_id": _KEY, "version": STORE_VERSION})
    except DuplicateKeyError:
        return  # another process was first


def _refuse_newer(database: Database[Document], hosts: str) -> None:
    version = _version(database)
    if isinstance(version, int) and 0 < version <= STORE_VERSION:
        return
    msg = (
        f"the database {database.name!r} at {hosts} was written by a newer soundalike: its store version is "
        f"{version!r}, this one supports {STORE_VERSION}; update soundalike, or choose another database "
        "in --store"
    )
    raise StoreVersionError(msg)


def _create(database: Database[Document], name: str) -> None:
    """Create a collection; not all servers can inside a transaction."""
    try:
        database.create_collection(name, check_exists=False)
    except CollectionInvalid:
        return  # another process was first
