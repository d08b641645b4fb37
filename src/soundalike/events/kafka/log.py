"""The event log in Kafka: a listen is durable once the brokers have acknowledged it."""

import logging
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from soundalike.domain.circuit_breaker import CircuitBreaker
from soundalike.domain.errors import EventLogError
from soundalike.domain.listens import Erasure, ErasureRecord, Listen, LogRecord
from soundalike.domain.ports.listening import LogHealth
from soundalike.domain.types import EventId, UserId
from soundalike.events.kafka.address import KafkaAddress
from soundalike.events.kafka.clients import KafkaClients
from soundalike.events.kafka.health import HealthMonitor
from soundalike.events.kafka.producer import KafkaProducer, KeyedRecord
from soundalike.events.kafka.reader import read_entries
from soundalike.events.kafka.topics import prepare_topics
from soundalike.wire.records import record_key, record_value

_log = logging.getLogger(__name__)


class KafkaLog:
    """The `EventLog` port on a Kafka topic.

    Nothing is connected before the first use. Then the topics are created or checked, and two threads start:
    one receives the brokers' acknowledgements, the other monitors the health of the log.

    Parameters
    ----------
    address : KafkaAddress
        Brokers and topic.
    properties : mapping of str to str
        librdkafka's own (SASL, TLS, ...). Never shown.

    Raises
    ------
    SettingsError
        If one of the properties would break a promise of the log.
    """

    is_folding = False

    def __init__(self, address: KafkaAddress, properties: Mapping[str, str]) -> None:
        self._clients = KafkaClients(address, properties)
        self._producer = KafkaProducer(self._clients)
        self._breaker = CircuitBreaker[EventLogError](retry_after_s=0, clock=time.monotonic)
        self._preparing = threading.Lock()
        self._is_prepared = False
        self._lock = threading.Lock()
        self._monitor: HealthMonitor | None = None
        self._is_closed = False

    def health(self) -> LogHealth:
        """Return the last known health of the log; see the port. At first it is taken to be well."""
        with self._lock:
            if self._monitor is None and not self._is_closed:
                self._monitor = HealthMonitor(self._clients, self._breaker)
            return LogHealth() if self._monitor is None else self._monitor.health

    def prepare(self) -> None:
        """Create or check the topics now, so that a start reports what is wrong; see the port."""
        with self._attempt():
            self._prepare_once()

    def append(self, listens: Sequence[Listen]) -> int:
        """Send listens; return how many repeat others among them; see the port.

        Earlier listens are not known here: the consumer counts the first of each id.
        """
        first: dict[tuple[UserId, EventId], Listen] = {}
        for listen in listens:
            first.setdefault((listen.user_id, listen.id), listen)
        if first:
            self._send(list(first.values()))
        return len(listens) - len(first)

    def erase(self, erasure: Erasure, *, is_total: bool = False) -> None:
        """Send an erasure; see the port."""
        self._send([ErasureRecord(erasure, is_total)])

    def lower_mark(self, erasure: Erasure) -> None:
        """Send that erasures hide by date only up to this one's; see the port."""
        self._send([ErasureRecord(erasure, is_total=False, is_lowering=True)])

    def entries(self) -> Iterator[LogRecord]:
        """Yield everything in the log that no erasure hides; see the port."""
        self.prepare()
        return read_entries(self._clients)

    def close(self) -> None:
        """Wait a while for records on their way; end the threads."""
        with self._lock:
            self._is_closed = True
            monitor = self._monitor
        if monitor is not None:
            monitor.close()
        self._producer.close()

    def _send(self, records: Sequence[LogRecord]) -> None:
        with self._attempt():
            self._prepare_once()
            failures = self._producer.send(
                self._clients.address.topic,
                [KeyedRecord(record_key(record), record_value(record)) for record in records],
            )
            if failures:
                raise self._clients.errors.translate(next(iter(failures.values())), "append listens")

    @contextmanager
    def _attempt(self) -> Iterator[None]:
        """Admit everyone while Kafka answers, else one caller at a time; the others fail at once.

        A web server's threads must not all wait for brokers that are away.
        """
        if self._is_closed:
            msg = "the event log is closed already"
            raise EventLogError(msg)
        if not self._breaker.admit():
            raise self._last_failure()
        try:
            yield
        except EventLogError as error:
            failure = self._breaker.failure
            if failure is None or failure[0] is not error:
                self._record_failure(error)
            raise
        except BaseException:
            self._breaker.release()
            raise
        if self._breaker.record_success():
            self._clients.errors.forget()
            _log.warning("%s takes listens again", self._clients.address)

    def _prepare_once(self) -> None:
        """Create or check the topics before the first record, and before the next after a failure."""
        failure = self._breaker.failure
        with self._preparing:
            if self._is_prepared:
                return
            if self._breaker.failure is not failure:  # the first caller has just failed
                raise self._last_failure()
            try:
                prepare_topics(self._clients)
            except EventLogError as error:
                self._record_failure(error)  # before the next caller gets the lock, who looks for it
                raise
            self._is_prepared = True

    def _record_failure(self, error: EventLogError) -> None:
        self._is_prepared = False  # the topic may be gone, or another
        if self._breaker.record_failure(error):
            _log.warning("%s; listens wait in the browsers until Kafka is back", error)

    def _last_failure(self) -> EventLogError:
        failure = self._breaker.failure
        return EventLogError(str(failure[0]) if failure else "Kafka has just come back; try again")
