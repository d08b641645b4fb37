"""The topics of a log: created where they are missing, rejected where they would delete records.

Everything is rebuilt by replaying the log, so it must keep every record. The order of a user's records
depends on the number of partitions, so that is settled before anything is in them.
"""

import logging
import time
from collections.abc import Mapping, Sequence

from confluent_kafka import KafkaError, KafkaException, TopicCollection, TopicPartitionInfo
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its types say less than it exports
    AdminClient,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
    TopicDescription,
)

from soundalike.domain.counts import counted
from soundalike.domain.errors import EventLogError
from soundalike.events.kafka.address import DEFAULT_PARTITIONS, KafkaAddress
from soundalike.events.kafka.clients import KafkaClients, answer_of

_log = logging.getLogger(__name__)

_TIMEOUT_S = 5.0
_RETRY_S = 0.05
_BROKERS_DEFAULT = -1
_MIN_PARTITIONS = 2
_KEEP_ALL = {"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"}
_NOT_SEEN = {KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError.TOPIC_AUTHORIZATION_FAILED}
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
        if find_partitions(clients, admin, topic) is None:
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
    found = find_partitions(clients, admin, address.topic)
    if found is None:
        msg = (
            f"{address} answers, but has no topic {address.topic!r} that this user may see; "
            "'soundalike serve' creates it"
        )
        raise EventLogError(msg)
    _check_topic(clients, admin, address.topic, address.partitions or _MIN_PARTITIONS)
    if find_partitions(clients, admin, address.dead_letters) is not None:
        _check_topic(clients, admin, address.dead_letters, 1)
    return f"topic {address.topic!r} of {len(found)} partitions at {address.bootstrap}"


def find_partitions(
    clients: KafkaClients, admin: AdminClient, topic: str, *, timeout_s: float = _TIMEOUT_S
) -> Sequence[TopicPartitionInfo] | None:
    """Return a topic's partitions, or None if there is no such topic that this user may see.

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

    Returns
    -------
    sequence of TopicPartitionInfo or None
        None of them while the topic is being created.

    Raises
    ------
    EventLogError
        If the brokers do not answer, or not this question.
    """
    asked = admin.describe_topics(TopicCollection([topic]), request_timeout=timeout_s)
    try:
        description: TopicDescription = answer_of(asked[topic], timeout_s=timeout_s)
    except KafkaException as error:
        found = error.args[0]
        if found.code() in _NOT_SEEN:
            return None
        if found.code() == KafkaError.LEADER_NOT_AVAILABLE:
            return ()
        admin.poll(0)  # learns why connections failed
        raise clients.errors.translate(error, f"look for the topic {topic!r}") from error
    partitions: Sequence[TopicPartitionInfo] = description.partitions
    return partitions


def _create(clients: KafkaClients, admin: AdminClient, topic: str, partitions: int) -> None:
    replication = clients.address.replication or _BROKERS_DEFAULT
    wanted = NewTopic(topic, num_partitions=partitions, replication_factor=replication, config=_CONFIG)
    try:
        asked = admin.create_topics([wanted], request_timeout=_TIMEOUT_S)
        answer_of(asked[topic], timeout_s=_TIMEOUT_S)
    except KafkaException as error:
        found = error.args[0]
        if found.code() != KafkaError.TOPIC_ALREADY_EXISTS:  # another process was faster
            raise _not_created(clients, found, topic) from error
    else:
        _log.info("created the topic %r with %d partitions", topic, partitions)
    deadline = time.monotonic() + _TIMEOUT_S
    while not _have_leaders(find_partitions(clients, admin, topic)):
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


def _have_leaders(partitions: Sequence[TopicPartitionInfo] | None) -> bool:
    return bool(partitions) and all(one.leader is not None for one in partitions or ())


def _check_topic(clients: KafkaClients, admin: AdminClient, topic: str, least: int) -> None:
    """Raise where a topic has too few partitions, or deletes records."""
    found = find_partitions(clients, admin, topic)
    count = len(found or ())
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
        asked = admin.describe_configs([resource], request_timeout=_TIMEOUT_S)
        found: dict[str, ConfigEntry] = answer_of(asked[resource], timeout_s=_TIMEOUT_S)
    except KafkaException as error:
        _log.warning(
            "cannot check that the topic %r keeps every record; make sure that it has retention.ms=-1: %s",
            topic,
            clients.errors.translate(error, "read its settings"),
        )
        return {}
    return {name: str(entry.value) for name, entry in found.items() if entry.value is not None}
