"""The log in Kafka keeps the promises of every log, on a real broker."""

from collections.abc import Callable, Iterator

import pytest

from events.contract import EventLogContract
from servers.kafka import Kafka
from soundalike.domain.keeping import EventLog
from soundalike.events.kafka import KafkaLog
from soundalike.events.kafka_place import KafkaPlace

pytestmark = pytest.mark.kafka


class TestOnKafka(EventLogContract):
    @pytest.fixture
    def reopen(self, kafka: Kafka) -> Iterator[Callable[[], EventLog]]:
        place = KafkaPlace.parse(kafka.url() + "?partitions=3")
        opened: list[KafkaLog] = []

        def open_again() -> EventLog:
            opened.append(KafkaLog(place, {}))
            return opened[-1]

        yield open_again
        for log in opened:
            log.close()

    @pytest.fixture
    def log(self, reopen: Callable[[], EventLog]) -> EventLog:
        return reopen()
