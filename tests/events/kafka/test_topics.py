"""Topics are made as the log needs them, and those that would lose something are refused."""

import threading
from collections.abc import Iterator, Mapping
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
    NewTopic,
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


def make(kafka: Kafka, topic: str, partitions: int, config: Mapping[str, str] | None = None) -> None:
    settings = {"retention.ms": "-1", **(config or {})}
    admin = kafka.admin()
    admin.create_topics([NewTopic(topic, num_partitions=partitions, config=settings)])[topic].result()


def settings_of(kafka: Kafka, topic: str) -> dict[str, str]:
    resource = ConfigResource(ResourceType.TOPIC, topic)
    admin = kafka.admin()
    found = admin.describe_configs([resource])[resource].result()
    return {name: entry.value for name, entry in found.items()}


def partitions_of(kafka: Kafka, topic: str) -> int:
    return len(kafka.admin().list_topics(topic, timeout=10).topics[topic].partitions)


class TestMaking:
    def test_they_are_made_to_keep_everything_for_good(self, kafka: Kafka, url: str) -> None:
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
    def test_of_as_many_partitions_as_were_asked_for(self, kafka: Kafka, url: str, count: int) -> None:
        address = prepare(f"{url}?partitions={count}&replication=1")
        assert partitions_of(kafka, address.topic) == count

    def test_once(self, kafka: Kafka, url: str) -> None:
        address = prepare(f"{url}?partitions=3")
        prepare(url)
        prepare(f"{url}?partitions=2")
        assert partitions_of(kafka, address.topic) == 3

    def test_by_whoever_comes_first(self, url: str) -> None:
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

    def test_not_on_more_brokers_than_there_are(self, url: str) -> None:
        with pytest.raises(EventLogError, match=r"needs 3 brokers.*\?replication="):
            prepare(f"{url}?replication=3")


class TestRefusing:
    def test_fewer_partitions_than_were_asked_for(self, kafka: Kafka) -> None:
        make(kafka, topic := new_topic(), 3)
        with pytest.raises(EventLogError, match=r"3 partitions, fewer than 4.*--partitions 8"):
            prepare(kafka.url(topic) + "?partitions=4")

    def test_one_alone_unless_it_was_asked_for(self, kafka: Kafka) -> None:
        make(kafka, topic := new_topic(), 1)
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
    def test_what_forgets_with_the_command_that_mends_it(
        self, kafka: Kafka, name: str, value: str, suffix: str
    ) -> None:
        topic = new_topic()
        make(kafka, topic + suffix, 4, {name: value})
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
        """Do what the command would do."""
        entry = ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
        resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
        admin = kafka.admin()
        admin.incremental_alter_configs([resource])[resource].result()
        wait_until(lambda: settings_of(kafka, topic)[name] == value)  # it comes about a little later

    def test_where_nothing_can_be_appended_nothing_is(self, kafka: Kafka) -> None:
        make(kafka, topic := new_topic(), 4, {"retention.ms": "1000"})
        log = KafkaLog(KafkaAddress.parse(kafka.url(topic)), {})
        for _ in range(2):
            with pytest.raises(EventLogError, match="deletes records"):
                log.append([make_listen(1)])
        log.close()


class TestChecking:
    def test_what_is_there_is_said_in_one_line(self, kafka: Kafka, url: str) -> None:
        address = prepare(f"{url}?partitions=3")
        assert check(address, {}) == f"topic {address.topic!r} of 3 partitions at {kafka.address}"

    def test_what_is_missing_is_not_made(self, kafka: Kafka, url: str) -> None:
        address = KafkaAddress.parse(url)
        with pytest.raises(EventLogError, match="answers, but has no topic"):
            check(address, {})
        assert address.topic not in kafka.admin().list_topics(timeout=10).topics

    def test_what_would_forget_is_said(self, kafka: Kafka) -> None:
        make(kafka, topic := new_topic(), 4, {"retention.ms": "1000"})
        with pytest.raises(EventLogError, match=r"deletes records \(retention\.ms=1000\)"):
            check(KafkaAddress.parse(kafka.url(topic)), {})

    def test_too_few_partitions_are_said(self, kafka: Kafka) -> None:
        make(kafka, topic := new_topic(), 1)
        with pytest.raises(EventLogError, match="1 partition, fewer than 2"):
            check(KafkaAddress.parse(kafka.url(topic)), {})

    def test_nobody_there_is_said(self) -> None:
        with pytest.raises(EventLogError, match=r"127\.0\.0\.1:1 does not answer.*Connection refused"):
            check(KafkaAddress.parse("kafka://127.0.0.1:1/t"), {})


class GuardedKafka(KafkaServer):
    """A broker that asks for names and passwords, and lets all but ada do next to nothing."""

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
        """Let somebody do everything with topics whose names begin so."""
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
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuardedKafka]:
    skip_where(missing_kafka())
    with running(broker := GuardedKafka(tmp_path_factory.mktemp("guarded"))):
        yield broker


class TestGuarded:
    def test_who_has_the_password_is_let_in(self, guarded: GuardedKafka) -> None:
        log = KafkaLog(KafkaAddress.parse(guarded.url()), guarded.who("ada", "s3cret"))
        log.append([make_listen(1)])
        assert list(log.entries()) == [make_listen(1)]
        log.close()

    @pytest.mark.parametrize(("name", "password"), [("ada", "wr0ng"), ("eve", "s3cret")])
    def test_who_has_not_is_told_where_it_stands(
        self, guarded: GuardedKafka, name: str, password: str
    ) -> None:
        address = KafkaAddress.parse(guarded.url())
        with pytest.raises(EventLogError, match=r'rejects the credentials: .*"sasl\.password"') as caught:
            check(address, guarded.who(name, password))
        assert password not in str(caught.value)

    def test_who_may_not_do_it_is_told_so_and_can_once_it_is_granted(self, guarded: GuardedKafka) -> None:
        address = KafkaAddress.parse(guarded.url())
        log = KafkaLog(address, guarded.who("bob", "b0bs"))
        with pytest.raises(EventLogError, match="does not allow this user to create the topic"):
            log.append([make_listen(1)])
        guarded.grant("bob", address.topic)
        guarded.wait_until(lambda: appends(log, make_listen(2)))
        assert list(log.entries()) == [make_listen(2)]
        log.close()


def appends(log: KafkaLog, listen: Listen) -> bool:
    try:
        return log.append([listen]) == 0
    except EventLogError:
        return False


def test_a_broker_that_makes_topics_by_itself_is_not_made_to(kafka: Kafka) -> None:
    address = KafkaAddress.parse(kafka.url())
    with pytest.raises(EventLogError, match="no topic"):
        check(address, {})
    assert address.topic not in kafka.admin().list_topics(timeout=5).topics
    log = KafkaLog(address, {})
    log.prepare()
    assert log.append([make_listen(1)]) == 0
    log.close()
    assert check(address, {}) == f"topic {address.topic!r} of 8 partitions at {kafka.address}"
