"""While Kafka is away, one caller at a time tries it; the others fail at once."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from soundalike.domain.errors import EventLogError
from soundalike.events.kafka import log as kafka_log
from soundalike.events.kafka.address import KafkaAddress
from soundalike.events.kafka.log import KafkaLog

PATIENCE_S = 60.0
NOWHERE = KafkaAddress.parse("kafka://127.0.0.1:1/t")


class Brokers:
    """Brokers that answer or not; answers can be held back."""

    def __init__(self) -> None:
        self.are_away = False
        self.attempts = 0
        self.is_asked, self.may_answer = threading.Event(), threading.Event()
        self.may_answer.set()

    def prepare(self, _clients: object) -> None:
        self.attempts += 1
        self.is_asked.set()
        assert self.may_answer.wait(PATIENCE_S)
        if self.are_away:
            msg = "no answer"
            raise EventLogError(msg)

    def hold(self) -> None:
        """Hold back answers until `may_answer` is set."""
        self.is_asked.clear()
        self.may_answer.clear()


@pytest.fixture
def brokers(monkeypatch: pytest.MonkeyPatch) -> Brokers:
    brokers = Brokers()
    monkeypatch.setattr(kafka_log, "prepare_topics", brokers.prepare)
    return brokers


@pytest.fixture
def log(brokers: Brokers) -> Iterator[KafkaLog]:
    log = KafkaLog(NOWHERE, {})
    yield log
    log.close()
    assert brokers.may_answer.is_set()


def fails(attempt: Callable[[], None]) -> bool:
    with pytest.raises(EventLogError, match="no answer"):
        attempt()
    return True


def test_topics_are_prepared_once(log: KafkaLog, brokers: Brokers) -> None:
    for _ in range(3):
        log.prepare()
    assert brokers.attempts == 1


def test_loss_and_return_are_logged_once_each(
    log: KafkaLog, brokers: Brokers, caplog: pytest.LogCaptureFixture
) -> None:
    brokers.are_away = True
    assert all(fails(log.prepare) for _ in range(3))
    brokers.are_away = False
    for _ in range(3):
        log.prepare()
    assert [record.getMessage() for record in caplog.records] == [
        "no answer; listens wait in the browsers until Kafka is back",
        "Kafka at 127.0.0.1:1 takes listens again",
    ]


def test_while_one_caller_tries_the_others_fail_at_once(log: KafkaLog, brokers: Brokers) -> None:
    brokers.are_away = True
    assert fails(log.prepare)
    brokers.hold()
    with ThreadPoolExecutor(1) as pool:
        trying = pool.submit(log.prepare)
        assert brokers.is_asked.wait(PATIENCE_S)
        assert all(fails(log.prepare) for _ in range(5))
        brokers.are_away = False
        brokers.may_answer.set()
        trying.result()
    assert brokers.attempts == 2
    log.prepare()
    assert brokers.attempts == 2


class CountedLock:
    """A lock that counts its callers; the first goes on only when the others have had it, too."""

    def __init__(self, others: int) -> None:
        self.came = threading.Semaphore(0)
        self._others = others
        self._left = threading.Semaphore(0)
        self._is_first = True
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        self.came.release()
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        is_first, self._is_first = self._is_first, False
        self._lock.release()
        for _other in range(self._others if is_first else 0):
            assert self._left.acquire(timeout=PATIENCE_S)
        self._left.release()


def test_callers_that_wait_for_the_first_attempt_fail_with_it(
    log: KafkaLog, brokers: Brokers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "_preparing", lock := CountedLock(others=4))
    brokers.are_away = True
    brokers.hold()
    with ThreadPoolExecutor(5) as pool:
        trying = [pool.submit(fails, log.prepare) for _ in range(5)]
        for _ in trying:
            assert lock.came.acquire(timeout=PATIENCE_S)
        brokers.may_answer.set()
        assert all(one.result() for one in trying)
    assert brokers.attempts == 1
