"""Apache Kafka itself: one process that is broker and controller."""

import shutil
import subprocess
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]  # its types say less

from servers.processes import FETCHED, QUICK_JAVA, ServerProcess, free_ports, wait_until

JARS = FETCHED / "kafka"
_SETTINGS = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{broker}
controller.listener.names=CONTROLLER
log.dirs={folder}/logs
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
auto.create.topics.enable=true
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
"""


def missing_kafka() -> str | None:
    """Say what is missing to start a broker, None where nothing is."""
    if not any(JARS.glob("kafka_2.13-*.jar")):
        return "no Kafka broker on this machine; fetch one with 'make servers'"
    if shutil.which("java") is None:
        return "no Java on this machine to run a Kafka broker with"
    return None


class Kafka:
    """A broker at an address; like most brokers, it creates a topic when a client asks for one."""

    def __init__(self, address: str) -> None:
        self.address = address

    def url(self, topic: str = "") -> str:
        """Return the setting ``events`` for a topic; by default for a new one."""
        return f"kafka://{self.address}/{topic or new_topic()}"

    def admin(self) -> AdminClient:
        return AdminClient({"bootstrap.servers": self.address, "log_level": 0})

    def answers(self) -> bool:
        try:
            return bool(self.admin().list_topics(timeout=1).brokers)
        except KafkaException:
            return False

    def create_topic(self, topic: str, partitions: int, config: Mapping[str, str] | None = None) -> None:
        """Create a topic that keeps everything, but for ``config``, and wait until the broker shows it."""
        admin = self.admin()  # it has to outlive the answer
        wanted = NewTopic(topic, partitions, config={"retention.ms": "-1", **(config or {})})
        admin.create_topics([wanted])[topic].result(30)

        def is_shown() -> bool:
            # Brokers learn of a topic only after the controller has answered that it is created.
            found = admin.list_topics(timeout=10).topics.get(topic)
            return found is not None and len(found.partitions) == partitions

        wait_until(is_shown)


class KafkaServer(ServerProcess, Kafka):
    """A broker of the test's own, in a folder; its data outlives ``kill`` and ``start``."""

    def __init__(self, folder: Path, *, java_options: Sequence[str] = QUICK_JAVA) -> None:
        self.port, controller = free_ports(2)
        Kafka.__init__(self, f"127.0.0.1:{self.port}")
        self._settings = folder / "server.properties"
        folder.mkdir(parents=True, exist_ok=True)
        self._settings.write_text(
            _SETTINGS.format(broker=self.port, controller=controller, folder=folder), encoding="utf-8"
        )
        log_level = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"
        self._java = ["java", "-Xmx512m", *java_options, "-cp", f"{JARS}/*", log_level]
        command = [*self._java, "kafka.Kafka", str(self._settings)]
        ServerProcess.__init__(self, command, folder / "kafka.log")
        if not (folder / "logs").exists():
            self._format()

    def start(self) -> None:
        """Start it and wait until it answers."""
        super().start()
        self.wait_until(self.answers)

    def _format(self) -> None:
        subprocess.run(
            [*self._java, "kafka.tools.StorageTool", "format", "-t", "MkU3OEVBNTcwNTJENDM2Qg",
             "-c", str(self._settings)],
            check=True, capture_output=True,
        )  # fmt: skip


def own_group(url: str, *, partitions: int = 4) -> str:
    """Return the setting ``events`` for a topic with a group that no other test is in."""
    return f"{url}?partitions={partitions}&group=of-{url.rpartition('/')[2]}"


def new_topic() -> str:
    return f"listens-{uuid.uuid4().hex[:12]}"
