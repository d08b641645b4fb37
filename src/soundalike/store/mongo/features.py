"""Vectors in MongoDB: one document for each track and feature set."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from pymongo import ReplaceOne
from pymongo.client_session import ClientSession
from pymongo.database import Database

from soundalike.domain.errors import StoreError
from soundalike.domain.features import FeatureArray, FeatureSchema, FeatureVectors, Patch, TrackVectors
from soundalike.domain.stored_vectors import StoredSet, StoredVectors
from soundalike.domain.types import AudioHash, TrackId
from soundalike.store.errors import other_features, unknown_track
from soundalike.store.mongo.connection import BY_ID, Document, MongoConnection, Order, after_id
from soundalike.store.mongo.documents import reports_damage
from soundalike.store.mongo.encoding import from_optional, from_text, join_texts, to_integer, to_text
from soundalike.store.mongo.indexes import FEATURE, FEATURE_SET, TRACK
from soundalike.store.mongo.tracks import in_batches, next_change, of_track
from soundalike.store.vectors import patches_from_lists, patches_to_lists, values_from_bytes, values_to_bytes

FeatureSet = tuple[str, int, str]
"""Name, version and fingerprint."""

# So many documents are in memory at a time.
_BATCH = 500

_BY_TRACK: Order = (("track", 1),)


class MongoFeatures:
    """The `FeatureStore` port on a MongoDB database."""

    _connection: MongoConnection
    _known_features: set[FeatureSet]  # stored, and never changed

    def vectors_of(self, track_id: TrackId, schema: FeatureSchema) -> FeatureVectors | None:
        """Return a track's vectors of a feature set, or None."""
        self._require_same(schema)
        return self._first_vectors({"_id": _id(track_id, schema.key)}, schema)

    def vectors_in(
        self, track_id: TrackId, schemas: Sequence[FeatureSchema]
    ) -> tuple[FeatureVectors, ...] | None:
        """Return a track's vectors in each of some feature sets, or None if it lacks one."""
        for schema in schemas:
            self._require_same(schema)
        ids = [_id(track_id, schema.key) for schema in schemas]
        with self._connection.using() as database:
            found = {document["_id"]: document for document in database[FEATURE].find({"_id": {"$in": ids}})}
        if not all(each in found for each in ids):
            return None
        return tuple(_vectors(schema, found[each]) for schema, each in zip(schemas, ids, strict=True))

    def vectors_with_hash(self, audio_hash: AudioHash, schema: FeatureSchema) -> FeatureVectors | None:
        """Return the vectors of any track with this encoded audio, or None."""
        self._require_same(schema)
        return self._first_vectors({"set": to_text(schema.key), "audio_hash": to_text(audio_hash)}, schema)

    def _first_vectors(self, query: Mapping[str, Any], schema: FeatureSchema) -> FeatureVectors | None:
        with self._connection.using() as database:
            found = database[FEATURE].find_one(query)
        return None if found is None else _vectors(schema, found)

    def hashes_with_vectors(self, schema: FeatureSchema) -> frozenset[AudioHash]:
        """Return the hash of every audio whose vectors of this feature set are stored."""
        found = self._with_vectors("audio_hash", schema)
        return frozenset(AudioHash(each) for each in found if each is not None)

    def ids_with_vectors(self, schema: FeatureSchema) -> frozenset[TrackId]:
        """Return the id of every track, vanished ones too, that has vectors of this feature set."""
        found = self._with_vectors("track", schema)
        return frozenset(TrackId(each) for each in found if each is not None)

    def _with_vectors(self, name: str, schema: FeatureSchema) -> list[str | None]:
        self._require_same(schema)
        fields = {"_id": False, name: True}  # nothing else, so that the index alone answers
        with self._connection.using(is_long=True) as database:
            found = database[FEATURE].find({"set": to_text(schema.key)}, fields)
            return [_optional(document, name) for document in found]

    def track_vectors(self, schema: FeatureSchema) -> Iterator[TrackVectors]:
        """Yield the vectors of every track that is there, by id, in bounded memory."""
        self._require_same(schema)
        with self._connection.using(is_long=True) as database:
            vanished = {document["_id"] for document in database[TRACK].find({"is_there": False}, ["_id"])}
        for document in self._connection.scan(
            FEATURE, {"set": to_text(schema.key)}, order=_BY_TRACK, beyond=_after_track, batch=_BATCH
        ):
            if document["track"] not in vanished:
                audio_hash = _optional(document, "audio_hash")
                yield TrackVectors(
                    TrackId(_text(document, "track")),
                    None if audio_hash is None else AudioHash(audio_hash),
                    _vectors(schema, document),
                )

    def drop_vectors(self, track_id: TrackId, key: str | None = None) -> None:
        """Remove a track's vectors: those of one set, or all."""
        query = of_track(track_id) if key is None else {"_id": _id(track_id, key)}
        with self._connection.using() as database:
            database[FEATURE].delete_many(query)

    def feature_sets(self) -> tuple[StoredSet, ...]:
        """Return which feature sets tracks have, by key."""
        totals = {"_id": "$set", "tracks": {"$sum": 1}, "bytes": {"$sum": "$size_bytes"}}
        with self._connection.using(is_long=True) as database:
            found = list(database[FEATURE].aggregate([{"$group": totals}, {"$sort": {"_id": 1}}]))
        return tuple(
            StoredSet(key=_text(one, "_id"), track_count=one["tracks"], size_bytes=one["bytes"])
            for one in found
        )

    def forget_set(self, key: str) -> int:
        """Remove all that is stored of a feature set; return of how many tracks."""
        count, is_left = 0, True
        while is_left:
            with self._connection.using(is_long=True) as database:
                found = list(database[FEATURE].find({"set": to_text(key)}, ["_id"], limit=_BATCH))
                for ids in in_batches(document["_id"] for document in found):
                    count += database[FEATURE].delete_many({"_id": {"$in": ids}}).deleted_count
            is_left = len(found) == _BATCH
        with self._connection.using() as database:
            database[FEATURE_SET].delete_one({"_id": to_text(key)})
        self._known_features -= {one for one in self._known_features if f"{one[0]}-v{one[1]}" == key}
        return count

    def stored_vectors(self) -> Iterator[StoredVectors]:
        """Yield the vectors of all tracks in all sets, by (track id, key), in bounded memory.

        Raises
        ------
        StoreError
            With the id of a track whose vectors are damaged.
        """
        for document in self._connection.scan(FEATURE, {}, order=BY_ID, beyond=after_id, batch=_BATCH):
            try:
                yield _stored(document)
            except StoreError as error:
                msg = f"track {document.get('track')!r}: {error}"
                raise StoreError(msg) from error

    def save_stored_vectors(self, vectors: Collection[StoredVectors]) -> None:
        """Insert many, each new or in place of the one of its track and set; see the port."""
        if not vectors:
            return
        used = {feature_set_of(one) for one in vectors}

        def write(database: Database[Document], session: ClientSession) -> None:
            write_feature_sets(database, session, used - self._known_features)
            change = {"$set": {"change": next_change(database, session)}}
            for batch in in_batches(vectors):
                ids = sorted({to_text(one.track_id) for one in batch})
                found = database[TRACK].find({"_id": {"$in": ids}}, ["audio_hash"], session=session)
                hashes = {document["_id"]: document["audio_hash"] for document in found}
                for one in batch:
                    if to_text(one.track_id) not in hashes:
                        raise unknown_track(one.track_id)
                documents = [vectors_to_document(one, hashes[to_text(one.track_id)]) for one in batch]
                write_documents(database, session, documents)
                database[TRACK].update_many({"_id": {"$in": ids}}, change, session=session)

        self._connection.transaction(write)
        self._known_features |= used

    def _require_same(self, schema: FeatureSchema) -> None:
        """Raise `SchemaMismatchError` if other features are stored under the key of a feature set."""
        feature_set = (schema.name, schema.version, schema.fingerprint)
        if feature_set not in self._known_features:
            with self._connection.using() as database:
                stored = database[FEATURE_SET].find_one({"_id": to_text(schema.key)})
            if stored is not None:
                _refuse_other(stored, *feature_set)
                self._known_features.add(feature_set)


