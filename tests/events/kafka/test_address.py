"""The address of a log in Kafka is one URL without secrets."""

import pytest

from soundalike.domain.errors import SettingsError
from soundalike.events.kafka.address import KafkaAddress


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("kafka://localhost:9092/listens", KafkaAddress(servers=("localhost:9092",), topic="listens")),
        ("kafka://localhost/listens", KafkaAddress(servers=("localhost:9092",), topic="listens")),
        ("KAFKA://Broker.Example/a.b_c-D", KafkaAddress(servers=("Broker.Example:9092",), topic="a.b_c-D")),
        (
            "kafka://a:1,10.0.0.2:65535,c/t",
            KafkaAddress(servers=("a:1", "10.0.0.2:65535", "c:9092"), topic="t"),
        ),
        ("kafka://[::1]/t", KafkaAddress(servers=("[::1]:9092",), topic="t")),
        ("kafka://[2001:db8::2]:9093,h/t", KafkaAddress(servers=("[2001:db8::2]:9093", "h:9092"), topic="t")),
        (
            "kafka://h/t?partitions=12&replication=3&group=folders",
            KafkaAddress(servers=("h:9092",), topic="t", partitions=12, replication=3, group="folders"),
        ),
        ("kafka://h/t?group=a%2Fb", KafkaAddress(servers=("h:9092",), topic="t", group="a/b")),
        ("kafka://h/t?", KafkaAddress(servers=("h:9092",), topic="t")),
    ],
)
def test_a_url_has_brokers_topic_and_parameters(url: str, address: KafkaAddress) -> None:
    assert KafkaAddress.parse(url) == address


def test_a_url_without_parameters_has_defaults() -> None:
    address = KafkaAddress.parse("kafka://h/t")
    assert (address.partitions, address.replication, address.group) == (None, None, "soundalike")
    assert (address.bootstrap, address.dead_letters) == ("h:9092", "t.dead")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("kafka:///t", "brokers"),
        ("kafka://h:0/t", "port"),
        ("kafka://h:65536/t", "port"),
        ("kafka://h:/t", "port"),
        ("kafka://h:x/t", "port"),
        ("kafka://h,,g/t", "brokers"),
        ("kafka://h g/t", "brokers"),
        ("kafka://::1/t", "brokers"),
        ("kafka://[::1/t", "brokers"),
        ("kafka://h", "topic"),
        ("kafka://h/", "topic"),
        ("kafka://h/..", "topic"),
        ("kafka://h/a/b", "topic"),
        ("kafka://h/a%20b", "topic"),
        (f"kafka://h/{'t' * 245}", "topic"),
        ("kafka://h/t#x", "must begin with kafka://"),
        ("mqtt://h/t", "must begin with kafka://"),
        ("kafka://h/t?partitions=0", "partitions"),
        ("kafka://h/t?partitions=-1", "partitions"),
        ("kafka://h/t?partitions=\N{FULLWIDTH DIGIT ONE}", "partitions"),
        ("kafka://h/t?partitions", "NAME=VALUE"),
        ("kafka://h/t?replication=101", "replication"),
        ("kafka://h/t?group=", "group"),
        ("kafka://h/t?group=a%0Ab", "group"),
        ("kafka://h/t?partitions=2&partitions=3", "twice"),
    ],
)
def test_a_malformed_url_is_reported_in_one_line(url: str, why: str) -> None:
    with pytest.raises(SettingsError, match=why) as caught:
        KafkaAddress.parse(url)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "kafka://ada:s3cret@h:9092/t",
        "kafka://s3cret@h/t",
        "kafka://ada:s3cret/with/@h/t",
        "kafka://ada:s3cret#@h/t",
        "kafka://ada:s3cret?@h/t",
        "kafka://h/t?sasl.password=s3cret",
        "kafka://h/t?partitions=s3cret",
        "kafka://h:s3cret/t",
    ],
)
def test_a_possible_password_is_rejected_and_not_repeated(url: str) -> None:
    with pytest.raises(SettingsError) as caught:
        KafkaAddress.parse(url)
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_password_in_the_url_is_answered_with_where_to_put_it() -> None:
    with pytest.raises(SettingsError, match=r"sasl\.username.*\[kafka\]"):
        KafkaAddress.parse("kafka://ada:s3cret@h/t")
