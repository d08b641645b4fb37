"""Knowing how a log in Kafka is, before anybody asks."""

import logging
import threading
import time
from collections.abc import Callable

from confluent_kafka import ConsumerGroupState, KafkaError, KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its types say less than it exports
    AdminClient,
    ConsumerGroupDescription,
)

from soundalike.domain.errors import SoundalikeError
from soundalike.domain.ports.listening import LogHealth
from soundalike.events.kafka.clients import KafkaClients
from soundalike.events.kafka.lag import ConsumerLag
from soundalike.events.kafka.topics import find_topic, prepare_topics

_log = logging.getLogger(__name__)

_EVERY_S = 2.0
_TIMEOUT_S = 2.0
_JOIN_S = 5.0
_HELD_AGAINST_S = 10.0
_STUCK = "{:,} listens wait to be folded, and the consumer is stuck; look at what 'soundalike consume' says"
_NOBODY = "no consumer is running; start one with 'soundalike consume'"


class HealthMonitor:
    """Asks the brokers every few seconds, in a thread of its own, and keeps what was last known.

    Parameters
    ----------
    clients : KafkaClients
        Makes the client that asks.
    failure : callable
        Returns what the last attempt to append failed at, and when (monotonic, in s); None where it did not.
    """

    def __init__(
        self, clients: KafkaClients, *, failure: Callable[[], tuple[SoundalikeError, float] | None]
    ) -> None:
        self._clients = clients
        self._failure = failure
        self._known = LogHealth()
        self._asked_s = 0.0
        self._lag = ConsumerLag(clients)
        self._has_seen_topic = False
        self._is_closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="kafka health", daemon=True)
        self._thread.start()

    @property
    def health(self) -> LogHealth:
        """How the log was when the brokers were last asked, and when something was last appended.

        What failed counts for a while against brokers that answer: they may take nothing all the same. But
        where nobody tries again, nobody would ever hear that they are back.
        """
        known = self._known
        failure = self._failure()
        if failure is None or not known.is_up:
            return known
        error, failed_s = failure
        if self._asked_s - failed_s > _HELD_AGAINST_S:
            return known
        return LogHealth(is_up=False, is_consumed=known.is_consumed, detail=str(error))

    def close(self) -> None:
        """End the thread."""
        self._is_closed.set()
        self._thread.join(_JOIN_S)  # it may wait for the brokers just now

    def _run(self) -> None:
        admin: AdminClient | None = None
        while True:
            try:
                admin = admin or self._clients.admin()
                asked_s = time.monotonic()
                self._known = self._ask(admin)
                self._asked_s = asked_s
            except Exception as error:  # noqa: BLE001 - whoever asks for the health has to hear it
                self._known = LogHealth(is_up=False, is_consumed=False, detail=str(error))
                _log.debug("watching Kafka failed", exc_info=True)
            if self._is_closed.wait(_EVERY_S):
                return

    def _ask(self, admin: AdminClient) -> LogHealth:
        address = self._clients.address
        if find_topic(self._clients, admin, address.topic, timeout_s=_TIMEOUT_S) is None:
            self._make_anew()
        self._has_seen_topic = True
        self._clients.forget_error()
        asked = admin.describe_consumer_groups([address.group], request_timeout=_TIMEOUT_S)
        try:
            group: ConsumerGroupDescription = asked[address.group].result()
        except KafkaException as error:
            if error.args[0].code() == KafkaError.GROUP_ID_NOT_FOUND:
                return LogHealth(is_consumed=False, detail=_NOBODY)
            # Who may append need not be allowed to look at groups; nothing is known then.
            _log.debug("the group %r cannot be looked at: %s", address.group, error)
            return LogHealth()
        if not _is_at_work(group, address.topic):
            return LogHealth(is_consumed=False, detail=_NOBODY)
        behind = self._behind(admin)
        return LogHealth(is_consumed=False, detail=_STUCK.format(behind)) if behind else LogHealth()

    def _make_anew(self) -> None:
        """Make the topic before anything is appended to one that would forget."""
        prepare_topics(self._clients)
        if self._has_seen_topic:
            _log.warning(
                "the topic %r was gone from Kafka with all that stood in it; an empty one is made. What was "
                "folded is in the store",
                self._clients.address.topic,
            )

    def _behind(self, admin: AdminClient) -> int:
        try:
            return self._lag.behind(admin, timeout_s=_TIMEOUT_S, now_s=time.monotonic())
        except KafkaException as error:
            _log.debug("the progress of %r cannot be looked at: %s", self._clients.address.group, error)
            return 0


def _is_at_work(group: ConsumerGroupDescription, topic: str) -> bool:
    """Whether some member holds partitions of a topic, or they are just being shared out."""
    if group.state in {
        ConsumerGroupState.PREPARING_REBALANCING,
        ConsumerGroupState.COMPLETING_REBALANCING,
    }:
        return bool(group.members)
    held = (partition for member in group.members for partition in member.assignment.topic_partitions)
    return any(partition.topic == topic for partition in held)
