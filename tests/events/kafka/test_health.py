"""The thread that asks for the health of the log: one client, again and again, and another if it hangs."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing

import pytest
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from servers.processes import wait_until
from soundalike.domain.circuit_breaker import CircuitBreaker
from soundalike.domain.errors import EventLogError
from soundalike.domain.ports.listening import LogHealth
from soundalike.events.kafka import health as kafka_health
from soundalike.events.kafka.address import KafkaAddress
from soundalike.events.kafka.clients import KafkaClients
from soundalike.events.kafka.health import HealthMonitor
from soundalike.events.kafka.lag import ConsumerLag

DOWN, UP = LogHealth(is_up=False, detail="down"), LogHealth(detail="up")


class Monitor(HealthMonitor):
    """Gets its answers from the test instead of from brokers; the question with `hangs_at` hangs."""

    def __init__(self, *, hangs_at: int | None = None) -> None:
        self.asking: list[AdminClient] = []
        self.go_on = threading.Event()
        self._hangs_at = hangs_at
        clients = KafkaClients(KafkaAddress.parse("kafka://127.0.0.1:1/t"), {})
        super().__init__(clients, CircuitBreaker[EventLogError](retry_after_s=0, clock=time.monotonic))

    def _ask(self, admin: AdminClient, _lag: ConsumerLag) -> LogHealth:
        self.asking.append(admin)
        if len(self.asking) == self._hangs_at:
            self.go_on.wait(60)
            return DOWN
        return UP


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_health, "_EVERY_S", 0.01)
    monkeypatch.setattr(kafka_health, "_STUCK_S", 0.1)


def test_one_client_asks_again_and_again() -> None:
    with closing(Monitor()) as monitor:
        wait_until(lambda: len(monitor.asking) >= 5)
    assert all(one is monitor.asking[0] for one in monitor.asking)


@pytest.fixture
def hanging() -> Iterator[Monitor]:
    with closing(Monitor(hangs_at=2)) as monitor:
        yield monitor
        monitor.go_on.set()


def test_another_thread_asks_with_another_client_where_one_hangs(hanging: Monitor) -> None:
    wait_until(lambda: hanging.health == UP and len(hanging.asking) > 5)
    first, *others = hanging.asking[1:]
    assert all(one is others[0] is not first for one in others)


def test_what_the_one_that_hung_learns_in_the_end_counts_no_more(hanging: Monitor) -> None:
    wait_until(lambda: hanging.health == UP and len(hanging.asking) > 5)
    hung = [one for one in threading.enumerate() if one.name == "kafka health"]
    hanging.go_on.set()
    wait_until(lambda: sum(one.is_alive() for one in hung) == len(hung) - 1)
    assert hanging.health == UP


class Brokers(HealthMonitor):
    """Has the topic; of the group, each question gets the next answer, and then the last again and again."""

    def __init__(self, answers: Sequence[LogHealth | int]) -> None:
        self._answers = list(answers)
        self.asked = 0
        clients = KafkaClients(KafkaAddress.parse("kafka://127.0.0.1:1/t"), {})
        super().__init__(clients, CircuitBreaker[EventLogError](retry_after_s=0, clock=time.monotonic))

    def _ask_group(self, _admin: AdminClient, _lag: ConsumerLag, _numbers: Sequence[int]) -> LogHealth:
        answer = self._answers[min(self.asked, len(self._answers) - 1)]
        self.asked += 1
        if isinstance(answer, LogHealth):
            return answer
        raise KafkaException(KafkaError(answer))


@pytest.mark.parametrize(
    ("error", "then"),
    [
        (KafkaError.REQUEST_TIMED_OUT, UP),
        (KafkaError.NOT_COORDINATOR, UP),
        (KafkaError.GROUP_AUTHORIZATION_FAILED, LogHealth()),
    ],
)
def test_a_group_that_cannot_be_seen_now_is_as_it_was(
    error: int, then: LogHealth, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka_health, "find_partitions", lambda *_args, **_more: [])
    with closing(Brokers([UP, error])) as monitor:
        wait_until(lambda: monitor.asked > 5)
        assert monitor.health == then
