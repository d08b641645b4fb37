"""The way from version 1 of the store to version 2.

The version is `MIGRATING` from the first step to the last, and each step can be done again: so a killed
migration is completed by the next process that opens the store, and several may migrate it at once.
"""

import logging
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

from pymongo import ReplaceOne
from pymongo.client_session import ClientSession
from pymongo.database import Database
from pymongo.errors import OperationFailure

from soundalike.domain.catalogue import own_entry
from soundalike.domain.errors import StoreError
from soundalike.domain.library_mark import library_id_of_before
from soundalike.domain.stored_vectors import StoredVectors
from soundalike.domain.tracks import Track
from soundalike.domain.users import CredentialKind
from soundalike.store.mongo.connection import BY_ID, Document, MongoConnection, after_id
from soundalike.store.mongo.documents import reports_damage, track_from_document, track_to_document
from soundalike.store.mongo.encoding import from_text, to_integer, to_optional, to_text
from soundalike.store.mongo.erasures import IS_ERASED
from soundalike.store.mongo.errors import NAMESPACE_EXISTS, no_error_if_there, upsert
from soundalike.store.mongo.features import vectors_to_document, write_documents
from soundalike.store.mongo.groups import mark_groups
from soundalike.store.mongo.indexes import (
    CREDENTIAL,
    FEATURE_SET,
    INDEXES,
    KEY,
    LIBRARY,
    LISTEN,
    LISTENER,
    LOCATION,
    MIGRATING,
    NAME,
    PROBLEM,
    ROOT,
    SCAN,
    STORE,
    STORE_VERSION,
    TRACK,
    USER,
    create_missing,
    found_version,
    stored_version,
)
from soundalike.store.mongo.refill import refill_catalogue, told
from soundalike.store.mongo.tracks import in_batches
from soundalike.store.tracks_of_before import Fields, read_or_mend, tags_of_before
from soundalike.store.vectors import joined_of_before, patches_of_before, values_from_bytes
from soundalike.wire.tags import tags_text

_log = logging.getLogger(__name__)

# What is a view on what. A program of version 1 that still runs goes on reading by the old names, and
# cannot write: it answers 503, and browsers keep their listens. The next version of the store drops them.
OLD_NAMES: Mapping[str, tuple[str, Sequence[Mapping[str, Any]]]] = {
    "locations": (LOCATION, ()),
    "feature_sets": (FEATURE_SET, ()),
    "tracks": (
        TRACK,
        (
            {"$match": {"has_file": True, "part": None}},
            {"$set": {"feature_sets": [], "vectors": {"$literal": {}}}},
        ),
    ),
    "roots": (ROOT, ()),
    "problems": (PROBLEM, ()),
    "names": (NAME, ()),
    "users": (USER, ()),
    "tokens": (CREDENTIAL, ({"$match": {"kind": CredentialKind.TOKEN.value}},)),
    # Nothing is erased there, so that a consumer tries to write every listen of a batch. It would take one
    # that is erased for stored, so that the store works, and give up the others, which it cannot write.
    "listeners": (LISTENER, ({"$unset": ["erased_ms", "generation"]},)),
    "listens": (LISTEN, ()),
}

# On a server that lets programs write into views, an empty collection has the old name instead: all that
# its validator accepts is one document, without which version 1 would take it for a store without accounts,
# and let everybody in.
_SEAL = {"_id": "moved in version 2"}

# These have a document in a store that holds nothing.
_MADE_WITH_A_STORE = {LIBRARY, SCAN}

_CHECK = "migration_check_"

_NO_NAMESPACE, _IS_VIEW = 26, 166

# What an erasure raises in the document that a user has already.
_OF_ERASURES = ("erased_ms", "generation")

_TRACK_INDEXES = {"_id_", *(index.document["name"] for index in INDEXES[TRACK])}
_UNCONVERTED: Document = {"change": None}
_VECTORS = ("whole", "first_half", "second_half")
_BATCH = 500


def prepare(connection: MongoConnection) -> None:
    """Migrate a database and create what is missing in it; another process may be doing the same.

    Raises
    ------
    StoreVersionError
        If a newer soundalike wrote it, or another program.
    """
    is_old = stored_version(connection) != STORE_VERSION
    if is_old:
        _log.warning("the store at %s is migrated to version %d", connection.hosts, STORE_VERSION)
        _set_version(connection, 1, MIGRATING)
        _rename_collections(connection)
        create_missing(connection, {*INDEXES} - {TRACK})
        _drop_old_indexes(connection)
        _convert_tracks(connection)
    create_missing(connection)  # indexes of tracks last: each would slow down every change
    if is_old:
        refill_catalogue(connection)
        _convert_accounts(connection)
        _finish_erasures(connection)
        _name_library(connection)
        _drop_checks(connection)
        _set_version(connection, MIGRATING, STORE_VERSION)


