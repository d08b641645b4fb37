"""librdkafka's errors in our words."""

from collections.abc import Mapping
from dataclasses import dataclass

from confluent_kafka import KafkaError, KafkaException

from soundalike.domain.errors import EventLogError, LogUnreachableError
from soundalike.events.kafka.address import KafkaAddress

_SECRETS = ("password", "secret", "key", "token", "sasl", "ssl", "jaas", "username")


@dataclass(frozen=True, slots=True)
class _Cause:
    """What an error code means.

    Parameters
    ----------
    message : str
        With ``{kafka}``, and ``{action}`` for what could not be done.
    is_permanent : bool
        Whether someone has to change something; otherwise trying again helps.
    is_of_connection : bool
        Whether it explains later time-outs: librdkafka reports it once, while a client is polled.
    """

    message: str
    is_permanent: bool = False
    is_of_connection: bool = False


def _connection(message: str) -> _Cause:
    return _Cause("{kafka} " + message, is_permanent=True, is_of_connection=True)


_FORBIDDEN = _Cause(
    "{kafka} does not allow this user to {action}: grant it, or name another user in [kafka]",
    is_permanent=True,
)
_NO_TOPIC = _Cause("{kafka} no longer has the topic: cannot {action}")
_REBALANCING = _Cause("{kafka} is reassigning the partitions: cannot {action} for a moment")

# Names that begin with _ are public: they are librdkafka's own codes.
_CAUSES: Mapping[int | None, _Cause] = {
    KafkaError._AUTHENTICATION: _connection(  # noqa: SLF001 - see above
        'rejects the credentials: check "security.protocol", "sasl.mechanism", "sasl.username" and '
        '"sasl.password" in [kafka]'
    ),
    KafkaError._SSL: _connection(  # noqa: SLF001 - see above
        'does not accept our TLS: check "security.protocol" and "ssl.ca.location" in [kafka]'
    ),
    KafkaError._RESOLVE: _connection("has an unknown host name; check the host in --events"),  # noqa: SLF001 - see above
    KafkaError.TOPIC_AUTHORIZATION_FAILED: _FORBIDDEN,
    KafkaError.GROUP_AUTHORIZATION_FAILED: _FORBIDDEN,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED: _FORBIDDEN,
    KafkaError._UNKNOWN_TOPIC: _NO_TOPIC,  # noqa: SLF001 - see above
    KafkaError._UNKNOWN_PARTITION: _NO_TOPIC,  # noqa: SLF001 - see above
    KafkaError.UNKNOWN_TOPIC_OR_PART: _NO_TOPIC,
    KafkaError.ILLEGAL_GENERATION: _REBALANCING,
    KafkaError.UNKNOWN_MEMBER_ID: _REBALANCING,
    KafkaError.REBALANCE_IN_PROGRESS: _REBALANCING,
}


class KafkaErrors:
    """Translates errors, and remembers why connections fail.

    Parameters
    ----------
    address : KafkaAddress
        Which brokers they are about.
    properties : mapping of str to str
        Their secrets are removed from every text.
    """

    def __init__(self, address: KafkaAddress, properties: Mapping[str, str]) -> None:
        self._address = address
        self._secrets = [
            value
            for name, value in properties.items()
            if value and any(part in name.lower() for part in _SECRETS)
        ]
        self._connection_error: KafkaError | None = None
        self._last_detail = ""

    def note(self, error: KafkaError) -> None:
        """Remember why connections fail; librdkafka calls it while a client is polled."""
        cause = _CAUSES.get(error.code())
        if cause is not None and cause.is_of_connection:
            self._connection_error = error
        elif error.code() == KafkaError._TRANSPORT:  # noqa: SLF001 - public, for all its name
            self._last_detail = self.without_secrets(error)

    def forget(self) -> None:
        """Forget why connections failed: one has succeeded."""
        self._connection_error = None
        self._last_detail = ""

    def translate(self, error: KafkaError | KafkaException, action: str) -> EventLogError:
        """Return an error of ours for one of librdkafka's.

        Parameters
        ----------
        error : KafkaError or KafkaException
            What it raised or reported.
        action : str
            What could not be done, such as ``"append listens"``.

        Returns
        -------
        EventLogError
            A `LogUnreachableError` where trying again may help.
        """
        found = error.args[0] if isinstance(error, KafkaException) else error
        if self._connection_error is not None and _cause(found) is not _FORBIDDEN:
            found = self._connection_error
        cause, detail = _cause(found), self.without_secrets(found)
        if cause is not None:
            message = cause.message.format(kafka=self._address, action=action)
            return EventLogError(message) if cause.is_permanent else LogUnreachableError(message)
        if isinstance(found, KafkaError) and found.code() > 0:  # a broker's own answer
            return LogUnreachableError(f"{self._address} refuses to {action} ({detail})")
        detail = self._last_detail or detail
        return LogUnreachableError(f"{self._address} does not answer: cannot {action} ({detail})")

    def without_secrets(self, error: object) -> str:
        """Return an error's text without the value of any property that might be a secret."""
        text = text_of(error)
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text


def is_forbidden(error: KafkaException) -> bool:
    """Whether the brokers do not allow this user to ask."""
    return _cause(error.args[0]) is _FORBIDDEN


def text_of(error: object) -> str:
    """Return an error's text."""
    return error.str() if isinstance(error, KafkaError) else str(error)


def _cause(error: object) -> _Cause | None:
    return _CAUSES.get(error.code()) if isinstance(error, KafkaError) else None
