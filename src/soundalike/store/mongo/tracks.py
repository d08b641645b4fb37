"""Changes to tracks in MongoDB, each inside a transaction of its caller.

The track at a location is also stored in a collection of its own, with the location as ``_id``. So if two
tracks are given one location at the same time, the second finds it taken, although only ``_id`` is unique.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TypeVar

from pymongo import DeleteOne, ReplaceOne, ReturnDocument
from pymongo.client_session import ClientSession
from pymongo.database import Database

from soundalike.domain.batches import batched
from soundalike.domain.files import Location
from soundalike.domain.tracks import Track
from soundalike.domain.types import TrackId
from soundalike.store.errors import location_taken, track_moved
from soundalike.store.mongo.connection import MOST_IDS, Document
from soundalike.store.mongo.documents import (
    location_of,
    reports_damage,
    track_to_document,
)
from soundalike.store.mongo.encoding import (
    from_text,
    join_texts,
    location_key,
    to_integer,
    to_optional,
    to_text,
)
from soundalike.store.mongo.indexes import FEATURE, KEY, LIBRARY, LOCATION, PROBLEM, TRACK
from soundalike.store.mongo.search import prefix_range

_T = TypeVar("_T")

_PLACE = ("root", "path")


def write_track(
    database: Database[Document],
    session: ClientSession,
    track: Track,
    moved_from: Location | None,
) -> None:
    """Insert a track, or replace the one with this id, without vectors; see `LibraryStore.save_track`."""
    key = {"_id": to_text(track.id)}
    stored = database[TRACK].find_one(key, (*_PLACE, "audio_hash"), session=session)
    place = None if stored is None else location_of(stored)
    if moved_from is not None and place != moved_from:
        raise track_moved(track, moved_from)
    wanted = None if track.file is None else track.file.location
    if place != wanted:
        if wanted is not None:
            _take_location(database, session, track, wanted)
        if place is not None:
            database[LOCATION].delete_one({"_id": location_key(place)}, session=session)
    document = track_to_document(track) | {"change": next_change(database, session)}
    database[TRACK].update_one(key, {"$set": document}, upsert=True, session=session)
    if stored is not None:
        _change_audio(database, session, track, stored["audio_hash"])
    if wanted is not None:
        database[PROBLEM].delete_one({"_id": location_key(wanted)}, session=session)


def _take_location(
    database: Database[Document], session: ClientSession, track: Track, wanted: Location
) -> None:
    taken = {"_id": location_key(wanted)}
    owner = database[LOCATION].find_one(taken, session=session)
    if owner is not None:
        raise location_taken(track, from_text(owner["track"]))
    database[LOCATION].insert_one(taken | {"track": to_text(track.id)}, session=session)


def save_batch(database: Database[Document], session: ClientSession, batch: Sequence[Track]) -> None:
    """Insert or replace some tracks; see `LibraryStore.save_stored_tracks`."""
    ids = [one.id for one in batch]
    places = {one.file.location for one in batch if one.file is not None}
    stored = _with_ids(database, session, TRACK, map(to_text, ids), (*_PLACE, "audio_hash"))
    owners = _with_ids(database, session, LOCATION, map(location_key, places), ("track",))
    places_of = ((from_text(document["_id"]), location_of(document)) for document in stored)
    at = {track_id: location_key(place) for track_id, place in places_of if place is not None}
    owner_of = {str(document["_id"]): from_text(document["track"]) for document in owners}
    written: dict[str, str | None] = {}  # locations, and the tracks that have them afterwards
    for track in batch:
        file = track.file
        wanted = None if file is None else location_key(file.location)
        owner = None if wanted is None else owner_of.get(wanted)
        if owner not in {None, track.id}:
            raise location_taken(track, str(owner))
        left = at.pop(track.id, None)
        if left is not None and left != wanted:
            owner_of.pop(left, None)
            written[left] = None
        if wanted is not None:
            if owner is None:
                owner_of[wanted] = written[wanted] = track.id
            at[track.id] = wanted
    changes = [
        DeleteOne({"_id": key})
        if owner is None
        else ReplaceOne({"_id": key}, {"track": to_text(owner)}, upsert=True)
        for key, owner in written.items()
    ]
    if changes:
        database[LOCATION].bulk_write(changes, ordered=False, session=session)
    change = {"change": next_change(database, session)}
    documents = {one.id: track_to_document(one) | change for one in batch}
    hashes = {from_text(document["_id"]): document["audio_hash"] for document in stored}
    for track in batch:
        if track.id in hashes:
            _change_audio(database, session, track, hashes[track.id])
    database[TRACK].bulk_write(
        [ReplaceOne({"_id": one["_id"]}, one, upsert=True) for one in documents.values()],
        ordered=False,
        session=session,
    )


def _change_audio(
    database: Database[Document], session: ClientSession, track: Track, before: str | None
) -> None:
    """Remove a track's vectors if its audio is another; those that it had without audio stay."""
    audio_hash = to_optional(track.audio_hash)
    if before is None and audio_hash is not None:
        change = {"$set": {"audio_hash": audio_hash}}
        database[FEATURE].update_many(of_track(track.id), change, session=session)
    elif before != audio_hash:
        database[FEATURE].delete_many(of_track(track.id), session=session)


def of_track(track_id: TrackId) -> Document:
    """Return the condition that a document of ``feature`` is of a track."""
    return {"_id": prefix_range(join_texts(track_id, ""))}


def mark_vanished(
    database: Database[Document], session: ClientSession, track_ids: Collection[TrackId], at_ms: int
) -> int:
    """Mark those of the tracks that are there as vanished; return how many."""
    there = [{"_id": {"$in": batch}, "is_there": True} for batch in in_batches(map(to_text, track_ids))]
    if not any(database[TRACK].find_one(query, ["_id"], session=session) for query in there):
        return 0
    number = next_change(database, session)
    change = {"$set": {"vanished_ms": at_ms, "is_there": False, "words": [], "change": number}}
    return sum(database[TRACK].update_many(query, change, session=session).modified_count for query in there)


def next_change(database: Database[Document], session: ClientSession) -> int:
    """Count a change of tracks, and return its number: changes are numbered in the order of commits."""
    counted = database[LIBRARY].find_one_and_update(
        {"_id": KEY}, {"$inc": {"version": 1}}, session=session, return_document=ReturnDocument.AFTER
    )
    return version_from(counted)


@reports_damage
def version_from(record: Document | None) -> int:
    """Read the number of the last change from the document of ``library``."""
    if record is None:
        msg = "the one of the library is missing"
        raise LookupError(msg)
    return to_integer(record["version"])


def in_batches(items: Iterable[_T]) -> Iterator[list[_T]]:
    """Split what a query asks for into lists that every server answers fast."""
    return batched(items, MOST_IDS)


def _with_ids(
    database: Database[Document],
    session: ClientSession,
    collection: str,
    ids: Iterable[str],
    fields: Sequence[str],
) -> list[Document]:
    found: list[Document] = []
    for batch in in_batches(ids):
        found += database[collection].find({"_id": {"$in": batch}}, fields, session=session)
    return found
