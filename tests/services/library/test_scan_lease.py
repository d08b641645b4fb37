"""One scan at a time among all processes: two leases on one store, each with a clock of its own."""

from dataclasses import replace

import pytest

from clocks import Clock
from fakes import MemoryStore
from soundalike.domain.errors import ScanEndedError, StoreUnavailableError
from soundalike.domain.scans import LEASE_S, ScanProgress, ScanResult, ScanState
from soundalike.services.library.scan_control import ScanControl
from soundalike.services.library.scan_lease import ScanLease

DONE = ScanResult(finished_ms=2_000, added=3)


class Process:
    """One of several processes on the same store."""

    def __init__(self, store: MemoryStore, name: str, *, dead: frozenset[str] = frozenset()) -> None:
        self.clock = Clock()
        self.lease = ScanLease(
            store, owner=name, clock=self.clock, now_ms=lambda: 1_000, is_dead=dead.__contains__
        )
        self.control = ScanControl(store, clock=self.clock)


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def first(store: MemoryStore) -> Process:
    return Process(store, "first")


@pytest.fixture
def second(store: MemoryStore) -> Process:
    return Process(store, "second")


def test_only_one_has_it(store: MemoryStore, first: Process, second: Process) -> None:
    assert first.lease.take(is_whole=True)
    assert not second.lease.take(is_whole=True)
    assert store.scan_record().owner == "first"


def test_the_next_has_it_when_it_is_given_back(store: MemoryStore, first: Process, second: Process) -> None:
    assert first.lease.take(is_whole=True)
    first.lease.give_back(DONE)
    assert store.scan_record().last == DONE
    assert second.lease.take(is_whole=True)


def test_who_beats_keeps_it_however_long_it_takes(first: Process, second: Process) -> None:
    assert first.lease.take(is_whole=True)
    for _ in range(5):
        assert not second.lease.take(is_whole=True)
        second.clock.now_s += LEASE_S - 1
        first.lease.beat()
    first.lease.check()


def test_from_one_that_died_it_is_taken_over(first: Process, second: Process) -> None:
    assert first.lease.take(is_whole=True)
    assert not second.lease.take(is_whole=True)
    second.clock.now_s += LEASE_S
    assert second.lease.take(is_whole=True)


def test_one_that_only_stood_still_ends_when_it_sees_that_it_was_replaced(
    store: MemoryStore, first: Process, second: Process
) -> None:
    assert first.lease.take(is_whole=True)
    second.lease.take(is_whole=True)
    second.clock.now_s += LEASE_S
    assert second.lease.take(is_whole=True)
    before = store.scan_record()
    first.lease.beat()
    with pytest.raises(ScanEndedError):
        first.lease.check()
    first.lease.give_back(DONE)
    assert store.scan_record() == before


def test_from_one_that_is_known_to_be_dead_it_is_taken_at_once(store: MemoryStore, first: Process) -> None:
    assert first.lease.take(is_whole=True)
    assert Process(store, "third", dead=frozenset({"first"})).lease.take(is_whole=True)


def test_a_process_that_could_not_give_it_back_takes_it_again(first: Process) -> None:
    assert first.lease.take(is_whole=True)
    assert first.lease.take(is_whole=True)


def test_all_are_told_how_far_it_is(first: Process, second: Process) -> None:
    assert first.lease.take(is_whole=True)
    first.lease.show(ScanProgress(state=ScanState.ANALYSING, done=3, total=9, seconds_left=60))
    first.lease.beat()
    told = second.control.current()
    assert (told.state, told.progress.done, told.progress.seconds_left) == (ScanState.ANALYSING, 3, 60)
    assert told.started_ms == 1_000


def test_one_that_died_is_not_shown_for_ever(first: Process, second: Process) -> None:
    assert first.lease.take(is_whole=True)
    assert second.control.current().state is ScanState.SCANNING
    second.clock.now_s += LEASE_S
    assert second.control.current().state is ScanState.IDLE


def test_a_scan_of_everything_is_what_was_wanted_and_one_of_a_folder_is_not(
    store: MemoryStore, first: Process
) -> None:
    first.control.want()
    assert first.lease.take(is_whole=False)
    assert store.scan_record().is_wanted
    first.lease.give_back(DONE)
    assert first.lease.take(is_whole=True)
    assert not store.scan_record().is_wanted


def test_what_is_wanted_while_a_scan_runs_is_for_the_next_one(store: MemoryStore, first: Process) -> None:
    assert first.lease.take(is_whole=True)
    first.control.want()
    first.lease.beat()
    first.lease.give_back(DONE)
    assert store.scan_record().is_wanted


def test_while_scans_are_paused_none_begins(store: MemoryStore, first: Process, second: Process) -> None:
    second.control.pause(is_paused=True)
    assert not first.lease.take(is_whole=True)
    assert second.control.current().state is ScanState.PAUSED
    second.control.pause(is_paused=False)
    assert first.lease.take(is_whole=True)
    assert not store.scan_record().is_paused


def test_a_scan_that_is_paused_waits_and_can_be_ended(first: Process, second: Process) -> None:
    assert first.lease.take(is_whole=True)
    second.control.pause(is_paused=True)
    first.lease.beat()
    waits = [not first.lease.is_going]
    second.control.pause(is_paused=False)
    first.lease.beat()
    waits.append(not first.lease.is_going)
    assert waits == [True, False]
    first.lease.check()
    second.control.pause(is_paused=True)
    first.lease.beat()
    first.lease.stop()
    with pytest.raises(ScanEndedError):
        first.lease.check()


def test_a_store_that_is_away_for_a_moment_ends_nothing(
    store: MemoryStore, first: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert first.lease.take(is_whole=True)

    def fail() -> None:
        raise StoreUnavailableError

    with monkeypatch.context() as away:
        away.setattr(store, "scan_record", fail)
        first.lease.beat()
    first.lease.beat()
    first.lease.check()
    assert store.scan_record().beat == 2


def test_beats_and_wishes_at_once_lose_neither(
    store: MemoryStore, first: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert first.lease.take(is_whole=True)
    read = store.scan_record
    wishes = iter([True])

    def read_and_be_overtaken() -> object:
        record = read()
        if next(wishes, False):
            store.save_scan_record(replace(record, wanted=record.wanted + 1), replacing=record)
        return record

    monkeypatch.setattr(store, "scan_record", read_and_be_overtaken)
    first.lease.beat()
    assert (read().beat, read().wanted) == (2, 1)


def test_whoever_has_to_start_a_worker_is_told_what_is_wanted(store: MemoryStore) -> None:
    told: list[bool] = []
    ScanControl(store, clock=Clock(), on_wanted=lambda: told.append(store.scan_record().is_wanted)).want()
    assert told == [True]
