"""Profiles equal the fold of all stored listens, despite crashes, contention and other processes."""

import json
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes import MemoryStore
from making import make_listen
from soundalike.domain import taste
from soundalike.domain.errors import StoreBusyError, StoreError
from soundalike.domain.listens import Erasure, Listen, ListenKind
from soundalike.domain.ports.listening import ListenStore
from soundalike.domain.profiles import Profile, new_profile, refold
from soundalike.domain.types import ProfileVersion, UserId
from soundalike.events.embedded import StoredLog
from soundalike.services.listeners import profiles as profiles_module
from soundalike.services.listeners.profiles import FoldReport, Profiles
from soundalike.store.sqlite.store import SqliteStore
from soundalike.wire.profiles import profile_body

TESTS = Path(__file__).parents[2]
ADA, BOB = UserId("ada"), UserId("bob")
DAY_MS = 24 * 3600 * 1000
LATENESS_MS = 7 * DAY_MS

# Takes its own share of one user's listens, of its own user's, and some that all processes take.
TAKE = """
import sys
from pathlib import Path
from making import make_listen
from soundalike.events.embedded import StoredLog
from soundalike.services.listeners.profiles import Profiles
from soundalike.store.sqlite.store import SqliteStore

path, number = Path(sys.argv[1]), int(sys.argv[2])
store = SqliteStore(path)
log = StoredLog(store, on_append=Profiles(store, lateness_ms=1000).fold)
for n in range(40):
    mine = 1000 * number + n
    log.append([make_listen(mine, at_ms=n * 100, track_id=f"t{mine % 7}")])
    log.append([make_listen(n, at_ms=n * 100, user_id=f"u{number}")])
    log.append([make_listen(90_000 + n, at_ms=5 * n, kind="liked")])
store.close()
"""


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ListenStore]:
    opened = MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "library.sqlite")
    with closing(opened):
        yield opened


@pytest.fixture
def profiles(store: ListenStore) -> Profiles:
    return Profiles(store, lateness_ms=LATENESS_MS)


def take(store: ListenStore, profiles: Profiles, *listens: Listen) -> None:
    StoredLog(store, on_append=profiles.fold).append(listens)


def dated(*days: float, user: str = "ada", kind: str = "finished") -> list[Listen]:
    at = [int(day * DAY_MS) for day in days]
    return [
        make_listen(at_ms, at_ms=at_ms, user_id=user, kind=kind, track_id=f"t{at_ms % 5}") for at_ms in at
    ]


def from_scratch(store: ListenStore, user_id: UserId = ADA, lateness_ms: int = LATENESS_MS) -> Profile:
    erased_ms = store.erased_ms(user_id)
    return refold(user_id, store.listens_of(user_id), lateness_ms=lateness_ms, erased_ms=erased_ms)


def bits(profile: Profile) -> tuple[str, str]:
    return profile.version, json.dumps(profile_body(profile))


class Watched(MemoryStore):
    """Counts how often all listens of a user are read, and fails to save on demand."""

    def __init__(self) -> None:
        super().__init__()
        self.readings = 0
        self.failing: set[UserId] = set()
        self.is_overtaken = False
        self.interrupted_at = "saving"
        self.interrupt: Callable[[], None] | None = None

    def listens_of(self, user_id: UserId) -> Iterator[Listen]:
        self.readings += 1
        yield from super().listens_of(user_id)
        self._be_interrupted("reading")

    def save_profile(self, profile: Profile, *, replacing: ProfileVersion | None) -> bool:
        if profile.user_id in self.failing:
            msg = "no space left"
            raise StoreError(msg)
        self._be_interrupted("saving")
        return not self.is_overtaken and super().save_profile(profile, replacing=replacing)

    def _be_interrupted(self, at: str) -> None:
        if self.interrupt is not None and at == self.interrupted_at:
            act, self.interrupt = self.interrupt, None
            act()


