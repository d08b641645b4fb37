"""Which listens of users are erased in MongoDB, whether they are already deleted or not."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pymongo import DeleteMany
from pymongo.database import Database

from soundalike.domain.listens import NOTHING_ERASED, Erased
from soundalike.store.keys import LARGEST_INTEGER
from soundalike.store.mongo.connection import Document
from soundalike.store.mongo.documents import reports_damage
from soundalike.store.mongo.encoding import to_integer
from soundalike.store.mongo.indexes import LISTEN, LISTENER
from soundalike.store.mongo.tracks import in_batches

IS_ERASED: Mapping[str, Any] = {"erased_ms": {"$gte": -LARGEST_INTEGER}}
"""The condition of documents of ``listener`` with an erasure."""


def visible(user: str, erased: Erased) -> Document:
    """Return the condition of a user's listens that are not erased.

    Parameters
    ----------
    user : str
        The user, as stored.
    erased : Erased
        What is erased of them.
    """
    later = {} if erased.dated_ms is None else {"at_ms": {"$gt": erased.dated_ms}}
    return {"user": user, "generation": erased.generation, **later}


def _hidden(user: str, erased: Erased) -> Iterator[Document]:
    """Yield the conditions of a user's listens that are erased."""
    if erased.generation:
        yield {"user": user, "generation": {"$lt": erased.generation}}
    if erased.dated_ms is not None:
        # Not "$lte": a server that tests run on misses equal values in an index of several fields.
        yield {"user": user, "generation": erased.generation, "at_ms": {"$lt": erased.dated_ms + 1}}


def erased_to_fields(erased: Erased) -> Document:
    """Return what a document of ``listener`` says of erasures; as a query, whether it says so."""
    # Without a generation, every date is one up to which all is hidden; so it was in version 1.
    dated_ms = erased.dated_ms if erased.generation else None
    return {"erased_ms": erased.until_ms, "generation": erased.generation or None, "dated_ms": dated_ms}


@reports_damage
def erased_from(document: Document) -> Erased:
    """Read what a document of ``listener`` says of erasures."""
    if document.get("erased_ms") is None:
        return NOTHING_ERASED
    until_ms = to_integer(document["erased_ms"])
    generation = to_integer(document.get("generation") or 0)
    dated_ms = document.get("dated_ms") if generation else until_ms
    return Erased(until_ms, generation, None if dated_ms is None else to_integer(dated_ms))


def erased_of(database: Database[Document], users: Iterable[str]) -> dict[str, Erased]:
    """Return what is erased of those users who have an erasure."""
    found: dict[str, Erased] = {}
    for batch in in_batches(users):
        one_or_more: Any = batch[0] if len(batch) == 1 else {"$in": batch}
        found |= all_erased(database, {"_id": one_or_more, **IS_ERASED})
    return found


def all_erased(database: Database[Document], query: Mapping[str, Any]) -> Iterator[tuple[str, Erased]]:
    """Yield the stored ids of users with what is erased; the query includes `IS_ERASED`."""
    for document in database[LISTENER].find(query, list(erased_to_fields(NOTHING_ERASED))):
        yield document["_id"], erased_from(document)


def delete_erased(database: Database[Document], erased: Mapping[str, Erased]) -> None:
    """Delete the listens of users that are erased."""
    conditions = (hidden for user, one in erased.items() for hidden in _hidden(user, one))
    for batch in in_batches(conditions):
        database[LISTEN].bulk_write([DeleteMany(hidden) for hidden in batch], ordered=False)
