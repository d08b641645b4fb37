"""The event log in Kafka: a listen is durable once every broker that has to has it."""

import threading
from collections.abc import Iterator, Mapping, Sequence

from soundalike.domain.errors import EventLogError
from soundalike.domain.listens import Erasure, ErasureRecord, Listen, LogRecord
from soundalike.domain.ports.listening import LogHealth
from soundalike.domain.types import EventId, UserId
from soundalike.events.kafka.address import KafkaAddress
from soundalike.events.kafka.clients import KafkaClients
from soundalike.events.kafka.health import HealthMonitor
from soundalike.events.kafka.producer import KafkaProducer
from soundalike.events.kafka.reader import read_entries
from soundalike.events.kafka.topics import prepare_topics
from soundalike.wire.records import record_key, record_value


class KafkaLog:
    """The `EventLog` port on a topic of Kafka's.

    Nothing is reached before the first use: the topics are made or checked then, and two threads start,
    one that hears what the brokers have acknowledged, one that knows how the log is.

    Parameters
    ----------
    address : KafkaAddress
        Brokers and topic.
    properties : mapping of str to str
        librdkafka's own (SASL, TLS, ...). Never shown.

    Raises
    ------
    SettingsError
        If one of the properties would break what the log promises.
    """

    is_folding = False

    def __init__(self, address: KafkaAddress, properties: Mapping[str, str]) -> None:
        self._clients = KafkaClients(address, properties)
        self._lock = threading.Lock()
        self._producer: KafkaProducer | None = None
        self._monitor: HealthMonitor | None = None
        self._is_closed = False

    def health(self) -> LogHealth:
        """Tell how the log is, as it was last known; see the port. At first it is thought to be well."""
        with self._lock:
            if self._monitor is None and not self._is_closed:
                self._monitor = HealthMonitor(self._clients, failure=self._failure)
            return LogHealth() if self._monitor is None else self._monitor.health

    def prepare(self) -> None:
        """Make or check the topics now rather than at the first use, so that a start tells what is wrong.

        Raises
        ------
        SettingsError, EventLogError
            That say what is wrong.
        """
        self._opened().prepare()

    def append(self, listens: Sequence[Listen]) -> int:
        """Send listens; return how many were repeats of others among them; see the port.

        What was appended before is not known here: whoever folds counts the first of an id.
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

    def entries(self) -> Iterator[LogRecord]:
        """Yield everything the log holds by now and nothing hides; see the port."""
        self.prepare()
        return read_entries(self._clients)

    def close(self) -> None:
        """Let what is on its way arrive, for a while; end the threads."""
        with self._lock:
            self._is_closed = True
            producer, monitor = self._producer, self._monitor
        if monitor is not None:
            monitor.close()
        if producer is not None:
            producer.close()

    def _send(self, records: Sequence[LogRecord]) -> None:
        self._opened().send([(record_key(record), record_value(record)) for record in records])

    def _opened(self) -> KafkaProducer:
        with self._lock:
            if self._is_closed:
                msg = "the event log is closed already"
                raise EventLogError(msg)
            if self._producer is None:
                self._producer = KafkaProducer(self._clients, prepare=self._prepare)
            return self._producer

    def _prepare(self) -> None:
        prepare_topics(self._clients)

    def _failure(self) -> tuple[EventLogError, float] | None:
        producer = self._producer
        return None if producer is None else producer.failure
