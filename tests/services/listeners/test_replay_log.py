"""The records of a log are restored into a store, once, without erased ones."""

from collections.abc import Iterator
from typing import cast

import pytest

from events.contract import numbered
from fakes import MemoryStore
from fakes_log import LaterLog
from making import make_listen
from soundalike.domain.listens import Erased, Erasure, LogRecord
from soundalike.domain.ports.listening import EventLog
from soundalike.domain.profiles import LATENESS_MS
from soundalike.domain.types import UserId
from soundalike.events.embedded import StoredLog
from soundalike.services.listeners.profiles import FoldReport, Profiles
from soundalike.services.listeners.replay_log import restore_listens

ADA, BOB = UserId("ada"), UserId("bob")


def log_of(*users: str, count: int) -> StoredLog:
    log = StoredLog(MemoryStore())
    for user in users:
        log.append(numbered(count, user=user))
    return log


def test_an_empty_store_gets_everything() -> None:
    store = MemoryStore()
    assert restore_listens(log_of("ada", "bob", count=3), store) == 6
    assert list(store.listens_of(ADA)) == numbered(3)
    assert Profiles(store, lateness_ms=LATENESS_MS).replay() == FoldReport(profiles=2, listens=6)


def test_stored_listens_count_once() -> None:
    store = MemoryStore()
    store.add_listens(numbered(4))
    log = log_of("ada", count=6)
    assert restore_listens(log, store) == 2
    assert restore_listens(log, store) == 0
    assert list(store.listens_of(ADA)) == numbered(6)


def test_the_first_content_stays() -> None:
    store = MemoryStore()
    stored = make_listen(0, kind="liked", at_ms=0)
    store.add_listens([stored])
    assert restore_listens(log_of("ada", count=1), store) == 0
    assert list(store.listens_of(ADA)) == [stored]


def test_erased_listens_are_removed_from_the_store() -> None:
    store = MemoryStore()
    store.add_listens(numbered(10))
    log = log_of("ada", count=10)
    log.erase(Erasure(ADA, 6))
    assert restore_listens(log, store) == 0
    assert [listen.at_ms for listen in store.listens_of(ADA)] == [7, 8, 9]
    assert store.erasures() == (Erasure(ADA, 6),)


def test_totally_erased_listens_are_removed_from_an_older_store_whatever_their_date() -> None:
    log = LaterLog()
    log.append([make_listen(1, at_ms=30), *numbered(3, user="bob")])
    store = MemoryStore()
    store.add_listens([make_listen(1, at_ms=30), *numbered(3, user="bob")])  # as a backup has them
    log.erase(Erasure(ADA, 20), is_total=True)
    log.append([make_listen(2, at_ms=21)])
    for _ in range(2):
        restore_listens(log, store)
        assert list(store.listens_of(ADA)) == [make_listen(2, at_ms=21)]
        assert list(store.listens_of(BOB)) == numbered(3, user="bob")


def test_an_older_store_takes_up_the_generation_that_the_log_has(subtests: pytest.Subtests) -> None:
    log = LaterLog()
    log.append([make_listen(1, at_ms=30)])
    log.erase(Erasure(ADA, 20, 1), is_total=True)  # its clock was slow
    after = make_listen(2, at_ms=15, generation=1)
    log.append([after])
    stores = {"a new one": MemoryStore(), "a backup": MemoryStore(), "folded meanwhile": MemoryStore()}
    stores["a backup"].add_listens([make_listen(1, at_ms=30)])
    stores["folded meanwhile"].add_listens([after])  # under the generation that it knew
    for name, store in stores.items():
        with subtests.test(name):
            for _ in range(2):
                restore_listens(log, store)
                assert list(store.listens_of(ADA)) == [after]
                assert store.erased(ADA) == Erased(until_ms=20, generation=1)


def test_an_erased_user_keeps_listens_that_a_consumer_folds_meanwhile() -> None:
    log, store = LaterLog(), MemoryStore()
    log.erase(Erasure(ADA, 20), is_total=True)
    log.append([make_listen(1, at_ms=21)])
    later = make_listen(2, at_ms=22)

    class Busy:
        """A log that is appended to, and folded, while it is read."""

        def entries(self) -> Iterator[LogRecord]:
            yield from log.entries()
            log.append([later])
            store.add_listens([later])

    restore_listens(cast("EventLog", Busy()), store)
    assert list(store.listens_of(ADA)) == [make_listen(1, at_ms=21), later]


def test_several_batches_are_restored_with_progress() -> None:
    store = MemoryStore()
    steps: list[int] = []
    count = 12_345
    assert (
        restore_listens(log_of("ada", count=count), store, lambda done, _total: steps.append(done)) == count
    )
    assert store.count_listens(ADA) == count
    assert steps == [5_000, 10_000]