class TestFolding:
    def test_an_unknown_user_has_an_empty_profile(self, store: ListenStore, profiles: Profiles) -> None:
        assert profiles.of(ADA) == new_profile(ADA, lateness_ms=LATENESS_MS)
        assert store.profile(ADA) is None

    def test_folded_listens_are_in_the_profile(self, store: ListenStore, profiles: Profiles) -> None:
        for listen in dated(1, 2, 30, 29, 3):
            take(store, profiles, listen)
            assert bits(profiles.of(ADA)) == bits(from_scratch(store))
        assert profiles.of(ADA).taste.count == 5

    def test_several_users_can_be_folded_at_once(self, store: ListenStore, profiles: Profiles) -> None:
        take(store, profiles, *dated(1, 2, user="bob"), *dated(3), *dated(4, user="bob"))
        assert (profiles.of(ADA).taste.count, profiles.of(BOB).taste.count) == (1, 3)

    def test_a_folded_profile_is_stored(self, store: ListenStore, profiles: Profiles) -> None:
        take(store, profiles, *dated(1, 2))
        stored = store.profile(ADA)
        assert stored is not None
        assert bits(stored) == bits(from_scratch(store))

    def test_listens_nearly_in_order_do_not_read_the_others(self) -> None:
        store = Watched()
        profiles = Profiles(store, lateness_ms=LATENESS_MS)
        take(store, profiles, *dated(100))
        before = store.readings
        for listen in dated(101, 99, 104, 97.5, 110, 103.5):
            take(store, profiles, listen)
        assert store.readings == before

    def test_a_late_listen_refolds_and_is_never_dropped(self) -> None:
        store = Watched()
        profiles = Profiles(store, lateness_ms=LATENESS_MS)
        take(store, profiles, *dated(100, 110))
        before = store.readings
        take(store, profiles, *dated(5, 103))
        assert store.readings == before + 1
        assert bits(profiles.of(ADA)) == bits(from_scratch(store))
        assert profiles.of(ADA).taste.count == 4

    def test_a_repeat_of_a_late_listen_does_not_refold(self) -> None:
        store = Watched()
        profiles = Profiles(store, lateness_ms=LATENESS_MS)
        take(store, profiles, *dated(5, 100, 110))
        before = store.readings
        for _ in range(3):
            take(store, profiles, *dated(5, 100, 110))
        assert store.readings == before

    def test_other_content_of_a_settled_listen_does_not_count(
        self, store: ListenStore, profiles: Profiles
    ) -> None:
        first = make_listen(1, at_ms=0, kind="liked")
        take(store, profiles, first, *dated(100))
        take(store, profiles, make_listen(1, at_ms=101 * DAY_MS, kind="disliked"))
        assert profiles.of(ADA).taste.count == 2
        assert bits(profiles.of(ADA)) == bits(from_scratch(store))


class TestCrashes:
    def test_stored_listens_that_were_not_folded_are_folded_at_the_next_start(
        self, store: ListenStore, profiles: Profiles
    ) -> None:
        take(store, profiles, *dated(1), *dated(1, user="bob"))
        store.add_listens([*dated(2), *dated(5, user="eve")])  # and then it was killed
        assert Profiles(store, lateness_ms=LATENESS_MS).catch_up() == FoldReport(profiles=2, listens=3)
        assert bits(profiles.of(ADA)) == bits(from_scratch(store))
        assert profiles.of(UserId("eve")).taste.count == 1

    def test_complete_profiles_are_not_folded_at_the_next_start(
        self, store: ListenStore, profiles: Profiles
    ) -> None:
        assert profiles.catch_up() == FoldReport(0, 0)
        take(store, profiles, *dated(1), *dated(1, user="bob"))
        assert profiles.catch_up() == FoldReport(0, 0)

    def test_first_listens_that_were_not_folded_are_folded_when_the_profile_is_read(
        self, store: ListenStore, profiles: Profiles
    ) -> None:
        store.add_listens(dated(1, 2))
        assert profiles.of(ADA).taste.count == 2

    def test_first_listens_that_were_not_folded_are_folded_with_the_next(
        self, store: ListenStore, profiles: Profiles
    ) -> None:
        store.add_listens(dated(1, 2))
        take(store, profiles, *dated(3))
        assert profiles.of(ADA).taste.count == 3

    def test_listens_that_were_not_folded_are_folded_when_sent_again(
        self, store: ListenStore, profiles: Profiles
    ) -> None:
        take(store, profiles, *dated(1))
        store.add_listens(dated(2))  # by a process that was killed before it answered
        take(store, profiles, *dated(2))
        assert profiles.of(ADA).taste.count == 2

    def test_a_failed_fold_is_repeated_when_the_profile_is_read(self) -> None:
        store = Watched()
        profiles = Profiles(store, lateness_ms=LATENESS_MS)
        take(store, profiles, *dated(1))
        store.failing = {ADA}
        take(store, profiles, *dated(2))
        assert profiles.of(ADA).taste.count == 1  # better an old one than none
        store.failing = set()
        assert profiles.of(ADA).taste.count == 2
        before = store.readings
        assert profiles.of(ADA).taste.count == 2
        assert store.readings == before

    def test_a_failed_fold_is_repeated_with_the_next_listen(self) -> None:
        store = Watched()
        profiles = Profiles(store, lateness_ms=LATENESS_MS)
        take(store, profiles, *dated(1))
        store.failing = {ADA}
        take(store, profiles, *dated(2))
        store.failing = set()
        take(store, profiles, *dated(3))
        assert bits(store.profile(ADA) or new_profile(ADA)) == bits(from_scratch(store))

    def test_a_failure_for_one_user_does_not_affect_others(self) -> None:
        store = Watched()
        profiles = Profiles(store, lateness_ms=LATENESS_MS)
        store.failing = {ADA}
        listens = [*dated(1), *dated(1, user="bob")]
        store.add_listens(listens)
        with pytest.raises(StoreError, match="no space left"):
            profiles.fold(listens)
        assert store.profile_counts() == {BOB: 1}
        with pytest.raises(StoreError, match="no space left"):
            profiles.of(ADA)

    def test_a_profile_that_others_keep_saving_is_busy(self) -> None:
        store = Watched()
        profiles = Profiles(store, lateness_ms=LATENESS_MS)
        take(store, profiles, *dated(1))
        store.is_overtaken = True
        store.add_listens(dated(2))
        with pytest.raises(StoreBusyError, match="ada"):
            profiles.fold(dated(2))
        store.is_overtaken = False
        assert profiles.of(ADA).taste.count == 2

    def test_a_damaged_profile_is_rebuilt(self, tmp_path: Path) -> None:
        path = tmp_path / "library.sqlite"
        with closing(SqliteStore(path)) as store:
            take(store, Profiles(store, lateness_ms=LATENESS_MS), *dated(1, 2))
            with closing(sqlite3.connect(path)) as connection:
                connection.execute("UPDATE profiles SET body = '{}'")
                connection.commit()
            assert Profiles(store, lateness_ms=LATENESS_MS).of(ADA).taste.count == 2


