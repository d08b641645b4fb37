"""Databases that are new, of another version, or used by another program."""

import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from making import make_track
from servers.mongodb import drop_database, new_database
from soundalike.domain.errors import StoreVersionError
from soundalike.store.mongo.indexes import INDEXES, STORE_VERSION
from soundalike.store.mongo.store import MongoStore

pytestmark = pytest.mark.mongodb


@pytest.fixture
def url(mongodb: str) -> Iterator[str]:
    """The setting ``store`` for a database that does not exist yet."""
    url = new_database(mongodb)
    yield url
    drop_database(url)


def test_indexes_are_made_once_however_often_it_is_opened(url: str, raw: Any) -> None:
    def made() -> dict[str, set[str]]:
        return {name: set(raw[name].index_information()) - {"_id_"} for name in INDEXES}

    for _ in range(2):
        MongoStore(url).close()
        assert made() == {name: {one.document["name"] for one in some} for name, some in INDEXES.items()}
    raw["track"].drop_index("by_title_key")
    MongoStore(url).close()
    assert "by_title_key" in made()["track"]


def test_no_index_but_that_of_id_is_unique(url: str, raw: Any) -> None:
    MongoStore(url).close()
    for name in INDEXES:
        for index, facts in raw[name].index_information().items():
            assert index == "_id_" or not facts.get("unique")


def test_several_processes_can_create_one_database_at_once(url: str) -> None:
    barrier = threading.Barrier(4)
    failures: list[BaseException] = []

    def open_one(number: int) -> None:
        barrier.wait()
        try:
            with closing(MongoStore(url)) as store:
                store.save_track(make_track(f"t{number}"))
        except BaseException as failure:  # noqa: BLE001 - a thread's failure is the test's
            failures.append(failure)

    threads = [threading.Thread(target=open_one, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with closing(MongoStore(url)) as store:
        assert store.count_tracks() == 4


@pytest.mark.parametrize("version", [STORE_VERSION + 1, "migrating to 3", "new", 0])
def test_a_store_of_a_newer_version_is_refused_untouched(url: str, raw: Any, version: object) -> None:
    raw["store"].insert_one({"_id": "soundalike", "version": version})
    with pytest.raises(StoreVersionError, match=rf"newer.*{version!r}.*update soundalike"):
        MongoStore(url)
    assert raw.list_collection_names() == ["store"]


def test_another_programs_collection_is_refused_untouched(url: str, raw: Any) -> None:
    raw["user"].insert_one({"_id": 1})
    with pytest.raises(StoreVersionError, match=r"'user'.*another program.*--store"):
        MongoStore(url)
    assert raw.list_collection_names() == ["user"]


def test_other_collections_of_another_program_are_left(url: str, raw: Any) -> None:
    raw["invoices"].insert_one({"_id": 1})
    for _ in range(2):
        with closing(MongoStore(url)) as store:
            store.save_track(make_track())
    assert list(raw["invoices"].find()) == [{"_id": 1}]
