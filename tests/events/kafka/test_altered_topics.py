"""A topic in use is deleted, or gets more partitions: later acknowledged listens still count."""

import time
from collections.abc import Iterator

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its types say less than it exports
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    ResourceType,
)

from events.contract import numbered
from events.kafka.fakes import FlakyStore
from events.kafka.running import QUICK, append_until_taken, consumed, consuming, produce
from making import make_listen
from servers.kafka import Kafka
from servers.processes import wait_until
from soundalike.domain.errors import StoreUnavailableError
from soundalike.domain.listens import Listen
from soundalike.domain.ports.listening import LogHealth
from soundalike.events.kafka.address import KafkaAddress
from soundalike.events.kafka.clients import KafkaClients
from soundalike.events.kafka.log import KafkaLog
from soundalike.events.kafka.topic_id import TopicIdentity
from soundalike.events.kafka.topics import prepare_topics

pytestmark = pytest.mark.kafka


def delete(kafka: Kafka, topic: str) -> None:
    admin = kafka.admin()  # kept alive until it has answered
    admin.delete_topics([topic])[topic].result()


def partitions(kafka: Kafka, topic: str) -> int:
    found = kafka.admin().list_topics(timeout=10).topics.get(topic)
    return 0 if found is None else len(found.partitions)


def retention(kafka: Kafka, topic: str) -> str | None:
    admin, resource = kafka.admin(), ConfigResource(ResourceType.TOPIC, topic)
    found: dict[str, ConfigEntry] = admin.describe_configs([resource])[resource].result()
    return found["retention.ms"].value


def of_many(start: int, end: int) -> list[Listen]:
    """Return listens of users in every partition."""
    return [make_listen(n, user_id=f"u{n % 8}", at_ms=n) for n in range(start, end)]


class TestDeletedTopic:
    def test_the_next_listens_go_to_a_new_topic_that_keeps_everything(
        self, kafka: Kafka, log: KafkaLog, address: KafkaAddress
    ) -> None:
        log.append(numbered(3))
        delete(kafka, address.topic)
        append_until_taken(log, numbered(3, start=3))
        append_until_taken(log, numbered(3, start=6))
        assert partitions(kafka, address.topic) == 4
        assert retention(kafka, address.topic) == "-1"
        assert consumed(address, 6).taken >= {one.id for one in numbered(6, start=3)}

    @pytest.mark.faults
    def test_it_is_created_again_without_an_append_and_logged(
        self, kafka: Kafka, log: KafkaLog, address: KafkaAddress, caplog: pytest.LogCaptureFixture
    ) -> None:
        log.append(numbered(1))
        with consuming(address, FlakyStore().take):
            wait_until(lambda: log.health() == LogHealth())
            time.sleep(3)  # until the topic was seen
            delete(kafka, address.topic)
            wait_until(lambda: partitions(kafka, address.topic) == 4)
            wait_until(lambda: log.health() == LogHealth())
        assert retention(kafka, address.topic) == "-1"
        assert f"the topic {address.topic!r} was gone from Kafka" in caplog.text

    @pytest.mark.faults
    def test_the_topic_of_dead_letters_is_created_again(self, kafka: Kafka, address: KafkaAddress) -> None:
        store = FlakyStore()
        with consuming(address, store.take, properties=QUICK | {"delivery.timeout.ms": "1000"}):
            delete(kafka, address.dead_letters)
            produce(kafka, address.topic, {"key": b"ada", "value": b"?", "partition": 2})
            wait_until(lambda: partitions(kafka, address.dead_letters) == 1)
        assert retention(kafka, address.dead_letters) == "-1"