def write_documents(
    database: Database[Document], session: ClientSession, documents: Sequence[Document]
) -> None:
    """Insert or replace documents of ``feature``."""
    if documents:
        changes = [ReplaceOne({"_id": one["_id"]}, one, upsert=True) for one in documents]
        database[FEATURE].bulk_write(changes, ordered=False, session=session)


def write_feature_sets(
    database: Database[Document], session: ClientSession, feature_sets: Iterable[FeatureSet]
) -> None:
    """Store the fingerprints of feature sets.

    Raises
    ------
    SchemaMismatchError
        If other features are stored under a name and version.
    """
    for name, version, fingerprint in feature_sets:
        key = to_text(f"{name}-v{version}")
        stored = database[FEATURE_SET].find_one({"_id": key}, session=session)
        if stored is None:
            known = {"name": to_text(name), "version": version, "fingerprint": to_text(fingerprint)}
            database[FEATURE_SET].insert_one({"_id": key} | known, session=session)
        else:
            _refuse_other(stored, name, version, fingerprint)


def vectors_to_document(vectors: StoredVectors, audio_hash: str | None) -> Document:
    """Return a document of ``feature``.

    Parameters
    ----------
    vectors : StoredVectors
        Of one track and set.
    audio_hash : str or None
        Of the audio that they describe, as it is stored.
    """
    values = values_to_bytes(vectors.values)
    return {
        "_id": _id(vectors.track_id, vectors.key),
        "track": to_text(vectors.track_id),
        "set": to_text(vectors.key),
        "audio_hash": audio_hash,
        "name": to_text(vectors.feature_set),
        "version": vectors.version,
        "fingerprint": to_text(vectors.fingerprint),
        "dtype": vectors.values.dtype.name,
        "width": vectors.values.shape[1],
        **patches_to_lists(vectors.patches),
        "vectors": values,
        "size_bytes": len(values),
    }