def needs_migration(connection: MongoConnection) -> bool:
    """Whether to open the store in a database would migrate something that is in it; nothing is changed.

    Raises
    ------
    StoreVersionError
        If a newer soundalike wrote it.
    """
    if found_version(connection) in {None, STORE_VERSION}:
        return False
    names = {*OLD_NAMES, *INDEXES} - _MADE_WITH_A_STORE
    with connection.using() as database:
        return any(database[name].find_one({"_id": {"$ne": _SEAL["_id"]}}, ["_id"]) for name in names)


def _set_version(connection: MongoConnection, old: object, new: object) -> None:
    with connection.using() as database:
        database[STORE].update_one({"_id": KEY, "version": old}, {"$set": {"version": new}})


# Names


def _rename_collections(connection: MongoConnection) -> None:
    with connection.using() as database:
        is_safe = are_views_safe(database)
    for old, (new, pipeline) in OLD_NAMES.items():
        _rename_collection(connection, old, new, pipeline if is_safe else None)


def _rename_collection(
    connection: MongoConnection, old: str, new: str, pipeline: Sequence[Mapping[str, Any]] | None
) -> None:
    """Rename a collection, and give the old name to a view, or to a sealed collection without a pipeline."""
    view = {"validator": _SEAL} if pipeline is None else {"viewOn": new, "pipeline": list(pipeline)}
    is_done = False
    while not is_done:
        with connection.using(is_long=True) as database:
            if _is_in_use(database, old):
                _move(database, old, new)
        with connection.using() as database:
            with no_error_if_there():
                database.create_collection(old, check_exists=False, **view)
            is_done = not _is_in_use(database, old)
    if pipeline is None:
        with connection.using() as database:
            upsert(database[old].update_one, _SEAL, {"$setOnInsert": _SEAL})


def are_views_safe(database: Database[Document]) -> bool:
    """Whether the server refuses to write into views, as MongoDB does."""
    view = f"{_CHECK}{uuid.uuid4().hex}"  # another process may ask at the same time, and drop its own
    database.create_collection(view, viewOn=STORE, pipeline=[], check_exists=False)
    try:
        database[view].delete_one(_SEAL)
    except OperationFailure as error:
        if error.code != _IS_VIEW:
            raise
        return True
    else:
        return False
    finally:
        database[view].drop()


def _drop_checks(connection: MongoConnection) -> None:
    """Drop the views that killed processes left while they asked whether views are safe."""
    with connection.using() as database:
        for view in database.list_collection_names(filter={"name": {"$regex": f"^{_CHECK}"}}):
            database[view].drop()


def _is_in_use(database: Database[Document], old: str) -> bool:
    """Whether a collection of version 1 is there."""
    found = list(database.list_collections(filter={"name": old}))
    return any(one["type"] == "collection" and "validator" not in one["options"] for one in found)


def _move(database: Database[Document], old: str, new: str) -> None:
    """Rename a collection, if no other process was first.

    A program of version 1 that still runs may have created it again by writing into it, right after it was
    renamed: then its documents are added.
    """
    try:
        database[old].rename(new)
    except OperationFailure as error:
        if error.code in {_NO_NAMESPACE, _IS_VIEW}:
            return
        if error.code != NAMESPACE_EXISTS:
            raise
        if not _is_in_use(database, old):  # it is another process's view, or its sealed collection
            return
        for document in database[old].find({"_id": {"$ne": _SEAL["_id"]}}):
            erasure = {name: document.pop(name) for name in _OF_ERASURES if name in document}
            change = {"$setOnInsert": document} | ({"$max": erasure} if erasure else {})
            upsert(database[new].update_one, {"_id": document["_id"]}, change)
        database[old].drop()


# Documents


def _drop_old_indexes(connection: MongoConnection) -> None:
    with connection.using() as database:
        if TRACK not in database.list_collection_names():
            return
        for name in database[TRACK].index_information().keys() - _TRACK_INDEXES:
            with suppress(OperationFailure):  # another process was first
                database[TRACK].drop_index(name)


def _convert_tracks(connection: MongoConnection) -> None:
    """Move vectors out of tracks, and give each its tags, entry, groups and number of a last change."""
    with connection.using() as database:
        database[LIBRARY].update_one({"_id": KEY}, {"$max": {"version": 1}})
        total = database[TRACK].count_documents(_UNCONVERTED)
    found = connection.scan(
        TRACK, _UNCONVERTED, order=BY_ID, beyond=after_id, fields=["_id"], hint=BY_ID, batch=_BATCH
    )
    batches = in_batches(document["_id"] for document in found)
    for batch in told(batches, total, "tracks"):
        connection.transaction(partial(_convert_batch, ids=batch), is_long=True)


