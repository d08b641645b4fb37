"""Records that cannot be folded, kept in a topic of their own with the reason."""

import logging
from collections.abc import Mapping, Sequence

from confluent_kafka import KafkaError, Message

from soundalike.events.kafka.batch import PendingRecord
from soundalike.events.kafka.clients import KafkaClients
from soundalike.events.kafka.producer import KafkaProducer, KeyedRecord
from soundalike.events.kafka.topics import prepare_topics

_log = logging.getLogger(__name__)

_MAX_REASON = 500
_MAX_KEY_BYTES = 1_024
_MAX_CUT_BYTES = 65_536
_LOGGED = 5


class DeadLetters:
    """Sends records to the dead-letter topic.

    A dead letter has the record's key, value and headers, and the headers ``soundalike-reason``,
    ``-topic``, ``-partition``, ``-offset`` and ``-sent-ms`` that say where it came from. One that is too
    long for the topic is cut, with its length in bytes in ``soundalike-cut-from``. After a crash a dead
    letter may be sent twice.

    Parameters
    ----------
    clients : KafkaClients
        For the brokers and the topic.
    """

    def __init__(self, clients: KafkaClients) -> None:
        self._clients = clients
        self._producer = KafkaProducer(clients)
        self._has_failed = False

    def send(self, records: Sequence[PendingRecord]) -> None:
        """Send records, each with its reason; return once the brokers have them.

        Raises
        ------
        EventLogError
            If they do not have all of them; send them again.
        """
        if not records:
            return
        if self._has_failed:
            prepare_topics(self._clients)  # it may be gone
        self._has_failed = True
        messages = [(record, record.message) for record in records if record.message is not None]
        failures = self._send([_dead_letter(record, message) for record, message in messages])
        if failures and all(error.code() == KafkaError.MSG_SIZE_TOO_LARGE for error in failures.values()):
            failures = self._send([_cut_dead_letter(*messages[index]) for index in failures])
        if failures:
            raise self._clients.errors.translate(next(iter(failures.values())), "keep a dead letter")
        self._has_failed = False
        for record in records[:_LOGGED]:
            _log.warning(
                "record %d of partition %d cannot be folded and is in %r: %s",
                record.offset, record.partition, self._clients.address.dead_letters, record.reason,
            )  # fmt: skip
        if len(records) > _LOGGED:
            _log.warning("%d more records cannot be folded and are there too", len(records) - _LOGGED)

    def close(self) -> None:
        """End the producer."""
        self._producer.close()

    def _send(self, letters: Sequence[KeyedRecord]) -> Mapping[int, KafkaError]:
        return self._producer.send(self._clients.address.dead_letters, letters)


def _dead_letter(record: PendingRecord, message: Message) -> KeyedRecord:
    headers = [*(message.headers() or []), *_origin(record, message)]
    return KeyedRecord(message.key(), message.value(), headers)


def _cut_dead_letter(record: PendingRecord, message: Message) -> KeyedRecord:
    """Keep the beginning of a record that is too long."""
    key, value = message.key() or b"", message.value() or b""
    headers = [*_origin(record, message), ("soundalike-cut-from", str(len(value)))]
    return KeyedRecord(key[:_MAX_KEY_BYTES], value[:_MAX_CUT_BYTES], headers)


def _origin(record: PendingRecord, message: Message) -> list[tuple[str, str | bytes | None]]:
    return [
        ("soundalike-reason", record.reason[:_MAX_REASON]),
        ("soundalike-topic", message.topic() or ""),
        ("soundalike-partition", str(record.partition)),
        ("soundalike-offset", str(record.offset)),
        ("soundalike-sent-ms", str(record.sent_ms)),
    ]
