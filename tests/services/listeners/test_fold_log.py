"""The store equals the shared log, whatever happens between them."""

import json
from collections.abc import Callable, Collection, Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes import MemoryStore
from making import make_listen
from services.listeners.folding import ADA, BOB, DAY_MS, LATENESS_MS, dated
from soundalike.domain.errors import StoreBusyError, StoreError, StoreUnavailableError, StoreUnfitError
from soundalike.domain.listens import (
    NOTHING_ERASED,
    Erased,
    Erasure,
    ErasureRecord,
    Listen,
    ListenKind,
    LogRecord,
)
from soundalike.domain.ports.listening import ListenStore
from soundalike.domain.profiles import Profile, refold
from soundalike.domain.types import EventId, ProfileVersion, UserId
from soundalike.events.embedded import StoredLog
from soundalike.services.listeners.fold_log import LogProjector
from soundalike.services.listeners.profiles import FoldReport, Profiles
from soundalike.wire.profiles import profile_body


def projector(store: ListenStore) -> LogProjector:
    """Return the projector of a consumer that was just started."""
    return LogProjector(store, Profiles(store, lateness_ms=LATENESS_MS))


def erasure(day: float, user: UserId = ADA, *, is_total: bool = False) -> ErasureRecord:
    return ErasureRecord(Erasure(user, int(day * DAY_MS)), is_total)


def bits(profile: Profile | None) -> tuple[str, str] | None:
    return None if profile is None else (profile.version, json.dumps(profile_body(profile)))


def stored(store: ListenStore, *users: UserId) -> set[Listen]:
    return {listen for user_id in users or (ADA, BOB) for listen in store.listens_of(user_id)}


def is_folded(store: ListenStore) -> bool:
    """Whether every profile equals the fold of the stored listens, to the bit."""
    for user_id in (ADA, BOB):
        listens = list(store.listens_of(user_id))
        expected = refold(user_id, listens, lateness_ms=LATENESS_MS, erased=store.erased(user_id))
        found = store.profile(user_id)
        if bits(found) != bits(expected) and (listens or found is not None):
            return False
    return Profiles(store, lateness_ms=LATENESS_MS).catch_up() == FoldReport(0, 0)


class TestTaking:
    def test_no_records_change_nothing(self, store: ListenStore) -> None:
        projector(store).apply([])
        assert stored(store) == set()

    def test_listens_of_several_users_are_stored_and_folded(self, store: ListenStore) -> None:
        listens = [*dated(1, 3, 2), *dated(5, 4, user="bob")]
        projector(store).apply(listens)
        assert stored(store) == set(listens)
        assert is_folded(store)

    def test_later_records_are_added(self, store: ListenStore) -> None:
        projecting = projector(store)
        for day in (1, 2, 0.5, 40, 3):
            projecting.apply([*dated(day), *dated(day, user="bob")])
            assert is_folded(store)
        assert len(stored(store)) == 10

    def test_the_profiles_are_those_of_the_embedded_log(self, store: ListenStore) -> None:
        listens = [*dated(1, 30, 2, 2.5, 60), *dated(3, user="bob"), *dated(1.5, kind="disliked")]
        embedded = MemoryStore()
        log = StoredLog(embedded, on_append=Profiles(embedded, lateness_ms=LATENESS_MS).fold)
        for listen in listens:
            log.append([listen])
        projector(store).apply(listens)
        for user_id in (ADA, BOB):
            assert bits(store.profile(user_id)) == bits(embedded.profile(user_id))

    def test_the_first_content_of_an_id_counts(self, store: ListenStore) -> None:
        first = make_listen(1, kind="liked", at_ms=50)
        projecting = projector(store)
        projecting.apply([first, make_listen(1, kind="disliked", at_ms=10)])
        projecting.apply([make_listen(1, kind="less", at_ms=90)])
        assert stored(store) == {first}
        assert is_folded(store)


class TestErasing:
    def test_listens_before_an_erasure_go_and_those_after_it_stay(self, store: ListenStore) -> None:
        projector(store).apply([*dated(1, 2), erasure(10), *dated(11)])
        assert stored(store) == set(dated(11))
        assert store.erased(ADA).until_ms == 10 * DAY_MS
        assert is_folded(store)

    def test_late_listens_are_erased_too(self, store: ListenStore) -> None:
        projector(store).apply([erasure(10), *dated(1, 10, 11)])
        assert stored(store) == set(dated(11))
        assert is_folded(store)

    def test_a_total_erasure_hides_listens_dated_later(self, store: ListenStore) -> None:
        projector(store).apply([*dated(1, 12), erasure(10, is_total=True), *dated(11)])
        assert stored(store) == set(dated(11))
        assert is_folded(store)

    def test_an_erasure_does_not_affect_others(self, store: ListenStore) -> None:
        projector(store).apply([*dated(1, user="bob"), erasure(10, is_total=True), *dated(2, user="bob")])
        assert stored(store) == set(dated(1, 2, user="bob"))
        assert is_folded(store)

    def test_a_total_erasure_that_the_server_already_made_is_repeated(self, store: ListenStore) -> None:
        projecting = projector(store)
        projecting.apply(dated(1))
        store.erase_listens(Erasure(ADA, 10 * DAY_MS), is_total=True)
        projecting.apply(dated(12))  # before the erasure in the log, and not consumed yet
        projecting.apply([erasure(10, is_total=True), *dated(11)])
        assert stored(store) == set(dated(11))
        assert is_folded(store)


