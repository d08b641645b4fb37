"""Reading a log in Kafka from its beginning to its present end, in bounded memory."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from soundalike.domain.errors import EventLogError, ListenError
from soundalike.domain.listens import NOTHING_ERASED, Erased, ErasureRecord, Listen, LogRecord
from soundalike.domain.types import UserId
from soundalike.events.kafka.batch import read_message, sent_ms
from soundalike.events.kafka.clients import KafkaClients, close_consumer, read_messages
from soundalike.wire.records import may_be_erasure

_BATCH = 2_000
_TIMEOUT_S = 5.0
_PATIENCE_S = 30.0

Ends = dict[int, tuple[int, int]]


@dataclass(slots=True)
class _Hidden:
    """Which listens of one user are erased.

    Parameters
    ----------
    erased : Erased
        What the erasures say.
    is_total : bool
        Whether one of them was total.
    before : tuple of int or None
        Everything before the last one that emptied the store: its partition, offset and time of sending (ms).
    """

    erased: Erased = NOTHING_ERASED
    is_total: bool = False
    before: tuple[int, int, int] | None = None

    def add(self, record: ErasureRecord, message: Message) -> None:
        """Add an erasure; those of one partition come in their order."""
        if record.is_lowering:
            self.erased = self.erased.lowered(record.erasure)
            return
        if self.erased.is_emptied_by(record.erasure, is_total=record.is_total):
            position = _position(message)
            # A user's partition changes only if partitions were added; then the times of sending decide.
            if self.before is None or self.before[0] == position[0] or self.before[2] <= position[2]:
                self.before = position
        self.erased = self.erased.after(record.erasure, is_total=record.is_total)
        self.is_total |= record.is_total

    def records(self, user_id: UserId) -> Iterator[ErasureRecord]:
        """Yield the erasures that they add up to; the last is total if one of them was."""
        erasures = list(self.erased.erasures(user_id))
        for one in erasures:
            yield ErasureRecord(one, is_total=self.is_total and one is erasures[-1])

    def hides(self, listen: Listen, message: Message) -> bool:
        """Whether a listen is erased."""
        if self.erased.hides(listen):
            return True
        if self.before is None:
            return False
        partition, offset, sent = _position(message)
        if partition == self.before[0]:
            return offset < self.before[1]
        return sent < self.before[2]


def read_entries(clients: KafkaClients) -> Iterator[LogRecord]:
    """Yield every erasure, then the listens that they leave; malformed records are skipped.

    Raises
    ------
    EventLogError
        If the brokers do not answer.
    """
    with _reader(clients) as consumer:
        ends = _ends(clients, consumer)
    return _entries(clients, ends)


def _entries(clients: KafkaClients, ends: Ends) -> Iterator[LogRecord]:
    hidden: dict[UserId, _Hidden] = {}
    for message in _messages(clients, ends):
        if may_be_erasure(message.value()) and isinstance(record := _record(message), ErasureRecord):
            hidden.setdefault(record.erasure.user_id, _Hidden()).add(record, message)
    for user_id in sorted(hidden):
        yield from hidden[user_id].records(user_id)
    for message in _messages(clients, ends):
        listen = _record(message)
        if isinstance(listen, Listen):
            erased_of_user = hidden.get(listen.user_id)
            if erased_of_user is None or not erased_of_user.hides(listen, message):
                yield listen


def _record(message: Message) -> Listen | ErasureRecord | None:
    """Return what a consumer would fold, or None for what would be a dead letter."""
    try:
        return read_message(message)
    except ListenError:
        return None


def _position(message: Message) -> tuple[int, int, int]:
    return message.partition() or 0, message.offset() or 0, sent_ms(message)


@contextmanager
def _reader(clients: KafkaClients) -> Iterator[Consumer]:
    """Open a consumer that joins no group: partitions are assigned by hand, and nothing is committed.

    librdkafka looks for the group all the same; a user who may not see it can still read.
    """
    consumer = clients.consumer(**{"enable.partition.eof": True})
    try:
        yield consumer
    finally:
        close_consumer(consumer)


def _ends(clients: KafkaClients, consumer: Consumer) -> Ends:
    """Return the first offset and the end of each partition that is not empty."""
    topic = clients.address.topic
    try:
        partitions = consumer.list_topics(timeout=_TIMEOUT_S).topics[topic].partitions
        ends = {
            number: consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=_TIMEOUT_S)
            for number in partitions
        }
    except KafkaException as error:
        consumer.poll(0)  # learns why connections failed
        raise clients.errors.translate(error, "read the log") from error
    return {number: (low, high) for number, (low, high) in ends.items() if low < high}


def _messages(clients: KafkaClients, ends: Ends) -> Iterator[Message]:
    """Yield the messages between beginnings and ends, each partition's in order."""
    topic = clients.address.topic
    left = {number: high for number, (_, high) in ends.items()}
    if not left:
        return
    with _reader(clients) as consumer:
        consumer.assign([TopicPartition(topic, number, low) for number, (low, _) in ends.items()])
        answered_s = time.monotonic()
        while left:
            asked_s = time.monotonic()
            messages = read_messages(consumer, _BATCH, timeout_s=0.1)
            if messages:
                answered_s = asked_s
            elif time.monotonic() - answered_s > _PATIENCE_S:
                msg = f"{clients.address} did not answer for {_PATIENCE_S:.0f} s; try again"
                raise EventLogError(msg)
            yield from _within(clients, messages, left)


def _within(clients: KafkaClients, messages: list[Message], left: dict[int, int]) -> Iterator[Message]:
    """Yield the messages before each partition's end; remove finished partitions from `left`."""
    for message in messages:
        partition, offset, error = message.partition() or 0, message.offset() or 0, message.error()
        if error is not None:
            if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - public, for all its name
                left.pop(partition, None)
            elif not error.retriable() and error.code() != KafkaError.GROUP_AUTHORIZATION_FAILED:
                raise clients.errors.translate(error, "read the log")
            continue
        end = left.get(partition)
        if end is None:
            continue
        if offset < end:
            yield message
        if offset + 1 >= end:
            del left[partition]
