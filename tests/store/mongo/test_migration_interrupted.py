"""A migration may be killed at any point, and several processes may do it at once."""

import itertools
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure
from pymongo.synchronous.pool import Connection

from soundalike.domain.catalogue import settle
from soundalike.domain.entries import Group, Settled
from soundalike.domain.tracks import Track
from soundalike.store.mongo import migration, refill
from soundalike.store.mongo.indexes import KEY, STORE_VERSION
from soundalike.store.mongo.store import MongoStore
from store.asking import in_threads
from store.mongo.migrating import Documents, documents, version
from store.mongo.test_crashes import start

pytestmark = pytest.mark.mongodb

KILLS = 10

MIGRATE = """
import sys
from soundalike.store.mongo.store import MongoStore

MongoStore(sys.argv[1]).close()
"""


def comparable(found: Documents) -> Documents:
    """Return documents without how often the catalogue was settled."""
    version = found["library"][KEY].pop("version")
    assert version >= max(track.pop("change") for track in found["track"].values())
    return found


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
    with MongoClient[dict[str, Any]](url) as client:
        names = client.get_default_database().list_collection_names()
    assert not [name for name in names if name.startswith("migration_check")]


def test_many_tracks_and_groups_are_migrated_in_one_transaction(
    old_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    commits: list[str] = []
    command = Connection.command

    def counted(connection: Connection, database: str, spec: Any, *arguments: Any, **named: Any) -> Any:
        commits.extend(name for name in spec if name == "commitTransaction")
        return command(connection, database, spec, *arguments, **named)

    monkeypatch.setattr(Connection, "command", counted)
    MongoStore(old_url).close()
    assert len(commits) == len(["tracks", "artists", "genres", "albums"])


@pytest.mark.parametrize("most", [1, 7])
def test_no_more_tracks_are_in_memory_than_may_be(
    old_url: str, migrated: str, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(refill, "_MOST", most)
    sizes: list[int] = []

    def measured(group: Group, read: Callable[[], Iterable[Track]]) -> Settled:
        tracks = read()
        sizes.append(0 if isinstance(tracks, map) else len(list(tracks)))
        return settle(group, read)

    monkeypatch.setattr(refill, "settle", measured)
    MongoStore(old_url).close()
    assert max(sizes) <= most
    assert_migrated(old_url, migrated)


def test_how_far_a_large_migration_is_is_said(
    old_url: str, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    monkeypatch.setattr(refill, "_FEWEST_TOLD", 1)
    MongoStore(old_url).close()
    said = [record.getMessage() for record in caplog.records]
    assert said[0].endswith("is migrated to version 2")
    count = len(documents(old_url, ["track"])["track"])
    assert f"{count} of {count} tracks are migrated" in said
    assert any("artists, albums and genres" in one for one in said[2:])


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
    old_url: str, migrated: str, interrupter: Interrupter
) -> None:
    assert kill_again_and_again(old_url, interrupter, step=5) > KILLS
    assert_migrated(old_url, migrated)


@pytest.mark.faults
def test_a_migration_may_fail_between_any_two_commands(
    old_url: str, migrated: str, interrupter: Interrupter
) -> None:
    assert kill_again_and_again(old_url, interrupter, step=1) > 5 * KILLS
    assert_migrated(old_url, migrated)


@pytest.mark.faults
def test_a_migration_that_is_killed_ten_times_loses_nothing(old_url: str, migrated: str) -> None:
    random = np.random.default_rng(0)
    for _ in range(KILLS):
        with start(MIGRATE, old_url) as process:
            time.sleep(random.uniform(0.3, 1.5))
            process.kill()
    assert_migrated(old_url, migrated)


def test_several_processes_can_migrate_one_database_at_once(old_url: str, migrated: str) -> None:
    in_threads(3, lambda _: MongoStore(old_url).close())
    assert_migrated(old_url, migrated)


class MongoDB:
    """A server that refuses to write into views, and takes a collection that is missing for an empty one."""

    def __init__(self) -> None:
        self.views: set[str] = set()
        self.meanwhile: Callable[[], object] = lambda: None

    def create_collection(self, name: str, **_: Any) -> None:
        self.views.add(name)

    def __getitem__(self, name: str) -> Any:
        return SimpleNamespace(delete_one=partial(self._delete, name), drop=partial(self.views.discard, name))

    def _delete(self, name: str, _query: object) -> None:
        meanwhile, self.meanwhile = self.meanwhile, lambda: None
        meanwhile()
        if name in self.views:
            raise OperationFailure("view", code=166)  # noqa: EM101 - as a server says it


def test_processes_that_ask_at_once_whether_views_are_safe_do_not_mislead_each_other() -> None:
    server: Any = MongoDB()
    server.meanwhile = lambda: migration.are_views_safe(server)
    assert migration.are_views_safe(server)
    assert not server.views


class RaceLost:
    """A database in which another process has just renamed a collection and sealed its old name."""

    def __init__(self) -> None:
        self.has_dropped = False

    def list_collections(self, **_: Any) -> list[dict[str, Any]]:
        return [{"type": "collection", "options": {"validator": {"_id": "moved"}}}]

    def __getitem__(self, _name: str) -> Any:
        return SimpleNamespace(rename=self._rename, find=lambda _query: [], drop=self._drop)

    def _rename(self, _name: str) -> None:
        raise OperationFailure("exists", code=48)  # noqa: EM101 - as a server says it

    def _drop(self) -> None:
        self.has_dropped = True


def test_what_another_process_has_sealed_is_left_alone() -> None:
    database: Any = RaceLost()
    migration._move(database, "tracks", "track")  # noqa: SLF001 - no other process can be timed to this moment
    assert not database.has_dropped