class TestLowering:
    def test_a_lowered_mark_lets_in_what_comes_after_it(self, store: ListenStore) -> None:
        fast_clock = ErasureRecord(Erasure(ADA, 100 * DAY_MS, 1), is_total=True)
        lowered = ErasureRecord(Erasure(ADA, 10 * DAY_MS, 1), is_total=False, is_lowering=True)
        batch: list[LogRecord] = [*dated(1), fast_clock, *dated(2), lowered, *dated(3, 11)]
        for _ in range(3):
            projector(store).apply(batch)
            assert stored(store) == set(dated(11))
            assert store.erased(ADA) == Erased(until_ms=10 * DAY_MS, generation=1)
            assert is_folded(store)

    def test_it_leaves_what_is_stored(self, store: ListenStore) -> None:
        projecting = projector(store)
        fast_clock = ErasureRecord(Erasure(ADA, 100 * DAY_MS, 1), is_total=True)
        numbered = make_listen(1, at_ms=DAY_MS, generation=1)
        projecting.apply([fast_clock, numbered])
        projecting.apply([ErasureRecord(Erasure(ADA, 10 * DAY_MS, 1), is_total=False, is_lowering=True)])
        assert stored(store) == {numbered}
        assert is_folded(store)


class TestAgain:
    def test_the_same_batch_can_be_applied_three_times(self, store: ListenStore) -> None:
        batch: list[LogRecord] = [*dated(1, 2), *dated(5, user="bob"), erasure(3), *dated(4, 2)]
        for _ in range(3):
            projector(store).apply(batch)
            assert stored(store) == {*dated(4), *dated(5, user="bob")}
            assert is_folded(store)

    def test_a_total_erasure_can_be_applied_again_after_later_listens(self, store: ListenStore) -> None:
        batch: list[LogRecord] = [*dated(30), erasure(10, is_total=True), *dated(11, 12)]
        projecting = projector(store)
        projecting.apply(batch)
        projecting.apply(batch[1:2])  # and there it is killed
        projector(store).apply(batch[1:])
        assert stored(store) == set(dated(11, 12))
        assert is_folded(store)

    def test_stored_listens_that_were_not_folded_are_folded(self, store: ListenStore) -> None:
        projector(store).apply(dated(1))
        store.add_listens(dated(2))  # and there it is killed
        projector(store).apply(dated(2))
        assert is_folded(store)
        assert store.profile_counts() == {ADA: 2}

    def test_stored_listens_folded_for_some_users_are_folded_for_all(self, store: ListenStore) -> None:
        listens = [*dated(1, 2), *dated(1, 2, user="bob")]
        store.add_listens(listens)
        Profiles(store, lateness_ms=LATENESS_MS).fold(dated(1, 2))
        projector(store).apply([*listens, *dated(3)])
        assert is_folded(store)

    def test_folded_listens_are_not_folded_again(self) -> None:
        store = Faulty()
        batch = dated(*range(30))
        projector(store).apply(batch)
        store.reads = 0
        projector(store).apply(batch)
        assert store.reads == 0


