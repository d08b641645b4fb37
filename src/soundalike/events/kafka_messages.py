"""Messages of Kafka's as records."""

import time

from confluent_kafka import TIMESTAMP_NOT_AVAILABLE, Message

from soundalike.domain.listens import LogRecord
from soundalike.wire.records import record_from


def read_message(message: Message) -> LogRecord:
    """Read the record that a message holds.

    Raises
    ------
    ListenError
        If it holds none.
    """
    return record_from(message.key(), message.value())


def sent_ms(message: Message) -> int:
    """Return when a message was sent, in ms since 1970, UTC; now, where it does not say."""
    kind, at_ms = message.timestamp()
    return int(time.time() * 1000) if kind == TIMESTAMP_NOT_AVAILABLE else at_ms
