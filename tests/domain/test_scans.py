from dataclasses import replace

import pytest

from clocks import Clock
from soundalike.domain.scans import LEASE_S, BeatWatch, ScanProgress, ScanRecord, ScanState

HELD = ScanRecord(owner="a worker", beat=5, progress=ScanProgress(state=ScanState.ANALYSING))


@pytest.mark.parametrize(
    ("record", "state"),
    [
        (ScanRecord(), ScanState.IDLE),
        (HELD, ScanState.ANALYSING),
        (replace(HELD, is_paused=True), ScanState.PAUSED),
        (ScanRecord(is_paused=True), ScanState.PAUSED),
        (HELD.freed(), ScanState.IDLE),
    ],
)
def test_the_state_says_what_is_going_on(record: ScanRecord, state: ScanState) -> None:
    assert record.state is state


def test_a_scan_is_wanted_until_one_of_everything_began_after_it_was_asked_for() -> None:
    assert not ScanRecord().is_wanted
    assert ScanRecord(wanted=2, taken=1).is_wanted
    assert not ScanRecord(wanted=2, taken=2).is_wanted


def test_whose_beat_stands_still_holds_the_lease_no_longer() -> None:
    clock = Clock()
    watch = BeatWatch(clock)
    assert not watch.is_free(HELD)
    clock.now_s += LEASE_S - 1
    assert not watch.is_free(HELD)
    clock.now_s += 1
    assert watch.is_free(HELD)


def test_every_beat_begins_the_wait_anew() -> None:
    clock = Clock()
    watch = BeatWatch(clock)
    for beat in range(10):
        assert not watch.is_free(replace(HELD, beat=beat))
        clock.now_s += LEASE_S - 1


def test_how_long_it_stood_still_before_it_was_looked_at_does_not_count() -> None:
    clock = Clock()
    watch = BeatWatch(clock)
    clock.now_s += 10 * LEASE_S
    assert not watch.is_free(HELD)


def test_a_lease_that_nobody_holds_is_free() -> None:
    assert BeatWatch(Clock()).is_free(ScanRecord())
