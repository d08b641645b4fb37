"""What every store promises of profiles."""

import json
import sys
import threading
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from making import erased_until, make_listen
from soundalike.domain.listens import NOTHING_ERASED, Erased, Erasure, Listen, ListenKind
from soundalike.domain.ports.library import Store
from soundalike.domain.profiles import Profile, fold, new_profile, refold
from soundalike.domain.types import ProfileVersion, UserId
from soundalike.wire.profiles import profile_body
from store.asking import ADA, BOB, HOSTILE_TEXTS, in_threads

DAY_MS = 24 * 3600 * 1000
NO_VERSION = ProfileVersion("0123456789abcdef")

many_listens = st.lists(
    st.builds(
        make_listen,
        st.integers(0, 2**40),
        track_id=st.text(max_size=3),
        kind=st.sampled_from(list(ListenKind)),
        position_ms=st.none() | st.integers(0, 600_000),
        at_ms=st.integers(0, 60 * DAY_MS),
    ),
    max_size=30,
)


def make_profile(*numbers: int, user_id: UserId = ADA, erased: Erased = NOTHING_ERASED) -> Profile:
    """Return the profile of one listen a day, to tracks with these numbers."""
    listens = [
        make_listen(number, user_id=user_id, track_id=f"t{number}", at_ms=number * DAY_MS)
        for number in numbers
    ]
    return refold(user_id, listens, erased=erased)


def has_profile(store: Store, profile: Profile) -> bool:
    """Whether this is a user's profile, by every method of the port."""
    user_id = profile.user_id
    return (
        store.profile(user_id) == profile
        and store.profile_version(user_id) == profile.version
        and store.profile_counts()[user_id] == profile.taste.count
    )


def has_none(store: Store, user_id: UserId) -> bool:
    return (
        store.profile(user_id) is None
        and store.profile_version(user_id) is None
        and user_id not in store.profile_counts()
    )


def exact(profile: Profile | None) -> str:
    """Return everything in a profile, floats to the bit."""
    assert profile is not None
    return json.dumps([profile_body(profile), profile.version])


def use_another_fold_version(patch: pytest.MonkeyPatch) -> None:
    """Make the program one whose fold is another, as an update does."""
    for name, module in list(sys.modules.items()):
        if name.startswith("soundalike.") and hasattr(module, "FOLD_VERSION"):
            patch.setattr(module, "FOLD_VERSION", 99)


