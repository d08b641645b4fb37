"""Topics are created as the log needs them, and those that would lose records are rejected."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its types say less than it exports
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourcePatternType,
    ResourceType,
)

from conftest import skip_where
from making import make_listen
from servers.kafka import Kafka, KafkaServer, missing_kafka, new_topic
from servers.processes import running, wait_until
from soundalike.domain.errors import EventLogError
from soundalike.domain.listens import Listen
from soundalike.events.kafka.address import KafkaAddress
from soundalike.events.kafka.clients import KafkaClients
from soundalike.events.kafka.log import KafkaLog
from soundalike.events.kafka.topics import check, prepare_topics

pytestmark = pytest.mark.kafka


@pytest.fixture
def url(kafka: Kafka) -> str:
    return kafka.url()


def prepare(url: str) -> KafkaAddress:
    address = KafkaAddress.parse(url)
    prepare_topics(KafkaClients(address, {}))
    return address


def settings_of(kafka: Kafka, topic: str) -> dict[str, str]:
    resource = ConfigResource(ResourceType.TOPIC, topic)
    admin = kafka.admin()
    found = admin.describe_configs([resource])[resource].result()
    return {name: entry.value for name, entry in found.items()}


def partitions_of(kafka: Kafka, topic: str) -> int:
    return len(kafka.admin().list_topics(topic, timeout=10).topics[topic].partitions)


class TestCreating:
    def test_topics_are_created_to_keep_everything(self, kafka: Kafka, url: str) -> None:
        address = prepare(url)
        for topic in (address.topic, address.dead_letters):
            made = settings_of(kafka, topic)
            assert {name: made[name] for name in ("retention.ms", "retention.bytes", "cleanup.policy")} == {
                "retention.ms": "-1",
                "retention.bytes": "-1",
                "cleanup.policy": "delete",
            }
            assert made["message.timestamp.type"] == "CreateTime"
        assert partitions_of(kafka, address.topic) == 8

    @pytest.mark.parametrize("count", [1, 3])
    def test_topics_have_the_requested_number_of_partitions(self, kafka: Kafka, url: str, count: int) -> None:
        address = prepare(f"{url}?partitions={count}&replication=1")
        assert partitions_of(kafka, address.topic) == count

    def test_topics_are_created_once(self, kafka: Kafka, url: str) -> None:
        address = prepare(f"{url}?partitions=3")
        prepare(url)
        prepare(f"{url}?partitions=2")
        assert partitions_of(kafka, address.topic) == 3

    def test_concurrent_processes_create_topics_once(self, url: str) -> None:
        failures: list[Exception] = []

        def prepare_one() -> None:
            try:
                prepare(url)
            except EventLogError as error:
                failures.append(error)

        threads = [threading.Thread(target=prepare_one) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []

    def test_a_replication_above_the_number_of_brokers_is_rejected(self, url: str) -> None:
        with pytest.raises(EventLogError, match=r"needs 3 brokers.*\?replication="):
            prepare(f"{url}?replication=3")


class TestRejecting:
    def test_fewer_partitions_than_requested_are_rejected(self, kafka: Kafka) -> None:
        kafka.create_topic(topic := new_topic(), 3)
        with pytest.raises(EventLogError, match=r"3 partitions, fewer than 4.*--partitions 8"):
            prepare(kafka.url(topic) + "?partitions=4")

    def test_one_partition_is_rejected_unless_requested(self, kafka: Kafka) -> None:
        kafka.create_topic(topic := new_topic(), 1)
        with pytest.raises(EventLogError, match=r"1 partition, fewer than 2.*\?partitions=1"):
            prepare(kafka.url(topic))
        prepare(kafka.url(topic) + "?partitions=1")

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("retention.ms", "604800000"),
            ("retention.bytes", "1000000"),
            ("cleanup.policy", "compact"),
            ("cleanup.policy", "compact,delete"),
        ],
    )
    @pytest.mark.parametrize("suffix", ["", ".dead"])
    def test_a_topic_that_deletes_records_is_rejected_with_the_command_that_repairs_it(
        self, kafka: Kafka, name: str, value: str, suffix: str
    ) -> None:
        topic = new_topic()
        kafka.create_topic(topic + suffix, 4, {name: value})
        with pytest.raises(EventLogError) as caught:
            prepare(kafka.url(topic))
        wanted = {"cleanup.policy": "delete"}.get(name, "-1")
        command = str(caught.value).rpartition("run '")[2]
        assert command == (
            f"kafka-configs.sh --bootstrap-server {kafka.address} --entity-type topics "
            f"--entity-name {topic}{suffix} --alter --add-config {name}={wanted}'"
        )
        self.mend(kafka, topic + suffix, name, wanted)
        prepare(kafka.url(topic))

    @staticmethod
    def mend(kafka: Kafka, topic: str, name: str, value: str) -> None:
        """Do what the command does."""
        entry = ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
        resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
        admin = kafka.admin()
        admin.incremental_alter_configs([resource])[resource].result()
        wait_until(lambda: settings_of(kafka, topic)[name] == value)  # it takes effect a little later

    def test_nothing_is_appended_to_a_rejected_topic(self, kafka: Kafka) -> None:
        kafka.create_topic(topic := new_topic(), 4, {"retention.ms": "1000"})
        log = KafkaLog(KafkaAddress.parse(kafka.url(topic)), {})
        for _ in range(2):
            with pytest.raises(EventLogError, match="deletes records"):
                log.append([make_listen(1)])
        log.close()


class TestChecking:
    def test_a_check_describes_the_topic_in_one_line(self, kafka: Kafka, url: str) -> None:
        address = prepare(f"{url}?partitions=3")
        assert check(address, {}) == f"topic {address.topic!r} of 3 partitions at {kafka.address}"

    def test_a_check_does_not_create_a_topic(self, kafka: Kafka, url: str) -> None:
        address = KafkaAddress.parse(url)
        with pytest.raises(EventLogError, match="answers, but has no topic"):
            check(address, {})
        assert address.topic not in kafka.admin().list_topics(timeout=10).topics

    def test_a_check_reports_a_topic_that_deletes_records(self, kafka: Kafka) -> None:
        kafka.create_topic(topic := new_topic(), 4, {"retention.ms": "1000"})
        with pytest.raises(EventLogError, match=r"deletes records \(retention\.ms=1000\)"):
            check(KafkaAddress.parse(kafka.url(topic)), {})

    def test_a_check_reports_too_few_partitions(self, kafka: Kafka) -> None:
        kafka.create_topic(topic := new_topic(), 1)
        with pytest.raises(EventLogError, match="1 partition, fewer than 2"):
            check(KafkaAddress.parse(kafka.url(topic)), {})

    def test_a_check_reports_missing_brokers(self) -> None:
        with pytest.raises(EventLogError, match=r"127\.0\.0\.1:1 does not answer.*Connection refused"):
            check(KafkaAddress.parse("kafka://127.0.0.1:1/t"), {})


class SecuredKafka(KafkaServer):
    """A broker with authentication, on which only ada may do everything."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        module = "org.apache.kafka.common.security.plain.PlainLoginModule required"
        settings = self.properties.read_text(encoding="utf-8")
        settings = settings.replace("PLAINTEXT://127.0.0.1", "SASL_PLAINTEXT://127.0.0.1", 1)
        settings = settings.replace("advertised.listeners=PLAINTEXT", "advertised.listeners=SASL_PLAINTEXT")
        self.properties.write_text(
            settings
            + "listener.security.protocol.map=CONTROLLER:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT\n"
            + "inter.broker.listener.name=SASL_PLAINTEXT\n"
            + "sasl.enabled.mechanisms=PLAIN\n"
            + "sasl.mechanism.inter.broker.protocol=PLAIN\n"
            + f'listener.name.sasl_plaintext.plain.sasl.jaas.config={module} username="ada" '
            + 'password="s3cret" user_ada="s3cret" user_bob="b0bs";\n'
            + "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer\n"
            + "super.users=User:ada;User:ANONYMOUS\n",
            encoding="utf-8",
        )

    @property
    def properties(self) -> Path:
        return Path(self.command[-1])

    def who(self, name: str, password: str) -> dict[str, str]:
        return {
            "security.protocol": "sasl_plaintext",
            "sasl.mechanism": "PLAIN",
            "sasl.username": name,
            "sasl.password": password,
        }

    def grant(self, name: str, prefix: str) -> None:
        """Allow a user everything on the topics with a prefix."""
        admin = AdminClient({"bootstrap.servers": self.address, **self.who("ada", "s3cret"), "log_level": 0})
        acl = AclBinding(
            ResourceType.TOPIC, prefix, ResourcePatternType.PREFIXED, f"User:{name}", "*",
            AclOperation.ALL, AclPermissionType.ALLOW,
        )  # fmt: skip
        admin.create_acls([acl])[acl].result()

    def start(self) -> None:
        super(KafkaServer, self).start()
        self.wait_until(self._lets_in)

    def _lets_in(self) -> bool:
        try:
            check(KafkaAddress.parse(self.url()), self.who("ada", "s3cret"))
        except EventLogError as error:
            return "no topic" in str(error)
        return True


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredKafka]:
    skip_where(missing_kafka())
    with running(broker := SecuredKafka(tmp_path_factory.mktemp("secured"))):
        yield broker


