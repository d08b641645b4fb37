"""The broker goes away and comes back: acknowledged listens are there, and no caller waits for long."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from conftest import skip_where
from events.contract import holds, numbered
from events.kafka.fakes import FlakyStore
from events.kafka.running import RunningConsumer, append_until_taken, consuming, new_address
from making import make_listen
from servers.kafka import KafkaServer, missing_kafka
from servers.processes import running, wait_until
from soundalike.domain.errors import EventLogError, StoreUnavailableError
from soundalike.domain.listens import Erasure, Listen, LogRecord
from soundalike.domain.ports.listening import LogHealth
from soundalike.domain.types import UserId
from soundalike.events.kafka import consumer as kafka_consumer
from soundalike.events.kafka import health as kafka_health
from soundalike.events.kafka import lag as kafka_lag
from soundalike.events.kafka.address import KafkaAddress
from soundalike.events.kafka.log import KafkaLog

pytestmark = pytest.mark.kafka

ADA = UserId("ada")

# A missing broker is noticed within seconds; the machine may be busy.
BOUND_S = 20.0


@pytest.fixture(scope="module")
def module_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaServer]:
    skip_where(missing_kafka())
    with running(broker := KafkaServer(tmp_path_factory.mktemp("own"))):
        yield broker


@pytest.fixture
def broker(module_broker: KafkaServer) -> Iterator[KafkaServer]:
    """This module's own broker, running at the beginning of each test."""
    yield module_broker
    module_broker.resume()
    if not module_broker.is_running():
        module_broker.start()


@pytest.fixture
def address(broker: KafkaServer) -> KafkaAddress:
    return new_address(broker)


def seconds_of(act: Callable[[], object]) -> float:
    start = time.monotonic()
    act()
    return time.monotonic() - start


@pytest.mark.faults
class TestAppending:
    @pytest.mark.parametrize("fault", ["kill", "pause"])
    def test_the_first_failures_come_soon_and_later_ones_at_once(
        self, broker: KafkaServer, log: KafkaLog, fault: str
    ) -> None:
        log.append(numbered(3))
        getattr(broker, fault)()

        def fail(number: int) -> float:
            def append() -> None:
                with pytest.raises(EventLogError, match="does not answer"):
                    log.append([make_listen(number, at_ms=number)])

            return seconds_of(append)

        with ThreadPoolExecutor(8) as pool:
            first = list(pool.map(fail, range(100, 108)))
            later = sorted(pool.map(fail, range(200, 240)))
        assert max(first) < BOUND_S
        # One at a time tries; the others fail at once.
        assert sum(seconds > 2.0 for seconds in later) <= 5
        assert later[20] < 1.0

    @pytest.mark.parametrize("fault", ["kill", "pause"])
    def test_it_recovers_without_losing_acknowledged_listens(
        self, broker: KafkaServer, log: KafkaLog, address: KafkaAddress, fault: str
    ) -> None:
        log.append(numbered(100))
        getattr(broker, fault)()
        with pytest.raises(EventLogError):
            log.append(numbered(5, start=100))
        with pytest.raises(EventLogError):
            log.erase(Erasure(ADA, 0))
        broker.resume()
        if fault == "kill":
            broker.start()
        append_until_taken(log, numbered(5, start=100))
        append_until_taken(log, numbered(5, start=200))
        other = KafkaLog(address, {})
        assert holds(other, *numbered(105), *numbered(5, start=200)) or holds(
            other,
            *numbered(104, start=1),
            *numbered(5, start=200),  # the erasure may have arrived
        )
        other.close()

    def test_a_broker_killed_during_appends_loses_no_acknowledged_listen(
        self, broker: KafkaServer, log: KafkaLog
    ) -> None:
        acknowledged: list[Listen] = []
        is_over = threading.Event()

        def append(thread: int) -> None:
            for batch in range(100_000):
                listens = numbered(7, user=f"u{thread}", start=7 * batch)
                append_until_taken(log, listens)
                acknowledged.extend(listens)
                if is_over.is_set():
                    return

        with ThreadPoolExecutor(4) as pool:
            appending = [pool.submit(append, thread) for thread in range(4)]
            for _ in range(2):
                before = len(acknowledged)
                broker.wait_until(lambda before=before: len(acknowledged) > before + 500)  # type: ignore[misc]  # bound now
                broker.kill()
                broker.start()
            before = len(acknowledged)
            broker.wait_until(lambda: len(acknowledged) > before + 500)
            is_over.set()
            for one in appending:
                one.result()
        assert holds(log, *acknowledged)

    def test_a_start_without_a_broker_fails_and_recovers(
        self, broker: KafkaServer, address: KafkaAddress
    ) -> None:
        broker.kill()
        log = KafkaLog(address, {})
        with pytest.raises(EventLogError, match="does not answer"):
            log.prepare()
        with pytest.raises(EventLogError, match="does not answer"):
            log.entries()
        broker.start()
        append_until_taken(log, numbered(3))
        assert holds(log, *numbered(3))
        log.close()

    def test_it_closes_without_a_broker(self, broker: KafkaServer, log: KafkaLog) -> None:
        log.append(numbered(3))
        log.health()
        broker.kill()
        with pytest.raises(EventLogError):
            log.append(numbered(3, start=10))
        assert seconds_of(log.close) < BOUND_S
        for attempt in (lambda: log.append(numbered(1)), log.prepare, log.entries):
            with pytest.raises(EventLogError, match="closed already"):
                attempt()


