"""A library in MongoDB as the store keeps it, for executors to read."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from pymongo import MongoClient
from pymongo.collection import Collection

from learning.libraries import halves_of
from making import SOME_TIME, make_schema, make_track, make_vectors, with_halves
from servers.mongodb import drop_database, new_database
from servers.processes import QUICK_JAVA
from soundalike.domain.snapshot import LibraryTable
from soundalike.domain.stored_vectors import StoredVectors
from soundalike.learning.spark.mongo import MongoSource
from soundalike.store.mongo.store import MongoStore

FAST_EXECUTORS = {"spark.executor.extraJavaOptions": " ".join(QUICK_JAVA)}


@contextmanager
def kept_in_mongodb(address: str, library: LibraryTable) -> Iterator[MongoSource]:
    """Keep a library in a store on MongoDB, among a track that is gone and vectors of another set."""
    url = new_database(address)
    schema, (first, second) = library.schemas[0], halves_of(library)
    rows = zip(library.summaries, first, second, strict=True)
    vectors = [with_halves(schema, *row) for row in rows]
    tracks = [make_track(track_id) for track_id in library.track_ids]
    try:
        with closing(MongoStore(url)) as store:
            store.save_stored_tracks(tracks)
            of_tracks = zip(tracks, vectors, strict=True)
            store.save_stored_vectors([StoredVectors.of(track.id, one) for track, one in of_tracks])
            store.save_track(tracks[0], make_vectors(make_schema(3, name="other")))
            store.save_track(make_track("gone", vanished_at=SOME_TIME), vectors[0])
        with features_of(url) as features:
            database = features.database.name
        yield MongoSource(url=url, database=database, collection="feature")
    finally:
        drop_database(url)


@contextmanager
def features_of(url: str) -> Iterator[Collection[dict[str, Any]]]:
    client: MongoClient[dict[str, Any]] = MongoClient(url)
    with client:
        yield client.get_default_database()["feature"]