class TestOtherFolds:
    def test_a_profile_of_another_fold_version_is_folded_at_the_next_start(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store = MemoryStore()
        take(store, Profiles(store, lateness_ms=LATENESS_MS), *dated(1, 2))
        monkeypatch.setattr(taste, "FOLD_VERSION", taste.FOLD_VERSION + 1)
        profiles = Profiles(store, lateness_ms=LATENESS_MS)
        assert profiles.catch_up() == FoldReport(profiles=1, listens=2)
        assert profiles.of(ADA).taste.count == 2

    @pytest.mark.parametrize("days", [[], [3]])
    def test_a_profile_of_another_fold_version_is_folded_when_read(
        self, monkeypatch: pytest.MonkeyPatch, days: list[float]
    ) -> None:
        store = MemoryStore()
        take(store, Profiles(store, lateness_ms=LATENESS_MS), *dated(1, 2))
        monkeypatch.setattr(taste, "FOLD_VERSION", taste.FOLD_VERSION + 1)
        profiles = Profiles(store, lateness_ms=LATENESS_MS)
        take(store, profiles, *dated(*days))
        assert profiles.of(ADA).taste.count == 2 + len(days)

    def test_another_bound_on_lateness_refolds(self, store: ListenStore, profiles: Profiles) -> None:
        take(store, profiles, *dated(*range(20)))
        narrow = Profiles(store, lateness_ms=DAY_MS)
        assert bits(narrow.of(ADA)) == bits(from_scratch(store, lateness_ms=DAY_MS))
        assert len(narrow.of(ADA).recent) == 1
        take(store, profiles, *dated(20))
        assert bits(profiles.of(ADA)) == bits(from_scratch(store))


class TestReplay:
    def test_every_profile_is_rebuilt_with_progress(self, store: ListenStore, profiles: Profiles) -> None:
        store.add_listens([*dated(1, 2, 3), *dated(4, user="bob")])
        steps: list[tuple[int, int]] = []
        assert profiles.replay(lambda done, total: steps.append((done, total))) == FoldReport(2, 4)
        assert steps == [(0, 4), (3, 4), (4, 4)]
        for user_id in (ADA, BOB):
            assert bits(profiles.of(user_id)) == bits(from_scratch(store, user_id))

    def test_replaying_correct_profiles_changes_nothing(self, store: ListenStore, profiles: Profiles) -> None:
        take(store, profiles, *dated(100, 5, 103, 60))
        before = bits(profiles.of(ADA))
        profiles.replay()
        assert bits(profiles.of(ADA)) == before

    def test_replaying_an_empty_store_does_nothing(self, profiles: Profiles) -> None:
        assert profiles.replay() == FoldReport(0, 0)


class TestErasure:
    def test_an_erased_user_has_an_empty_profile(self, store: ListenStore, profiles: Profiles) -> None:
        take(store, profiles, *dated(1, 2))
        StoredLog(store).erase(Erasure(ADA, 10 * DAY_MS))
        assert profiles.of(ADA) == new_profile(ADA, lateness_ms=LATENESS_MS, erased_ms=10 * DAY_MS)

    def test_erased_listens_are_never_folded_again(self, store: ListenStore, profiles: Profiles) -> None:
        take(store, profiles, *dated(1, 2))
        StoredLog(store).erase(Erasure(ADA, 10 * DAY_MS))
        take(store, profiles, *dated(1, 2, 3, 10, 10.5, 11))
        profiles.fold(dated(1, 2, 3))
        assert profiles.of(ADA).taste.count == 2
        profiles.replay()
        assert bits(profiles.of(ADA)) == bits(from_scratch(store))
        assert profiles.of(ADA).taste.count == 2

    def test_listens_after_an_erasure_stay(self, store: ListenStore, profiles: Profiles) -> None:
        take(store, profiles, *dated(1, 2, 30))
        StoredLog(store).erase(Erasure(ADA, 10 * DAY_MS))
        assert profiles.of(ADA).taste.count == 1


class TestOtherProcesses:
    def test_a_profile_saved_by_another_process_is_seen_at_once(
        self, store: ListenStore, profiles: Profiles
    ) -> None:
        other = Profiles(store, lateness_ms=LATENESS_MS)
        for number, listen in enumerate(dated(1, 2, 3, 4), start=1):
            take(store, (profiles, other)[number % 2], listen)
            assert profiles.of(ADA).taste.count == other.of(ADA).taste.count == number

    @pytest.mark.parametrize("days", [[2], [1.5], [0.5], [-30]])
    @pytest.mark.parametrize("at", ["reading", "saving"])
    def test_a_profile_saved_by_another_process_meanwhile_is_not_lost(
        self, days: list[float], at: str
    ) -> None:
        store = Watched()
        store.interrupted_at = at
        profiles, other = (Profiles(store, lateness_ms=DAY_MS) for _ in range(2))
        take(store, profiles, *dated(40))
        store.interrupt = lambda: take(store, other, *dated(*(41 + day for day in days)))
        take(store, profiles, *dated(41))
        assert bits(profiles.of(ADA)) == bits(from_scratch(store, lateness_ms=DAY_MS))
        store.interrupt = lambda: take(store, other, *dated(*(51 + day for day in days)))
        profiles.replay()
        assert bits(profiles.of(ADA)) == bits(from_scratch(store, lateness_ms=DAY_MS))

    @pytest.mark.parametrize("days", [[], [1]])
    @pytest.mark.parametrize("at", ["reading", "saving"])
    def test_a_user_erased_meanwhile_stays_erased(self, days: list[float], at: str) -> None:
        store = Watched()
        store.interrupted_at = at
        profiles = Profiles(store, lateness_ms=LATENESS_MS)
        take(store, profiles, *dated(*days))
        store.interrupt = lambda: store.erase_listens(Erasure(ADA, 10 * DAY_MS))
        take(store, profiles, *dated(2, 12))
        profiles.replay()
        assert bits(profiles.of(ADA)) == bits(from_scratch(store))
        assert profiles.of(ADA).taste.count == 1

    def test_a_profile_that_did_not_change_is_not_read_again(
        self, store: ListenStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(profiles_module, "_MAX_CACHED_TRACKS", 40)
        profiles = Profiles(store, lateness_ms=0)
        for day in range(30):
            take(store, profiles, *dated(day), *dated(day, user="bob"))
        ada, bob = profiles.of(ADA), profiles.of(BOB)
        assert profiles.of(ADA) is ada
        assert profiles.of(BOB) is bob

    def test_the_cache_is_bounded(self, store: ListenStore, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(profiles_module, "_MAX_CACHED_TRACKS", 6)
        profiles = Profiles(store, lateness_ms=LATENESS_MS)
        users = [UserId(f"u{number}") for number in range(10)]
        for user_id in users:
            take(store, profiles, *dated(1, 2, user=user_id))
        for user_id in users:
            assert bits(profiles.of(user_id)) == bits(from_scratch(store, user_id))

    def test_threads_that_fold_at_once_lose_nothing(self, store: ListenStore) -> None:
        both = [Profiles(store, lateness_ms=LATENESS_MS) for _ in range(2)]
        ready = threading.Barrier(6)

        def fold(thread: int) -> None:
            ready.wait()
            for number in range(15):
                listens = dated(number + thread / 10, 100.05 - 9 * number - thread / 10)
                take(store, both[thread % 2], *listens, *dated(number, user=f"u{thread}"))

        run_at_once(fold, 6)
        assert store.count_listens(ADA) == 6 * 15 * 2
        for profiles in (*both, Profiles(store, lateness_ms=LATENESS_MS)):
            for user_id in (ADA, *(UserId(f"u{thread}") for thread in range(6))):
                assert bits(profiles.of(user_id)) == bits(from_scratch(store, user_id))
        assert both[0].catch_up() == FoldReport(0, 0)

    def test_processes_that_fold_at_once_lose_nothing(self, tmp_path: Path) -> None:
        path = tmp_path / "library.sqlite"
        takers = [
            subprocess.Popen(
                [sys.executable, "-c", TAKE, str(path), str(number)],
                env={**os.environ, "PYTHONPATH": str(TESTS)},
                stderr=subprocess.PIPE,
                text=True,
            )
            for number in range(3)
        ]
        assert [taker.communicate()[1] for taker in takers] == [""] * 3
        with closing(SqliteStore(path)) as store:
            profiles = Profiles(store, lateness_ms=1000)
            assert profiles.catch_up() == FoldReport(0, 0)
            assert profiles.of(ADA).taste.count == 3 * 40 + 40
            for user_id in store.listen_counts():
                assert bits(profiles.of(user_id)) == bits(from_scratch(store, user_id, 1000))


def run_at_once(act: Callable[[int], None], count: int) -> None:
    threads = [threading.Thread(target=act, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


listens = st.builds(
    make_listen,
    st.integers(0, 40),
    user_id=st.sampled_from(["ada", "bob"]),
    track_id=st.sampled_from(["t1", "t2", "t3"]),
    kind=st.sampled_from(list(ListenKind)),
    position_ms=st.none() | st.integers(0, 60_000),
    at_ms=st.integers(0, 20).map(lambda day: day * DAY_MS),
)
acts = st.one_of(
    st.tuples(st.just("take"), st.lists(listens, max_size=8)),
    st.tuples(st.just("be killed after storing"), st.lists(listens, max_size=8)),
    st.tuples(
        st.just("erase"),
        st.builds(Erasure, st.sampled_from([ADA, BOB]), st.integers(0, 20).map(lambda day: day * DAY_MS)),
    ),
    st.tuples(st.just("read"), st.sampled_from([ADA, BOB])),
)


@given(st.lists(acts, max_size=12), st.sampled_from([0, DAY_MS, LATENESS_MS]))
@settings(max_examples=150, deadline=None)
def test_profiles_always_equal_the_fold_of_the_stored_listens(
    acts: list[tuple[str, object]], lateness_ms: int
) -> None:
    store = MemoryStore()
    profiles = Profiles(store, lateness_ms=lateness_ms)
    for name, what in acts:
        if isinstance(what, Erasure):
            StoredLog(store).erase(what)
        elif isinstance(what, str):
            profiles.of(UserId(what))
        elif isinstance(what, list) and name == "take":
            take(store, profiles, *what)
        elif isinstance(what, list):
            store.add_listens(what)
            profiles = Profiles(store, lateness_ms=lateness_ms)
            profiles.catch_up()
        for user_id in (ADA, BOB):
            expected = from_scratch(store, user_id, lateness_ms)
            assert bits(profiles.of(user_id)) == bits(expected)


def test_damaged_rows_of_one_user_do_not_affect_others(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.add_listens([make_listen(1), make_listen(1, user_id=UserId("bob"))])
    listens_of = store.listens_of

    def damaged(user_id: UserId) -> Iterator[Listen]:
        if user_id == ADA:
            msg = "the store's file is damaged"
            raise StoreError(msg)
        return iter(list(listens_of(user_id)))

    monkeypatch.setattr(store, "listens_of", damaged)
    profiles = Profiles(store, lateness_ms=LATENESS_MS)
    assert profiles.catch_up().profiles == 1
    assert store.profile_counts() == {UserId("bob"): 1}
    with pytest.raises(StoreError):
        profiles.replay()
