"""librdkafka's properties and errors: no promise can be broken, no secret is shown."""

import logging
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any, cast

import pytest
from confluent_kafka import Consumer, KafkaException, Message, Producer
from confluent_kafka.admin import AdminClient

from servers.kafka import Kafka
from servers.processes import free_ports
from soundalike.domain.errors import EventLogError, SettingsError
from soundalike.events.kafka.address import KafkaAddress
from soundalike.events.kafka.clients import KafkaClients, answer_of, read_messages
from soundalike.events.kafka.topics import check

NOWHERE = KafkaAddress.parse("kafka://127.0.0.1:1/t")

# Asks in all ways where no broker answers, with a property that librdkafka warns about.
ASK = """
import logging
import sys
from confluent_kafka import KafkaException
from soundalike.domain.errors import SoundalikeError
from soundalike.events.kafka.log import KafkaLog
from soundalike.events.kafka.clients import KafkaClients
from soundalike.events.kafka.address import KafkaAddress
from soundalike.events.kafka.topics import check

logging.basicConfig(stream=sys.stderr, level=logging.ERROR)
address = KafkaAddress.parse("kafka://127.0.0.1:1/t")
properties = {"max.poll.interval.ms": "300000", "delivery.timeout.ms": "300"}
for wrong in (
    {"security.protocol": "ssl", "ssl.ca.location": "/nowhere"},
    {"security.protocol": "sasl_plaintext", "sasl.mechanism": "PLAIN"},
    {"no.such.property": "1"},
):
    try:
        check(address, properties | wrong)
    except SoundalikeError as error:
        print(error)
log = KafkaLog(address, properties)
log.health()
for attempt in (log.prepare, lambda: check(address, properties), log.entries):
    try:
        attempt()
    except SoundalikeError as error:
        print(error)
consumer = KafkaClients(address, properties).consumer()
consumer.subscribe(["t"])
consumer.poll(1)
consumer.close()
log.close()
"""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("enable.idempotence", "false"),
        ("acks", "1"),
        ("request.required.acks", "0"),
        ("partitioner", "random"),
        ("transactional.id", "x"),
        ("queuing.strategy", "lifo"),
        ("enable.auto.commit", "true"),
        ("auto.commit.enable", "true"),
        ("enable.auto.offset.store", "true"),
        ("auto.offset.reset", "latest"),
        ("partition.assignment.strategy", "range"),
        ("group.protocol", "consumer"),
        ("group.instance.id", "x"),
        ("enable.partition.eof", "true"),
        ("isolation.level", "read_uncommitted"),
        ("bootstrap.servers", "elsewhere:9092"),
        ("metadata.broker.list", "elsewhere:9092"),
        ("group.id", "others"),
    ],
)
def test_a_property_that_would_break_a_promise_is_rejected(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name.replace(".", r"\.")):
        KafkaClients(NOWHERE, {name: value})


@pytest.mark.parametrize(
    "properties",
    [
        {"enable.idempotence": "True", "acks": "all", "enable.auto.commit": "false"},
        {"acks": "-1", "auto.offset.reset": "earliest", "compression.type": "lz4", "linger.ms": "20"},
        {
            "security.protocol": "sasl_ssl",
            "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.username": "ada",
            "sasl.password": "s3cret",
            "ssl.endpoint.identification.algorithm": "https",
        },
    ],
)
def test_other_properties_are_passed_through(
    properties: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Mapping[str, Any]] = []

    def recorded(client: Callable[..., Any]) -> Callable[..., Any]:
        def make(config: Mapping[str, Any], **more: Any) -> Any:
            given.append(config)
            return client(config, **more)

        return make

    for client in (Producer, Consumer, AdminClient):
        monkeypatch.setattr(f"soundalike.events.kafka.clients.{client.__name__}", recorded(client))
    clients = KafkaClients(NOWHERE, properties)
    clients.producer()
    clients.consumer().close()
    clients.admin()
    assert [properties.items() <= config.items() for config in given] == [True] * 3


@pytest.mark.parametrize(
    "properties",
    [
        {"no.such.property": "s3cret"},
        {"security.protocol": "sasl_plaintext", "sasl.mechanism": "s3cret", "sasl.password": "s3cret"},
        {"ssl.key.pem": "s3cret", "security.protocol": "ssl"},
        {"ssl.ca.location": "/s3cret", "security.protocol": "ssl"},
    ],
)
def test_an_invalid_property_is_reported_without_its_value(properties: Mapping[str, str]) -> None:
    clients = KafkaClients(NOWHERE, properties)
    with pytest.raises(SettingsError, match=r"\[kafka\]") as caught:
        clients.producer()
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert "s3cret" not in repr(clients)


