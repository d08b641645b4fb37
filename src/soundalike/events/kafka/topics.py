"""The topics of a log: made where they are missing, refused where they would forget.

Replaying the log rebuilds everything, so it must keep everything, and a user's order rests on the number
of partitions, which therefore is settled before anything is in them.
"""

import logging
import time
from collections.abc import Mapping

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its types say less than it exports
    AdminClient,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
    TopicMetadata,
)

from soundalike.domain.errors import EventLogError
from soundalike.events.kafka.address import DEFAULT_PARTITIONS, KafkaAddress
from soundalike.events.kafka.clients import KafkaClients

_log = logging.getLogger(__name__)

_TIMEOUT_S = 5.0
_RETRY_S = 0.05
_BROKERS_OWN = -1
_FEWEST = 2
_KEEPS_ALL = {"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"}
_CONFIG = {**_KEEPS_ALL, "message.timestamp.type": "CreateTime"}


def prepare_topics(clients: KafkaClients) -> None:
    """Make the topics of listens and of dead letters, or see that they will do.

    Raises
    ------
    EventLogError
        If they will not, or if nobody could be asked.
    """
    address, admin = clients.address, clients.admin()
    for topic, partitions in (
        (address.topic, address.partitions or DEFAULT_PARTITIONS),
        (address.dead_letters, 1),
    ):
        if find_topic(clients, admin, topic) is None:
            _make(clients, admin, topic, partitions)
    for topic, fewest in ((address.topic, address.partitions or _FEWEST), (address.dead_letters, 1)):
        _look_at(clients, admin, topic, fewest)
    clients.forget_error()


def check(address: KafkaAddress, properties: Mapping[str, str]) -> str:
    """Look at brokers and topics without changing anything; return what is there in one line.

    Raises
    ------
    SettingsError
        If a property may not be set, or is none.
    EventLogError
        That says what is wrong: not reachable, not let in, a topic that is missing or will not do.
    """
    clients = KafkaClients(address, properties)
    admin = clients.admin()
    found = find_topic(clients, admin, address.topic)
    if found is None:
        msg = (
            f"Kafka at {address.bootstrap} answers, but has no topic {address.topic!r} that we can see; "
            "'soundalike serve' creates it"
        )
        raise EventLogError(msg)
    _look_at(clients, admin, address.topic, address.partitions or _FEWEST)
    if find_topic(clients, admin, address.dead_letters) is not None:
        _look_at(clients, admin, address.dead_letters, 1)
    return f"topic {address.topic!r} of {len(found.partitions)} partitions at {address.bootstrap}"


def find_topic(
    clients: KafkaClients, admin: AdminClient, topic: str, *, timeout_s: float = _TIMEOUT_S
) -> TopicMetadata | None:
    """Return a topic's partitions, None where there is no such topic.

    Raises
    ------
    EventLogError
        If nobody can be asked, or they do not tell.
    """
    try:
        # All of them: to ask for one by name makes it, on brokers that make topics by themselves.
        metadata = admin.list_topics(timeout=timeout_s)
    except KafkaException as error:
        admin.poll(0)  # hears why connections failed
        raise clients.told(error) from error
    found = metadata.topics.get(topic)
    if found is None or (found.error is None and not found.partitions):
        return None
    if found.error is None:
        return found
    if found.error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
        return None
    if found.error.code() == KafkaError.LEADER_NOT_AVAILABLE:  # it is just being made
        return found
    raise clients.told(found.error, f"look at the topic {topic!r}")


def _make(clients: KafkaClients, admin: AdminClient, topic: str, partitions: int) -> None:
    replication = clients.address.replication or _BROKERS_OWN
    wanted = NewTopic(topic, num_partitions=partitions, replication_factor=replication, config=_CONFIG)
    try:
        admin.create_topics([wanted], request_timeout=_TIMEOUT_S)[topic].result()
    except KafkaException as error:
        found = error.args[0]
        if found.code() != KafkaError.TOPIC_ALREADY_EXISTS:  # another process was faster
            raise _not_made(clients, found, topic) from error
    else:
        _log.info("made the topic %r of %d partitions", topic, partitions)
    deadline = time.monotonic() + _TIMEOUT_S
    while not _has_leaders(find_topic(clients, admin, topic)):
        if time.monotonic() > deadline:
            msg = f"the topic {topic!r} was made, but no broker leads it; look at the brokers' logs"
            raise EventLogError(msg)
        time.sleep(_RETRY_S)


def _not_made(clients: KafkaClients, error: KafkaError, topic: str) -> EventLogError:
    if error.code() == KafkaError.INVALID_REPLICATION_FACTOR:
        msg = (
            f"the topic {topic!r} cannot be kept on {clients.address.replication} brokers, there are fewer; "
            "ask for less after ?replication= in --events"
        )
        return EventLogError(msg)
    return clients.told(error, f"make the topic {topic!r}")


def _has_leaders(topic: TopicMetadata | None) -> bool:
    return (
        topic is not None and bool(topic.partitions) and all(p.leader >= 0 for p in topic.partitions.values())
    )


def _look_at(clients: KafkaClients, admin: AdminClient, topic: str, fewest: int) -> None:
    """Raise where a topic has too few partitions, or forgets."""
    found = find_topic(clients, admin, topic)
    count = 0 if found is None else len(found.partitions)
    if count < fewest:
        tool = f"kafka-topics.sh --bootstrap-server {clients.address.bootstrap} --topic {topic} --alter"
        msg = (
            f"the topic {topic!r} has {count} partition{'' if count == 1 else 's'}, fewer than {fewest}: "
            f"before anything is in it, run '{tool} --partitions {max(fewest, DEFAULT_PARTITIONS)}'; else "
            f"name another topic, or take it as it is with ?partitions={count or 1} in --events"
        )
        raise EventLogError(msg)
    settings = _settings(clients, admin, topic)
    wrong = [name for name, wanted in _KEEPS_ALL.items() if name in settings and settings[name] != wanted]
    if wrong:
        shown = ", ".join(f"{name}={settings[name]}" for name in wrong)
        mended = ",".join(f"{name}={_KEEPS_ALL[name]}" for name in wrong)
        tool = f"kafka-configs.sh --bootstrap-server {clients.address.bootstrap} --entity-type topics"
        msg = (
            f"the topic {topic!r} forgets ({shown}), but what is in it must be kept for good: run "
            f"'{tool} --entity-name {topic} --alter --add-config {mended}'"
        )
        raise EventLogError(msg)


def _settings(clients: KafkaClients, admin: AdminClient, topic: str) -> dict[str, str]:
    """Return a topic's settings; none where they may not be read."""
    resource = ConfigResource(ResourceType.TOPIC, topic)
    try:
        found: dict[str, ConfigEntry] = admin.describe_configs([resource], request_timeout=_TIMEOUT_S)[
            resource
        ].result()
    except KafkaException as error:
        _log.warning(
            "whether the topic %r keeps everything cannot be seen; see to retention.ms=-1: %s",
            topic,
            clients.told(error, "look at its settings"),
        )
        return {}
    return {name: str(entry.value) for name, entry in found.items() if entry.value is not None}
