"""The library in MongoDB: roots, tracks, vectors and file problems."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from pymongo.client_session import ClientSession
from pymongo.database import Database

from soundalike.domain.features import FeatureSchema, FeatureVectors, TrackVectors
from soundalike.domain.files import FileProblem, Location, Root
from soundalike.domain.tracks import Position, Sort, Track, TrackPage
from soundalike.domain.types import AudioHash, RelativePath, RootName, TrackId
from soundalike.store.mongo.connection import BY_ID, Document, MongoConnection, after_id
from soundalike.store.mongo.documents import (
    TRACK_FIELDS,
    problem_from_document,
    problem_to_document,
    reports_damage,
    root_from_document,
    root_to_document,
    track_from_document,
    vectors_from_document,
)
from soundalike.store.mongo.encoding import (
    from_text,
    join_texts,
    location_key,
    to_path,
    to_text,
    vectors_field,
)
from soundalike.store.mongo.indexes import FEATURE_SET, PROBLEM, ROOT, TRACK
from soundalike.store.mongo.search import find_tracks, prefix_range
from soundalike.store.mongo.tracks import (
    FeatureSet,
    in_batches,
    mark_vanished,
    refuse_other_features,
    write_feature_sets,
    write_track,
)

# So many documents are in memory at a time.
_BATCH = 500


class MongoLibrary:
    """The `LibraryStore` port, but for `close`, on a MongoDB database."""

    _connection: MongoConnection
    _known_features: set[FeatureSet]  # stored, and never changed

    # Roots

    def roots(self) -> tuple[Root, ...]:
        """Return every root, by name."""
        with self._connection.using() as database:
            found = list(database[ROOT].find(sort=BY_ID))
        return tuple(map(root_from_document, found))

    def save_root(self, root: Root) -> None:
        """Insert a root, or update the location of the one with this name."""
        document = root_to_document(root)
        with self._connection.using() as database:
            database[ROOT].replace_one({"_id": document["_id"]}, document, upsert=True)

    # Tracks

    def save_track(self, track: Track, *vectors: FeatureVectors, moved_from: Location | None = None) -> None:
        """Insert a track, or replace the one with this id; see the port."""
        used = {_feature_set(of_set.schema) for of_set in vectors}

        def write(database: Database[Document], session: ClientSession) -> None:
            write_feature_sets(database, session, used - self._known_features)
            write_track(database, session, track, vectors, moved_from)

        self._connection.transaction(write)
        self._known_features |= used

    def mark_vanished(self, track_ids: Collection[TrackId], at_ms: int) -> int:
        """Mark tracks as vanished at a time (ms since 1970, UTC); return how many were not so before."""
        return self._connection.transaction(
            lambda database, session: mark_vanished(database, session, track_ids, at_ms), is_long=True
        )

    def drop_vectors(self, track_id: TrackId) -> None:
        """Remove a track's vectors, since its file can no longer be decoded."""
        with self._connection.using() as database:
            nothing: Document = {"vectors": {}, "feature_sets": []}
            database[TRACK].update_one({"_id": to_text(track_id)}, {"$set": nothing})

    def track(self, track_id: TrackId) -> Track | None:
        """Return a track, vanished or not, or None."""
        return self._one_track({"_id": to_text(track_id)})

    def tracks(self, track_ids: Collection[TrackId]) -> Mapping[TrackId, Track]:
        """Return those of the tracks that exist, vanished ones too; any number of ids may be asked for."""
        found = map(track_from_document, self._with_ids(map(to_text, track_ids)))
        return {track.id: track for track in found}

    def track_at(self, location: Location) -> Track | None:
        """Return the track whose file is, or last was, at a location."""
        return self._one_track({"root": to_text(location.root), "path": to_path(location.path)})

    def _one_track(self, query: Mapping[str, Any]) -> Track | None:
        with self._connection.using() as database:
            found = database[TRACK].find_one(query, TRACK_FIELDS)
        return None if found is None else track_from_document(found)

    def tracks_with_hash(self, audio_hash: AudioHash) -> tuple[Track, ...]:
        """Return the tracks of one encoded audio, vanished ones too, by (added_at, id)."""
        query, order = {"audio_hash": to_text(audio_hash)}, [("added_ms", 1), ("_id", 1)]
        with self._connection.using() as database:
            found = list(database[TRACK].find(query, TRACK_FIELDS, sort=order))
        return tuple(map(track_from_document, found))

    def tracks_under(self, root: RootName, path: RelativePath) -> Iterator[Track]:
        """Yield the tracks whose location is `path` or below it, vanished ones too, by path."""
        where = {"root": to_text(root), **_at_or_below("path", to_path(path))}
        # Their ids are read first, so that a track that is moved meanwhile is yielded once.
        with self._connection.using(is_long=True) as database:
            found = database[TRACK].find(where, ["_id"], sort=[("path", 1)])
            ids = [document["_id"] for document in found]
        for batch in in_batches(ids):
            yield from map(
                track_from_document, sorted(self._with_ids(batch, where), key=lambda one: one["path"])
            )

    def _with_ids(self, ids: Iterable[str], where: Mapping[str, Any] | None = None) -> list[Document]:
        found: list[Document] = []
        with self._connection.using() as database:
            for batch in in_batches(ids):
                found += database[TRACK].find({"_id": {"$in": batch}, **(where or {})}, TRACK_FIELDS)
        return found

    def find_tracks(
        self, words: Sequence[str], *, sort: Sort, limit: int, after: Position | None = None
    ) -> TrackPage:
        """Return a page of the tracks that are there and match every word; of many words the 50 longest."""
        with self._connection.using() as database:
            return find_tracks(database, words, sort=sort, limit=limit, after=after)

    def count_tracks(self) -> int:
        """Count the tracks that are there."""
        with self._connection.using() as database:
            return int(database[TRACK].count_documents({"is_there": True}))

    # Vectors

    def vectors_of(self, track_id: TrackId, schema: FeatureSchema) -> FeatureVectors | None:
        """Return a track's vectors of a feature set, or None."""
        return self._first_vectors({"_id": to_text(track_id)}, schema)

    def vectors_with_hash(self, audio_hash: AudioHash, schema: FeatureSchema) -> FeatureVectors | None:
        """Return the vectors of any track with this encoded audio, or None."""
        return self._first_vectors({"audio_hash": to_text(audio_hash)}, schema)

    def _first_vectors(self, query: Mapping[str, Any], schema: FeatureSchema) -> FeatureVectors | None:
        field = self._field(schema)
        with self._connection.using() as database:
            found = database[TRACK].find_one({**query, "feature_sets": field}, [f"vectors.{field}"])
        return None if found is None else _vectors(schema, field, found)

    def hashes_with_vectors(self, schema: FeatureSchema) -> frozenset[AudioHash]:
        """Return the hash of every audio whose vectors of this feature set are stored."""
        return frozenset(AudioHash(found) for found in self._with_vectors("audio_hash", schema))

    def ids_with_vectors(self, schema: FeatureSchema) -> frozenset[TrackId]:
        """Return the id of every track, vanished ones too, that has vectors of this feature set."""
        return frozenset(TrackId(found) for found in self._with_vectors("_id", schema))

    def _with_vectors(self, name: str, schema: FeatureSchema) -> list[str]:
        query = {"feature_sets": self._field(schema)}
        fields = {"_id": name == "_id", name: True}  # nothing else, so that the index alone answers
        with self._connection.using(is_long=True) as database:
            return [_text(document, name) for document in database[TRACK].find(query, fields)]

    def track_vectors(self, schema: FeatureSchema) -> Iterator[TrackVectors]:
        """Yield the vectors of every track that is there, by id, in bounded memory."""
        field = self._field(schema)
        for document in self._connection.scan(
            TRACK,
            {"is_there": True, "feature_sets": field},
            order=BY_ID,
            beyond=after_id,
            fields=["audio_hash", f"vectors.{field}"],
            hint=BY_ID,  # most tracks have vectors, so the index is for the order
            batch=_BATCH,
        ):
            yield TrackVectors(
                TrackId(_text(document, "_id")),
                AudioHash(_text(document, "audio_hash")),
                _vectors(schema, field, document),
            )

    def _field(self, schema: FeatureSchema) -> str:
        """Return the field of a feature set; raise `SchemaMismatchError` if it has other features."""
        field = vectors_field(schema.name, schema.version)
        if _feature_set(schema) not in self._known_features:
            with self._connection.using() as database:
                stored = database[FEATURE_SET].find_one({"_id": field})
            if stored is not None:
                refuse_other_features(stored, *_feature_set(schema))
                self._known_features.add(_feature_set(schema))
        return field

    # Problems

    def save_problem(self, problem: FileProblem) -> None:
        """Insert or replace the problem of a file."""
        document = problem_to_document(problem)
        with self._connection.using() as database:
            database[PROBLEM].replace_one({"_id": document["_id"]}, document, upsert=True)

    def remove_problems(self, locations: Collection[Location]) -> None:
        """Remove the problems of files that are gone or were repaired."""
        keys = list(map(location_key, locations))
        if len(keys) <= 1:  # a transaction would be no safer, and sends more commands
            with self._connection.using() as database:
                for key in keys:
                    database[PROBLEM].delete_one({"_id": key})
            return

        def remove(database: Database[Document], session: ClientSession) -> None:
            for batch in in_batches(keys):
                database[PROBLEM].delete_many({"_id": {"$in": batch}}, session=session)

        self._connection.transaction(remove, is_long=True)

    def problems_under(self, root: RootName, path: RelativePath) -> Iterator[FileProblem]:
        """Yield the problems of files at or below a path, by path; `path` as in `tracks_under`."""
        whole = join_texts(root, "")
        below = _at_or_below("_id", f"{whole}{to_path(path)}") if path else {"_id": prefix_range(whole)}
        return self._problems(below)

    def problems(self) -> Iterator[FileProblem]:
        """Yield the problem of every file, by location, in bounded memory."""
        return self._problems({})

    def _problems(self, query: Mapping[str, Any]) -> Iterator[FileProblem]:
        found = self._connection.scan(PROBLEM, query, order=BY_ID, beyond=after_id, batch=_BATCH)
        return map(problem_from_document, found)


def _at_or_below(field: str, path: str) -> Mapping[str, Any]:
    """Return the condition that a field is a path or below it."""
    if not path:
        return {}
    # "/" is followed by "0": everything below "a" is between "a/" and "a0".
    return {"$or": [{field: path}, {field: {"$gte": f"{path}/", "$lt": f"{path}0"}}]}


def _feature_set(schema: FeatureSchema) -> FeatureSet:
    return schema.name, schema.version, schema.fingerprint


@reports_damage
def _text(document: Document, name: str) -> str:
    return from_text(document[name])


@reports_damage
def _vectors(schema: FeatureSchema, field: str, document: Document) -> FeatureVectors:
    return vectors_from_document(schema, document["vectors"][field])
