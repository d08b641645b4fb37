"""Clients of Kafka with the properties that our promises rest on.

librdkafka writes to the C-level stderr unless it is given a logger, and repeats itself several times a
second while a broker is away. So its lines go to a logger of their own at debug level; the user of a client
logs once what they amount to.

Its waits follow the wall clock (its issue 2145): one that is in progress when the clock is set back by an
hour lasts an hour longer, unless it is for something that happens. So what waits here does so by itself.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer
from confluent_kafka.admin import AdminClient

from soundalike.events.kafka.address import KafkaAddress
from soundalike.events.kafka.errors import KafkaErrors, text_of
from soundalike.events.kafka.properties import COMMON, CONSUMER, PRODUCER, check_properties, invalid_property

_CLOSE_S = 10.0
_STEP_S = 0.01
_GRACE_S = 1.0

Answer = TypeVar("Answer")
Client = TypeVar("Client", Producer, Consumer, AdminClient)

_library_log = logging.getLogger(__name__ + ".librdkafka")


class KafkaClients:
    """Makes clients for one Kafka address.

    Parameters
    ----------
    address : KafkaAddress
        Its brokers.
    properties : mapping of str to str
        librdkafka's own. Never shown.

    Attributes
    ----------
    errors : KafkaErrors
        Translates the clients' errors.

    Raises
    ------
    SettingsError
        If one of the properties would break a promise of the log.
    """

    def __init__(self, address: KafkaAddress, properties: Mapping[str, str]) -> None:
        check_properties(properties)
        self.address = address
        self.errors = KafkaErrors(address, properties)
        self._properties = dict(properties)

    def producer(self) -> Producer:
        """Make an idempotent producer; its user has to poll it."""
        return self._make(Producer, PRODUCER)

    def consumer(self, **more: Any) -> Consumer:  # noqa: ANN401 - properties are texts, numbers and callables
        """Make a consumer of the group; it commits nothing by itself."""
        return self._make(Consumer, {**CONSUMER, "group.id": self.address.group}, more)

    def admin(self) -> AdminClient:
        """Make a client that asks about topics and groups."""
        return self._make(AdminClient, {})

    def _make(
        self, client: Callable[..., Client], ours: Mapping[str, Any], more: Mapping[str, Any] | None = None
    ) -> Client:
        properties = {**COMMON, **ours, **self._properties, **(more or {})}
        properties |= {"bootstrap.servers": self.address.bootstrap, "error_cb": self.errors.note}
        try:
            return client(properties, logger=_DebugLogger())
        except (KafkaException, AttributeError, TypeError, ValueError) as error:
            found = error.args[0] if error.args else error
            shown = self.errors.without_secrets(found)
            raise invalid_property(text_of(found), shown=shown, names=self._properties) from None


def answer_of(asked: "Future[Answer]", *, timeout_s: float) -> Answer:
    """Wait for the answer to a question to an `AdminClient`.

    Parameters
    ----------
    asked : Future
        The question.
    timeout_s : float
        The time-out that was given with it, in s.

    Raises
    ------
    KafkaException
        If it failed, or librdkafka has not even said by then that it timed out.
    """
    try:
        return asked.result(timeout_s + _GRACE_S)
    except TimeoutError:
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT)) from None  # noqa: SLF001 - public, for all its name


def read_messages(consumer: Consumer, most: int, *, timeout_s: float) -> list[Message]:
    """Return the next messages, or none if none has come in time.

    Parameters
    ----------
    consumer : Consumer
        Whose messages; its callbacks are called meanwhile.
    most : int
        The largest number of messages.
    timeout_s : float
        How long to wait for the first, in s.

    Raises
    ------
    KafkaException
        If the consumer cannot read any more.
    """
    until = time.monotonic() + timeout_s
    while not (messages := consumer.consume(most, timeout=0)) and time.monotonic() < until:
        time.sleep(_STEP_S)
    return messages


def close_consumer(consumer: Consumer, *, before: Callable[[], None] = lambda: None) -> bool:
    """Close a consumer, in the background if that takes too long.

    librdkafka may wait for ever while the brokers are away (its issues 3740 and 4519).

    Parameters
    ----------
    consumer : Consumer
        What to close.
    before : callable
        Called first, within the same time.

    Returns
    -------
    bool
        Whether it was closed in time.
    """

    def close() -> None:
        before()
        consumer.close()

    # Destroying a consumer that is not closed would wait too; the thread keeps it alive.
    closing = threading.Thread(target=close, name="kafka closing", daemon=True)
    closing.start()
    closing.join(_CLOSE_S)
    return not closing.is_alive()


class _DebugLogger:
    """Takes what librdkafka logs."""

    def log(self, _level: int, message: str, *arguments: object) -> None:
        _library_log.debug(message, *arguments)
