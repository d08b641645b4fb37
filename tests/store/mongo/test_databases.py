"""Databases that are new, of another version, or used by another program."""

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest
from pymongo.collection import Collection
from pymongo.errors import OperationFailure

from making import make_listen, make_track
from servers.mongodb import drop_database, new_database
from soundalike.domain.errors import StoreError, StoreReplacedError, StoreUnfitError, StoreVersionError
from soundalike.domain.library_mark import UNMARKED, LibraryMark
from soundalike.domain.listens import Erasure
from soundalike.domain.profiles import refold
from soundalike.domain.scans import ScanRecord
from soundalike.domain.types import LibraryId
from soundalike.store.mongo.indexes import INDEXES, KEY, LIBRARY, STORE_VERSION
from soundalike.store.mongo.store import MongoStore
from store.asking import ADA
from store.contract_accounts import make_token, make_user

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


def lose_all(raw: Any) -> None:
    """Drop a database, as a person does; the tests of a module share one."""
    for name in INDEXES:
        raw[name].delete_many({})


def make_it_anothers(raw: Any) -> None:
    lose_all(raw)
    raw[LIBRARY].insert_one({"_id": KEY, "version": 3, "id": "b" * 32})


def make_it_new(raw: Any) -> None:
    lose_all(raw)
    raw[LIBRARY].insert_one({"_id": KEY, "version": 0})


@pytest.mark.parametrize("lose", [lose_all, make_it_anothers, make_it_new])
def test_nothing_is_acknowledged_into_a_database_that_was_dropped_or_replaced(
    url: str, raw: Any, lose: Callable[[Any], None]
) -> None:
    mark = LibraryMark(LibraryId("a" * 32))
    with closing(MongoStore(url)) as store:
        assert store.set_library_mark(mark, replacing=UNMARKED)
        listen = make_listen(1)
        assert store.add_listens([listen]) == (listen,)
        assert not store.has_users()
        lose(raw)
        for use in (
            lambda: store.add_listens([make_listen(2)]),
            lambda: store.erase_listens(Erasure(ADA, 1, 1)),
            lambda: store.add_user(make_user()),
            lambda: store.save_scan_record(ScanRecord(owner="a"), replacing=ScanRecord()),
            store.check_writable,
            store.has_users,  # without accounts, everybody is let in
        ):
            with pytest.raises(
                StoreReplacedError, match=r"was dropped or replaced while the store was open.*mongorestore"
            ):
                use()
        assert raw["user"].find_one({}) is None
        lose_all(raw)
        raw[LIBRARY].insert_one({"_id": KEY, "version": 3, "id": "a" * 32})  # its backup is restored
        assert store.add_listens([make_listen(3)]) == (make_listen(3),)
        store.check_writable()


def test_a_server_that_refused_a_write_is_not_writable_until_it_takes_one(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        msg = "no space"
        raise OperationFailure(msg, 14031)

    with closing(MongoStore(url)) as store:
        store.check_writable()
        with monkeypatch.context() as patched:
            patched.setattr(Collection, "insert_many", refuse)
            with pytest.raises(StoreUnfitError, match="no space left"):
                store.add_listens([make_listen(1)])
        with pytest.raises(StoreUnfitError, match="no space left"):
            store.check_writable()
        store.add_listens([make_listen(1)])
        store.check_writable()


def test_a_track_is_not_saved_in_a_database_that_was_dropped(url: str, raw: Any) -> None:
    with closing(MongoStore(url)) as store:
        lose_all(raw)
        with pytest.raises(StoreError, match=r"damaged|dropped"):
            store.save_track(make_track())
        assert raw["track"].find_one({}) is None


def texts_in(raw: Any) -> str:
    """Return all that is in any document."""
    return " ".join(repr(document) for name in raw.list_collection_names() for document in raw[name].find())


def test_what_is_erased_is_in_no_document_but_for_the_id_of_the_user(url: str, raw: Any) -> None:
    user = replace(make_user("Evangeline", user_id="the-id-of-eve"), password_hash="the hash")  # noqa: S106 - none
    token = replace(make_token(user_id=user.id), label="of the kitchen")
    listens = [make_listen(0xE000 + number, user_id=user.id, at_ms=number) for number in range(20)]
    erased = [user.name, "evangeline", user.password_hash, token.label, *(listen.id for listen in listens)]
    with closing(MongoStore(url)) as store:
        store.add_user(user)
        store.add_credential(token)
        store.add_listens(listens)
        store.save_profile(refold(user.id, listens), replacing=None)
        assert [text for text in erased if text not in texts_in(raw)] == []
        assert store.remove_credential(user.id, token.id)
        assert token.label not in texts_in(raw)
        store.erase_listens(Erasure(user.id, 100, 1), is_total=True)
        assert store.remove_user(user.id)
    left = texts_in(raw)
    assert [text for text in erased if text in left] == []
    assert left.count(user.id) == 1