class Faulty(MemoryStore):
    """Fails on demand, before or after a call."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0
        self.failing: dict[UserId, Exception] = {}
        self.is_killed: Callable[[], bool] = lambda: False
        self.tries: list[UserId] = []

    def listens_of(self, user_id: UserId) -> Iterator[Listen]:
        self.reads += 1
        return super().listens_of(user_id)

    def add_listens(self, listens: Collection[Listen]) -> tuple[Listen, ...]:
        self._perhaps_die()
        added = super().add_listens(listens)
        self._perhaps_die()
        return added

    def save_profile(self, profile: Profile, *, replacing: ProfileVersion | None) -> bool:
        self.tries.append(profile.user_id)
        if profile.user_id in self.failing:
            raise self.failing[profile.user_id]
        self._perhaps_die()
        return super().save_profile(profile, replacing=replacing)

    def erase_listens(self, erasure: Erasure, *, is_total: bool = False) -> None:
        self._perhaps_die()
        super().erase_listens(erasure, is_total=is_total)
        self._perhaps_die()

    def _perhaps_die(self) -> None:
        if self.is_killed():
            raise Killed


class Killed(BaseException):
    """The process ends here."""


class TestFailures:
    def test_a_profile_that_cannot_be_saved_does_not_affect_others(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        store = Faulty()
        projecting = projector(store)
        store.failing = {ADA: StoreError("too large")}
        projecting.apply([*dated(1), *dated(1, user="bob")])
        assert store.profile_counts() == {BOB: 1}
        assert store.listen_counts() == {ADA: 1, BOB: 1}
        assert "1 listens of 'ada' are stored, but not folded yet: too large" in caplog.text
        store.failing = {}
        projecting.apply(dated(2))
        assert store.profile_counts() == {ADA: 2, BOB: 1}

    @pytest.mark.parametrize(
        "error", [StoreBusyError("busy"), StoreUnavailableError("gone"), StoreUnfitError("full")]
    )
    def test_an_unreachable_store_is_tried_once(self, error: StoreError) -> None:
        store = Faulty()
        store.failing = dict.fromkeys((ADA, BOB), error)
        with pytest.raises(type(error), match=str(error)):
            projector(store).apply([*dated(1), *dated(1, user="bob")])
        assert len(store.tries) == 1

    def test_failed_records_can_be_applied_again(self) -> None:
        store = Faulty()
        projecting = projector(store)
        store.failing = {ADA: StoreUnavailableError("gone")}
        batch = [*dated(1, 2), *dated(1, user="bob")]
        with pytest.raises(StoreUnavailableError):
            projecting.apply(batch)
        store.failing = {}
        projecting.apply(batch)
        assert stored(store) == set(batch)
        assert is_folded(store)


class Expected:
    """What the log means by definition: record by record, without a store or a fold."""

    def __init__(self, records: Sequence[LogRecord]) -> None:
        self.listens: dict[tuple[UserId, EventId], Listen] = {}
        self.erased: dict[UserId, Erased] = {}
        for record in records:
            if isinstance(record, ErasureRecord):
                self._erase(record)
            elif not self.erased.get(record.user_id, NOTHING_ERASED).hides(record):
                self.listens.setdefault((record.user_id, record.id), record)

    def _erase(self, record: ErasureRecord) -> None:
        erasure, user_id = record.erasure, record.erasure.user_id
        before = self.erased.get(user_id, NOTHING_ERASED)
        is_next = erasure.generation is not None and erasure.generation > before.generation
        if record.is_lowering:
            self.erased[user_id] = before.lowered(erasure)
            return
        self.erased[user_id] = before.after(erasure, is_total=record.is_total)
        self.listens = {
            key: one
            for key, one in self.listens.items()
            if one.user_id != user_id
            or not (record.is_total or is_next or (erasure.generation is None and one.at_ms <= erasure.at_ms))
        }


users = st.sampled_from([ADA, BOB])
numbered = st.builds(
    lambda user, day, generation: ErasureRecord(Erasure(user, day * DAY_MS, generation), is_total=True),
    users,
    st.integers(0, 25),
    st.integers(1, 3),
)
"""What answers to DELETE append; those of versions that knew only dates may be total or not."""

lowerings = st.builds(
    lambda user, day, generation: ErasureRecord(
        Erasure(user, day * DAY_MS, generation), is_total=False, is_lowering=True
    ),
    users,
    st.integers(20, 25),
    st.integers(1, 3),
)
"""They are dated by the clock of a start, after what came in until then."""

records = st.one_of(
    st.builds(
        make_listen,
        st.integers(0, 12),
        user_id=users,
        track_id=st.sampled_from(["t1", "t2", "t3"]),
        kind=st.sampled_from(list(ListenKind)),
        at_ms=st.integers(0, 20).map(lambda day: day * DAY_MS),
        generation=st.none() | st.integers(0, 3),
    ),
    st.builds(erasure, st.integers(0, 20), users, is_total=st.booleans()),
    numbered,
    lowerings,
)


@given(
    log=st.lists(records, max_size=16),
    sizes=st.lists(st.integers(1, 6), min_size=1, max_size=8),
    deaths=st.lists(st.integers(1, 25), max_size=4),
    lost_commits=st.lists(st.booleans(), max_size=12),
)
@settings(max_examples=300, deadline=None)
def test_a_killed_consumer_resumes_until_the_store_equals_the_log(
    log: list[LogRecord], sizes: list[int], deaths: list[int], lost_commits: list[bool]
) -> None:
    store = Faulty()
    committed = position = step = 0
    projecting = projector(store)
    while position < len(log) or deaths:
        if deaths:
            left = iter(range(deaths.pop()))
            store.is_killed = lambda left=left: next(left, None) is None  # type: ignore[misc]  # bound now
        else:
            store.is_killed = lambda: False
        try:
            while position < len(log):
                size = sizes[step % len(sizes)]
                projecting.apply(log[position : position + size])
                position += size
                if not (step < len(lost_commits) and lost_commits[step]):
                    committed = position
                step += 1
        except Killed:
            projecting, position = projector(store), committed
    expected = Expected(log)
    assert stored(store) == set(expected.listens.values())
    assert {user: store.erased(user) for user in expected.erased} == expected.erased
    assert is_folded(store)
