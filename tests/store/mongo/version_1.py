"""What the program of store version 1 sent to MongoDB, copied from it: each of its writes.

Each of them changes something in the store of `tests/compatibility/version-1`, in this order.
"""

from collections.abc import Callable, Mapping
from typing import Any

from pymongo import DeleteMany, DeleteOne, ReplaceOne
from pymongo.client_session import ClientSession

Write = Callable[[Any, ClientSession], object]

_NEW = {"_id": "new"}
_AT_NEW = {"_id": "music\0\0new"}
_T000 = {"_id": "t000"}
_TRACK = {
    "_id": "new", "root": "music", "path": "new", "target": None, "size_bytes": 1, "mtime_ns": "1",
    "audio_hash": "hash", "title": "Title", "artist": None, "album": None, "genre": None, "year": None,
    "duration_ms": 1, "media_type": "audio/mpeg", "added_ms": 1, "vanished_ms": None, "is_there": True,
    "words": ["title"], "title_key": "title", "artist_key": None, "album_key": None,
}  # fmt: skip
_LISTEN = {
    "_id": "new\0\0000\0\0event", "user": "new", "generation": 0, "at_ms": 1, "id": "event", "track": "t000",
    "kind": "liked", "position_ms": None,
}  # fmt: skip
_PROBLEM = {
    "_id": "music\0\0new", "root": "music", "path": "new", "reason": "empty", "heard_ms": 0, "detail": "",
    "is_used": False, "size_bytes": None, "mtime_ns": None,
}  # fmt: skip
_USER = {"_id": "new", "name_key": "new", "name": "New", "password_hash": "hash", "created_ms": 1}
_TOKEN = {"_id": "hash", "id": "id", "user": "new", "label": "label", "created_ms": 1}
_ERASURE = {"$unset": {"profile": ""}, "$max": {"erased_ms": 2**50}, "$inc": {"generation": 1}}

ADDING: Mapping[str, Write] = {
    "save_root": lambda db, _: db["roots"].replace_one(
        {"_id": "elsewhere"}, {"_id": "elsewhere", "location": "/e"}, upsert=True
    ),
    "write_feature_sets": lambda db, session: db["feature_sets"].insert_one(
        {"_id": "tiny-v1", "name": "tiny", "version": 1, "fingerprint": "0"}, session=session
    ),
    "save_track takes a location": lambda db, session: db["locations"].insert_one(
        {**_AT_NEW, "track": "new"}, session=session
    ),
    "save_track adds a track": lambda db, session: db["tracks"].insert_one(
        {**_TRACK, "feature_sets": [], "vectors": {}}, session=session
    ),
    "save_batch takes a location": lambda db, session: db["locations"].bulk_write(
        [ReplaceOne({"_id": "music\0\0newer"}, {"track": "newer"}, upsert=True)],
        ordered=False,
        session=session,
    ),
    "save_batch adds a track": lambda db, session: db["tracks"].bulk_write(
        [ReplaceOne({"_id": "newer"}, {**_TRACK, "_id": "newer"}, upsert=True)],
        ordered=False,
        session=session,
    ),
    "save_problem": lambda db, _: db["problems"].replace_one({"_id": _PROBLEM["_id"]}, _PROBLEM, upsert=True),
    "add_listens": lambda db, _: db["listens"].insert_many([_LISTEN], ordered=False),
    "erase_listens": lambda db, _: db["listeners"].insert_one(dict(_NEW)),
    "save_profile adds a profile": lambda db, _: db["listeners"].insert_one(
        {"_id": "newer", "profile": {"fold": 2}}
    ),
    "add_user takes a name": lambda db, session: db["names"].insert_one(
        {"_id": "new", "user": "new"}, session=session
    ),
    "add_user": lambda db, session: db["users"].insert_one(dict(_USER), session=session),
    "add_token": lambda db, _: db["tokens"].insert_one(dict(_TOKEN)),
}
"""Those that add a document."""

CHANGING: Mapping[str, Write] = {
    "save_track replaces a track": lambda db, session: db["tracks"].update_one(
        _T000, {"$set": {"title": "Other"}, "$addToSet": {"feature_sets": {"$each": ["a"]}}}, session=session
    ),
    "save_track leaves a location": lambda db, session: db["locations"].delete_one(_AT_NEW, session=session),
    "save_track removes a problem": lambda db, session: db["problems"].delete_one(_AT_NEW, session=session),
    "save_batch leaves a location": lambda db, session: db["locations"].bulk_write(
        [DeleteOne({"_id": "music\0\0newer"})], ordered=False, session=session
    ),
    "mark_vanished": lambda db, session: db["tracks"].update_many(
        {"_id": {"$in": ["t000"]}, "is_there": True},
        {"$set": {"vanished_ms": 1, "is_there": False, "words": []}},
        session=session,
    ),
    "drop_vectors": lambda db, _: db["tracks"].update_one(_T000, {"$set": {"vectors": {}}}),
    "remove_problems": lambda db, session: db["problems"].delete_many(
        {"_id": {"$in": ["music\0\0bad/0"]}}, session=session
    ),
    "save_profile": lambda db, _: db["listeners"].update_one(
        {"_id": "bob"}, {"$set": {"profile": {"fold": 2, "version": "other"}}}
    ),
    "profile removes a damaged one": lambda db, _: db["listeners"].update_one(
        {"_id": "bob"}, {"$unset": {"profile": ""}}
    ),
    "erase_listens of a known user": lambda db, _: db["listeners"].update_one({"_id": "you"}, _ERASURE),
    "delete_erased": lambda db, _: db["listens"].bulk_write(
        [DeleteMany({"user": "bob", "generation": 0})], ordered=False
    ),
    "save_password": lambda db, _: db["users"].update_one({"_id": "bob"}, {"$set": {"password_hash": "h"}}),
    "remove_token": lambda db, _: db["tokens"].delete_many({"user": "bob", "id": "token1"}),
    "remove_user removes tokens": lambda db, session: db["tokens"].delete_many(
        {"user": "you"}, session=session
    ),
    "remove_user removes a name": lambda db, session: db["names"].delete_one({"_id": "ada"}, session=session),
    "remove_user": lambda db, session: db["users"].delete_one({"_id": "you"}, session=session),
}
"""Those that change or remove documents that are there."""
