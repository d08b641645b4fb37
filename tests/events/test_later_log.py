"""The log that other tests use instead of Kafka keeps the promises of every log."""

from collections.abc import Callable

import pytest

from events.contract import EventLogContract
from fakes import MemoryStore
from fakes_log import LaterLog, Topic
from making import make_listen
from soundalike.domain.listens import Erasure
from soundalike.domain.ports.listening import EventLog
from soundalike.domain.types import UserId
from soundalike.services.listeners.fold_log import LogProjector
from soundalike.services.listeners.profiles import Profiles

ADA = UserId("ada")


class TestInMemory(EventLogContract):
    @pytest.fixture
    def reopen(self) -> Callable[[], EventLog]:
        topic = Topic()
        return lambda: LaterLog(topic=topic)

    @pytest.fixture
    def log(self, reopen: Callable[[], EventLog]) -> EventLog:
        return reopen()


def test_nothing_is_stored_before_it_is_folded() -> None:
    store = MemoryStore()
    profiles = Profiles(store, lateness_ms=1000)
    log = LaterLog(LogProjector(store, profiles).apply)
    assert log.append([make_listen(1), make_listen(1), make_listen(2)]) == 1
    assert (log.waiting, store.count_listens(ADA)) == (2, 0)
    assert log.fold(1) == 1
    assert profiles.of(ADA).taste.count == 1
    log.erase(Erasure(ADA, 0), is_total=True)
    assert log.fold() == 2
    assert (log.waiting, store.count_listens(ADA)) == (0, 0)
