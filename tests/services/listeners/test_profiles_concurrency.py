"""Profiles that several threads and processes fold at the same time lose nothing."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes import MemoryStore
from making import make_listen
from services.listeners.folding import (
    ADA,
    BOB,
    DAY_MS,
    LATENESS_MS,
    Watched,
    bits,
    dated,
    from_scratch,
    take,
)
from soundalike.domain.listens import Erasure, ListenKind
from soundalike.domain.ports.listening import ListenStore
from soundalike.domain.types import UserId
from soundalike.events.embedded import StoredLog
from soundalike.services.listeners import profiles as profiles_module
from soundalike.services.listeners.profiles import FoldReport, Profiles
from soundalike.store.sqlite.store import SqliteStore

TESTS = Path(__file__).parents[2]

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
