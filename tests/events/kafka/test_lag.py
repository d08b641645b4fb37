"""Whether a consumer group makes progress, by its commits."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from soundalike.events.kafka.lag import PARTITION_STUCK_S, STUCK_S, StallDetector

OFFSETS = st.dictionaries(st.integers(0, 3), st.integers(0, 20), max_size=4)


class Clock:
    """Asks every two seconds, as the health monitor does."""

    def __init__(self) -> None:
        self.now_s = 1_000.0
        self._stalls = StallDetector()

    def for_s(self, seconds: float, committed: Mapping[int, int], ends: Mapping[int, int]) -> int:
        """Let time pass without changes; return how many records are stuck in the end."""
        until_s = self.now_s + seconds
        stuck = self._stalls.note(committed, ends, now_s=self.now_s)
        while self.now_s < until_s:
            self.now_s += 2
            stuck = self._stalls.note(committed, ends, now_s=self.now_s)
        return stuck


def test_a_group_without_lag_is_never_stuck() -> None:
    assert Clock().for_s(1_000, {0: 5, 1: 0}, {0: 5, 1: 0}) == 0


def test_a_group_that_commits_nothing_is_stuck_after_a_while() -> None:
    clock = Clock()
    assert clock.for_s(STUCK_S, {0: 5}, {0: 9, 1: 3}) == 0
    assert clock.for_s(4, {0: 5}, {0: 9, 1: 3}) == 7
    assert clock.for_s(2, {0: 6}, {0: 9, 1: 3}) == 0


def test_a_group_that_never_committed_is_stuck_after_a_while() -> None:
    assert Clock().for_s(STUCK_S + 4, {}, {0: 9}) == 9


def test_an_idle_group_is_not_stuck_when_a_record_arrives() -> None:
    clock = Clock()
    clock.for_s(1_000, {0: 5}, {0: 5})
    assert clock.for_s(STUCK_S, {0: 5}, {0: 6}) == 0


def test_one_stuck_partition_is_found_while_others_make_progress() -> None:
    clock = Clock()
    stuck = [clock.for_s(10, {0: 5, 1: n}, {0: 9, 1: n + 1}) for n in range(20)]
    quiet = int(PARTITION_STUCK_S // 10) - 1
    assert stuck[:quiet] == [0] * quiet
    assert stuck[-1] == 4


def test_an_added_partition_without_a_reader_is_found() -> None:
    clock = Clock()
    clock.for_s(100, {0: 5}, {0: 5})
    assert [clock.for_s(10, {0: n}, {0: n, 1: 7}) for n in range(6, 26)][-1] == 7


def test_partitions_that_take_turns_are_not_stuck() -> None:
    clock = Clock()
    done = {0: 0, 1: 0, 2: 0}
    for turn in range(60):
        done[turn % 3] += 1
        assert clock.for_s(STUCK_S - 4, dict(done), {0: 99, 1: 99, 2: 99}) == 0


def test_a_recreated_partition_starts_anew() -> None:
    clock = Clock()
    clock.for_s(1_000, {0: 500}, {0: 500})
    assert clock.for_s(STUCK_S, {}, {0: 3}) == 0


@given(st.lists(st.tuples(st.integers(1, 60), OFFSETS, OFFSETS), max_size=8))
def test_never_more_records_are_stuck_than_wait(
    steps: list[tuple[int, dict[int, int], dict[int, int]]],
) -> None:
    clock = Clock()
    for seconds, committed, ends in steps:
        left = sum(max(0, end - committed.get(number, 0)) for number, end in ends.items())
        assert 0 <= clock.for_s(seconds, committed, ends) <= left
