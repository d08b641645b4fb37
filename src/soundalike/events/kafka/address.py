"""Where a log in Kafka is: brokers, topic and how it is made, all from one URL."""

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
    """A topic on some brokers, and the group that folds it.

    Parameters
    ----------
    servers : tuple of str
        ``host:port`` of brokers to begin with.
    topic : str
        Where listens stand.
    partitions : int or None
        How many it has at least, where that was asked for.
    replication : int or None
        On how many brokers each is kept, where it is made here; None leaves it to the broker.
    group : str
        Consumers of this group share the partitions.
    """

    servers: tuple[str, ...]
    topic: str
    partitions: int | None = None
    replication: int | None = None
    group: str = DEFAULT_GROUP

    @property
    def dead_letters(self) -> str:
        """The topic of what cannot be folded."""
        return self.topic + DEAD_LETTERS

    @property
    def bootstrap(self) -> str:
        """The brokers as Kafka's own tools are told them."""
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
            If it is malformed; a password that stands in it is not repeated.
        """
        try:
            parts = urlsplit(url)
        except ValueError:  # brackets that do not match
            msg = "its brokers are HOST:PORT with , between them"
            raise _malformed(msg) from None
        _refuse_strangers(url, parts)
        topic = parts.path.removeprefix("/")
        if not _TOPIC.fullmatch(topic) or topic in {".", ".."}:
            msg = "a topic is 1 to 244 letters, digits and . _ -"
            raise _malformed(msg)
        given = _parameters(parts.query)
        return cls(
            servers=tuple(_server(server) for server in parts.netloc.split(",")),
            topic=topic,
            partitions=_count("partitions", given.get("partitions"), _MAX_PARTITIONS),
            replication=_count("replication", given.get("replication"), _MAX_REPLICATION),
            group=_group(given.get("group", DEFAULT_GROUP)),
        )


def _refuse_strangers(url: str, parts: SplitResult) -> None:
    # An @ may stand anywhere in a password that was not escaped, such as after a / in it.
    if "@" in url:
        msg = (
            'credentials do not belong in it; write "sasl.username" and "sasl.password" '
            "into the table [kafka]"
        )
        raise _malformed(msg)
    if parts.scheme != _SCHEME or "#" in url:
        msg = "nothing stands before kafka:// nor after #"
        raise _malformed(msg)


def _server(text: str) -> str:
    bracket = text.find("]")
    host, colon, port = text[bracket + 1 :].partition(":")
    host = text[: bracket + 1] + host
    if not _HOST.fullmatch(host):
        msg = "its brokers are HOST:PORT with , between them, an IPv6 address in [ ]"
        raise _malformed(msg)
    if not colon:
        return f"{host}:{_PORT}"
    number = _count("a port", port, _MAX_PORT)
    return f"{host}:{number}"


def _parameters(query: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query), max_num_fields=10)
    except ValueError:
        msg = "after ? stand NAME=VALUE with & between them"
        raise _malformed(msg) from None
    for name, _ in pairs:
        if name not in {"partitions", "replication", "group"}:
            msg = (
                "only partitions, replication and group are known after ?; "
                "librdkafka's properties belong into the table [kafka]"
            )
            raise _malformed(msg)
    given = dict(pairs)
    if len(given) < len(pairs):
        msg = "something stands twice after ?"
        raise _malformed(msg)
    return given


def _count(name: str, text: str | None, most: int) -> int | None:
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,5}", text, re.ASCII) or not 1 <= int(text) <= most:
        msg = f"{name} is a whole number of 1 to {most}"
        raise _malformed(msg)
    return int(text)


def _group(text: str) -> str:
    if not _GROUP.fullmatch(text):
        msg = "a group is 1 to 200 printable ASCII characters without blanks"
        raise _malformed(msg)
    return text


def _malformed(why: str) -> SettingsError:
    return SettingsError(f"settings: events: {why}; write {_FORM}")
