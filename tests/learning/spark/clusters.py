"""A library in MongoDB as the store keeps it, for executors to read."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from bson.binary import Binary
from pymongo import MongoClient
from pymongo.collection import Collection

from servers.mongodb import drop_database, new_database
from servers.processes import QUICK_JAVA
from soundalike.domain.snapshot import LibraryTable
from soundalike.learning.spark.mongo import MongoSource

FAST_EXECUTORS = {"spark.executor.extraJavaOptions": " ".join(QUICK_JAVA)}


@contextmanager
def kept_in_mongodb(address: str, library: LibraryTable) -> Iterator[MongoSource]:
    """Keep a library as the store on MongoDB does, among vectors of another set and of another track."""
    url = new_database(address)
    documents = [
        document(library, number, row)
        for number in range(len(library.schemas))
        for row in range(len(library))
    ]
    first = documents[0]
    foreign = [first | {"_id": "other", "set": "another-v1"}, first | {"_id": "x", "track": "x"}]
    try:
        with features_of(url) as features:
            features.insert_many([*documents, *foreign])
            database = features.database.name
        yield MongoSource(url=url, database=database, collection="feature")
    finally:
        drop_database(url)


def document(library: LibraryTable, number: int, row: int) -> dict[str, Any]:
    """What the store has of a track in one set: a whole, and its parts."""
    schema, start = library.schemas[number], sum(len(one) for one in library.schemas[:number])
    whole = library.summaries[[row], start : start + len(schema)]
    parts = library.parts[number].of(np.array([row])).values
    track_id = library.track_ids[row]
    return {
        "_id": f"{track_id} {schema.key}",
        "track": track_id,
        "set": schema.key,
        "roles": ["whole", *(["part"] * len(parts))],
        "vectors": Binary(np.concatenate([whole, parts]).astype("<f4").tobytes()),
    }


@contextmanager
def features_of(url: str) -> Iterator[Collection[dict[str, Any]]]:
    client: MongoClient[dict[str, Any]] = MongoClient(url)
    with client:
        yield client.get_default_database()["feature"]
