"""How long a write that failed counts."""

import pytest

from clocks import Clock
from soundalike.domain.errors import StoreBusyError, StoreError, StoreReplacedError, StoreUnfitError
from soundalike.store.last_failure import LastFailure


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def last(clock: Clock) -> LastFailure:
    return LastFailure(clock)


def fail(last: LastFailure, error: StoreError) -> None:
    with pytest.raises(type(error)), last.noted():
        raise error


def test_nothing_is_wrong_at_first(last: LastFailure) -> None:
    last.check()


def test_a_failure_of_the_store_counts_for_ten_seconds(last: LastFailure, clock: Clock) -> None:
    fail(last, StoreUnfitError("full"))
    clock.now_s += 10
    with pytest.raises(StoreUnfitError, match="full"):
        last.check()
    clock.now_s += 0.1
    last.check()


def test_another_attempt_that_fails_counts_from_then_on(last: LastFailure, clock: Clock) -> None:
    fail(last, StoreUnfitError("full"))
    clock.now_s += 9
    fail(last, StoreUnfitError("still full"))
    clock.now_s += 9
    with pytest.raises(StoreUnfitError, match="still full"):
        last.check()


def test_it_counts_until_a_write_succeeds(last: LastFailure) -> None:
    fail(last, StoreUnfitError("full"))
    last.forget()
    last.check()


@pytest.mark.parametrize("error", [StoreBusyError("held"), StoreReplacedError("gone")])
def test_what_passes_or_can_be_looked_at_is_not_remembered(last: LastFailure, error: StoreError) -> None:
    fail(last, error)
    last.check()
