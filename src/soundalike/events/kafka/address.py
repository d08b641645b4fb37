"""The address of a log in Kafka: brokers, topic and how it is created, all from one URL."""

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, urlsplit

from soundalike.domain.errors import SettingsError

DEFAULT_PARTITIONS = 8
DEFAULT_GROUP = "soundalike"
DEAD_LETTERS = ".dead"

_SCHEME = "kafka"
_PORT = 9092
_MAX_PORT = 65_535
_MAX_PARTITIONS = 10_000
_MAX_REPLICATION = 100
_TOPIC = re.compile(r"[a-zA-Z0-9._-]{1,244}", re.ASCII)
_GROUP = re.compile(r"[\x21-\x7e]{1,200}", re.ASCII)
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?|\[[0-9a-f:.%]+\]", re.ASCII | re.IGNORECASE)
_FORM = "kafka://HOST:9092[,HOST:9092]/TOPIC[?partitions=8&replication=3&group=NAME]"


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaAddress:
    """A topic on some brokers, and the consumer group that folds it.

    Parameters
    ----------
    servers : tuple of str
        ``host:port`` of the brokers to connect to first.
    topic : str
        The topic of listens.
    partitions : int or None
        The least number of partitions; None for the defaults.
    replication : int or None
        On how many brokers each is stored, if the topic is created here; None for the brokers' default.
    group : str
        The consumers of one group share the partitions.
    """

    servers: tuple[str, ...]
    topic: str
    partitions: int | None = None
    replication: int | None = None
    group: str = DEFAULT_GROUP

    @property
    def dead_letters(self) -> str:
        """The topic of records that cannot be folded."""
        return self.topic + DEAD_LETTERS

    @property
    def bootstrap(self) -> str:
        """The brokers as Kafka's own tools expect them."""
        return ",".join(self.servers)

    def __str__(self) -> str:
        """Name the brokers in messages."""
        return f"Kafka at {self.bootstrap}"

    @classmethod
    def parse(cls, url: str) -> "KafkaAddress":
        """Read the setting ``events``.

        Raises
        ------
        SettingsError
            If it is malformed. The message never repeats a password in it.
        """
        try:
            parts = urlsplit(url)
        except ValueError:  # brackets that do not match
            msg = "brokers must be HOST:PORT, separated by commas"
            raise _malformed(msg) from None
        _check_form(url, parts)
        topic = parts.path.removeprefix("/")
        if not _TOPIC.fullmatch(topic) or topic in {".", ".."}:
            msg = "a topic must have 1 to 244 letters, digits and . _ -"
            raise _malformed(msg)
        given = _parameters(parts.query)
        return cls(
            servers=tuple(_server(server) for server in parts.netloc.split(",")),
            topic=topic,
            partitions=_count("partitions", given.get("partitions"), _MAX_PARTITIONS),
            replication=_count("replication", given.get("replication"), _MAX_REPLICATION),
            group=_group(given.get("group", DEFAULT_GROUP)),
        )


def _check_form(url: str, parts: SplitResult) -> None:
    # An @ anywhere: a password that was not escaped may contain a /.
    if "@" in url:
        msg = (
            'it must not contain credentials; write "sasl.username" and "sasl.password" '
            "into the table [kafka]"
        )
        raise _malformed(msg)
    if parts.scheme != _SCHEME or "#" in url:
        msg = "it must begin with kafka:// and have no #"
        raise _malformed(msg)


def _server(text: str) -> str:
    bracket = text.find("]")
    host, colon, port = text[bracket + 1 :].partition(":")
    host = text[: bracket + 1] + host
    if not _HOST.fullmatch(host):
        msg = "brokers must be HOST:PORT, separated by commas, with IPv6 addresses in [ ]"
        raise _malformed(msg)
    if not colon:
        return f"{host}:{_PORT}"
    number = _count("a port", port, _MAX_PORT)
    return f"{host}:{number}"


def _parameters(query: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query), max_num_fields=10)
    except ValueError:
        msg = "after ? there must be NAME=VALUE pairs, separated by &"
        raise _malformed(msg) from None
    for name, _ in pairs:
        if name not in {"partitions", "replication", "group"}:
            msg = (
                "only partitions, replication and group may come after ?; "
                "write librdkafka's properties into the table [kafka]"
            )
            raise _malformed(msg)
    given = dict(pairs)
    if len(given) < len(pairs):
        msg = "a parameter after ? is given twice"
        raise _malformed(msg)
    return given


def _count(name: str, text: str | None, most: int) -> int | None:
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,5}", text, re.ASCII) or not 1 <= int(text) <= most:
        msg = f"{name} must be a whole number from 1 to {most}"
        raise _malformed(msg)
    return int(text)


def _group(text: str) -> str:
    if not _GROUP.fullmatch(text):
        msg = "a group must have 1 to 200 printable ASCII characters without spaces"
        raise _malformed(msg)
    return text


def _malformed(why: str) -> SettingsError:
    return SettingsError(f"settings: events: {why}; write {_FORM}")
