"""The catalogue of a database that was migrated, settled as after a scan, but many groups at a time."""

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TypeVar

from pymongo import UpdateOne
from pymongo.client_session import ClientSession
from pymongo.database import Database

from soundalike.domain.catalogue import albums_to_settle, settle
from soundalike.domain.entries import Settled
from soundalike.domain.tracks import Track
from soundalike.store.mongo.connection import BY_ID, MOST_IDS, Document, MongoConnection, after_id
from soundalike.store.mongo.documents import (
    TRACK_FIELDS,
    entry_to_fields,
    group_from_key,
    group_key,
    track_from_document,
)
from soundalike.store.mongo.encoding import to_text
from soundalike.store.mongo.groups import mark_groups, write_lists
from soundalike.store.mongo.indexes import GROUP, TRACK
from soundalike.store.mongo.tracks import next_change

_log = logging.getLogger(__name__)

_T = TypeVar("_T")

# So many tracks are in memory at a time, but for a group of more.
_MOST = 1_000
_BATCH = 500

# What other processes mark again meanwhile is left to them in the end.
_ROUNDS = 3

_FEWEST_TOLD = 10_000
_STEPS = 10


def refill_catalogue(connection: MongoConnection) -> None:
    """Settle every group; what a killed run has settled is not done again, nor what another process has."""
    for _ in range(_ROUNDS):
        found = connection.scan(GROUP, {}, order=BY_ID, beyond=after_id, fields=["_id"], batch=_BATCH)
        keys = [str(one["_id"]) for one in found]
        if not keys:
            return
        bundles = list(_bundles(keys, _sizes(connection)))
        for bundle in told(bundles, len(keys), "artists, albums and genres"):
            connection.transaction(partial(_settle, keys=bundle), is_long=True)


def told(batches: Iterable[Sequence[_T]], total: int, what: str) -> Iterator[Sequence[_T]]:
    """Yield batches, and say after every tenth of many things how far it is.

    Parameters
    ----------
    batches : iterable of sequence
        The things.
    total : int
        How many there are in all of them.
    what : str
        Their name, in the plural.
    """
    done = 0
    for batch in batches:
        yield batch
        before, done = done, done + len(batch)
        if total >= _FEWEST_TOLD and before * _STEPS // total < done * _STEPS // total:
            _log.warning("%s of %s %s are migrated", f"{done:,}", f"{total:,}", what)


def _sizes(connection: MongoConnection) -> Counter[str]:
    """Count the tracks of every group."""
    found = connection.scan(
        TRACK, {}, order=BY_ID, beyond=after_id, fields=["groups"], hint=BY_ID, batch=_BATCH
    )
    return Counter(key for track in found for key in track["groups"])


def _bundles(keys: Iterable[str], sizes: Counter[str]) -> Iterator[list[str]]:
    """Split groups, in the order in which they are settled, into some of one kind with few tracks."""
    bundle: list[str] = []
    count = 0
    for key in keys:
        is_full = len(bundle) == MOST_IDS or count + sizes[key] > _MOST
        if bundle and (is_full or group_from_key(bundle[0]).kind is not group_from_key(key).kind):
            yield bundle
            bundle, count = [], 0
        bundle.append(key)
        count += sizes[key]
    if bundle:
        yield bundle


def _settle(database: Database[Document], session: ClientSession, keys: Sequence[str]) -> None:
    """Settle groups of one kind, but for those that another process has settled meanwhile.

    Whoever changes a track marks its groups: so that conflicts with their removal here.
    """
    found = database[GROUP].find({"_id": {"$in": keys}}, ["_id"], sort=BY_ID, session=session)
    unsettled = [str(one["_id"]) for one in found]
    if not unsettled:
        return
    database[GROUP].delete_many({"_id": {"$in": unsettled}}, session=session)
    settled, tracks = _settled(
        unsettled,
        lambda: database[TRACK].find(
            {"groups": {"$in": unsettled}}, ["groups", *TRACK_FIELDS], session=session, batch_size=_BATCH
        ),
    )
    kind = group_from_key(unsettled[0]).kind
    if tracks:
        number = next_change(database, session)
        changes = [
            UpdateOne({"_id": to_text(one.id)}, {"$set": entry_to_fields(one) | {"change": number}})
            for one in tracks
        ]
        database[TRACK].bulk_write(changes, ordered=False, session=session)
        mark_groups(database, session, list(map(group_key, albums_to_settle(kind, tracks))), number)
    write_lists(database, session, kind, settled)


def _settled(
    keys: Sequence[str], read: Callable[[], Iterable[Document]]
) -> tuple[dict[str, Settled], list[Track]]:
    """Return groups as they are now, and the tracks whose entry is another than before.

    Parameters
    ----------
    keys : sequence of str
        Of the groups, in order.
    read : callable
        Returns all of their tracks; those of a single group are read one by one.
    """
    if len(keys) == 1:
        one = settle(group_from_key(keys[0]), lambda: map(track_from_document, read()))
        return {keys[0]: one}, list(one.tracks)
    tracks: dict[str, Track] = {}
    members: defaultdict[str, list[str]] = defaultdict(list)
    for document in read():
        tracks[document["_id"]] = track_from_document(document)
        for key in document["groups"]:
            members[key].append(document["_id"])
    settled: dict[str, Settled] = {}
    changed: set[str] = set()
    for key in keys:
        # A track that is in several of them has what those before have decided.
        settled[key] = settle(group_from_key(key), partial(iter, [tracks[one] for one in members[key]]))
        for track in settled[key].tracks:
            tracks[to_text(track.id)] = track
            changed.add(to_text(track.id))
    return settled, [tracks[one] for one in sorted(changed)]
