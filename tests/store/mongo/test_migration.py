"""A store of version 1 is migrated whole, and the program of then writes nothing into it."""

import itertools
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

import numpy as np
import pytest
from pymongo import MongoClient
from pymongo.synchronous.pool import Connection

from compatibility.library import mongodb_documents, restore_mongodb
from servers.mongodb import drop_database, new_database
from soundalike.audio.features.timbre import Timbre
from soundalike.domain.entries import EntrySort
from soundalike.domain.errors import StoreError, StoreVersionError
from soundalike.domain.features import whole_and_halves
from soundalike.domain.library_mark import library_id_of_before
from soundalike.domain.listens import Erased
from soundalike.domain.types import UserId
from soundalike.store.mongo import migration
from soundalike.store.mongo.errors import mapped_errors
from soundalike.store.mongo.indexes import INDEXES, KEY, MIGRATING, STORE_VERSION
from soundalike.store.mongo.migration import OLD_NAMES
from soundalike.store.mongo.store import MongoStore, would_migrate
from soundalike.wire.profiles import profile_body
from store.asking import in_threads
from store.mongo.test_crashes import start
from store.mongo.version_1 import ADDING, CHANGING, Write

pytestmark = pytest.mark.mongodb

Documents = dict[str, dict[Any, dict[str, Any]]]

KILLS = 10

MIGRATE = """
import sys
from soundalike.store.mongo.store import MongoStore

MongoStore(sys.argv[1]).close()
"""


@pytest.fixture
def url(mongodb: str) -> Iterator[str]:
    """The setting ``store`` for a database that the program of version 1 has filled."""
    url = new_database(mongodb)
    restore_mongodb(url)
    yield url
    drop_database(url)


@pytest.fixture(scope="module")
def migrated(mongodb: str) -> Iterator[str]:
    """The setting ``store`` for a migrated database, which no test changes."""
    url = new_database(mongodb)
    restore_mongodb(url)
    MongoStore(url).close()
    yield url
    drop_database(url)


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


def comparable(found: Documents) -> Documents:
    """Return documents without how often the catalogue was settled."""
    version = found["library"][KEY].pop("version")
    assert version >= max(track.pop("change") for track in found["track"].values())
    return found


def without_vectors(found: Documents) -> Documents:
    for track in found["tracks"].values():
        track.update(vectors={}, feature_sets=[])
        del track["artist_key"], track["album_key"]
    return found


def contains(new: Mapping[Any, dict[str, Any]], old: Mapping[Any, dict[str, Any]]) -> bool:
    """Whether documents have all fields of others as they were."""
    return new.keys() == old.keys() and all(one.items() <= new[key].items() for key, one in old.items())


def version(url: str) -> object:
    with MongoClient[dict[str, Any]](url) as client:
        return client.get_default_database()["store"].find_one({"_id": KEY})


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


def test_whether_a_store_would_be_migrated_is_known_unopened(url: str, migrated: str, mongodb: str) -> None:
    empty = new_database(mongodb)
    assert not would_migrate(empty)
    assert version(empty) is None
    assert not would_migrate(migrated)
    assert would_migrate(url)
    assert version(url) == {"_id": KEY, "version": 1}


# Interruptions


class KilledError(Exception):
    """Takes the place of a kill between two commands; the driver does not try again after it."""


class Interrupter:
    """Counts the commands that this thread sends, and fails at one of them."""

    def __init__(self) -> None:
        self.sent, self.fails_at = 0, 0

    def count(self) -> None:
        if threading.current_thread() is threading.main_thread():
            self.sent += 1
            if self.sent == self.fails_at:
                raise KilledError


@pytest.fixture
def interrupter(monkeypatch: pytest.MonkeyPatch) -> Interrupter:
    interrupter, command = Interrupter(), Connection.command

    def counted(connection: Connection, *arguments: Any, **named: Any) -> Any:
        interrupter.count()
        return command(connection, *arguments, **named)

    monkeypatch.setattr(Connection, "command", counted)
    return interrupter


def assert_migrated(url: str, migrated: str) -> None:
    MongoStore(url).close()
    assert version(url) == {"_id": KEY, "version": STORE_VERSION}
    assert comparable(documents(url)) == comparable(documents(migrated))


def kill_again_and_again(url: str, interrupter: Interrupter, *, step: int) -> int:
    """Migrate, each time up to some commands more than before, until it is done; return how often."""
    for count in itertools.count(1):
        interrupter.sent, interrupter.fails_at = 0, step * count
        try:
            store = MongoStore(url)
        except KilledError:
            continue
        finally:
            interrupter.fails_at = 0
        store.close()
        return count
    raise AssertionError


