"""One call at a time while a server is away, every call while it is there."""

import threading

import pytest

from clocks import Clock
from soundalike.domain.circuit_breaker import CircuitBreaker

AWAY = OSError("no answer")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> CircuitBreaker[OSError]:
    return CircuitBreaker(retry_after_s=2.0, clock=clock)


def test_a_closed_breaker_admits_everyone(breaker: CircuitBreaker[OSError]) -> None:
    assert [breaker.admit() for _ in range(5)] == [True] * 5
    assert breaker.failure is None


def test_an_open_breaker_admits_nobody_until_the_retry_time(
    breaker: CircuitBreaker[OSError], clock: Clock
) -> None:
    breaker.record_failure(AWAY)
    assert not breaker.admit()
    clock.now_s += 1.999
    assert not breaker.admit()
    clock.now_s += 0.001
    assert breaker.admit()


def test_one_probe_is_admitted_at_a_time_however_long_it_takes(
    breaker: CircuitBreaker[OSError], clock: Clock
) -> None:
    breaker.record_failure(AWAY)
    clock.now_s += 2.0
    assert breaker.admit()
    clock.now_s += 1_000.0
    assert not breaker.admit()


def test_the_retry_time_counts_from_the_last_failure(breaker: CircuitBreaker[OSError], clock: Clock) -> None:
    breaker.record_failure(AWAY)
    clock.now_s += 2.0
    assert breaker.admit()
    clock.now_s += 5.0
    breaker.record_failure(AWAY)
    clock.now_s += 1.999
    assert not breaker.admit()
    clock.now_s += 0.001
    assert breaker.admit()


def test_a_success_admits_everyone_again(breaker: CircuitBreaker[OSError], clock: Clock) -> None:
    breaker.record_failure(AWAY)
    clock.now_s += 2.0
    assert breaker.admit()
    breaker.record_success()
    assert [breaker.admit() for _ in range(5)] == [True] * 5


def test_a_released_probe_lets_the_next_one_try(breaker: CircuitBreaker[OSError], clock: Clock) -> None:
    breaker.record_failure(AWAY)
    clock.now_s += 2.0
    assert breaker.admit()
    breaker.release()
    assert breaker.admit()
    assert not breaker.admit()


def test_only_the_first_failure_and_the_first_success_after_it_are_news(
    breaker: CircuitBreaker[OSError],
) -> None:
    assert not breaker.record_success()
    assert [breaker.record_failure(AWAY) for _ in range(3)] == [True, False, False]
    assert [breaker.record_success() for _ in range(3)] == [True, False, False]
    assert breaker.record_failure(AWAY)


def test_the_last_failure_is_known_with_its_time(breaker: CircuitBreaker[OSError], clock: Clock) -> None:
    breaker.record_failure(OSError("first"))
    clock.now_s = 107.5
    breaker.record_failure(AWAY)
    assert breaker.failure == (AWAY, 107.5)
    breaker.record_success()
    assert breaker.failure is None


def test_without_a_retry_time_the_next_caller_tries_at_once(clock: Clock) -> None:
    breaker: CircuitBreaker[OSError] = CircuitBreaker(retry_after_s=0.0, clock=clock)
    breaker.record_failure(AWAY)
    assert breaker.admit()
    assert not breaker.admit()


def test_threads_that_ask_at_once_get_one_probe_between_them(
    breaker: CircuitBreaker[OSError], clock: Clock
) -> None:
    breaker.record_failure(AWAY)
    clock.now_s += 2.0
    start = threading.Barrier(8)
    admitted: list[bool] = []

    def ask() -> None:
        start.wait()
        admitted.append(breaker.admit())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(admitted) == [False] * 7 + [True]
