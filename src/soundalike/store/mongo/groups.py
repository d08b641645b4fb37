"""Which groups of tracks are unsettled, and which ids have given way to which, in MongoDB.

Every change is inside a transaction of its caller, which also numbers it (`tracks.next_change`).
"""

from collections.abc import Collection, Iterable, Mapping

from pymongo import ReplaceOne, UpdateOne
from pymongo.client_session import ClientSession
from pymongo.database import Database

from soundalike.domain.catalogue import successions
from soundalike.domain.entries import EntryKind
from soundalike.domain.errors import StoreError
from soundalike.domain.tracks import Entry
from soundalike.store.mongo.connection import Document
from soundalike.store.mongo.documents import entry_from_document
from soundalike.store.mongo.encoding import join_texts
from soundalike.store.mongo.indexes import GROUP, SUCCESSOR


def mark_groups(
    database: Database[Document], session: ClientSession, keys: Collection[str], mark: int
) -> None:
    """Mark groups, given by `group_key`, as unsettled."""
    changes = [UpdateOne({"_id": key}, {"$set": {"mark": mark}}, upsert=True) for key in sorted(set(keys))]
    if changes:
        database[GROUP].bulk_write(changes, ordered=False, session=session)


def write_successions(
    database: Database[Document], session: ClientSession, changes: Iterable[tuple[Document, Entry]]
) -> None:
    """Store which ids give way to which where tracks, given as they are stored, get other entries."""
    found: dict[str, str] = {}
    for stored, entry in changes:
        found |= {
            successor_key(kind, one): other for (kind, one), other in _successions(stored, entry).items()
        }
    if found:
        replacements = [
            ReplaceOne({"_id": key}, {"next": other}, upsert=True) for key, other in found.items()
        ]
        database[SUCCESSOR].bulk_write(replacements, ordered=False, session=session)


def _successions(stored: Document, entry: Entry) -> Mapping[tuple[EntryKind, str], str]:
    try:
        return successions(entry_from_document(stored), entry)
    except StoreError:
        return {}  # a damaged track is replaced


def successor_key(kind: EntryKind, one: str) -> str:
    """Return the ``_id`` of an id that has given way to another."""
    return join_texts(kind.value, one)
