"""The health of a log in Kafka, known before anyone asks for it."""

import logging
import threading
import time
from collections.abc import Sequence

from confluent_kafka import ConsumerGroupState, KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its types say less than it exports
    AdminClient,
    ListConsumerGroupsResult,
)

from soundalike.domain.circuit_breaker import CircuitBreaker
from soundalike.domain.errors import EventLogError
from soundalike.domain.ports.listening import LogHealth
from soundalike.events.kafka.clients import KafkaClients, answer_of
from soundalike.events.kafka.errors import is_forbidden
from soundalike.events.kafka.lag import ConsumerLag
from soundalike.events.kafka.topics import find_partitions, prepare_topics

_log = logging.getLogger(__name__)

_EVERY_S = 2.0
_TIMEOUT_S = 2.0
_JOIN_S = 5.0
_STUCK_S = 20.0
_FAILURE_COUNTS_S = 10.0
_STUCK = "{:,} listens wait to be folded, and the consumer is stuck; read what 'soundalike consume' logs"
_NO_CONSUMER = "no consumer is running; start one with 'soundalike consume'"
_AT_WORK = {
    ConsumerGroupState.STABLE,
    ConsumerGroupState.PREPARING_REBALANCING,
    ConsumerGroupState.COMPLETING_REBALANCING,
}


class HealthMonitor:
    """Asks the brokers every few seconds, in a thread of its own, and remembers the answer.

    Where librdkafka does not come back from a question, another thread asks with clients of its own.

    Parameters
    ----------
    clients : KafkaClients
        Makes the clients that ask.
    appending : CircuitBreaker
        Knows whether the last attempt to append failed; its clock is `time.monotonic`.
    """

    def __init__(self, clients: KafkaClients, appending: CircuitBreaker[EventLogError]) -> None:
        self._clients = clients
        self._appending = appending
        self._known = LogHealth()
        self._consuming = LogHealth()
        self._asked_s = 0.0
        self._has_seen_topic = False
        self._is_closed = threading.Event()
        self._lock = threading.Lock()
        self._start()

    @property
    def health(self) -> LogHealth:
        """The brokers' last answer, and what the last attempt to append failed at.

        A failed append counts for a while although the brokers answer: they may refuse records all the same.
        Not for ever, since nobody might try again and find that they are back.
        """
        with self._lock:
            if time.monotonic() - self._turn_s > _STUCK_S and not self._is_closed.is_set():
                self._start()
        known, failure = self._known, self._appending.failure
        if failure is None or not known.is_up:
            return known
        error, failed_s = failure
        if self._asked_s - failed_s > _FAILURE_COUNTS_S:
            return known
        return LogHealth(is_up=False, is_consumed=known.is_consumed, detail=str(error))

    def close(self) -> None:
        """End the thread."""
        with self._lock:
            self._is_closed.set()
        self._thread.join(_JOIN_S)  # it may be waiting for the brokers

    def _start(self) -> None:
        self._turn_s = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="kafka health", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        clients: tuple[AdminClient, ConsumerLag] | None = None
        while True:
            asked_s = time.monotonic()
            try:
                clients = clients or (self._clients.admin(), ConsumerLag(self._clients))
                known = self._ask(*clients)
            except Exception as error:  # noqa: BLE001 - whatever it is, the health has to show it
                known = LogHealth(is_up=False, is_consumed=False, detail=str(error))
                _log.debug("asking Kafka for its health failed", exc_info=True)
            if self._thread is not threading.current_thread():
                break
            self._known, self._asked_s = known, asked_s
            if self._is_closed.wait(_EVERY_S):
                break
            self._turn_s = time.monotonic()
        if clients is not None:
            clients[1].close()

    def _ask(self, admin: AdminClient, lag: ConsumerLag) -> LogHealth:
        address = self._clients.address
        found = find_partitions(self._clients, admin, address.topic, timeout_s=_TIMEOUT_S)
        if found is None:
            self._create_again()
        self._has_seen_topic = True
        self._clients.errors.forget()
        try:
            self._consuming = self._ask_group(admin, lag, [one.id for one in found or ()])
        except KafkaException as error:
            _log.debug("the group %r cannot be seen: %s", address.group, error)
            # A user who may append need not be allowed to see groups; then nothing is known. Whatever else
            # it is, such as a slow answer, says nothing new.
            if is_forbidden(error):
                self._consuming = LogHealth()
        return self._consuming

    def _ask_group(self, admin: AdminClient, lag: ConsumerLag, numbers: Sequence[int]) -> LogHealth:
        if not self._is_at_work(admin):
            lag.committed([0], timeout_s=_TIMEOUT_S)  # raises where the group may not be seen
            return LogHealth(is_consumed=False, detail=_NO_CONSUMER)
        stuck = lag.stuck(admin, numbers, timeout_s=_TIMEOUT_S, now_s=time.monotonic())
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

    def _is_at_work(self, admin: AdminClient) -> bool:
        """Whether the group has members.

        Every broker is asked which groups it coordinates: where librdkafka asks one coordinator, it ends the
        process if the connection to it is lost (its issue 4605).

        Raises
        ------
        KafkaException
            If a broker does not answer that may coordinate it.
        """
        asked = admin.list_consumer_groups(states=_AT_WORK, request_timeout=_TIMEOUT_S)
        found: ListConsumerGroupsResult = answer_of(asked, timeout_s=_TIMEOUT_S)
        is_there = any(one.group_id == self._clients.address.group for one in found.valid or ())
        if not is_there and found.errors:
            raise found.errors[0]
        return is_there