class TestHealth:
    @pytest.mark.faults
    def test_it_reports_a_missing_consumer_and_a_missing_broker(
        self, broker: KafkaServer, log: KafkaLog, address: KafkaAddress
    ) -> None:
        log.append(numbered(1))
        broker.wait_until(lambda: not log.health().is_consumed)
        health = log.health()
        assert health.is_up
        assert health.detail == "no consumer is running; start one with 'soundalike consume'"
        with consuming(address, FlakyStore().take):
            broker.wait_until(lambda: log.health().is_consumed)
            assert log.health().detail == ""
            broker.kill()
            wait_until(lambda: not log.health().is_up)
            health = log.health()
            assert not health.is_consumed
            assert "does not answer" in health.detail
            broker.start()
            broker.wait_until(lambda: log.health().is_up and log.health().is_consumed)
        broker.wait_until(lambda: not log.health().is_consumed)

    @pytest.mark.faults
    def test_brokers_that_are_back_are_well_after_a_while_without_an_append(
        self, broker: KafkaServer, log: KafkaLog, address: KafkaAddress, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(kafka_health, "_FAILURE_COUNTS_S", 3.0)
        log.append(numbered(1))
        with consuming(address, FlakyStore().take):
            broker.kill()
            with pytest.raises(EventLogError):
                log.append(numbered(1, start=1))
            assert not log.health().is_up
            broker.start()
            broker.wait_until(lambda: log.health() == LogHealth())

    def test_it_reports_a_stuck_consumer(
        self, broker: KafkaServer, log: KafkaLog, address: KafkaAddress, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(kafka_lag, "STUCK_S", 2.0)
        store = FlakyStore()
        store.away = StoreUnavailableError("gone")
        with consuming(address, store.take):
            broker.wait_until(lambda: log.health().is_consumed)
            log.append(numbered(1_234))
            broker.wait_until(lambda: not log.health().is_consumed)
            assert log.health().detail.startswith("1,234 listens wait to be folded, and the consumer")
            store.away = None
            broker.wait_until(lambda: log.health().is_consumed)

    @pytest.mark.faults
    def test_it_never_waits(self, broker: KafkaServer, log: KafkaLog) -> None:
        broker.pause()
        for _ in range(20):
            assert seconds_of(log.health) < 1.0
            time.sleep(0.1)


@pytest.mark.faults
class TestReading:
    def test_reading_goes_on_after_a_broker_was_away(self, broker: KafkaServer, log: KafkaLog) -> None:
        listens = [make_listen(n, user_id=f"u{n % 40}", at_ms=n) for n in range(20_000)]
        for start in range(0, len(listens), 5_000):
            log.append(listens[start : start + 5_000])
        reading = log.entries()
        found = [next(reading) for _ in range(10)]
        broker.kill()
        broker.start()
        found += reading
        assert {one.id for one in found if isinstance(one, Listen)} == {one.id for one in listens}


class TestConsuming:
    @pytest.mark.parametrize("fault", ["kill", pytest.param("pause", marks=pytest.mark.faults)])
    def test_a_consumer_recovers(
        self, broker: KafkaServer, log: KafkaLog, address: KafkaAddress, fault: str
    ) -> None:
        store = FlakyStore()
        with consuming(address, store.take):
            log.append(numbered(100))
            store.wait_for(100)
            getattr(broker, fault)()
            if fault == "kill":
                broker.start()  # which takes seconds
            else:
                with pytest.raises(EventLogError):
                    log.append(numbered(1, start=100))
                broker.resume()
            append_until_taken(log, numbered(100, start=100))
            store.wait_for(200)

    @pytest.mark.faults
    def test_an_outage_and_its_end_are_logged_once_each(
        self, broker: KafkaServer, log: KafkaLog, address: KafkaAddress, caplog: pytest.LogCaptureFixture
    ) -> None:
        log.append(numbered(1))
        with consuming(address, FlakyStore().take):
            broker.kill()
            wait_until(lambda: "nothing is lost, and folding goes on by itself" in caplog.text)
            time.sleep(4)
            broker.start()
            broker.wait_until(lambda: f"Kafka at {broker.address} answers again" in caplog.text)
        assert caplog.text.count("folding goes on by itself") == 1

    @pytest.mark.faults
    @pytest.mark.parametrize("fault", ["kill", "pause"])
    def test_it_stops_without_a_broker_during_a_batch(
        self,
        broker: KafkaServer,
        log: KafkaLog,
        address: KafkaAddress,
        monkeypatch: pytest.MonkeyPatch,
        fault: str,
    ) -> None:
        monkeypatch.setattr(kafka_consumer, "MAX_BATCH", 1)
        began, go_on = threading.Event(), threading.Event()

        def take(records: Sequence[LogRecord]) -> None:
            began.set()
            assert go_on.wait(60)
            store.take(records)

        store = FlakyStore()
        log.append(numbered(1))
        log.erase(Erasure(ADA, 10), is_total=True)  # folded only while the partition is known to be assigned
        running = RunningConsumer(address, take)
        assert began.wait(60)
        getattr(broker, fault)()
        go_on.set()
        store.wait_for(1)
        time.sleep(1)
        assert seconds_of(running.end) < 2 * BOUND_S
        assert len(store.records) == 1