def _convert_batch(database: Database[Document], session: ClientSession, ids: Sequence[str]) -> None:
    """Convert some tracks, but for those that another process has converted meanwhile."""
    old = list(database[TRACK].find({"_id": {"$in": ids}, **_UNCONVERTED}, session=session))
    if not old:
        return
    tracks = [read_or_mend(document, _track, name=str(document["_id"])) for document in old]
    new = [track_to_document(track) | {"change": 1} for track in tracks]
    database[TRACK].bulk_write(
        [ReplaceOne({"_id": one["_id"]}, one) for one in new], ordered=False, session=session
    )
    lost = [to_text(track.id) for track in tracks if not track.has_audio]
    if lost:  # the place is damaged: what claimed it would keep the file from becoming another track
        database[LOCATION].delete_many({"track": {"$in": lost}}, session=session)
    features = (
        one for document, track in zip(old, tracks, strict=True) for one in _features_of(document, track)
    )
    write_documents(database, session, list(features))
    mark_groups(database, session, {key for one in new for key in one["groups"]}, 1)


@reports_damage
def _track(document: Fields) -> Track:
    """Read a track of version 1; its tags are to be read again, since that one read few."""
    tags = tags_of_before(document, from_text)
    entry = dict.fromkeys(("album_id", "album_artist_id", "recording")) | {"artist_ids": [], "genre_ids": []}
    flags = {"is_compilation": False, "is_preferred": True, "preferred_for": []}
    added = {"part": None, "tags": tags_text(tags), "imported": None, "tags_version": 0} | entry | flags
    return replace(track_from_document({**document, **added}), entry=own_entry(tags))


def _features_of(document: Document, track: Track) -> Iterator[Document]:
    """Yield the documents of a track's vectors, and say what each describes; damaged ones are left out."""
    stored = document.get("vectors")
    for of_set in stored.values() if isinstance(stored, dict) else ():
        with suppress(StoreError):
            yield _feature(of_set, track)


@reports_damage
def _feature(of_set: Mapping[str, Any], track: Track) -> Document:
    rows = joined_of_before([of_set.get(name) for name in _VECTORS])
    if rows is None:
        msg = "its vectors are damaged"
        raise ValueError(msg)
    vectors = StoredVectors(
        track_id=track.id,
        feature_set=from_text(of_set["feature_set"]),
        version=to_integer(of_set["version"]),
        fingerprint=from_text(of_set["fingerprint"]),
        patches=patches_of_before(track.duration_ms),
        values=values_from_bytes(
            rows, dtype="float32", shape=(len(_VECTORS), len(rows) // len(_VECTORS) // 4)
        ),
    )
    return vectors_to_document(vectors, to_optional(track.audio_hash))


def _convert_accounts(connection: MongoConnection) -> None:
    """Make the earliest account the administrator's, and tokens one kind of credential."""
    with connection.using() as database:
        earliest = database[USER].find_one(sort=[("created_ms", 1), ("_id", 1)])
        if earliest is not None and database[USER].find_one({"is_admin": True}) is None:
            database[USER].update_one({"_id": earliest["_id"]}, {"$set": {"is_admin": True}})
        database[USER].update_many({"is_admin": None}, {"$set": {"is_admin": False}})
        token = {"kind": CredentialKind.TOKEN.value, "used_ms": None, "ciphertext": None}
        database[CREDENTIAL].update_many({"kind": None}, {"$set": token})


def _finish_erasures(connection: MongoConnection) -> None:
    """Delete what killed processes left of erased listens: their dates alone do not hide them any more."""
    with connection.using(is_long=True) as database:
        for listener in database[LISTENER].find({"generation": {"$gte": 1}, **IS_ERASED}, ["erased_ms"]):
            database[LISTEN].delete_many(
                {"user": listener["_id"], "at_ms": {"$lt": listener["erased_ms"] + 1}}
            )


def _name_library(connection: MongoConnection) -> None:
    """Give a store that holds something the id of its library; without a track it is random."""
    with connection.using() as database:
        if any(database[name].find_one({}, ["_id"]) for name in {*INDEXES} - _MADE_WITH_A_STORE):
            first = database[TRACK].find_one({}, ["_id"], sort=[("added_ms", 1), ("_id", 1)])
            library_id = uuid.uuid4().hex if first is None else library_id_of_before(str(first["_id"]))
            database[LIBRARY].update_one({"_id": KEY, "id": None}, {"$set": {"id": library_id}})