class TestConsumingRecreatedTopic:
    @pytest.mark.faults
    def test_a_consumer_goes_on_with_the_new_topic(
        self, kafka: Kafka, log: KafkaLog, address: KafkaAddress, caplog: pytest.LogCaptureFixture
    ) -> None:
        store = FlakyStore()
        with consuming(address, store.take), consuming(address, store.take):
            for start in (0, 80, 160):
                append_until_taken(log, of_many(start, start + 80))
                store.wait_for(start + 80)
                delete(kafka, address.topic)
            append_until_taken(log, of_many(240, 320))
            store.wait_for(320)
        assert "was deleted and created again, and is read from its beginning" in caplog.text

    @pytest.mark.faults
    def test_records_read_before_the_deletion_are_still_folded(
        self, kafka: Kafka, log: KafkaLog, address: KafkaAddress
    ) -> None:
        store = FlakyStore()
        store.away = StoreUnavailableError("gone")
        with consuming(address, store.take):
            log.append(numbered(10))
            wait_until(lambda: len(store.calls) > 0)
            time.sleep(1)
            delete(kafka, address.topic)
            append_until_taken(log, numbered(20, start=10))
            time.sleep(3)
            store.away = None
            store.wait_for(30)

    def test_commits_of_another_topic_with_the_same_name_do_not_count(
        self, kafka: Kafka, log: KafkaLog, address: KafkaAddress
    ) -> None:
        log.append(of_many(0, 80))
        commit(kafka, address, f"7@{another_id(kafka, address)}")
        assert len(consumed(address, 80).taken) == 80

    def test_commits_without_a_topic_id_count(
        self, kafka: Kafka, log: KafkaLog, address: KafkaAddress
    ) -> None:
        log.append(of_many(0, 80))
        commit(kafka, address, "")
        log.append(of_many(80, 88))
        assert len(consumed(address, 8).taken) == 8


@pytest.mark.faults
def test_added_partitions_are_read_soon(kafka: Kafka, log: KafkaLog, address: KafkaAddress) -> None:
    store = FlakyStore()
    with consuming(address, store.take):
        log.append(of_many(0, 80))
        store.wait_for(80)
        admin = kafka.admin()
        admin.create_partitions([NewPartitions(address.topic, 24)])[address.topic].result()
        other = KafkaLog(address, {})  # it knows the new partitions at once
        other.append(of_many(80, 160))
        other.close()
        store.wait_for(160)


def commit(kafka: Kafka, address: KafkaAddress, metadata: str) -> None:
    """Commit everything that is in the topic."""
    consumer = Consumer({"bootstrap.servers": kafka.address, "group.id": address.group, "log_level": 0})
    ends = []
    for number in range(4):
        _, high = consumer.get_watermark_offsets(TopicPartition(address.topic, number), timeout=10)
        ends.append(TopicPartition(address.topic, number, high, metadata=metadata))
    consumer.commit(offsets=ends, asynchronous=False)
    consumer.close()


def another_id(kafka: Kafka, address: KafkaAddress) -> str:
    other = KafkaAddress.parse(kafka.url())
    prepare_topics(KafkaClients(other, {}))
    found = TopicIdentity(KafkaClients(other, {})).find()
    assert found != TopicIdentity(KafkaClients(address, {})).find()
    return found


class TestIdentity:
    @pytest.fixture
    def clients(self, address: KafkaAddress) -> KafkaClients:
        return KafkaClients(address, {})

    def test_the_same_topic_has_the_same_id(self, clients: KafkaClients) -> None:
        prepare_topics(clients)
        identity = TopicIdentity(clients)
        assert identity.find() == TopicIdentity(clients).find() != ""
        assert not any(identity.has_changed() for _ in pauses())

    def test_a_recreated_topic_has_another_id(self, kafka: Kafka, clients: KafkaClients) -> None:
        prepare_topics(clients)
        identity = TopicIdentity(clients)
        identity.find()
        delete(kafka, clients.address.topic)
        assert not any(identity.has_changed() for _ in pauses())
        prepare_topics(clients)
        wait_until(identity.has_changed)

    def test_a_missing_topic_has_no_id_until_it_is_created(self, clients: KafkaClients) -> None:
        identity = TopicIdentity(clients)
        assert identity.find() == ""
        prepare_topics(clients)
        wait_until(lambda: not identity.has_changed() and identity.id != "")
        assert identity.id == TopicIdentity(clients).find()


def pauses() -> Iterator[None]:
    """Pause between questions, so that each is answered."""
    for _ in range(10):
        time.sleep(0.1)
        yield
