"""What is in a database, before it is migrated and after."""

from typing import Any

from pymongo import MongoClient

from compatibility.library import mongodb_documents
from soundalike.store.mongo.indexes import INDEXES, KEY
from soundalike.store.mongo.migration import OLD_NAMES

Documents = dict[str, dict[Any, dict[str, Any]]]


def documents(url: str, names: Any = INDEXES) -> Documents:
    """Return all documents of collections, by collection and ``_id``."""
    with MongoClient[dict[str, Any]](url) as client:
        database = client.get_default_database()
        return {name: {one["_id"]: dict(one) for one in database[name].find()} for name in names}


def old_documents() -> Documents:
    return {
        name: {one["_id"]: one for one in some}
        for name, some in mongodb_documents().items()
        if name in OLD_NAMES
    }


def version(url: str) -> object:
    with MongoClient[dict[str, Any]](url) as client:
        return client.get_default_database()["store"].find_one({"_id": KEY})
