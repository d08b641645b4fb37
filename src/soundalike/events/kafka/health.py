"""The health of a log in Kafka, known before anyone asks for it."""

import logging
import threading
import time

from confluent_kafka import ConsumerGroupState, KafkaError, KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its types say less than it exports
    AdminClient,
    ConsumerGroupDescription,
)

from soundalike.domain.circuit_breaker import CircuitBreaker
from soundalike.domain.errors import EventLogError
from soundalike.domain.ports.listening import LogHealth
from soundalike.events.kafka.clients import KafkaClients, answer_of
from soundalike.events.kafka.lag import ConsumerLag
from soundalike.events.kafka.topics import find_partitions, prepare_topics

_log = logging.getLogger(__name__)

_EVERY_S = 2.0
_TIMEOUT_S = 2.0
_JOIN_S = 5.0
_FAILURE_COUNTS_S = 10.0
_STUCK = "{:,} listens wait to be folded, and the consumer is stuck; read what 'soundalike consume' logs"
_NO_CONSUMER = "no consumer is running; start one with 'soundalike consume'"


class HealthMonitor:
    """Asks the brokers every few seconds, in a thread of its own, and remembers the answer.

    Parameters
    ----------
    clients : KafkaClients
        Makes the client that asks.
    appending : CircuitBreaker
        Knows whether the last attempt to append failed; its clock is `time.monotonic`.
    """

    def __init__(self, clients: KafkaClients, appending: CircuitBreaker[EventLogError]) -> None:
        self._clients = clients
        self._appending = appending
        self._known = LogHealth()
        self._asked_s = 0.0
        self._lag = ConsumerLag(clients)
        self._has_seen_topic = False
        self._is_closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="kafka health", daemon=True)
        self._thread.start()

    @property
    def health(self) -> LogHealth:
        """The brokers' last answer, and what the last attempt to append failed at.

        A failed append counts for a while although the brokers answer: they may refuse records all the same.
        Not for ever, since nobody might try again and find that they are back.
        """
        known, failure = self._known, self._appending.failure
        if failure is None or not known.is_up:
            return known
        error, failed_s = failure
        if self._asked_s - failed_s > _FAILURE_COUNTS_S:
            return known
        return LogHealth(is_up=False, is_consumed=known.is_consumed, detail=str(error))

    def close(self) -> None:
        """End the thread."""
        self._is_closed.set()
        self._thread.join(_JOIN_S)  # it may be waiting for the brokers

    def _run(self) -> None:
        admin: AdminClient | None = None
        while True:
            try:
                if admin is None:  # a client is false, whatever its state
                    admin = self._clients.admin()
                asked_s = time.monotonic()
                self._known = self._ask(admin)
                self._asked_s = asked_s
            except Exception as error:  # noqa: BLE001 - whatever it is, the health has to show it
                self._known = LogHealth(is_up=False, is_consumed=False, detail=str(error))
                _log.debug("asking Kafka for its health failed", exc_info=True)
            if self._is_closed.wait(_EVERY_S):
                return

    def _ask(self, admin: AdminClient) -> LogHealth:
        address = self._clients.address
        if find_partitions(self._clients, admin, address.topic, timeout_s=_TIMEOUT_S) is None:
            self._create_again()
        self._has_seen_topic = True
        self._clients.errors.forget()
        asked = admin.describe_consumer_groups([address.group], request_timeout=_TIMEOUT_S)
        try:
            group: ConsumerGroupDescription = answer_of(asked[address.group], timeout_s=_TIMEOUT_S)
        except KafkaException as error:
            if error.args[0].code() == KafkaError.GROUP_ID_NOT_FOUND:
                return LogHealth(is_consumed=False, detail=_NO_CONSUMER)
            # A user who may append need not be allowed to describe groups; then nothing is known.
            _log.debug("the group %r cannot be described: %s", address.group, error)
            return LogHealth()
        if not _is_at_work(group, address.topic):
            return LogHealth(is_consumed=False, detail=_NO_CONSUMER)
        stuck = self._stuck(admin)
        return LogHealth(is_consumed=False, detail=_STUCK.format(stuck)) if stuck else LogHealth()

    def _create_again(self) -> None:
        """Create the topic before a broker does, with settings by which it would forget records."""
        prepare_topics(self._clients)
        if self._has_seen_topic:
            _log.warning(
                "the topic %r was gone from Kafka with all its records; an empty one was created. What was "
                "folded is in the store",
                self._clients.address.topic,
            )

    def _stuck(self, admin: AdminClient) -> int:
        try:
            return self._lag.stuck(admin, timeout_s=_TIMEOUT_S, now_s=time.monotonic())
        except (KafkaException, EventLogError) as error:
            _log.debug("the lag of %r cannot be read: %s", self._clients.address.group, error)
            return 0


def _is_at_work(group: ConsumerGroupDescription, topic: str) -> bool:
    """Whether a member of the group has partitions of a topic, or they are being assigned now."""
    if group.state in {
        ConsumerGroupState.PREPARING_REBALANCING,
        ConsumerGroupState.COMPLETING_REBALANCING,
    }:
        return bool(group.members)
    assigned = (partition for member in group.members for partition in member.assignment.topic_partitions)
    return any(partition.topic == topic for partition in assigned)
