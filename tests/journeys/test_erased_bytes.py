"""How erased bytes leave the log in Kafka, as docs/deploy.md says: it is copied without them."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from confluent_kafka import Consumer, TopicPartition

from journeys.program import Program, wait_until
from making import make_listen, make_track
from servers.kafka import Kafka, new_topic
from soundalike.domain.listens import Erasure, Listen
from soundalike.domain.profiles import refold
from soundalike.domain.types import UserId
from soundalike.events.kafka.address import KafkaAddress
from soundalike.events.kafka.log import KafkaLog
from soundalike.store.sqlite.store import SqliteStore

ADA, BOB = UserId("ada"), UserId("bob")
DAY_MS = 24 * 3600 * 1000

pytestmark = pytest.mark.kafka


def heard(user_id: UserId, *, first: int, count: int = 50) -> list[Listen]:
    return [make_listen(first + n, user_id=user_id, at_ms=(1 + n) * DAY_MS) for n in range(count)]


def messages(broker: Kafka, topic: str) -> Iterator[str]:
    """Yield the value of everything that lies in a topic."""
    settings = {"bootstrap.servers": broker.address, "group.id": new_topic(), "log_level": 0}
    consumer = Consumer(settings)
    try:
        partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
        for number in partitions:
            low, high = consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=10)
            consumer.assign([TopicPartition(topic, number, low)])
            while low < high:
                message = consumer.poll(10)
                assert message is not None
                assert message.error() is None
                low = (message.offset() or 0) + 1
                yield (message.value() or b"").decode()
    finally:
        consumer.close()


def test_what_was_erased_is_not_in_the_topic_that_is_switched_to(kafka: Kafka, tmp_path: Path) -> None:
    old, new = new_topic(), new_topic()
    program = Program(tmp_path / "data")
    with closing(SqliteStore(program.data / "library.sqlite")) as store:
        store.save_track(make_track("t1"))
    of_ada, of_bob, later = heard(ADA, first=0), heard(BOB, first=1000), heard(ADA, first=2000, count=60)[55:]
    with closing(KafkaLog(KafkaAddress.parse(kafka.url(old)), {})) as log:
        log.append(of_ada)
        log.append(of_bob)
        log.erase(Erasure(ADA, of_ada[-1].at_ms), is_total=True)
        log.append(later)

    file = tmp_path / "listens.jsonl"
    assert program.run("events", "export", file, "--events", kafka.url(old)).returncode == 0
    result = program.run("events", "import", file, "--events", kafka.url(new))
    assert result.returncode == 0, result.stderr

    erased = {listen.id for listen in of_ada}
    left, copied = list(messages(kafka, old)), list(messages(kafka, new))
    assert {one for one in erased if any(one in text for text in left)} == erased
    assert {one for one in erased if any(one in text for text in copied)} == set()
    assert sum("erase" in json.dumps(json.loads(text)) for text in copied) == 1

    url = f"{kafka.url(new)}?group={new_topic()}"
    with (
        program.start("consume", "--events", url) as consumer,
        closing(SqliteStore(program.data / "library.sqlite")) as store,
    ):
        expected = refold(BOB, of_bob).version
        wait_until(lambda: store.profile_version(BOB) == expected, consumer)
        wait_until(lambda: store.count_listens(ADA) == len(later), consumer)
        assert list(store.listens_of(ADA)) == later
        assert store.erasures() == (Erasure(ADA, of_ada[-1].at_ms),)