class ProfilesContract:
    def test_a_stranger_has_none(self, store: Store) -> None:
        assert has_none(store, ADA)
        assert store.profile_counts() == {}

    def test_a_profile_comes_back_as_it_was_saved(self, store: Store) -> None:
        adas, bobs = make_profile(1, 2, 30), make_profile(4, user_id=BOB)
        assert store.save_profile(adas, replacing=None)
        assert store.save_profile(bobs, replacing=None)
        assert has_profile(store, adas)
        assert has_profile(store, bobs)
        assert store.profile_counts() == {ADA: 3, BOB: 1}

    def test_a_profile_of_a_user_without_other_data_is_returned(self, store: Store) -> None:
        profile = new_profile(ADA, lateness_ms=5)
        assert store.save_profile(profile, replacing=None)
        assert has_profile(store, profile)

    @given(many_listens, st.integers(0, 60 * DAY_MS))
    @settings(
        max_examples=50,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
    )
    def test_it_comes_back_to_the_bit(self, store: Store, listens: list[Listen], lateness_ms: int) -> None:
        profile = refold(ADA, listens, lateness_ms=lateness_ms)
        assert store.save_profile(profile, replacing=store.profile_version(ADA))
        assert exact(store.profile(ADA)) == exact(profile)
        assert has_profile(store, profile)

    def test_a_profile_of_any_text_is_stored(self, store: Store, subtests: pytest.Subtests) -> None:
        for text in HOSTILE_TEXTS:
            with subtests.test(text=text):
                listens = [make_listen(n, user_id=text, track_id=text, at_ms=n * DAY_MS) for n in (0, 9)]
                profile = refold(UserId(text), listens)
                assert store.save_profile(profile, replacing=None)
                assert has_profile(store, profile)

    def test_a_large_one_is_stored(self, store: Store) -> None:
        listens = [make_listen(number, track_id=f"track {number}", at_ms=number) for number in range(4000)]
        profile = refold(ADA, listens, lateness_ms=2000)
        assert store.save_profile(profile, replacing=None)
        assert has_profile(store, profile)

    def test_it_takes_the_place_of_the_one_it_was_made_from(self, store: Store) -> None:
        first, second = make_profile(1), make_profile(1, 2)
        assert store.save_profile(first, replacing=None)
        assert store.save_profile(second, replacing=first.version)
        assert has_profile(store, second)
        assert store.save_profile(second, replacing=second.version)
        assert has_profile(store, second)

    def test_it_takes_the_place_of_no_other(self, store: Store, subtests: pytest.Subtests) -> None:
        standing = make_profile(1)
        assert store.save_profile(standing, replacing=None)
        for replacing in (None, NO_VERSION, make_profile(3).version):
            with subtests.test(replacing=replacing):
                assert not store.save_profile(make_profile(3), replacing=replacing)
                assert has_profile(store, standing)

    def test_what_is_gone_cannot_be_replaced(self, store: Store) -> None:
        assert not store.save_profile(make_profile(1), replacing=NO_VERSION)
        assert has_none(store, ADA)

    def test_the_profile_of_another_user_does_not_matter(self, store: Store) -> None:
        assert store.save_profile(make_profile(1, user_id=BOB), replacing=None)
        assert not store.save_profile(make_profile(1), replacing=make_profile(1, user_id=BOB).version)
        assert store.save_profile(make_profile(1), replacing=None)

    def test_listens_leave_it_as_it_is(self, store: Store) -> None:
        profile = make_profile(1)
        store.save_profile(profile, replacing=None)
        store.add_listens([make_listen(2)])
        assert has_profile(store, profile)


class ErasedProfilesContract:
    def test_it_goes_with_the_listens(self, store: Store) -> None:
        bobs = make_profile(1, user_id=BOB)
        store.save_profile(make_profile(1), replacing=None)
        store.save_profile(bobs, replacing=None)
        store.erase_listens(Erasure(ADA, 0))
        assert has_none(store, ADA)
        assert has_profile(store, bobs)

    def test_it_has_to_know_of_the_erasure(self, store: Store) -> None:
        ignorant, early, late = (
            make_profile(30, erased=erased_until(until_ms)) for until_ms in (None, 9, 11)
        )
        knowing = make_profile(30, erased=erased_until(10))
        store.erase_listens(Erasure(ADA, 10))
        for unfit in (ignorant, early, late):
            assert not store.save_profile(unfit, replacing=None)
        assert has_none(store, ADA)
        assert store.save_profile(knowing, replacing=None)
        assert has_profile(store, knowing)
        for unfit in (ignorant, early, late):
            assert not store.save_profile(unfit, replacing=knowing.version)
        assert has_profile(store, knowing)

    def test_there_has_to_be_one_to_know_of(self, store: Store) -> None:
        store.erase_listens(Erasure(BOB, 10))
        assert not store.save_profile(make_profile(30, erased=erased_until(10)), replacing=None)
        assert has_none(store, ADA)

    def test_it_has_to_be_of_the_generation(self, store: Store) -> None:
        store.erase_listens(Erasure(ADA, 10, 1))
        first = make_profile(30, erased=Erased(until_ms=10, generation=1))
        assert store.save_profile(first, replacing=None)
        assert has_profile(store, first)
        store.erase_listens(Erasure(ADA, 5, 2))  # its clock was slow: the date stays
        assert has_none(store, ADA)
        assert not store.save_profile(first, replacing=None)
        second = make_profile(30, erased=Erased(until_ms=10, generation=2))
        assert second.version == first.version
        assert store.save_profile(second, replacing=None)
        assert has_profile(store, second)

    def test_what_was_read_before_the_erasure_is_not_saved_after_it(self, store: Store) -> None:
        before = make_profile(1)
        store.save_profile(before, replacing=None)
        store.erase_listens(Erasure(ADA, 5 * DAY_MS))
        assert not store.save_profile(make_profile(1, 2), replacing=before.version)
        assert not store.save_profile(make_profile(1, 2), replacing=None)
        assert has_none(store, ADA)

    def test_an_erasure_that_is_no_later_leaves_it(self, store: Store, subtests: pytest.Subtests) -> None:
        profile = make_profile(30, erased=erased_until(10))
        store.erase_listens(Erasure(ADA, 10))
        store.save_profile(profile, replacing=None)
        for again_ms in (0, 9, 10):
            with subtests.test(again_ms=again_ms):
                store.erase_listens(Erasure(ADA, again_ms))
                assert has_profile(store, profile)

    def test_one_that_is_saved_during_the_erasure_does_not_outlive_it(self, store: Store) -> None:
        for erased_ms in range(12):
            before = make_profile(30, erased=store.erased(ADA))
            assert store.save_profile(before, replacing=None)
            after = replace(before, recent=())
            barrier = threading.Barrier(2)

            def race(
                thread: int,
                *,
                erasure: Erasure = Erasure(ADA, erased_ms),  # noqa: B008 - of this round
                after: Profile = after,
                barrier: threading.Barrier = barrier,
            ) -> None:
                barrier.wait()
                if thread:
                    store.erase_listens(erasure)
                else:
                    store.save_profile(after, replacing=after.version)

            in_threads(2, race)
            assert has_none(store, ADA)


