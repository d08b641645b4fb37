"""Errors of librdkafka are translated: what happened, and what to do."""

import pytest
from confluent_kafka import KafkaError, KafkaException

from soundalike.domain.errors import LogUnreachableError
from soundalike.events.kafka.address import KafkaAddress
from soundalike.events.kafka.errors import KafkaErrors

TIMED_OUT = KafkaError(KafkaError._TIMED_OUT, "timed out")  # noqa: SLF001 - public, for all its name
TRANSPORT = KafkaError(KafkaError._TRANSPORT, "Connection refused")  # noqa: SLF001 - the same
AUTHENTICATION = KafkaError(KafkaError._AUTHENTICATION, "wrong")  # noqa: SLF001 - the same
FORBIDDEN = KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED, "no")


@pytest.fixture
def errors() -> KafkaErrors:
    return KafkaErrors(KafkaAddress.parse("kafka://h/t"), {"sasl.password": "s3cret", "client.id": "us"})


@pytest.mark.parametrize(
    ("error", "message", "may_help_to_try_again"),
    [
        (TIMED_OUT, "Kafka at h:9092 does not answer: cannot append listens (timed out)", True),
        (KafkaException(TIMED_OUT), "does not answer: cannot append listens (timed out)", True),
        (AUTHENTICATION, 'rejects the credentials: check "security.protocol"', False),
        (FORBIDDEN, "does not allow this user to append listens: grant it", False),
        (KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART), "no longer has the topic: cannot append", True),
        (KafkaError(KafkaError.REBALANCE_IN_PROGRESS), "is reassigning the partitions", True),
        (KafkaError(KafkaError.INVALID_MSG, "bad"), "refuses to append listens (bad)", True),
    ],
)
def test_an_error_says_what_failed_and_whether_to_try_again(
    errors: KafkaErrors, error: KafkaError | KafkaException, message: str, *, may_help_to_try_again: bool
) -> None:
    found = errors.translate(error, "append listens")
    assert message in str(found)
    assert isinstance(found, LogUnreachableError) == may_help_to_try_again


def test_a_failed_connection_explains_later_time_outs_until_one_succeeds(errors: KafkaErrors) -> None:
    errors.note(AUTHENTICATION)
    assert "rejects the credentials" in str(errors.translate(TIMED_OUT, "append"))
    assert "does not allow" in str(errors.translate(FORBIDDEN, "append"))
    errors.forget()
    assert "does not answer" in str(errors.translate(TIMED_OUT, "append"))


def test_a_time_out_has_the_detail_of_the_last_connection(errors: KafkaErrors) -> None:
    errors.note(TRANSPORT)
    assert str(errors.translate(TIMED_OUT, "append")).endswith("(Connection refused)")


def test_secrets_are_removed_and_other_properties_are_not(errors: KafkaErrors) -> None:
    assert errors.without_secrets("us: s3cret") == "us: ***"
