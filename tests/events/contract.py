"""What every event log promises; each adapter's tests inherit `EventLogContract` and provide a log.

A log may yield a listen twice; whatever folds it counts the first.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from making import make_listen
from soundalike.domain.listens import NOTHING_ERASED, Erased, Erasure, ErasureRecord, Listen, ListenKind
from soundalike.domain.ports.listening import EventLog
from soundalike.domain.types import EventId, TrackId, UserId

ADA, BOB = UserId("ada"), UserId("bob")
LATEST_MS = int(time.time() * 1000) + 5 * 60 * 1000
"""The latest date that the web process accepts."""
HOSTILE_TRACKS = [
    "'; DROP TABLE listens; --",
    '"quoted" \\ back/slash',
    "%s %(x)s {0} $where $ne a.b",
    " spaces ",
    "é",  # composed, and then
    "é",  # not: two tracks
    "日本 💚 \N{RIGHT-TO-LEFT MARK}",
    "null",
    "0",
    "x" * 128,
]
HOSTILE_USERS = ["a", "A", ".", "..", "~", "@-_.", "0", "null", "u" * 64]


def read(log: EventLog) -> dict[tuple[UserId, EventId], Listen]:
    """Read a log as a consumer does, and check that erasures come before what they leave."""
    listens: dict[tuple[UserId, EventId], Listen] = {}
    erased: dict[UserId, Erased] = {}
    seen: set[UserId] = set()
    for entry in log.entries():
        if isinstance(entry, ErasureRecord):
            user_id = entry.erasure.user_id
            assert user_id not in seen, "an erasure comes before the listens of its user"
            erased[user_id] = erased.get(user_id, NOTHING_ERASED).after(entry.erasure)
            continue
        seen.add(entry.user_id)
        is_hidden = erased.get(entry.user_id, NOTHING_ERASED).hides(entry)
        assert not is_hidden, "what is erased is not yielded"
        listens.setdefault((entry.user_id, entry.id), entry)
    return listens


def erasures(log: EventLog) -> dict[UserId, int]:
    found: dict[UserId, int] = {}
    for entry in log.entries():
        if isinstance(entry, ErasureRecord):
            erasure = entry.erasure
            found[erasure.user_id] = max(erasure.at_ms, found.get(erasure.user_id, erasure.at_ms))
    return found


def holds(log: EventLog, *listens: Listen) -> bool:
    """Whether the log has exactly these listens."""
    return read(log) == {(listen.user_id, listen.id): listen for listen in listens}


def numbered(count: int, *, user: str = "ada", start: int = 0) -> list[Listen]:
    return [make_listen(start + n, user_id=user, at_ms=start + n) for n in range(count)]


class AppendingContract:
    def test_a_new_log_is_empty(self, log: EventLog) -> None:
        assert list(log.entries()) == []

    def test_appended_listens_are_read(self, log: EventLog) -> None:
        listens = [
            make_listen(number, kind=kind, position_ms=position_ms, at_ms=at_ms)
            for number, (kind, position_ms, at_ms) in enumerate(
                (kind, position_ms, at_ms)
                for kind in ListenKind
                for position_ms, at_ms in ((None, 0), (0, 1), (2**53 - 1, LATEST_MS))
            )
        ]
        assert log.append(listens) == 0
        assert holds(log, *listens)

    def test_appending_nothing_is_allowed(self, log: EventLog) -> None:
        assert log.append([]) == 0
        assert list(log.entries()) == []

    def test_later_listens_are_added(self, log: EventLog) -> None:
        listens = numbered(6)
        for listen in reversed(listens):
            log.append([listen])
        assert holds(log, *listens)

    def test_many_listens_at_once_are_all_stored(self, log: EventLog) -> None:
        listens = numbered(2_500)
        assert log.append(listens[:500]) == 0
        assert log.append(listens[500:]) == 0
        assert holds(log, *listens)

    def test_one_append_may_have_several_users(self, log: EventLog) -> None:
        listens = [
            listen
            for n in range(20)
            for user in ("ada", "bob", "eve")
            for listen in numbered(1, user=user, start=n)
        ]
        assert log.append(listens) == 0
        assert holds(log, *listens)

    def test_hostile_names_are_stored_as_they_are(self, log: EventLog) -> None:
        tracks = [make_listen(number, track_id=name) for number, name in enumerate(HOSTILE_TRACKS)]
        users = [make_listen(0, user_id=name) for name in HOSTILE_USERS]
        log.append([*tracks, *users])
        assert holds(log, *tracks, *users)

    def test_uuids_and_ulids_are_valid_ids(self, log: EventLog) -> None:
        ids = ["0191f2a0-7c1e-4b6a-9d3f-0123456789ab", "01J7XQ3M5N8P9R2S4T6V8W0XYZ"]
        listens = [replace(make_listen(), id=EventId(one)) for one in ids]
        log.append(listens)
        assert holds(log, *listens)

    def test_appending_does_not_disturb_reading(self, log: EventLog) -> None:
        listens = numbered(1_500)
        log.append(listens)
        reading = log.entries()
        found = [next(reading)]
        log.append(numbered(10, start=10_000))
        found += reading
        assert set(listens) <= {one for one in found if isinstance(one, Listen)}


class RepeatsContract:
    def test_repeats_in_one_append_are_known(self, log: EventLog) -> None:
        first, second = numbered(2)
        assert log.append([first, second, first, first]) == 2
        assert holds(log, first, second)

    def test_repeats_of_earlier_listens_count_once(self, log: EventLog) -> None:
        listens = numbered(5)
        log.append(listens)
        for _ in range(3):
            assert 0 <= log.append(listens) <= 5
        assert holds(log, *listens)

    def test_the_first_content_counts_in_one_append(self, log: EventLog) -> None:
        first = make_listen(1, kind="liked", at_ms=50)
        log.append([first, make_listen(1, kind="disliked", at_ms=10), make_listen(1, kind="less", at_ms=90)])
        assert holds(log, first)

    def test_the_first_content_counts_in_later_appends(
        self, log: EventLog, reopen: Callable[[], EventLog]
    ) -> None:
        first = make_listen(1, kind="liked", at_ms=50)
        log.append([first])
        log.append([make_listen(1, kind="disliked", at_ms=10), make_listen(2)])
        reopen().append([make_listen(1, track_id="t2", at_ms=90), make_listen(3)])
        assert holds(log, first, make_listen(2), make_listen(3))

    def test_an_id_is_unique_only_within_its_user(self, log: EventLog) -> None:
        listens = [make_listen(1, user_id=user, track_id=f"of {user}") for user in ("ada", "bob")]
        assert log.append(listens) == 0
        assert holds(log, *listens)


class ErasureContract:
    def test_an_erasure_hides_listens_up_to_its_time(self, log: EventLog) -> None:
        log.append([make_listen(n, at_ms=n) for n in (1, 5, 9, 10, 11, 20)])
        log.erase(Erasure(ADA, 10))
        assert holds(log, *(make_listen(n, at_ms=n) for n in (11, 20)))
        assert erasures(log) == {ADA: 10}

    def test_an_erasure_hides_older_listens_appended_later(
        self, log: EventLog, reopen: Callable[[], EventLog]
    ) -> None:
        log.erase(Erasure(ADA, 10))
        late = [make_listen(n, at_ms=n) for n in (1, 10)]
        assert 0 <= log.append(late) <= 2
        assert 0 <= reopen().append([*late, make_listen(11, at_ms=11)]) <= 2
        assert holds(log, make_listen(11, at_ms=11))

    def test_listens_after_an_erasure_are_kept(self, log: EventLog) -> None:
        log.append(numbered(3))
        log.erase(Erasure(ADA, 100))
        fresh = numbered(3, start=101)
        assert log.append(fresh) == 0
        assert holds(log, *fresh)

    def test_an_erasure_hides_nothing_of_other_users(self, log: EventLog) -> None:
        log.append([*numbered(3), *numbered(3, user="bob")])
        log.erase(Erasure(ADA, 100))
        assert holds(log, *numbered(3, user="bob"))

    def test_the_latest_erasure_counts_in_any_order(self, log: EventLog) -> None:
        log.erase(Erasure(ADA, 5))
        log.append(numbered(20))
        log.erase(Erasure(ADA, 15))
        log.erase(Erasure(ADA, 10))
        assert holds(log, *numbered(4, start=16))
        assert erasures(log) == {ADA: 15}

    def test_a_total_erasure_hides_earlier_records_with_later_dates(self, log: EventLog) -> None:
        log.append([make_listen(1, at_ms=30)])
        log.erase(Erasure(ADA, 20), is_total=True)
        later = make_listen(2, at_ms=21)
        log.append([later])
        assert [one for one in log.entries() if isinstance(one, Listen)] == [later]
        assert erasures(log) == {ADA: 20}

    def test_an_erasure_hides_earlier_generations_whatever_the_clocks_say(self, log: EventLog) -> None:
        before = make_listen(1, at_ms=50, generation=0)
        log.append([before])
        log.erase(Erasure(ADA, 30, 1), is_total=True)  # its clock was slow
        log.append([before, make_listen(2, at_ms=60, generation=0)])
        after = make_listen(3, at_ms=20, generation=1)
        log.append([after])
        assert holds(log, after)
        (found,) = (one for one in log.entries() if isinstance(one, Listen))
        assert found.generation == 1

    def test_listens_without_a_generation_are_hidden_by_their_date(self, log: EventLog) -> None:
        log.append([make_listen(1, at_ms=40)])
        log.erase(Erasure(ADA, 30, 1), is_total=True)
        fresh = make_listen(3, at_ms=31)
        log.append([make_listen(2, at_ms=30), fresh])
        assert holds(log, fresh)

    def test_the_highest_generation_counts_and_is_read_with_its_number(
        self, log: EventLog, reopen: Callable[[], EventLog]
    ) -> None:
        lower, highest = 1_769_860_800, 2**53 - 1  # that of an erasure in 2026, and the largest of all
        for at_ms, generation in ((5, 1), (4, highest), (9, lower)):
            log.erase(Erasure(ADA, at_ms, generation))
        fresh = make_listen(1, at_ms=3, generation=highest)
        log.append([fresh, make_listen(2, at_ms=99, generation=lower)])
        again = reopen()
        assert holds(again, fresh)
        (found,) = (one for one in again.entries() if isinstance(one, ErasureRecord))
        assert found.erasure == Erasure(ADA, 9, highest)

    def test_what_is_exported_is_the_same_where_it_is_imported(
        self, log: EventLog, reopen: Callable[[], EventLog]
    ) -> None:
        log.append([make_listen(1, at_ms=40)])
        log.erase(Erasure(ADA, 30, 1), is_total=True)
        log.append([make_listen(2, at_ms=31), make_listen(3, at_ms=7, generation=1)])
        exported = list(log.entries())
        for _ in range(2):
            for entry in exported:
                if isinstance(entry, Listen):
                    reopen().append([entry])
                else:
                    reopen().erase(entry.erasure)
            assert holds(log, make_listen(2, at_ms=31), make_listen(3, at_ms=7, generation=1))

    @pytest.mark.parametrize("generation", [1, None])
    def test_a_lowered_mark_hides_less_of_what_comes_in(
        self, log: EventLog, reopen: Callable[[], EventLog], generation: int | None
    ) -> None:
        log.erase(Erasure(ADA, 1_000, generation), is_total=True)  # its clock was fast
        for _ in range(2):
            reopen().lower_mark(Erasure(ADA, 30, generation))
        log.lower_mark(Erasure(BOB, 30))  # of whom nothing was erased
        log.append([make_listen(1, at_ms=30), make_listen(2, at_ms=31)])
        assert holds(reopen(), make_listen(2, at_ms=31))
        assert erasures(reopen()) == {ADA: 30}

    def test_a_user_without_listens_can_be_erased(self, log: EventLog) -> None:
        log.erase(Erasure(BOB, 0))
        assert read(log) == {}
        assert erasures(log) == {BOB: 0}

    def test_an_erasure_survives_reopening(self, log: EventLog, reopen: Callable[[], EventLog]) -> None:
        log.append(numbered(20))
        log.erase(Erasure(ADA, 9))
        log.close()
        again = reopen()
        assert holds(again, *numbered(10, start=10))
        assert erasures(again) == {ADA: 9}


class DurabilityContract:
    def test_listens_survive_closing_and_reopening(
        self, log: EventLog, reopen: Callable[[], EventLog]
    ) -> None:
        listens = numbered(50)
        log.append(listens)
        log.close()
        assert holds(reopen(), *listens)

    def test_listens_survive_reopening_without_closing(
        self, log: EventLog, reopen: Callable[[], EventLog]
    ) -> None:
        listens = numbered(50)
        log.append(listens)
        assert holds(reopen(), *listens)

    def test_two_logs_on_the_same_data_see_each_other(
        self, log: EventLog, reopen: Callable[[], EventLog]
    ) -> None:
        other = reopen()
        log.append(numbered(3))
        other.append(numbered(3, start=10))
        assert holds(log, *numbered(3), *numbered(3, start=10))
        assert holds(other, *numbered(3), *numbered(3, start=10))


class ThreadsContract:
    def test_concurrent_appends_lose_nothing(self, log: EventLog) -> None:
        def append(thread: int) -> None:
            ready.wait()
            for batch in range(10):
                log.append(numbered(7, user=f"u{thread % 3}", start=1_000 * thread + 10 * batch))

        self._at_once(append, ready := threading.Barrier(8))
        expected = [
            listen
            for thread in range(8)
            for batch in range(10)
            for listen in numbered(7, user=f"u{thread % 3}", start=1_000 * thread + 10 * batch)
        ]
        assert holds(log, *expected)

    def test_concurrent_appends_of_the_same_ids_count_once(self, log: EventLog) -> None:
        def append(thread: int) -> None:
            ready.wait()
            for number in range(15):
                log.append([make_listen(number, track_id=f"by {thread}"), make_listen(100 + number)])

        self._at_once(append, ready := threading.Barrier(6))
        found = read(log)
        assert len(found) == 30
        assert read(log) == found
        assert {one.track_id for one in found.values()} <= {TrackId(f"by {n}") for n in range(6)} | {"t1"}

    def test_listens_appended_during_an_erasure_are_erased(self, log: EventLog) -> None:
        def act(thread: int) -> None:
            ready.wait()
            if thread:
                for number in range(20):
                    log.append([make_listen(100 * thread + number, at_ms=number)])
            else:
                log.erase(Erasure(ADA, 9))

        self._at_once(act, ready := threading.Barrier(4))
        assert {one.at_ms for one in read(log).values()} == set(range(10, 20))

    @staticmethod
    def _at_once(act: Callable[[int], None], ready: threading.Barrier) -> None:
        failures: list[BaseException] = []

        def acting(thread: int) -> None:
            try:
                act(thread)
            except BaseException as error:
                failures.append(error)
                raise

        threads = [threading.Thread(target=acting, args=(number,)) for number in range(ready.parties)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []


class HealthContract:
    def test_preparing_changes_nothing_and_can_be_repeated(self, log: EventLog) -> None:
        log.prepare()
        log.append(numbered(3))
        log.prepare()
        assert holds(log, *numbered(3))

    def test_a_log_that_accepts_listens_is_up(self, log: EventLog) -> None:
        log.append(numbered(1))
        assert log.health().is_up

    def test_health_has_a_detail_exactly_if_something_is_wrong(self, log: EventLog) -> None:
        for _ in range(20):
            health = log.health()
            assert (health.detail == "") == (health.is_up and health.is_consumed)
            time.sleep(0.02)

    def test_a_log_that_folds_itself_is_consumed(self, log: EventLog) -> None:
        assert log.health().is_consumed or not log.is_folding


class EventLogContract(
    AppendingContract, RepeatsContract, ErasureContract, DurabilityContract, ThreadsContract, HealthContract
):
    """Everything that `EventLog` promises.

    Provide two fixtures: `log`, which is empty, and `reopen`, which opens the same data again as another
    process does, whether or not the first was closed.
    """
