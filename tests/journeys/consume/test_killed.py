"""Consumers and brokers are killed, and every listen counts exactly once all the same."""

import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from conftest import skip_where
from events.kafka.running import append_until_taken
from journeys.consume.consuming import ADA, batches, consumer, store_holds, wait_for
from journeys.program import Program
from making import make_listen
from servers.kafka import Kafka, KafkaServer, missing_kafka, own_group
from servers.processes import running
from soundalike.app.backends import open_store
from soundalike.domain.listens import Erasure, Listen
from soundalike.events.kafka.address import KafkaAddress
from soundalike.events.kafka.log import KafkaLog

pytestmark = pytest.mark.kafka

TESTS = Path(__file__).parents[2]

# Consumes as `soundalike consume` does, and is killed or slow at one moment.
CONSUME = """
import os
import signal
import sys
import threading
import time
from soundalike.app.backends import open_store
from soundalike.events.kafka import consumer as kafka_consumer
from soundalike.events.kafka.address import KafkaAddress
from soundalike.services.listeners.fold_log import LogProjector
from soundalike.services.listeners.profiles import Profiles

place, url, moment, batch = sys.argv[1:]
kafka_consumer.MAX_BATCH = int(batch)
taken = 0


def die():
    os.kill(os.getpid(), signal.SIGKILL)


class Fatal(Profiles):
    def fold(self, listens, repeated=()):
        if moment == "between storing and folding" and taken >= 1:
            die()
        super().fold(listens, repeated)


def take(records):
    global taken
    projector.apply(records)
    taken += 1
    if moment == "between folding and committing" and taken >= 2:
        die()
    if moment == "slow" and taken == 1:
        print("took", flush=True)
        start = time.time()
        while time.time() < start + 1:  # is over at once when it goes on after it was stopped
            pass


with open_store(place) as store:
    projector = LogProjector(store, Fatal(store, lateness_ms=7 * 24 * 3600 * 1000))
    quick = {"session.timeout.ms": "1500", "heartbeat.interval.ms": "300"}
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    kafka_consumer.KafkaConsumer(KafkaAddress.parse(url), quick, take).run(stop)
"""


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaServer]:
    skip_where(missing_kafka())
    with running(broker := KafkaServer(tmp_path_factory.mktemp("own"))):
        yield broker


@contextmanager
def script(program: Program, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run `CONSUME`, and kill it at the end of the block if it has not died of itself."""
    environment = program.environment | {"PYTHONPATH": str(TESTS)}
    command = [sys.executable, "-c", CONSUME, *arguments]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


class TestKilledConsumers:
    @pytest.mark.parametrize(
        "moment",
        [
            pytest.param("between storing and folding", marks=pytest.mark.faults),
            "between folding and committing",
        ],
    )
    def test_at_the_worst_moment(
        self, program: Program, store_setting: str, url: str, log: KafkaLog, plays: Sequence[Listen],
        moment: str,
    ) -> None:  # fmt: skip
        for batch in batches(plays[:1_200], 300):
            log.append(batch)
        for _ in range(2):
            with script(program, store_setting, url, moment, "150") as dying:
                assert dying.wait(120) == -signal.SIGKILL
        with open_store(store_setting) as store:
            assert 0 < sum(store.listen_counts().values()) < 1_200
            with consumer(program, store_setting, url):
                wait_for(lambda: store_holds(store, plays[:1_200]))

    @pytest.mark.faults
    def test_one_of_two_at_any_moment(
        self, program: Program, store_setting: str, url: str, log: KafkaLog, plays: Sequence[Listen]
    ) -> None:
        chance = random.Random(5)  # noqa: S311 - no secret is made
        listens = plays[:3_000]
        is_sent = threading.Event()

        def send() -> None:
            for batch in batches(listens, 25):
                append_until_taken(log, batch)
                time.sleep(0.02)
            is_sent.set()

        sending = threading.Thread(target=send)
        with consumer(program, store_setting, url), open_store(store_setting) as store:
            sending.start()
            for _ in range(3):
                with consumer(program, store_setting, url) as other:
                    time.sleep(chance.uniform(0.2, 1.5))
                    other.kill()
                    other.wait(60)
            sending.join()
            assert is_sent.is_set()
            wait_for(lambda: store_holds(store, listens))

    @pytest.mark.faults
    def test_one_that_was_stopped_for_too_long_undoes_nothing_of_what_others_did(
        self, program: Program, store_setting: str, kafka: Kafka
    ) -> None:
        url = own_group(kafka.url(), partitions=1)
        with closing(KafkaLog(KafkaAddress.parse(url), {})) as log, open_store(store_setting) as store:
            log.append([make_listen(1, at_ms=1)])
            log.erase(Erasure(ADA, 10), is_total=True)
            with script(program, store_setting, url, "slow", "1") as stopped:
                assert stopped.stdout is not None
                assert stopped.stdout.readline() == "took\n"
                stopped.send_signal(signal.SIGSTOP)
                with consumer(program, store_setting, url):
                    log.append([make_listen(2, at_ms=20)])
                    wait_for(lambda: store_holds(store, [make_listen(2, at_ms=20)]))
                    stopped.send_signal(signal.SIGCONT)
                    time.sleep(5)
                    assert store_holds(store, [make_listen(2, at_ms=20)])


@pytest.mark.faults
class TestKilledBroker:
    def test_every_acknowledged_listen_is_counted_exactly_once(
        self, program: Program, store_setting: str, broker: KafkaServer, plays: Sequence[Listen]
    ) -> None:
        url = own_group(broker.url())
        listens = plays[:2_000]
        with (
            closing(KafkaLog(KafkaAddress.parse(url), {})) as log,
            consumer(program, store_setting, url),
            open_store(store_setting) as store,
        ):
            progress: list[int] = []

            def send() -> None:
                for batch in batches(listens, 20):
                    append_until_taken(log, batch)
                    progress.append(len(batch))

            sending = threading.Thread(target=send)
            sending.start()
            wait_for(lambda: len(progress) >= 30)
            broker.kill()
            broker.start()
            sending.join()
            wait_for(lambda: store_holds(store, listens))


@pytest.mark.faults
def test_the_broker_may_be_away_without_a_word_of_its_library_on_the_terminal(
    program: Program, broker: KafkaServer, tmp_path: Path
) -> None:
    url = own_group(broker.url())
    with program.start("consume", "--store", str(tmp_path / "library.sqlite"), "--events", url) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("Folding ")
        broker.kill()
        time.sleep(4)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
        assert process.returncode == 0
    broker.start()
    lines = [line for line in err.splitlines() if not line.startswith("WARNING soundalike.events.kafka.")]
    assert lines == []
    assert "rdkafka" not in err