class TestAuthentication:
    def test_the_right_password_is_accepted(self, secured: SecuredKafka) -> None:
        log = KafkaLog(KafkaAddress.parse(secured.url()), secured.who("ada", "s3cret"))
        log.append([make_listen(1)])
        assert list(log.entries()) == [make_listen(1)]
        log.close()

    @pytest.mark.parametrize(("name", "password"), [("ada", "wr0ng"), ("eve", "s3cret")])
    def test_a_wrong_password_is_reported_with_its_setting(
        self, secured: SecuredKafka, name: str, password: str
    ) -> None:
        address = KafkaAddress.parse(secured.url())
        with pytest.raises(EventLogError, match=r'rejects the credentials: .*"sasl\.password"') as caught:
            check(address, secured.who(name, password))
        assert password not in str(caught.value)

    def test_a_missing_permission_is_reported_until_it_is_granted(self, secured: SecuredKafka) -> None:
        address = KafkaAddress.parse(secured.url())
        log = KafkaLog(address, secured.who("bob", "b0bs"))
        with pytest.raises(EventLogError, match="does not allow this user to create the topic"):
            log.append([make_listen(1)])
        secured.grant("bob", address.topic)
        secured.wait_until(lambda: appends(log, make_listen(2)))
        assert list(log.entries()) == [make_listen(2)]
        log.close()


def appends(log: KafkaLog, listen: Listen) -> bool:
    try:
        return log.append([listen]) == 0
    except EventLogError:
        return False


def test_a_broker_with_auto_create_is_not_made_to_create_topics(kafka: Kafka) -> None:
    address = KafkaAddress.parse(kafka.url())
    with pytest.raises(EventLogError, match="no topic"):
        check(address, {})
    assert address.topic not in kafka.admin().list_topics(timeout=5).topics
    log = KafkaLog(address, {})
    log.prepare()
    assert log.append([make_listen(1)]) == 0
    log.close()
    assert check(address, {}) == f"topic {address.topic!r} of 8 partitions at {kafka.address}"
