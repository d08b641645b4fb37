"""The log in Kafka keeps the promises of every log, on a real broker."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from events.contract import EventLogContract
from events.kafka.running import produce
from making import make_listen
from servers.kafka import Kafka
from soundalike.domain.listens import Erasure, ErasureRecord, LogRecord
from soundalike.domain.ports.listening import EventLog
from soundalike.domain.types import UserId
from soundalike.events.kafka.address import KafkaAddress
from soundalike.events.kafka.log import KafkaLog
from soundalike.wire.records import MAX_AHEAD_MS, record_key, record_value

pytestmark = pytest.mark.kafka


class TestOnKafka(EventLogContract):
    @pytest.fixture
    def reopen(self, kafka: Kafka) -> Iterator[Callable[[], EventLog]]:
        address = KafkaAddress.parse(kafka.url() + "?partitions=3")
        opened: list[KafkaLog] = []

        def open_again() -> EventLog:
            opened.append(KafkaLog(address, {}))
            return opened[-1]

        yield open_again
        for log in opened:
            log.close()

    @pytest.fixture
    def log(self, reopen: Callable[[], EventLog]) -> EventLog:
        return reopen()


@pytest.mark.parametrize("is_total", [None, False, True], ids=["listen", "erasure", "total erasure"])
def test_records_dated_far_ahead_are_skipped_as_consumers_do(kafka: Kafka, *, is_total: bool | None) -> None:
    address = KafkaAddress.parse(kafka.url())
    sent_ms = int(time.time() * 1000)
    ahead_ms = sent_ms + 2 * MAX_AHEAD_MS
    forged: LogRecord = (
        make_listen(9, at_ms=ahead_ms)
        if is_total is None
        else ErasureRecord(Erasure(UserId("ada"), ahead_ms), is_total)
    )
    with closing(KafkaLog(address, {})) as log:
        log.append([make_listen(1, at_ms=sent_ms)])
        produce(kafka, address.topic, {"key": record_key(forged), "value": record_value(forged)})
        log.append([make_listen(2, at_ms=sent_ms)])
        assert list(log.entries()) == [make_listen(1, at_ms=sent_ms), make_listen(2, at_ms=sent_ms)]
