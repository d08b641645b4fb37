"""The library in MongoDB: roots, tracks, vectors and file problems."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from pymongo.client_session import ClientSession
from pymongo.database import Database

from soundalike.domain.features import FeatureVectors
from soundalike.domain.files import FileProblem, Location, Part, Place, Root
from soundalike.domain.stored_vectors import StoredVectors
from soundalike.domain.tracks import EVERY_TRACK, Position, Sort, Track, TrackFilter, TrackPage
from soundalike.domain.types import AudioHash, RelativePath, RootName, TrackId
from soundalike.store.mongo.connection import BY_ID, Document, MongoConnection, after_id
from soundalike.store.mongo.documents import (
    TRACK_FIELDS,
    place_key,
    problem_from_document,
    problem_to_document,
    root_from_document,
    root_to_document,
    stored_part,
    track_from_document,
)
from soundalike.store.mongo.encoding import (
    join_texts,
    prefix_range,
    to_optional,
    to_path,
    to_text,
)
from soundalike.store.mongo.errors import upsert
from soundalike.store.mongo.features import (
    FeatureSet,
    feature_set_of,
    vectors_to_document,
    write_documents,
    write_feature_sets,
)
from soundalike.store.mongo.indexes import PROBLEM, ROOT, TRACK
from soundalike.store.mongo.search import find_tracks
from soundalike.store.mongo.tracks import (
    in_batches,
    mark_vanished,
    remove_batch,
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
            upsert(database[ROOT].replace_one, {"_id": document["_id"]}, document)

    # Tracks

    def save_track(self, track: Track, *vectors: FeatureVectors, moved_from: Location | None = None) -> None:
        """Insert a track, or replace the one with this id; see the port."""
        stored = [StoredVectors.of(track.id, of_set) for of_set in vectors]
        used = {feature_set_of(one) for one in stored}
        audio_hash = to_optional(track.audio_hash)

        def write(database: Database[Document], session: ClientSession) -> None:
            write_feature_sets(database, session, used - self._known_features)
            write_track(database, session, track, moved_from)
            write_documents(database, session, [vectors_to_document(one, audio_hash) for one in stored])

        self._connection.transaction(write)
        self._known_features |= used

    def mark_vanished(self, track_ids: Collection[TrackId], at_ms: int) -> int:
        """Mark tracks as vanished at a time (ms since 1970, UTC); return how many were not so before."""
        return self._connection.transaction(
            lambda database, session: mark_vanished(database, session, track_ids, at_ms), is_long=True
        )

    def remove_tracks(self, track_ids: Collection[TrackId]) -> int:
        """Remove tracks and their vectors, as if they had never been there; return how many there were."""
        return sum(
            self._connection.transaction(partial(remove_batch, track_ids=batch), is_long=True)
            for batch in in_batches(track_ids)
        )

    def track(self, track_id: TrackId) -> Track | None:
        """Return a track, vanished or not, or None."""
        return self._one_track({"_id": to_text(track_id)})

    def tracks(self, track_ids: Collection[TrackId]) -> Mapping[TrackId, Track]:
        """Return those of the tracks that exist, vanished ones too; any number of ids may be asked for."""
        found = map(track_from_document, self._with_ids(map(to_text, track_ids)))
        return {track.id: track for track in found}

    def track_at(self, location: Location, part: Part | None = None) -> Track | None:
        """Return the track whose file is, or last was, at a location: the whole file or a part of it."""
        root, path = to_text(location.root), to_path(location.path)
        return self._one_track({"root": root, "path": path, "part": stored_part(part)})

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
            found = database[TRACK].find(where, ["_id"], sort=[("path", 1), ("_id", 1)])
            ids = [document["_id"] for document in found]
        for batch in in_batches(ids):
            yield from map(
                track_from_document,
                sorted(self._with_ids(batch, where), key=lambda one: (one["path"], one["_id"])),
            )

    def _with_ids(self, ids: Iterable[str], where: Mapping[str, Any] | None = None) -> list[Document]:
        found: list[Document] = []
        with self._connection.using() as database:
            for batch in in_batches(ids):
                found += database[TRACK].find({"_id": {"$in": batch}, **(where or {})}, TRACK_FIELDS)
        return found

    def find_tracks(
        self,
        words: Sequence[str],
        *,
        sort: Sort,
        limit: int,
        after: Position | None = None,
        offset: int = 0,
        only: TrackFilter = EVERY_TRACK,
    ) -> TrackPage:
        """Return a page of the tracks that match every word and a filter; see the port."""
        with self._connection.using() as database:
            return find_tracks(database, words, sort=sort, limit=limit, after=after, offset=offset, only=only)

    def count_tracks(self) -> int:
        """Count the tracks that are there."""
        with self._connection.using() as database:
            return int(database[TRACK].count_documents({"is_there": True}))

    # Problems

    def save_problem(self, problem: FileProblem) -> None:
        """Insert or replace the problem of a file."""
        document = problem_to_document(problem)
        with self._connection.using() as database:
            upsert(database[PROBLEM].replace_one, {"_id": document["_id"]}, document)

    def remove_problems(self, places: Collection[Place]) -> None:
        """Remove the problems of files that are gone or were repaired."""
        keys = list(map(place_key, places))
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
        if not path:
            return self._problems({"_id": prefix_range(whole)})
        of_parts = {"_id": prefix_range(join_texts(root, to_path(path), ""))}
        return self._problems({"$or": [_at_or_below("_id", f"{whole}{to_path(path)}"), of_parts]})

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
