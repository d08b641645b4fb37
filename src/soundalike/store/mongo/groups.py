"""Which groups of tracks are unsettled, and which ids have given way to which, in MongoDB.

Every change is inside a transaction of its caller, which also numbers it (`tracks.next_change`).
"""

from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress

from pymongo import ReplaceOne, UpdateOne
from pymongo.client_session import ClientSession
from pymongo.database import Database

from soundalike.domain.entries import EntryKind, Settled, Successor
from soundalike.domain.errors import StoreError
from soundalike.domain.successions import successions
from soundalike.domain.tags import Tags
from soundalike.store.mongo.connection import Document
from soundalike.store.mongo.documents import reports_damage, tags_and_compilation
from soundalike.store.mongo.encoding import from_text, join_texts
from soundalike.store.mongo.entry_documents import entry_to_document
from soundalike.store.mongo.indexes import GROUP, SUCCESSOR


def mark_groups(
    database: Database[Document], session: ClientSession, keys: Collection[str], mark: int
) -> None:
    """Mark groups, given by `group_key`, as unsettled."""
    changes = [UpdateOne({"_id": key}, {"$set": {"mark": mark}}, upsert=True) for key in sorted(set(keys))]
    if changes:
        database[GROUP].bulk_write(changes, ordered=False, session=session)


def write_successors(
    database: Database[Document], session: ClientSession, found: Mapping[tuple[EntryKind, str], str]
) -> None:
    """Store which ids have given way to which."""
    replacements = [
        ReplaceOne({"_id": successor_key(kind, one)}, {"next": other}, upsert=True)
        for (kind, one), other in found.items()
    ]
    if replacements:
        database[SUCCESSOR].bulk_write(replacements, ordered=False, session=session)


def write_lists(
    database: Database[Document], session: ClientSession, kind: EntryKind, settled: Mapping[str, Settled]
) -> None:
    """Store what groups of one kind, by `group_key`, have now, and which ids have given way to it."""
    successors = {(kind, one): other for each in settled.values() for one, other in each.successors.items()}
    write_successors(database, session, successors)
    database[kind.value].delete_many({"group": {"$in": list(settled)}}, session=session)
    entries = [entry_to_document(entry, key) for key, each in settled.items() for entry in each.entries]
    if entries:
        database[kind.value].insert_many(entries, session=session)


def write_successions(
    database: Database[Document], session: ClientSession, changes: Iterable[tuple[Document, Tags]]
) -> None:
    """Store which ids give way to which where tracks, given as they are stored, get other tags."""
    found: dict[tuple[EntryKind, str], str] = {}
    for stored, tags in changes:
        with suppress(StoreError):  # a damaged track is replaced
            before, was_compiled = tags_and_compilation(stored)
            found |= successions(before, tags, was_compiled=was_compiled)
    write_successors(database, session, found)


def successor_key(kind: EntryKind, one: str) -> str:
    """Return the ``_id`` of an id that has given way to another."""
    return join_texts(kind.value, one)


@reports_damage
def successor_from_document(kind: EntryKind, document: Document) -> Successor:
    """Read a successor of a kind."""
    one = from_text(document["_id"].removeprefix(successor_key(kind, "")))
    return Successor(kind, one, from_text(document["next"]))
