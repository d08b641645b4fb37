"""What cannot be folded, kept in a topic of its own with the reason."""

import logging
from collections.abc import Sequence

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from soundalike.domain.errors import EventLogError
from soundalike.events.kafka.batch import PendingRecord
from soundalike.events.kafka.clients import DELIVERY_TIMEOUT_MS, KafkaClients
from soundalike.events.kafka.topics import prepare_topics

_log = logging.getLogger(__name__)

_PATIENCE_S = DELIVERY_TIMEOUT_MS / 1000 + 2.0
_MAX_REASON = 500
_MAX_KEY_BYTES = 1_024
_MAX_CUT_BYTES = 65_536
_SHOWN = 5

Headers = list[tuple[str, str | bytes | None]]


class DeadLetters:
    """Sends messages to the dead-letter topic.

    A letter has the message's key, value and headers, and the headers ``soundalike-reason``, ``-topic``,
    ``-partition``, ``-offset`` and ``-sent-ms`` of where it stood. One that is too long for the topic comes
    cut, with its length in bytes in ``soundalike-cut-from``. After a crash a letter may come twice.
    """

    def __init__(self, clients: KafkaClients) -> None:
        self._clients = clients
        self._producer: Producer | None = None
        self._has_failed = False
        self._failed: list[tuple[PendingRecord, KafkaError]] = []

    def bury(self, items: Sequence[PendingRecord]) -> None:
        """Send items, each with its reason; return once the brokers have them.

        Raises
        ------
        EventLogError
            If they do not have all of them; bury them again.
        """
        if not items:
            return
        if self._has_failed:
            prepare_topics(self._clients)  # it may be gone
        self._has_failed = True
        try:
            self._send(items, is_cut=False)
            too_long = [item for item, error in self._failed if error.code() == KafkaError.MSG_SIZE_TOO_LARGE]
            if too_long and len(too_long) == len(self._failed):
                self._send(too_long, is_cut=True)
        except KafkaException as error:  # the producer has failed for good
            self._producer = None
            raise self._clients.told(error, "keep a dead letter") from error
        if self._failed:
            raise self._clients.told(self._failed[0][1], "keep a dead letter")
        self._has_failed = False
        for item in items[:_SHOWN]:
            _log.warning(
                "record %d of partition %d cannot be folded and is in %r: %s",
                item.offset, item.partition, self._clients.address.dead_letters, item.reason,
            )  # fmt: skip
        if len(items) > _SHOWN:
            _log.warning("so are %d others", len(items) - _SHOWN)

    def _send(self, items: Sequence[PendingRecord], *, is_cut: bool) -> None:
        self._failed = []
        if self._producer is None:
            self._producer = self._clients.producer()
        producer = self._producer
        for item in items:
            try:
                self._produce(producer, item, is_cut=is_cut)
            except BufferError:
                producer.flush(_PATIENCE_S)
                self._produce(producer, item, is_cut=is_cut)
        if producer.flush(_PATIENCE_S):
            msg = f"Kafka at {self._clients.address.bootstrap} does not say whether it has the dead letters"
            raise EventLogError(msg)

    def _produce(self, producer: Producer, item: PendingRecord, *, is_cut: bool) -> None:
        message = item.message
        if message is None:  # done already
            return
        key, value = message.key(), message.value()
        headers = _headers(item, message)
        if is_cut:
            headers.append(("soundalike-cut-from", str(len(value or b""))))
            key, value = (key or b"")[:_MAX_KEY_BYTES], (value or b"")[:_MAX_CUT_BYTES]
        else:
            headers = [*(message.headers() or []), *headers]

        def note(error: KafkaError | None, _: Message) -> None:
            if error is not None:
                self._failed.append((item, error))

        try:
            producer.produce(
                self._clients.address.dead_letters, value, key, headers=headers, on_delivery=note
            )
        except KafkaException as error:
            self._failed.append((item, error.args[0]))


def _headers(item: PendingRecord, message: Message) -> Headers:
    return [
        ("soundalike-reason", item.reason[:_MAX_REASON]),
        ("soundalike-topic", message.topic() or ""),
        ("soundalike-partition", str(item.partition)),
        ("soundalike-offset", str(item.offset)),
        ("soundalike-sent-ms", str(item.sent_ms)),
    ]
