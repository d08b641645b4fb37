"""Sending records to Kafka: each call waits until the brokers have acknowledged every one of its records."""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import NamedTuple

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from soundalike.domain.errors import EventLogError
from soundalike.events.kafka.clients import KafkaClients
from soundalike.events.kafka.properties import DELIVERY_TIMEOUT_MS

_log = logging.getLogger(__name__)

ACKNOWLEDGED_WITHIN_S = DELIVERY_TIMEOUT_MS / 1000 + 2.0
"""librdkafka looks for timed-out records once a second, so its answer may come that much later."""

_POLL_S = 0.2
_FULL_S = 0.02
_CLOSE_S = 5.0

OnDelivery = Callable[[KafkaError | None, Message | None], None]


class KeyedRecord(NamedTuple):
    """A record as Kafka stores it; the key decides its partition.

    Thousands are sent at once, and a tuple is made in half the time of a dataclass.
    """

    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, str | bytes | None]] | None = None


class KafkaProducer:
    """A producer, and the thread that receives its acknowledgements; safe for several threads.

    Nothing is connected before the first record. A producer that has failed for good is replaced.

    Parameters
    ----------
    clients : KafkaClients
        Makes the producer.
    """

    def __init__(self, clients: KafkaClients) -> None:
        self._clients = clients
        self._producer: Producer | None = None
        self._lock = threading.Lock()
        self._is_closed = threading.Event()
        self._polling = threading.Thread(target=self._poll, name="kafka deliveries", daemon=True)

    def send(self, topic: str, records: Sequence[KeyedRecord]) -> Mapping[int, KafkaError]:
        """Send records in their order and wait for the brokers.

        Parameters
        ----------
        topic : str
            Where to.
        records : sequence of KeyedRecord
            What to send.

        Returns
        -------
        mapping of int to KafkaError
            Why a record was not stored, by its index in `records`; empty where all were.

        Raises
        ------
        EventLogError
            If the brokers did not say in time which records they have; any number may be stored.
        """
        producer = self._producer_in_use()
        delivery = _Delivery(len(records))
        deadline = time.monotonic() + ACKNOWLEDGED_WITHIN_S
        for index, record in enumerate(records):
            self._produce(producer, topic, record, partial(delivery.note, index), deadline=deadline)
        if not delivery.is_over.wait(max(0.0, deadline - time.monotonic())):
            msg = f"{self._clients.address} did not acknowledge the records in time; try again"
            raise EventLogError(msg)
        return delivery.failures

    def close(self) -> None:
        """Wait a while for records on their way; end the thread."""
        self._is_closed.set()
        if self._polling.is_alive():
            self._polling.join()
        if self._producer is not None:
            with suppress(KafkaException):  # it failed for good, and its records with it
                self._producer.flush(_CLOSE_S)

    def _produce(
        self, producer: Producer, topic: str, record: KeyedRecord, on_delivery: OnDelivery, *, deadline: float
    ) -> None:
        while True:
            try:
                producer.produce(
                    topic, record.value, record.key, headers=record.headers, on_delivery=on_delivery
                )
            except BufferError:  # others have filled the queue
                if time.monotonic() > deadline:
                    msg = f"{self._clients.address} is too slow; try again later"
                    raise EventLogError(msg) from None
                time.sleep(_FULL_S)
            except KafkaException as error:
                on_delivery(error.args[0], None)
                return
            else:
                return

    def _producer_in_use(self) -> Producer:
        with self._lock:
            if self._producer is None:
                self._producer = self._clients.producer()
            if self._polling.ident is None:
                self._polling.start()
            return self._producer

    def _poll(self) -> None:
        """Receive acknowledgements; drop a producer that has failed for good once it is empty."""
        is_broken = False
        while not self._is_closed.is_set():
            producer = self._producer
            if producer is None:
                self._is_closed.wait(_POLL_S)
                continue
            try:
                producer.poll(_POLL_S)
            except KafkaException as error:
                _log.debug("the producer has failed for good: %s", error)
                is_broken = True
            if is_broken and not len(producer):
                self._producer, is_broken = None, False


class _Delivery:
    """The brokers' answers to the records of one call."""

    def __init__(self, count: int) -> None:
        self.failures: dict[int, KafkaError] = {}
        self.is_over = threading.Event()
        self._count = count
        self._answered: list[int] = []
        if not count:
            self.is_over.set()

    def note(self, index: int, error: KafkaError | None, _message: Message | None) -> None:
        """Note the answer to one record; called by the thread that polls, and by the one that sends."""
        if error is not None:
            self.failures[index] = error
        self._answered.append(index)  # atomic, so that no lock is needed
        if len(self._answered) == self._count:
            self.is_over.set()
