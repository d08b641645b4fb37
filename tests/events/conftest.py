from collections.abc import Iterator

import pytest

from events.kafka.running import place_on
from servers.kafka import Kafka
from soundalike.events.kafka.address import KafkaPlace
from soundalike.events.kafka.log import KafkaLog

pytest.register_assert_rewrite("events.contract")


@pytest.fixture
def place(kafka: Kafka) -> KafkaPlace:
    return place_on(kafka)


@pytest.fixture
def log(place: KafkaPlace) -> Iterator[KafkaLog]:
    log = KafkaLog(place, {})
    yield log
    log.close()