def _id(track_id: TrackId, key: str) -> str:
    return join_texts(track_id, key)


def feature_set_of(vectors: StoredVectors) -> FeatureSet:
    """Return what identifies a set and its features."""
    return vectors.feature_set, vectors.version, vectors.fingerprint


def _refuse_other(stored: Mapping[str, Any], name: str, version: int, fingerprint: str) -> None:
    if stored["fingerprint"] != to_text(fingerprint):
        raise other_features(name, version)


def _after_track(document: Document) -> Document:
    return {"track": {"$gt": document["track"]}}


@reports_damage
def _text(document: Document, name: str) -> str:
    return from_text(document[name])


@reports_damage
def _optional(document: Document, name: str) -> str | None:
    return from_optional(document[name])


@reports_damage
def _vectors(schema: FeatureSchema, document: Document) -> FeatureVectors:
    if document["fingerprint"] != schema.fingerprint:
        msg = f"vectors of other features are stored as {schema.key}"
        raise ValueError(msg)
    return FeatureVectors(schema, *_values(document))


@reports_damage
def _stored(document: Document) -> StoredVectors:
    patches, values = _values(document)
    return StoredVectors(
        track_id=TrackId(from_text(document["track"])),
        feature_set=from_text(document["name"]),
        version=to_integer(document["version"]),
        fingerprint=from_text(document["fingerprint"]),
        patches=patches,
        values=values,
    )


def _values(document: Document) -> tuple[tuple[Patch, ...], FeatureArray]:
    patches = patches_from_lists(document)
    shape = (len(patches), to_integer(document["width"]))
    return patches, values_from_bytes(document["vectors"], dtype=document["dtype"], shape=shape)
