"""Properties of librdkafka: those that our promises rest on, and those that users may set."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from soundalike.domain.errors import SettingsError

DELIVERY_TIMEOUT_MS = 5_000

COMMON: Mapping[str, Any] = {
    "client.id": "soundalike",
    "reconnect.backoff.max.ms": 1_000,
    "socket.keepalive.enable": True,
    "log.connection.close": False,
    # Added partitions are read, and new partition leaders found, this soon.
    "topic.metadata.refresh.interval.ms": 10_000,
}
PRODUCER: Mapping[str, Any] = {
    # A broker would create a deleted topic again with its own defaults, and forget records after a week.
    "allow.auto.create.topics": False,
    "enable.idempotence": True,
    "acks": "all",
    # The partitioner of Java's clients, so that other producers choose the same partition for a user.
    "partitioner": "murmur2_random",
    "linger.ms": 1,
    "delivery.timeout.ms": DELIVERY_TIMEOUT_MS,
    "queue.buffering.max.kbytes": 65_536,
}
CONSUMER: Mapping[str, Any] = {
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "auto.offset.reset": "earliest",
    "partition.assignment.strategy": "cooperative-sticky",
    "queued.max.messages.kbytes": 16_384,
    # Others take over the partitions of a killed consumer after this.
    "session.timeout.ms": 10_000,
    # A slow store must not cost a consumer its partitions: the work that it repeats would be as slow.
    "max.poll.interval.ms": 1_800_000,
    "heartbeat.interval.ms": 500,
}

# The values that a user may give, where the property is given at all; none where it is not for the user.
_ALLOWED: Mapping[str, tuple[str, ...]] = {
    "bootstrap.servers": (),
    "metadata.broker.list": (),
    "group.id": (),
    "enable.idempotence": ("true",),
    "allow.auto.create.topics": ("false",),
    "acks": ("all", "-1"),
    "request.required.acks": ("all", "-1"),
    "partitioner": (),
    "transactional.id": (),
    "queuing.strategy": ("fifo",),
    "enable.auto.commit": ("false",),
    "auto.commit.enable": ("false",),
    "enable.auto.offset.store": ("false",),
    "auto.offset.reset": ("earliest",),
    "partition.assignment.strategy": ("cooperative-sticky",),
    "group.protocol": ("classic",),
    "group.instance.id": (),
    "enable.partition.eof": (),
    "isolation.level": (),
}
_IN_THE_URL = ("bootstrap.servers", "metadata.broker.list", "group.id")
_UNKNOWN = re.compile(r'No such configuration property: "(.*)"', re.DOTALL)
_INVALID = re.compile(r'(Invalid value) ".*"( for configuration property)', re.DOTALL)


def check_properties(properties: Mapping[str, str]) -> None:
    """Check that no property would break a promise of the log.

    Raises
    ------
    SettingsError
        If one would.
    """
    for name, value in properties.items():
        allowed = _ALLOWED.get(name)
        if allowed is None or value.lower() in allowed:
            continue
        if name in _IN_THE_URL:
            msg = f"settings: {name} must not be set in [kafka]; it is part of the URL in --events"
        elif allowed:
            msg = f"settings: {name} in [kafka] can only be {allowed[0]}; otherwise listens could be lost"
        else:
            msg = f"settings: {name} must not be set in [kafka]: the order or safety of listens depends on it"
        raise SettingsError(msg)


def invalid_property(text: str, *, shown: str, names: Iterable[str]) -> SettingsError:
    """Return an error for a property that librdkafka does not accept.

    Parameters
    ----------
    text : str
        What librdkafka says.
    shown : str
        The same without secrets.
    names : iterable of str
        The names of the user's properties, in their order.
    """
    unknown = _UNKNOWN.match(text)
    if unknown is None:
        why = _INVALID.sub(r"\1\2", shown)
        return SettingsError(f"settings: a property in [kafka] is not accepted: {why}")
    # The name is not shown: it may be the rest of a password with a ; in an environment variable.
    numbers = [
        number
        for number, name in enumerate(names, 1)
        if name.removeprefix("topic.") == unknown[1].removeprefix("topic.")
    ]
    which = f"name number {numbers[0]}" if numbers else "a name"
    return SettingsError(
        f"settings: {which} in the setting 'kafka' is not a property of librdkafka; it is not shown here. "
        f"A value with ; in it must be written into the table [kafka] in soundalike.toml"
    )
