"""Profiles equal the fold of all stored listens, despite crashes, contention and other processes."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from fakes import MemoryStore
from making import erased_until, make_listen
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
from soundalike.domain import taste
from soundalike.domain.errors import StoreBusyError, StoreError
from soundalike.domain.listens import Erasure, Listen
from soundalike.domain.ports.listening import ListenStore
from soundalike.domain.profiles import new_profile
from soundalike.domain.types import UserId
from soundalike.events.embedded import StoredLog
from soundalike.services.listeners.profiles import FoldReport, Profiles
from soundalike.store.sqlite.store import SqliteStore


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
                connection.execute("UPDATE profile SET body = '{}'")
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
        assert profiles.of(ADA) == new_profile(ADA, lateness_ms=LATENESS_MS, erased=erased_until(10 * DAY_MS))

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
