"""Changes to tracks in MongoDB, each inside a transaction of its caller.

The track at a location, or at a part of the file there, is also stored in a collection of its own, with that
as ``_id``. So if two tracks are given one location at the same time, the second finds it taken, although only
``_id`` is unique.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from pymongo import DeleteOne, ReplaceOne, ReturnDocument
from pymongo.client_session import ClientSession
from pymongo.database import Database

from soundalike.domain.batches import batched
from soundalike.domain.files import NOWHERE, Location, Place
from soundalike.domain.tracks import Track
from soundalike.domain.types import TrackId
from soundalike.store.errors import location_taken, track_moved
from soundalike.store.mongo.connection import MOST_IDS, Document
from soundalike.store.mongo.documents import (
    PLACE_FIELDS,
    place_key,
    place_of,
    reports_damage,
    track_to_document,
)
from soundalike.store.mongo.encoding import (
    from_text,
    join_texts,
    prefix_range,
    to_integer,
    to_optional,
    to_text,
)
from soundalike.store.mongo.groups import mark_groups, write_successions
from soundalike.store.mongo.indexes import FEATURE, KEY, LIBRARY, LOCATION, PROBLEM, TRACK

_T = TypeVar("_T")

_KNOWN = (*PLACE_FIELDS, "tags", "is_compilation", "audio_hash", "groups")
"""What is read of a track before it is changed."""


def write_track(
    database: Database[Document],
    session: ClientSession,
    track: Track,
    moved_from: Location | None,
) -> None:
    """Insert a track, or replace the one with this id, without vectors; see `LibraryStore.save_track`."""
    key = {"_id": to_text(track.id)}
    stored = database[TRACK].find_one(key, _KNOWN, session=session)
    place = None if stored is None else place_of(stored)
    at = None if stored is None else NOWHERE if place is None else place.location
    if moved_from is not None and at != moved_from:
        raise track_moved(track, moved_from)
    wanted = None if track.file is None else track.file.place
    if place != wanted:
        if wanted is not None:
            _take_place(database, session, track, wanted)
        if place is not None:
            database[LOCATION].delete_one({"_id": place_key(place)}, session=session)
    _write(database, session, [(stored, track)])
    if wanted is not None:
        database[PROBLEM].delete_one({"_id": place_key(wanted)}, session=session)


def _take_place(database: Database[Document], session: ClientSession, track: Track, wanted: Place) -> None:
    taken = {"_id": place_key(wanted)}
    owner = database[LOCATION].find_one(taken, session=session)
    if owner is not None:
        raise location_taken(track, from_text(owner["track"]))
    database[LOCATION].insert_one(taken | {"track": to_text(track.id)}, session=session)


def _write(
    database: Database[Document],
    session: ClientSession,
    tracks: Sequence[tuple[Document | None, Track]],
) -> None:
    """Insert or replace tracks, given with what is stored of them, and what follows in the catalogue."""
    number = next_change(database, session)
    documents = [track_to_document(track) | {"change": number} for _, track in tracks]
    database[TRACK].bulk_write(
        [ReplaceOne({"_id": one["_id"]}, one, upsert=True) for one in documents],
        ordered=False,
        session=session,
    )
    known = [(stored, track) for stored, track in tracks if stored is not None]
    for stored, track in known:
        _change_audio(database, session, track, stored["audio_hash"])
    groups = {key for one in (*documents, *(stored for stored, _ in known)) for key in one["groups"]}
    mark_groups(database, session, groups, number)
    write_successions(database, session, ((stored, track.tags) for stored, track in known))


def save_batch(database: Database[Document], session: ClientSession, batch: Sequence[Track]) -> None:
    """Insert or replace some tracks; see `LibraryStore.save_stored_tracks`."""
    places = {one.file.place for one in batch if one.file is not None}
    stored = _with_ids(database, session, TRACK, (to_text(one.id) for one in batch), _KNOWN)
    owners = _with_ids(database, session, LOCATION, map(place_key, places), ("track",))
    places_of = ((from_text(document["_id"]), place_of(document)) for document in stored)
    at = {track_id: place_key(place) for track_id, place in places_of if place is not None}
    owner_of = {str(document["_id"]): from_text(document["track"]) for document in owners}
    written: dict[str, str | None] = {}  # places, and the tracks that have them afterwards
    for track in batch:
        file = track.file
        wanted = None if file is None else place_key(file.place)
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
    known = {from_text(document["_id"]): document for document in stored}
    tracks = {track.id: track for track in batch}
    _write(database, session, [(known.get(track.id), track) for track in tracks.values()])


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
    are_there: Document = {"is_there": True}
    there = _with_ids(database, session, TRACK, set(map(to_text, track_ids)), ("groups",), are_there)
    if not there:
        return 0
    number = next_change(database, session)
    change = {"vanished_ms": at_ms, "is_there": False, "words": [], "change": number}
    for batch in in_batches(document["_id"] for document in there):
        database[TRACK].update_many({"_id": {"$in": batch}}, {"$set": change}, session=session)
    mark_groups(database, session, {key for document in there for key in document["groups"]}, number)
    return len(there)


def remove_batch(database: Database[Document], session: ClientSession, track_ids: Collection[TrackId]) -> int:
    """Remove some tracks with all that follows from them; return how many there were."""
    ids = set(map(to_text, track_ids))
    stored = _with_ids(database, session, TRACK, ids, (*PLACE_FIELDS, "groups"))
    if not stored:
        return 0
    number = next_change(database, session)
    places = [place_key(place) for each in stored if (place := place_of(each)) is not None]
    if places:
        database[LOCATION].delete_many({"_id": {"$in": places}}, session=session)
    for track_id in track_ids:
        database[FEATURE].delete_many(of_track(track_id), session=session)
    database[TRACK].delete_many({"_id": {"$in": [each["_id"] for each in stored]}}, session=session)
    mark_groups(database, session, {key for each in stored for key in each["groups"]}, number)
    return len(stored)


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
    where: Mapping[str, Any] | None = None,
) -> list[Document]:
    found: list[Document] = []
    for batch in in_batches(ids):
        found += database[collection].find({"_id": {"$in": batch}, **(where or {})}, fields, session=session)
    return found
