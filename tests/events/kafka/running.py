"""Consumers in threads, and the contents of topics, for tests on a real broker."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from confluent_kafka import Consumer, Message, Producer, TopicPartition

from events.kafka.fakes import FlakyStore
from servers.kafka import Kafka, own_group
from soundalike.domain.errors import EventLogError
from soundalike.domain.listens import Listen
from soundalike.events.kafka.address import KafkaAddress
from soundalike.events.kafka.consumer import KafkaConsumer
from soundalike.events.kafka.log import KafkaLog
from soundalike.events.kafka.metrics import ConsumerMetrics

PATIENCE_S = 60.0

# So that the group notices a lost member soon.
QUICK = {"session.timeout.ms": "1500", "heartbeat.interval.ms": "300"}


def append_until_taken(log: KafkaLog, listens: Sequence[Listen]) -> None:
    """Append as a browser does: repeat until it is acknowledged."""
    deadline = time.monotonic() + 120
    while True:
        try:
            log.append(listens)
        except EventLogError:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        else:
            return


def new_address(kafka: Kafka) -> KafkaAddress:
    """Return the address of a new topic with four partitions, and of a new group."""
    return KafkaAddress.parse(own_group(kafka.url()))


class RunningConsumer:
    """A consumer in a thread."""

    def __init__(
        self,
        address: KafkaAddress,
        take: Callable[..., None],
        *,
        properties: Mapping[str, str] = QUICK,
        metrics: ConsumerMetrics | None = None,
    ) -> None:
        self.stop = threading.Event()
        self.is_ready = threading.Event()
        self.error: BaseException | None = None
        self._consumer = KafkaConsumer(address, properties, take, metrics=metrics, on_ready=self.is_ready.set)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def end(self) -> None:
        self.stop.set()
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive(), "it does not stop"
        if self.error is not None:
            raise self.error

    def _run(self) -> None:
        try:
            self._consumer.run(self.stop)
        except BaseException as error:  # noqa: BLE001 - raised where it is ended
            self.error = error
        self.is_ready.set()


@contextmanager
def consuming(
    address: KafkaAddress,
    take: Callable[..., None],
    *,
    properties: Mapping[str, str] = QUICK,
    metrics: ConsumerMetrics | None = None,
) -> Iterator[RunningConsumer]:
    """Run a consumer until the end of the block, and check that it stops cleanly."""
    running = RunningConsumer(address, take, properties=properties, metrics=metrics)
    try:
        assert running.is_ready.wait(PATIENCE_S)
        yield running
    finally:
        running.end()


def consumed(address: KafkaAddress, count: int) -> FlakyStore:
    """Consume until `count` different listens were folded."""
    store = FlakyStore()
    with consuming(address, store.take):
        store.wait_for(count)
    return store


def produce(kafka: Kafka, topic: str, *messages: Mapping[str, object]) -> None:
    """Send messages as any other program may."""
    producer = Producer({"bootstrap.servers": kafka.address, "log_level": 0, "message.max.bytes": 5_000_000})
    for message in messages:
        producer.produce(topic, **message)  # type: ignore[arg-type]  # whatever a test is about
    assert producer.flush(PATIENCE_S) == 0


def messages_in(kafka: Kafka, topic: str) -> list[Message]:
    """Return all messages that are in a topic by now."""
    consumer = Consumer({"bootstrap.servers": kafka.address, "group.id": "tests", "log_level": 0})
    found: list[Message] = []
    partitions = consumer.list_topics(topic, timeout=PATIENCE_S).topics[topic].partitions
    for number in partitions:
        low, high = consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=PATIENCE_S)
        consumer.assign([TopicPartition(topic, number, low)])
        of_partition: list[Message] = []
        while len(of_partition) < high - low:
            of_partition += consumer.consume(high - low, timeout=1.0)
        found += of_partition
    consumer.close()
    return found


def committed(kafka: Kafka, address: KafkaAddress) -> int:
    """Return how many records of all partitions the group has committed."""
    consumer = Consumer({"bootstrap.servers": kafka.address, "group.id": address.group, "log_level": 0})
    partitions = consumer.list_topics(address.topic, timeout=PATIENCE_S).topics[address.topic].partitions
    asked = [TopicPartition(address.topic, number) for number in partitions]
    offsets = consumer.committed(asked, timeout=PATIENCE_S)
    consumer.close()
    return sum(max(0, one.offset) for one in offsets)
