from collections.abc import Iterator

import pytest

from events.kafka.running import new_address
from servers.kafka import Kafka
from soundalike.events.kafka.address import KafkaAddress
from soundalike.events.kafka.log import KafkaLog

pytest.register_assert_rewrite("events.contract")


@pytest.fixture
def address(kafka: Kafka) -> KafkaAddress:
    return new_address(kafka)


@pytest.fixture
def log(address: KafkaAddress) -> Iterator[KafkaLog]:
    log = KafkaLog(address, {})
    yield log
    log.close()