@pytest.mark.parametrize(
    ("properties", "which"),
    [
        ({"sasl.password": "ge", "heim": "1"}, "name number 2 in"),
        ({"ge.heim": "1", "linger.ms": "1"}, "name number 1 in"),
        ({"client.id": "x", "sasl.password": "ge", "topic.heim": "1"}, "name number 3 in"),
    ],
)
def test_an_unknown_name_is_not_shown_since_it_may_be_part_of_a_password(
    properties: Mapping[str, str], which: str
) -> None:
    clients = KafkaClients(NOWHERE, properties)
    for make in (clients.producer, clients.consumer, clients.admin):
        with pytest.raises(SettingsError, match=rf"{which} the setting 'kafka'.*\[kafka\]") as caught:
            make()
        assert "heim" not in str(caught.value)


@pytest.mark.parametrize("name", ["security.protocol", "compression.type", "debug"])
def test_an_invalid_value_is_not_repeated(name: str) -> None:
    with pytest.raises(SettingsError, match="Invalid value for configuration property") as caught:
        KafkaClients(NOWHERE, {name: 'ge"heim'}).producer()
    assert "heim" not in str(caught.value)


def test_a_property_that_only_a_program_can_set_is_rejected() -> None:
    with pytest.raises(SettingsError, match=r"a property in \[kafka\] is not accepted"):
        KafkaClients(NOWHERE, {"default.topic.config": "x"}).consumer()


def test_librdkafka_logs_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    secrets = {"sasl.password": "s3cret", "sasl.username": "ada", "ssl.key.password": "s3cret"}
    with caplog.at_level(logging.DEBUG):
        producer = KafkaClients(NOWHERE, secrets | {"debug": "all"}).producer()
        producer.poll(0.2)
    assert "sasl.password" in caplog.text
    assert "s3cret" not in caplog.text


def test_only_our_errors_reach_the_terminal() -> None:
    result = subprocess.run(
        [sys.executable, "-c", ASK], env=dict(os.environ), capture_output=True, text=True, check=True
    )
    assert result.stderr == ""
    assert "ssl.ca.location" in result.stdout
    assert result.stdout.count("Kafka at 127.0.0.1:1 does not answer") == 3


def test_librdkafka_logs_to_its_own_logger(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        admin = KafkaClients(NOWHERE, {}).admin()
        with pytest.raises(KafkaException):
            admin.list_topics(timeout=1)
        admin.poll(0)
    lines = [record for record in caplog.records if "Connection refused" in record.getMessage()]
    assert lines
    assert {line.levelno for line in lines} == {logging.DEBUG}
    assert {line.name for line in lines} == {"soundalike.events.kafka.clients.librdkafka"}


class SilentConsumer:
    """Has no messages; would wait by the wall clock for as long as it is allowed to."""

    def __init__(self) -> None:
        self.allowed_s: set[float] = set()

    def consume(self, _most: int, timeout: float) -> list[Message]:
        self.allowed_s.add(timeout)
        return []


def test_librdkafka_is_not_left_to_wait_since_its_waits_follow_the_wall_clock() -> None:
    consumer = SilentConsumer()
    assert read_messages(cast("Consumer", consumer), 5, timeout_s=0.05) == []
    assert consumer.allowed_s == {0}


def test_a_question_that_librdkafka_never_answers_times_out() -> None:
    never: Future[str] = Future()
    with pytest.raises(KafkaException) as caught:
        answer_of(never, timeout_s=-0.99)
    assert "does not answer" in str(KafkaClients(NOWHERE, {}).errors.translate(caught.value, "ask"))


@pytest.mark.kafka
class TestErrors:
    @pytest.mark.parametrize(
        ("properties", "why"),
        [
            ({"security.protocol": "ssl"}, "TLS|does not answer"),
            (
                {
                    "security.protocol": "sasl_plaintext",
                    "sasl.mechanism": "PLAIN",
                    "sasl.username": "ada",
                    "sasl.password": "s3cret",
                },
                "rejects the credentials|does not answer",
            ),
        ],
    )
    def test_a_wrong_security_protocol_is_reported(
        self, kafka: Kafka, properties: Mapping[str, str], why: str
    ) -> None:
        with pytest.raises(EventLogError, match=why) as caught:
            check(KafkaAddress.parse(kafka.url()), properties)
        assert "s3cret" not in str(caught.value)

    def test_an_unknown_host_is_reported(self) -> None:
        with pytest.raises(EventLogError, match="an unknown host name"):
            check(KafkaAddress.parse(f"kafka://no-such-host.invalid:{free_ports(1)[0]}/t"), {})