def test_a_migration_that_fails_ten_times_loses_nothing(
    url: str, migrated: str, interrupter: Interrupter
) -> None:
    assert kill_again_and_again(url, interrupter, step=5) > KILLS
    assert_migrated(url, migrated)


@pytest.mark.faults
def test_a_migration_may_fail_between_any_two_commands(
    url: str, migrated: str, interrupter: Interrupter
) -> None:
    assert kill_again_and_again(url, interrupter, step=1) > 5 * KILLS
    assert_migrated(url, migrated)


@pytest.mark.faults
def test_a_migration_that_is_killed_ten_times_loses_nothing(url: str, migrated: str) -> None:
    random = np.random.default_rng(0)
    for _ in range(KILLS):
        with start(MIGRATE, url) as process:
            time.sleep(random.uniform(0.3, 1.5))
            process.kill()
    assert_migrated(url, migrated)


def test_several_processes_can_migrate_one_database_at_once(url: str, migrated: str) -> None:
    in_threads(3, lambda _: MongoStore(url).close())
    assert_migrated(url, migrated)


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


def test_the_writes_are_those_of_version_1(url: str) -> None:
    names = list(OLD_NAMES)
    for name, write in {**ADDING, **CHANGING}.items():
        before = documents(url, names)
        assert refusals(url, {name: write}) == {name: None}
        assert documents(url, names) != before, name


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
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migration, "_are_views_safe", lambda _: True)
    MongoStore(url).close()
    found = documents(url, list(OLD_NAMES))
    for old, before in without_vectors(old_documents()).items():
        if old == "listeners":  # below
            for one in before.values():
                one.pop("erased_ms", None)
                one.pop("generation", None)
        assert contains(found[old], before), old
    # It tries to write what is erased too, so that no listen of a batch counts as stored.
    assert any("erased_ms" in one for one in old_documents()["listeners"].values())
    assert not any({"erased_ms", "generation"} & one.keys() for one in found["listeners"].values())


def test_what_a_program_of_version_1_adds_between_two_steps_is_kept(url: str) -> None:
    late = {**documents(url, ["listens"])["listens"].popitem()[1], "_id": "late", "user": "late"}
    with MongoClient[dict[str, Any]](url) as client:
        database = client.get_default_database()
        database["store"].update_one({}, {"$set": {"version": MIGRATING}})
        for old in ("listens", "listeners"):
            database[old].rename(OLD_NAMES[old][0])
        database["listens"].insert_one(late)
        database["listeners"].insert_one({"_id": "you", "erased_ms": 2**50, "generation": 1})
    with closing(MongoStore(url)) as store:
        assert store.erased(UserId("you")).until_ms == 2**50
        assert list(store.listens_of(UserId("you"))) == []
        profile = store.profile(UserId("bob"))
        assert profile is not None
        assert profile_body(profile)
    assert documents(url)["listen"]["late"] == late


def test_a_collection_of_another_program_under_a_new_name_stops_the_migration(url: str) -> None:
    with MongoClient[dict[str, Any]](url) as client:
        database = client.get_default_database()
        database["user"].insert_one({"_id": 1})
        names = set(database.list_collection_names())
        with pytest.raises(StoreVersionError, match=r"'user'.*another program.*--store"):
            MongoStore(url)
        assert set(database.list_collection_names()) == names
    assert version(url) == {"_id": KEY, "version": 1}


def test_listens_that_killed_erasures_of_version_1_left_stay_hidden(url: str) -> None:
    listen = documents(url, ["listens"])["listens"].popitem()[1] | {"user": "eve", "generation": 1}
    with MongoClient[dict[str, Any]](url) as client:
        database = client.get_default_database()
        database["listeners"].insert_one({"_id": "eve", "erased_ms": 10, "generation": 1})
        for at_ms in (5, 10, 15):
            database["listens"].insert_one({**listen, "_id": f"of eve {at_ms}", "at_ms": at_ms})
    with closing(MongoStore(url)) as store:
        assert [one.at_ms for one in store.listens_of(UserId("eve"))] == [15]
        assert store.erased(UserId("eve")) == Erased(until_ms=10, generation=1)
    assert [one["at_ms"] for one in documents(url)["listen"].values() if one["user"] == "eve"] == [15]
