"""A consumer's metrics."""

import urllib.error
import urllib.request

import pytest
from prometheus_client import REGISTRY, generate_latest

from events.kafka.fakes import FlakyStore
from events.kafka.running import consuming, produce
from making import make_listen
from servers.kafka import Kafka, own_group
from servers.processes import free_ports, wait_until
from soundalike.domain.errors import ServeError, StoreUnavailableError
from soundalike.events.kafka.address import KafkaAddress
from soundalike.events.kafka.log import KafkaLog
from soundalike.events.kafka.metrics import ConsumerMetrics

NOW_S = 1_700_000_000.0
NOW_MS = int(NOW_S * 1000)


@pytest.fixture
def metrics() -> ConsumerMetrics:
    return ConsumerMetrics(clock=lambda: NOW_S)


def value(metrics: ConsumerMetrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"soundalike_{name}", labels)


def shown(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
        return str(answer.read().decode())


def test_batches_are_counted_and_timed(metrics: ConsumerMetrics) -> None:
    metrics.note_batch(10, seconds=0.02, newest_ms=NOW_MS - 5_000)
    metrics.note_batch(5, seconds=3.0, newest_ms=NOW_MS - 9_000)
    metrics.note_dead(2)
    metrics.note_failure()
    assert value(metrics, "records_folded_total") == 15
    assert value(metrics, "batches_total") == 2
    assert value(metrics, "dead_letters_total") == 2
    assert value(metrics, "failures_total") == 1
    assert value(metrics, "fold_seconds_sum") == pytest.approx(3.02)
    assert value(metrics, "fold_seconds_bucket", le="0.025") == 1


def test_ages_are_computed_when_they_are_read(metrics: ConsumerMetrics) -> None:
    assert str(value(metrics, "newest_folded_age_seconds")) == "nan"
    assert value(metrics, "oldest_unfolded_age_seconds") == 0
    metrics.note_batch(1, seconds=0.1, newest_ms=NOW_MS - 5_000)
    metrics.note_batch(1, seconds=0.1, newest_ms=NOW_MS - 9_000)
    metrics.note_oldest(NOW_MS - 60_000)
    assert value(metrics, "newest_folded_age_seconds") == 5
    assert value(metrics, "oldest_unfolded_age_seconds") == 60
    metrics.note_oldest(None)
    assert value(metrics, "oldest_unfolded_age_seconds") == 0


def test_a_fast_clock_of_a_sender_gives_no_negative_age(metrics: ConsumerMetrics) -> None:
    metrics.note_oldest(NOW_MS + 1_000)
    assert value(metrics, "oldest_unfolded_age_seconds") == 0


def test_partitions_of_other_consumers_are_not_shown(metrics: ConsumerMetrics) -> None:
    metrics.note_lags({0: 5, 1: 7})
    assert value(metrics, "lag_records", partition="1") == 7
    metrics.note_lags({0: 2, 3: 0})
    assert value(metrics, "lag_records", partition="0") == 2
    assert value(metrics, "lag_records", partition="1") is None
    assert value(metrics, "lag_records", partition="3") == 0


def test_the_global_registry_is_not_used(metrics: ConsumerMetrics) -> None:
    metrics.note_batch(1, seconds=0.1, newest_ms=None)
    ConsumerMetrics()
    assert b"soundalike" not in generate_latest(REGISTRY)


def test_metrics_are_served_on_loopback_during_the_block(metrics: ConsumerMetrics) -> None:
    (port,) = free_ports(1)
    with metrics.served(port):
        metrics.note_batch(3, seconds=0.1, newest_ms=None)
        assert "soundalike_records_folded_total 3.0\n" in shown(port)
    with pytest.raises(urllib.error.URLError):
        shown(port)
    with metrics.served(port):
        assert "soundalike_batches_total" in shown(port)


def test_a_port_that_is_taken_is_reported(metrics: ConsumerMetrics) -> None:
    (port,) = free_ports(1)
    other = ConsumerMetrics()
    with (
        metrics.served(port),
        pytest.raises(ServeError, match=f"127.0.0.1:{port}: Address already in use"),
        other.served(port),
    ):
        pass


def test_without_a_port_nothing_is_served(metrics: ConsumerMetrics, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("soundalike.events.kafka.metrics.start_http_server", pytest.fail)
    with metrics.served(None):
        metrics.note_dead(1)
    assert value(metrics, "dead_letters_total") == 1


@pytest.mark.kafka
def test_a_consumer_reports_its_lag(kafka: Kafka) -> None:
    address = KafkaAddress.parse(own_group(kafka.url(), partitions=2))
    log, store, metrics = KafkaLog(address, {}), FlakyStore(), ConsumerMetrics()
    log.append([make_listen(n, user_id=f"u{n}") for n in range(20)])
    produce(kafka, address.topic, {"key": b"ada", "value": b"?", "partition": 0})
    store.away = StoreUnavailableError("gone")

    def lag() -> float:
        return sum(value(metrics, "lag_records", partition=str(n)) or 0 for n in range(2))

    with consuming(address, store.take, metrics=metrics):
        wait_until(lambda: lag() == 21)
        wait_until(lambda: (value(metrics, "oldest_unfolded_age_seconds") or 0) > 1)
        assert (value(metrics, "failures_total") or 0) > 0
        store.away = None
        wait_until(lambda: lag() == 0 and value(metrics, "records_folded_total") == 20)
        assert value(metrics, "dead_letters_total") == 1
        assert value(metrics, "oldest_unfolded_age_seconds") == 0
        assert 0 <= (value(metrics, "newest_folded_age_seconds") or 0) < 600
    with consuming(address, store.take, metrics=(again := ConsumerMetrics())):
        wait_until(lambda: again.registry.get_sample_value("soundalike_lag_records", {"partition": "1"}) == 0)
    log.close()
