"""The topics of a log: created where they are missing, rejected where they would delete records.

Everything is rebuilt by replaying the log, so it must keep every record. The order of a user's records
depends on the number of partitions, so that is settled before anything is in them.
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

from soundalike.domain.counts import counted
from soundalike.domain.errors import EventLogError
from soundalike.events.kafka.address import DEFAULT_PARTITIONS, KafkaAddress
from soundalike.events.kafka.clients import KafkaClients

_log = logging.getLogger(__name__)

_TIMEOUT_S = 5.0
_RETRY_S = 0.05
_BROKERS_DEFAULT = -1
_MIN_PARTITIONS = 2
_KEEP_ALL = {"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"}
_CONFIG = {**_KEEP_ALL, "message.timestamp.type": "CreateTime"}


def prepare_topics(clients: KafkaClients) -> None:
    """Create the topics of listens and of dead letters, or check that they keep every record.

    Raises
    ------
    EventLogError
        If they do not, or if the brokers do not answer.
    """
    address, admin = clients.address, clients.admin()
    for topic, partitions in (
        (address.topic, address.partitions or DEFAULT_PARTITIONS),
        (address.dead_letters, 1),
    ):
        if find_topic(clients, admin, topic) is None:
            _create(clients, admin, topic, partitions)
    for topic, least in ((address.topic, address.partitions or _MIN_PARTITIONS), (address.dead_letters, 1)):
        _check_topic(clients, admin, topic, least)
    clients.errors.forget()


def check(address: KafkaAddress, properties: Mapping[str, str]) -> str:
    """Check brokers and topics without changing anything; return what is there in one line.

    Parameters
    ----------
    address : KafkaAddress
        Brokers and topic.
    properties : mapping of str to str
        librdkafka's own.

    Raises
    ------
    SettingsError
        If a property may not be set, or does not exist.
    EventLogError
        If the brokers do not answer or reject the user, or a topic is missing or would delete records.
    """
    clients = KafkaClients(address, properties)
    admin = clients.admin()
    found = find_topic(clients, admin, address.topic)
    if found is None:
        msg = (
            f"{address} answers, but has no topic {address.topic!r} that this user may see; "
            "'soundalike serve' creates it"
        )
        raise EventLogError(msg)
    _check_topic(clients, admin, address.topic, address.partitions or _MIN_PARTITIONS)
    if find_topic(clients, admin, address.dead_letters) is not None:
        _check_topic(clients, admin, address.dead_letters, 1)
    return f"topic {address.topic!r} of {len(found.partitions)} partitions at {address.bootstrap}"


def find_topic(
    clients: KafkaClients, admin: AdminClient, topic: str, *, timeout_s: float = _TIMEOUT_S
) -> TopicMetadata | None:
    """Return a topic's partitions, or None if there is no such topic.

    Parameters
    ----------
    clients : KafkaClients
        Translates errors.
    admin : AdminClient
        Asks the brokers.
    topic : str
        Its name.
    timeout_s : float
        How long to wait for an answer, in s.

    Raises
    ------
    EventLogError
        If the brokers do not answer, or not this question.
    """
    try:
        # All topics: brokers with auto.create.topics.enable create one that is asked for by name.
        metadata = admin.list_topics(timeout=timeout_s)
    except KafkaException as error:
        admin.poll(0)  # learns why connections failed
        raise clients.errors.translate(error, f"look for the topic {topic!r}") from error
    found = metadata.topics.get(topic)
    if found is None or (found.error is None and not found.partitions):
        return None
    if found.error is None:
        return found
    if found.error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
        return None
    if found.error.code() == KafkaError.LEADER_NOT_AVAILABLE:  # it is being created
        return found
    raise clients.errors.translate(found.error, f"read the topic {topic!r}")


def _create(clients: KafkaClients, admin: AdminClient, topic: str, partitions: int) -> None:
    replication = clients.address.replication or _BROKERS_DEFAULT
    wanted = NewTopic(topic, num_partitions=partitions, replication_factor=replication, config=_CONFIG)
    try:
        admin.create_topics([wanted], request_timeout=_TIMEOUT_S)[topic].result()
    except KafkaException as error:
        found = error.args[0]
        if found.code() != KafkaError.TOPIC_ALREADY_EXISTS:  # another process was faster
            raise _not_created(clients, found, topic) from error
    else:
        _log.info("created the topic %r with %d partitions", topic, partitions)
    deadline = time.monotonic() + _TIMEOUT_S
    while not _has_leaders(find_topic(clients, admin, topic)):
        if time.monotonic() > deadline:
            msg = (
                f"the topic {topic!r} was created, but its partitions have no leader; read the brokers' logs"
            )
            raise EventLogError(msg)
        time.sleep(_RETRY_S)


def _not_created(clients: KafkaClients, error: KafkaError, topic: str) -> EventLogError:
    if error.code() == KafkaError.INVALID_REPLICATION_FACTOR:
        msg = (
            f"the topic {topic!r} needs {clients.address.replication} brokers, but there are fewer; "
            "give a smaller ?replication= in --events"
        )
        return EventLogError(msg)
    return clients.errors.translate(error, f"create the topic {topic!r}")


def _has_leaders(topic: TopicMetadata | None) -> bool:
    return (
        topic is not None and bool(topic.partitions) and all(p.leader >= 0 for p in topic.partitions.values())
    )


def _check_topic(clients: KafkaClients, admin: AdminClient, topic: str, least: int) -> None:
    """Raise where a topic has too few partitions, or deletes records."""
    found = find_topic(clients, admin, topic)
    count = 0 if found is None else len(found.partitions)
    if count < least:
        tool = f"kafka-topics.sh --bootstrap-server {clients.address.bootstrap} --topic {topic} --alter"
        msg = (
            f"the topic {topic!r} has {counted(count, 'partition')}, fewer than {least}: "
            f"if it is empty, run '{tool} --partitions {max(least, DEFAULT_PARTITIONS)}'; otherwise "
            f"name another topic, or accept it with ?partitions={count or 1} in --events"
        )
        raise EventLogError(msg)
    settings = _settings(clients, admin, topic)
    wrong = [name for name, wanted in _KEEP_ALL.items() if name in settings and settings[name] != wanted]
    if wrong:
        shown = ", ".join(f"{name}={settings[name]}" for name in wrong)
        repaired = ",".join(f"{name}={_KEEP_ALL[name]}" for name in wrong)
        tool = f"kafka-configs.sh --bootstrap-server {clients.address.bootstrap} --entity-type topics"
        msg = (
            f"the topic {topic!r} deletes records ({shown}), but they must be kept for ever: run "
            f"'{tool} --entity-name {topic} --alter --add-config {repaired}'"
        )
        raise EventLogError(msg)


def _settings(clients: KafkaClients, admin: AdminClient, topic: str) -> dict[str, str]:
    """Return a topic's settings; empty where this user may not read them."""
    resource = ConfigResource(ResourceType.TOPIC, topic)
    try:
        found: dict[str, ConfigEntry] = admin.describe_configs([resource], request_timeout=_TIMEOUT_S)[
            resource
        ].result()
    except KafkaException as error:
        _log.warning(
            "cannot check that the topic %r keeps every record; make sure that it has retention.ms=-1: %s",
            topic,
            clients.errors.translate(error, "read its settings"),
        )
        return {}
    return {name: str(entry.value) for name, entry in found.items() if entry.value is not None}
