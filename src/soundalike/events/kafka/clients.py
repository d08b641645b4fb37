"""Clients of Kafka with the properties that our promises rest on, and their errors in words of ours.

librdkafka writes to the C-level stderr unless it is given a logger, and repeats itself several times a
second while a broker is away: its lines go to a logger of their own, at the level for debugging; whoever
uses a client says once what they come to.
"""

import logging
import re
import threading
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient

from soundalike.domain.errors import EventLogError, LogUnreachableError, SettingsError
from soundalike.events.kafka.address import KafkaAddress

DELIVERY_TIMEOUT_MS = 5_000

_CLOSE_S = 10.0

Client = TypeVar("Client", Producer, Consumer, AdminClient)

_library_log = logging.getLogger(__name__ + ".librdkafka")

# What each may be, where it is set at all; nothing where it is not for the user to set.
_BOUND: Mapping[str, tuple[str, ...]] = {
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

_COMMON: Mapping[str, Any] = {
    "client.id": "soundalike",
    "reconnect.backoff.max.ms": 1_000,
    "socket.keepalive.enable": True,
    "log.connection.close": False,
    # So soon partitions that were added are read, and others that lead them are found.
    "topic.metadata.refresh.interval.ms": 10_000,
}
_PRODUCER: Mapping[str, Any] = {
    # A broker would make a topic that was deleted with its own defaults: to be forgotten after a week.
    "allow.auto.create.topics": False,
    "enable.idempotence": True,
    "acks": "all",
    # As Java's clients do, so that other producers put a user into the same partition.
    "partitioner": "murmur2_random",
    "linger.ms": 1,
    "delivery.timeout.ms": DELIVERY_TIMEOUT_MS,
    "queue.buffering.max.kbytes": 65_536,
}
_CONSUMER: Mapping[str, Any] = {
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "auto.offset.reset": "earliest",
    "partition.assignment.strategy": "cooperative-sticky",
    "queued.max.messages.kbytes": 16_384,
    # What a consumer held that was killed is folded by others after this, and what changes hands soon.
    "session.timeout.ms": 10_000,
    # A slow store must not cost a consumer its place: what it then does again would be as slow.
    "max.poll.interval.ms": 1_800_000,
    "heartbeat.interval.ms": 500,
}

# What tells more than that nobody answers.
_TELLING = (KafkaError._AUTHENTICATION, KafkaError._SSL, KafkaError._RESOLVE)  # noqa: SLF001 - public, for all its name
_FORBIDDEN = (
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
)
_NO_TOPIC = (
    KafkaError._UNKNOWN_TOPIC,  # noqa: SLF001 - public, for all its name
    KafkaError._UNKNOWN_PARTITION,  # noqa: SLF001 - the same
    KafkaError.UNKNOWN_TOPIC_OR_PART,
)
_SHARING_OUT = (
    KafkaError.ILLEGAL_GENERATION,
    KafkaError.UNKNOWN_MEMBER_ID,
    KafkaError.REBALANCE_IN_PROGRESS,
)
_SENTENCES = (
    (
        (KafkaError._AUTHENTICATION,),  # noqa: SLF001 - public, for all its name
        (
            '{at} does not know who asks: check "security.protocol", "sasl.mechanism", "sasl.username" and '
            '"sasl.password" in [kafka]'
        ),
    ),
    (
        (KafkaError._SSL,),  # noqa: SLF001 - the same
        '{at} speaks no TLS with us: check "security.protocol" and "ssl.ca.location" in [kafka]',
    ),
    (
        (KafkaError._RESOLVE,),  # noqa: SLF001 - the same
        "{at} has an address that nobody knows; check the host in --events",
    ),
    (_FORBIDDEN, "{at} does not let us {that}: grant it to the user in [kafka]"),
    (_NO_TOPIC, "{at} has the topic no more{so}"),
    (_SHARING_OUT, "{at} is sharing out the partitions anew{so} for a moment"),
)
_UNKNOWN = re.compile(r'No such configuration property: "(.*)"', re.DOTALL)
_INVALID = re.compile(r'(Invalid value) ".*"( for configuration property)', re.DOTALL)
_SECRETS = ("password", "secret", "key", "token", "sasl", "ssl", "jaas", "username")


class KafkaClients:
    """Makes clients for one Kafka address.

    Parameters
    ----------
    address : KafkaAddress
        Its brokers.
    properties : mapping of str to str
        librdkafka's own. Never shown.

    Raises
    ------
    SettingsError
        If one of the properties would break what the log promises.
    """

    def __init__(self, address: KafkaAddress, properties: Mapping[str, str]) -> None:
        for name, value in properties.items():
            _refuse(name, value)
        self.address = address
        self._properties = dict(properties)
        self._told: KafkaError | None = None
        self._last = ""

    def producer(self, **more: Any) -> Producer:  # noqa: ANN401 - properties are texts, numbers and callables
        """Make an idempotent producer; somebody has to poll it."""
        return self._make(Producer, _PRODUCER, more)

    def consumer(self, **more: Any) -> Consumer:  # noqa: ANN401 - the same
        """Make a consumer of the group; it commits nothing by itself."""
        return self._make(Consumer, _CONSUMER, {"group.id": self.address.group, **more})

    def admin(self) -> AdminClient:
        """Make a client that asks about topics and groups."""
        return self._make(AdminClient, {}, {})

    def told(self, error: KafkaError | KafkaException, what: str = "") -> EventLogError:
        """Put an error of librdkafka's in words of ours.

        Parameters
        ----------
        what : str
            What could not be done, such as ``"make the topic 'listens'"``.
        """
        found = error.args[0] if isinstance(error, KafkaException) else error
        code = found.code() if isinstance(found, KafkaError) else None
        if self._told is not None and code not in _FORBIDDEN:
            code = self._told.code()
            found = self._told
        is_told = code in {*_TELLING, *_FORBIDDEN}
        kind = EventLogError if is_told else LogUnreachableError
        return kind(self._sentence(code, self.scrubbed(found), what))

    def forget_error(self) -> None:
        """Forget what a connection failed at: another has succeeded."""
        self._told = None
        self._last = ""

    def _make(
        self, client: Callable[..., Client], ours: Mapping[str, Any], more: Mapping[str, Any]
    ) -> Client:
        properties = {**_COMMON, **ours, **self._properties, **more}
        properties |= {"bootstrap.servers": self.address.bootstrap, "error_cb": self._note}
        try:
            return client(properties, logger=_ToLogger())
        except (KafkaException, AttributeError, TypeError, ValueError) as error:
            raise self._refused(error.args[0] if error.args else error) from None

    def _refused(self, found: object) -> SettingsError:
        unknown = _UNKNOWN.match(_text(found))
        if unknown is None:
            why = _INVALID.sub(r"\1\2", self.scrubbed(found))
            return SettingsError(f"settings: a property in [kafka] will not do: {why}")
        # It may be the rest of a password that holds a ; and stood in a variable.
        numbers = [
            number
            for number, name in enumerate(self._properties, 1)
            if name.removeprefix("topic.") == unknown[1].removeprefix("topic.")
        ]
        which = f"name number {numbers[0]}" if numbers else "a name"
        return SettingsError(
            f"settings: {which} in the setting 'kafka' is no property of librdkafka's; it is not shown here. "
            f"A value that holds ; belongs into the table [kafka] in soundalike.toml"
        )

    def _note(self, error: KafkaError) -> None:
        """Remember why connections fail; called while a client is polled."""
        if error.code() in _TELLING:
            self._told = error
        elif error.code() == KafkaError._TRANSPORT:  # noqa: SLF001 - public, for all its name
            self._last = self.scrubbed(error)

    def _sentence(self, code: int | None, detail: str, what: str) -> str:
        at = f"Kafka at {self.address.bootstrap}"
        so = f", so that we cannot {what}" if what else ""
        for codes, sentence in _SENTENCES:
            if code in codes:
                return sentence.format(at=at, so=so, that=what or "do that")
        if code is not None and code > 0:  # a broker's own word
            return f"{at} refuses to let us {what or 'do that'} ({detail})"
        return f"{at} does not answer{so} ({self._last or detail})"

    def scrubbed(self, error: object) -> str:
        """Return an error's text without any property's value that might be a secret."""
        text = _text(error)
        for name, value in self._properties.items():
            if value and any(part in name.lower() for part in _SECRETS):
                text = text.replace(value, "***")
        return text


def _text(error: object) -> str:
    return error.str() if isinstance(error, KafkaError) else str(error)


def close_consumer(consumer: Consumer, *, before: Callable[[], None] = lambda: None) -> bool:
    """Close a consumer; False where that takes too long, and it is left to itself.

    librdkafka may wait for ever while the brokers are away (its issues 3740 and 4519).

    Parameters
    ----------
    before : callable
        What is to be done before, as long as there is time.
    """

    def close() -> None:
        before()
        consumer.close()

    # One that was given up would also wait when it is destroyed; its thread keeps it from that.
    closing = threading.Thread(target=close, name="kafka closing", daemon=True)
    closing.start()
    closing.join(_CLOSE_S)
    return not closing.is_alive()


class _ToLogger:
    """What librdkafka writes, as lines for debugging."""

    def log(self, _level: int, message: str, *arguments: object) -> None:
        _library_log.debug(message, *arguments)


def _refuse(name: str, value: str) -> None:
    allowed = _BOUND.get(name)
    if allowed is None or value.lower() in allowed:
        return
    if name in _IN_THE_URL:
        msg = f"settings: {name} does not belong into [kafka]; it stands in the URL --events"
    elif allowed:
        msg = f"settings: {name} in [kafka] can only be {allowed[0]}: what is acknowledged must not be lost"
    else:
        msg = f"settings: {name} does not belong into [kafka]: the order or safety of listens rests on it"
    raise SettingsError(msg)