class RefoldedProfilesContract:
    def test_what_another_fold_made_is_none(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        old = make_profile(1)
        store.save_profile(old, replacing=None)
        with monkeypatch.context() as patch:
            use_another_fold_version(patch)
            assert has_none(store, ADA)
            assert store.profile_counts() == {}
        assert has_profile(store, old)

    def test_what_replaces_it_replaces_none(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        old = make_profile(1)
        old_version = old.version
        store.save_profile(old, replacing=None)
        with monkeypatch.context() as patch:
            use_another_fold_version(patch)
            new = make_profile(1)
            assert not store.save_profile(new, replacing=old_version)
            assert has_none(store, ADA)
            assert store.save_profile(new, replacing=None)
            assert has_profile(store, new)
        assert has_none(store, ADA)

    def test_it_is_erased_like_any(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        store.save_profile(make_profile(1), replacing=None)
        with monkeypatch.context() as patch:
            use_another_fold_version(patch)
            store.erase_listens(Erasure(ADA, 0))
        assert has_none(store, ADA)


class RacingProfilesContract:
    def test_one_of_several_is_the_first(self, store: Store) -> None:
        barrier = threading.Barrier(4)
        saved: list[Profile] = []

        def save(thread: int) -> None:
            profile = make_profile(thread)
            barrier.wait()
            if store.save_profile(profile, replacing=None):
                saved.append(profile)

        in_threads(4, save)
        assert len(saved) == 1
        assert has_profile(store, saved[0])

    def test_nothing_that_threads_fold_at_once_is_lost(self, store: Store) -> None:
        listens = [make_listen(number, track_id=f"t{number % 5}", at_ms=number) for number in range(40)]

        def add_and_fold(thread: int) -> None:
            for start in range(thread, len(listens), 8):
                new = store.add_listens(listens[start : start + 5 : 4])
                while new:
                    before = store.profile(ADA)
                    folded = fold(before or new_profile(ADA), new).profile
                    if store.save_profile(folded, replacing=before.version if before else None):
                        break

        in_threads(4, add_and_fold)
        assert list(store.listens_of(ADA)) == listens
        assert exact(store.profile(ADA)) == exact(refold(ADA, listens))
