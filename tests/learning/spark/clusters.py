"""A library in MongoDB as the store keeps it, for executors to read."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bson.binary import Binary
from pymongo import MongoClient
from pymongo.collection import Collection

from learning.libraries import halves_of
from servers.mongodb import drop_database, new_database
from servers.processes import QUICK_JAVA
from soundalike.domain.snapshot import LibraryTable
from soundalike.learning.spark.mongo import MongoSource

FAST_EXECUTORS = {"spark.executor.extraJavaOptions": " ".join(QUICK_JAVA)}


@contextmanager
def kept_in_mongodb(address: str, library: LibraryTable) -> Iterator[MongoSource]:
    """Keep a library as the store on MongoDB does, among tracks that are gone or were never heard."""
    url = new_database(address)
    key, (first, second) = library.schemas[0].key, halves_of(library)

    def document(row: int) -> dict[str, Any]:
        parts = {"whole": library.summaries, "first_half": first, "second_half": second}
        vectors = {name: Binary(part[row].astype("<f4").tobytes()) for name, part in parts.items()}
        return {"_id": library.track_ids[row], "title": "x", "vanished_ms": None, "vectors": {key: vectors}}

    gone = document(0) | {"_id": "gone", "vanished_ms": 1}
    unheard = {"_id": "unheard", "vanished_ms": None, "vectors": {"other-v1": {"whole": Binary(b"")}}}
    try:
        with tracks_of(url) as tracks:
            tracks.insert_many([*map(document, range(len(library))), gone, unheard])
            database = tracks.database.name
        yield MongoSource(url=url, database=database, collection="track", vectors=f"vectors.{key}")
    finally:
        drop_database(url)


@contextmanager
def tracks_of(url: str) -> Iterator[Collection[dict[str, Any]]]:
    client: MongoClient[dict[str, Any]] = MongoClient(url)
    with client:
        yield client.get_default_database()["track"]
