"""Sending records to Kafka: each call waits for the broker's word on every one of its records."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from soundalike.domain.errors import EventLogError
from soundalike.events.kafka.clients import DELIVERY_TIMEOUT_MS, KafkaClients

_log = logging.getLogger(__name__)

_POLL_S = 0.2
_FULL_S = 0.02
# The library looks for what has timed out once a second.
_PATIENCE_S = DELIVERY_TIMEOUT_MS / 1000 + 2.0
_TURN_S = 0.1
_CLOSE_S = 5.0

KeyedValue = tuple[bytes, bytes]


class KafkaProducer:
    """A producer and the thread that listens to it; safe for several threads.

    While the broker is known to be away, one caller at a time tries whether it is back, and the others
    are told at once: a web server's threads must not all wait for it.

    Parameters
    ----------
    clients : KafkaClients
        Makes the producer.
    prepare : callable
        Called before the first record is sent, and before the next where something failed; raises
        `EventLogError` where nothing can be sent yet.
    """

    def __init__(self, clients: KafkaClients, *, prepare: Callable[[], None]) -> None:
        self._clients = clients
        self._prepare = prepare
        self._producer: Producer | None = None
        self._lock = threading.Lock()
        self._turn = threading.Lock()
        self._is_prepared = False
        self._failure: EventLogError | None = None
        self._failed_s = 0.0
        self._is_closed = threading.Event()
        self._listening = threading.Thread(target=self._listen, name="kafka deliveries", daemon=True)
        self._listening.start()

    @property
    def failure(self) -> tuple[EventLogError, float] | None:
        """What the last attempt failed at, and when (monotonic, in s); None where it did not."""
        with self._lock:
            return None if self._failure is None else (self._failure, self._failed_s)

    def send(self, records: Sequence[KeyedValue]) -> None:
        """Send records to the topic of listens in their order; return once the brokers have all of them.

        Raises
        ------
        EventLogError
            If the brokers do not have all of them, as far as is known; any number may be there.
        """
        with self._admitted():
            self._prepare_once()
            self._send(records)

    def prepare(self) -> None:
        """Prepare as the first record does, without one.

        Raises
        ------
        EventLogError
            If nothing can be sent yet.
        """
        with self._admitted():
            self._prepare_once()

    def close(self) -> None:
        """Let what is on its way arrive, for a while; end the thread."""
        self._is_closed.set()
        self._listening.join()
        if self._producer is not None:
            with suppress(KafkaException):  # it failed for good, and what was on its way with it
                self._producer.flush(_CLOSE_S)

    @contextmanager
    def _admitted(self) -> Iterator[None]:
        """Let everybody through while all is well, else one at a time."""
        if self._is_closed.is_set():
            msg = "the event log is closed already"
            raise EventLogError(msg)
        if self._is_prepared and self._failure is None:
            with self._noting():
                yield
            return
        # Before anything has failed, everybody waits for the first one to prepare.
        if not self._turn.acquire(timeout=_TURN_S if self._failure else _PATIENCE_S):
            raise EventLogError(str(self._failure or "Kafka has not answered yet; try again"))
        try:
            with self._noting():
                yield
        finally:
            self._turn.release()

    @contextmanager
    def _noting(self) -> Iterator[None]:
        try:
            yield
        except EventLogError as error:
            with self._lock:
                is_news, self._failure = self._failure is None, error
                self._failed_s = time.monotonic()
                self._is_prepared = False  # the topic may be gone, or another
            if is_news:
                _log.warning("%s; what is listened to waits in the browsers until it is back", error)
            raise
        with self._lock:
            is_news, self._failure = self._failure is not None, None
        if is_news:
            self._clients.forget_error()
            _log.warning("Kafka at %s takes listens again", self._clients.address.bootstrap)

    def _prepare_once(self) -> None:
        if not self._is_prepared:
            self._prepare()
            self._is_prepared = True

    def _send(self, records: Sequence[KeyedValue]) -> None:
        producer = self._producer_in_use()
        delivery = _Delivery(len(records))
        deadline = time.monotonic() + _PATIENCE_S
        for key, value in records:
            self._produce(producer, (key, value), delivery, deadline)
        if not delivery.is_over.wait(max(0.0, deadline - time.monotonic())):
            msg = (
                f"Kafka at {self._clients.address.bootstrap} has not said in time whether it has the listens"
            )
            raise EventLogError(msg)
        if delivery.error is not None:
            raise self._clients.told(delivery.error, "append listens")

    def _produce(
        self, producer: Producer, record: KeyedValue, delivery: "_Delivery", deadline: float
    ) -> None:
        key, value = record
        while True:
            try:
                producer.produce(self._clients.address.topic, value, key, on_delivery=delivery.note)
            except BufferError:  # others have filled the queue
                if time.monotonic() > deadline:
                    msg = (
                        f"Kafka at {self._clients.address.bootstrap} takes less than comes; send again later"
                    )
                    raise EventLogError(msg) from None
                time.sleep(_FULL_S)
            except KafkaException as error:
                raise self._clients.told(error, "append listens") from error
            else:
                return

    def _producer_in_use(self) -> Producer:
        with self._lock:
            if self._producer is None:
                self._producer = self._clients.producer()
            return self._producer

    def _listen(self) -> None:
        """Hear what came of records; give up a producer that has failed for good once it holds none."""
        is_over = False
        while not self._is_closed.is_set():
            producer = self._producer
            if producer is None:
                self._is_closed.wait(_POLL_S)
                continue
            try:
                producer.poll(_POLL_S)
            except KafkaException as error:
                _log.debug("the producer has failed for good: %s", error)
                is_over = True
            if is_over and not len(producer):
                self._producer, is_over = None, False


class _Delivery:
    """The broker's word on the records of one call."""

    def __init__(self, count: int) -> None:
        self._awaited = count
        self.error: KafkaError | None = None
        self.is_over = threading.Event()
        if not count:
            self.is_over.set()

    def note(self, error: KafkaError | None, _message: Message) -> None:
        """Note what came of one record; called by the one thread that polls."""
        if error is not None:
            self.error = error
        self._awaited -= 1
        if not self._awaited:
            self.is_over.set()
