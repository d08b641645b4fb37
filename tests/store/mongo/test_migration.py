"""A store of version 1 is migrated whole, and the program of then writes nothing into it."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest
from pymongo import MongoClient

from fakes import MemoryStore
from servers.mongodb import drop_database, new_database
from soundalike.audio.features.timbre import Timbre
from soundalike.domain.catalogue import own_entry
from soundalike.domain.entries import EntrySort
from soundalike.domain.errors import StoreError, StoreVersionError
from soundalike.domain.features import whole_and_halves
from soundalike.domain.files import FileStamp
from soundalike.domain.library_mark import library_id_of_before
from soundalike.domain.listens import Erased
from soundalike.domain.times import to_ms
from soundalike.domain.types import TrackId, UserId
from soundalike.store.mongo import migration
from soundalike.store.mongo.errors import mapped_errors
from soundalike.store.mongo.indexes import INDEXES, KEY, MIGRATING, STORE_VERSION
from soundalike.store.mongo.migration import OLD_NAMES
from soundalike.store.mongo.store import MongoStore, would_migrate
from soundalike.wire.profiles import profile_body
from store.contract_settling import settle_all
from store.mongo.migrating import Documents, documents, old_documents, version
from store.mongo.version_1 import ADDING, CHANGING, Write

pytestmark = pytest.mark.mongodb


def without_vectors(found: Documents) -> Documents:
    for track in found["tracks"].values():
        track.update(vectors={}, feature_sets=[])
        del track["artist_key"], track["album_key"]
    return found


def contains(new: Mapping[Any, dict[str, Any]], old: Mapping[Any, dict[str, Any]]) -> bool:
    """Whether documents have all fields of others as they were."""
    return new.keys() == old.keys() and all(one.items() <= new[key].items() for key, one in old.items())


# What is migrated


def test_nothing_that_was_stored_is_lost_or_changed(migrated: str) -> None:
    assert version(migrated) == {"_id": KEY, "version": STORE_VERSION}
    found, expected = documents(migrated), old_documents()
    vectors = [of_set for track in expected["tracks"].values() for of_set in track.pop("vectors").items()]
    assert len(found["feature"]) == len(vectors) > 0
    for track in expected["tracks"].values():
        # Lists follow albums now, discs and numbers.
        for name in ("feature_sets", "artist_key", "album_key"):
            del track[name]
    for old, before in expected.items():
        assert contains(found[OLD_NAMES[old][0]], before), old


def test_vectors_lie_apart_from_tracks_with_their_patches(migrated: str) -> None:
    schema = Timbre().schema
    with closing(MongoStore(migrated)) as store:
        for track_id, track in old_documents()["tracks"].items():
            old, vectors = track["vectors"].get(schema.key), store.vectors_of(track_id, schema)
            assert (vectors is None) == (old is None)
            if vectors is not None:
                rows = [old[name] for name in ("whole", "first_half", "second_half")]
                assert vectors.values.tobytes() == b"".join(rows)
                assert vectors.patches == whole_and_halves(0, 30_000)  # of tracks that last 30 s
        assert "by_feature_set" not in indexes_of(migrated)


def indexes_of(url: str) -> set[str]:
    with MongoClient[dict[str, Any]](url) as client:
        return set(client.get_default_database()["track"].index_information())


def test_a_track_has_the_form_of_version_2(migrated: str) -> None:
    # A later version that changes the form has to bring its own steps, not change those of this one.
    track = documents(migrated, ["track"])["track"]["t001"]
    assert {name: track[name] for name in ("part", "tags", "imported", "tags_version", "has_file")} == {
        "part": None,
        "tags": (
            r'{"album":"Album 1","artists":["Artist 0"],"genres":["Genre 1"],'
            r'"title":"\u00dcn\u00efcode \udcff 1","year":1961}'
        ),
        "imported": None,
        "tags_version": 0,
        "has_file": True,
    }
    (feature,) = (
        one for one in documents(migrated, ["feature"])["feature"].values() if one["track"] == "t001"
    )
    names = {"set", "audio_hash", "dtype", "roles", "starts_ms", "lengths_ms"}
    assert {name: value for name, value in feature.items() if name in names} == {
        "set": "timbre-v1",
        "audio_hash": "hash of t001",
        "dtype": "float32",
        "roles": ["whole", "half", "half"],
        "starts_ms": [0, 0, 15_000],
        "lengths_ms": [30_000, 15_000, 15_000],
    }


def test_a_damaged_track_is_named_and_migrated_without_what_is_damaged(
    old_url: str, migrated: str, caplog: pytest.LogCaptureFixture
) -> None:
    with MongoClient[dict[str, Any]](old_url) as client:
        tracks = client.get_default_database()["tracks"]
        tracks.update_one({"_id": "t000"}, {"$set": {"mtime_ns": "yesterday", "vectors.other": "damaged"}})
        tracks.update_one({"_id": "t001"}, {"$set": {"title": 7, "year": "soon"}, "$unset": {"added_ms": ""}})
        tracks.update_one({"_id": "t002"}, {"$set": {"path": None}})
    ids = [TrackId(f"t00{number}") for number in range(4)]
    with closing(MongoStore(migrated)) as store:
        first, second, third, fourth = (store.tracks(ids)[one] for one in ids)
    with closing(MongoStore(old_url)) as store:
        found = store.tracks(ids)
        assert store.vectors_of(ids[0], Timbre().schema) is not None
    assert [one for one in ids if f"track {one} is damaged" in caplog.text] == ids[:3]
    assert first.file is not None
    # With another size than its file's, the next scan reads it again.
    assert found[ids[0]] == replace(first, file=replace(first.file, stamp=FileStamp(0, 0)))
    mended = found[ids[1]]
    assert (mended.title, mended.artist, mended.album) == ("t001", second.artist, second.album)
    assert (mended.year, to_ms(mended.added_at)) == (None, 0)
    assert (found[ids[2]].file, found[ids[2]].title) == (None, third.title)
    assert {one["track"] for one in documents(old_url, ["location"])["location"].values()}.isdisjoint(
        {"t002"}
    )
    assert found[ids[3]] == fourth


def test_every_track_counts_as_changed(migrated: str) -> None:
    with closing(MongoStore(migrated)) as store:
        version, changed = store.changed_since(0)
        assert sorted(changed) == sorted(old_documents()["tracks"])
        assert store.changed_since(version) == (version, ())


def test_the_catalogue_is_filled_from_the_tags_of_before(migrated: str) -> None:
    with closing(MongoStore(migrated)) as store:
        assert store.unsettled(1) == {}
        tracks = store.tracks(list(old_documents()["tracks"])).values()
        assert {track.tags_version for track in tracks} == {0}
        albums = store.find_albums(sort=EntrySort(), limit=100)
        there = [track for track in tracks if not track.is_vanished]
        assert {album.title for album in albums.entries} == {track.album for track in there}
        assert sum(album.track_count for album in albums.entries) == len(there)
        expected = MemoryStore()
        for track in store.stored_tracks():
            expected.save_track(replace(track, entry=own_entry(track.tags)))
        settle_all(expected)
        assert list(store.stored_tracks()) == list(expected.stored_tracks())
        for page in ("find_artists", "find_albums", "find_genres"):
            found, wanted = (getattr(one, page)(sort=EntrySort(), limit=100) for one in (store, expected))
            assert found == wanted
        names = [artist.name for artist in store.find_artists(sort=EntrySort(), limit=100).entries]
        assert set(names) == {track.artist for track in there} - {None}


def test_the_earliest_account_becomes_the_admin(migrated: str) -> None:
    accounts = documents(migrated)["user"].values()
    earliest, *others = sorted(accounts, key=lambda one: (one["created_ms"], one["_id"]))
    assert earliest["is_admin"] is True
    assert [one["is_admin"] for one in others] == [False] * 2


def test_a_migrated_store_has_the_indexes_of_a_new_one(migrated: str, mongodb: str) -> None:
    def indexes(url: str) -> dict[str, Any]:
        with MongoClient[dict[str, Any]](url) as client:
            database = client.get_default_database()
            return {name: database[name].index_information() for name in INDEXES}

    new = new_database(mongodb)
    MongoStore(new).close()
    assert indexes(migrated) == indexes(new)
    drop_database(new)


def test_a_library_keeps_the_id_that_it_was_given(migrated: str) -> None:
    with closing(MongoStore(migrated)) as store:
        given = store.library_mark().library_id
    # Also if it is migrated again, from a dump; and a file of the same library has the same.
    assert given == library_id_of_before("t000")
    with closing(MongoStore(migrated)) as store:
        assert store.library_mark().library_id == given


def test_a_store_that_holds_nothing_gets_no_id(mongodb: str) -> None:
    url = new_database(mongodb)
    with MongoClient[dict[str, Any]](url) as client:
        client.get_default_database()["store"].insert_one({"_id": KEY, "version": 1})
    with closing(MongoStore(url)) as store:
        assert store.library_mark().library_id is None
    drop_database(url)


def test_whether_a_store_would_be_migrated_is_known_unopened(
    old_url: str, migrated: str, mongodb: str
) -> None:
    empty = new_database(mongodb)
    assert not would_migrate(empty)
    assert version(empty) is None
    assert not would_migrate(migrated)
    assert would_migrate(old_url)
    assert version(old_url) == {"_id": KEY, "version": 1}


# Programs of version 1


def refusals(url: str, writes: Mapping[str, Write]) -> dict[str, StoreError | None]:
    """Return the error of each write as a program of version 1 raises it, None if there was none."""
    found: dict[str, StoreError | None] = {}
    with MongoClient[dict[str, Any]](url) as client:
        for name, write in writes.items():
            try:
                with mapped_errors("host"), client.start_session() as session:
                    write(client.get_default_database(), session)
            except StoreError as error:
                found[name] = error
            else:
                found[name] = None
    return found


def test_the_writes_are_those_of_version_1(old_url: str) -> None:
    names = list(OLD_NAMES)
    for name, write in {**ADDING, **CHANGING}.items():
        before = documents(old_url, names)
        assert refusals(old_url, {name: write}) == {name: None}
        assert documents(old_url, names) != before, name


def test_a_program_of_version_1_writes_nothing_into_a_migrated_store(migrated: str) -> None:
    before = documents(migrated, [*INDEXES, *OLD_NAMES])
    refused = refusals(migrated, ADDING)
    # Any other kind would not be answered as 503, or would make browsers give up.
    assert {type(error) for error in refused.values()} == {StoreError}
    refusals(migrated, CHANGING)  # MongoDB refuses them, other servers find nothing to change
    assert documents(migrated, [*INDEXES, *OLD_NAMES]) == before


def test_a_program_of_version_1_does_not_take_a_migrated_store_for_one_without_accounts(
    migrated: str,
) -> None:
    assert documents(migrated, ["users"])["users"]


def test_a_program_of_version_1_reads_as_before_through_views(
    old_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migration, "are_views_safe", lambda _: True)
    MongoStore(old_url).close()
    found = documents(old_url, list(OLD_NAMES))
    for old, before in without_vectors(old_documents()).items():
        if old == "listeners":  # below
            for one in before.values():
                one.pop("erased_ms", None)
                one.pop("generation", None)
        assert contains(found[old], before), old
    # It tries to write what is erased too, so that no listen of a batch counts as stored.
    assert any("erased_ms" in one for one in old_documents()["listeners"].values())
    assert not any({"erased_ms", "generation"} & one.keys() for one in found["listeners"].values())


def test_what_a_program_of_version_1_adds_between_two_steps_is_kept(old_url: str) -> None:
    late = {**documents(old_url, ["listens"])["listens"].popitem()[1], "_id": "late", "user": "late"}
    with MongoClient[dict[str, Any]](old_url) as client:
        database = client.get_default_database()
        database["store"].update_one({}, {"$set": {"version": MIGRATING}})
        for old in ("listens", "listeners"):
            database[old].rename(OLD_NAMES[old][0])
        database["listens"].insert_one(late)
        database["listeners"].insert_one({"_id": "you", "erased_ms": 2**50, "generation": 1})
    with closing(MongoStore(old_url)) as store:
        assert store.erased(UserId("you")).until_ms == 2**50
        assert list(store.listens_of(UserId("you"))) == []
        profile = store.profile(UserId("bob"))
        assert profile is not None
        assert profile_body(profile)
    assert documents(old_url)["listen"]["late"] == late


def test_a_collection_of_another_program_under_a_new_name_stops_the_migration(old_url: str) -> None:
    with MongoClient[dict[str, Any]](old_url) as client:
        database = client.get_default_database()
        database["user"].insert_one({"_id": 1})
        names = set(database.list_collection_names())
        with pytest.raises(StoreVersionError, match=r"'user'.*another program.*--store"):
            MongoStore(old_url)
        assert set(database.list_collection_names()) == names
    assert version(old_url) == {"_id": KEY, "version": 1}


def test_listens_that_killed_erasures_of_version_1_left_stay_hidden(old_url: str) -> None:
    listen = documents(old_url, ["listens"])["listens"].popitem()[1] | {"user": "eve", "generation": 1}
    with MongoClient[dict[str, Any]](old_url) as client:
        database = client.get_default_database()
        database["listeners"].insert_one({"_id": "eve", "erased_ms": 10, "generation": 1})
        for at_ms in (5, 10, 15):
            database["listens"].insert_one({**listen, "_id": f"of eve {at_ms}", "at_ms": at_ms})
    with closing(MongoStore(old_url)) as store:
        assert [one.at_ms for one in store.listens_of(UserId("eve"))] == [15]
        assert store.erased(UserId("eve")) == Erased(until_ms=10, generation=1)
    assert [one["at_ms"] for one in documents(old_url)["listen"].values() if one["user"] == "eve"] == [15]


def test_a_damaged_erasure_does_not_stop_the_migration(old_url: str, migrated: str) -> None:
    with MongoClient[dict[str, Any]](old_url) as client:
        client.get_default_database()["listeners"].insert_one(
            {"_id": "eve", "erased_ms": "soon", "generation": 1}
        )
    MongoStore(old_url).close()
    assert documents(old_url)["listen"] == documents(migrated)["listen"]
