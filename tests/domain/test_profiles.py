"""The same listens give the same profile to the bit, in whatever order they came."""

import json
from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from making import erased_until, make_listen
from soundalike.domain import taste as taste_module
from soundalike.domain.listens import NOTHING_ERASED, Erasure, Listen, ListenKind
from soundalike.domain.profiles import LATENESS_MS, Profile, fold, new_profile, refold
from soundalike.domain.types import EventId, TrackId, UserId
from soundalike.wire.profiles import profile_body, profile_from

ADA = UserId("ada")
DAY_MS = 24 * 3600 * 1000

days = st.integers(-5, 20).map(lambda day: day * DAY_MS)  # also before 1970
listens = st.builds(
    make_listen,
    st.integers(0, 30),
    track_id=st.sampled_from(["t1", "t2", "t3", "t4"]),
    kind=st.sampled_from(list(ListenKind)),
    position_ms=st.none() | st.sampled_from([0, 5_000, 60_000]),
    at_ms=st.builds(lambda day, extra: day + extra, days, st.sampled_from([0, 0, 1, 77_777])),
)
distinct = st.lists(listens, max_size=25, unique_by=lambda listen: listen.id)
bounds = st.sampled_from([0, 1, DAY_MS, 3 * DAY_MS, 7 * DAY_MS, 1000 * DAY_MS])
cuts = st.lists(st.integers(0, 40), max_size=6)


def bits(profile: Profile) -> tuple[str, str]:
    return profile.version, json.dumps(profile_body(profile))


class Keeper:
    """Stores listens like a store and folds them like a service."""

    def __init__(self, lateness_ms: int = LATENESS_MS) -> None:
        self.kept: dict[EventId, Listen] = {}
        self.profile = new_profile(ADA, lateness_ms=lateness_ms)
        self.refolds = 0

    def take(self, listens: Iterable[Listen]) -> None:
        new = []
        for listen in listens:
            if listen.id not in self.kept and not self.profile.erased.hides(listen):
                self.kept[listen.id] = listen
                new.append(listen)
        folded = fold(self.profile, new)
        self.profile = folded.profile
        if folded.late:
            self.refolds += 1
            self.profile = self.from_scratch()

    def erase(self, at_ms: int) -> None:
        erased = self.profile.erased.after(Erasure(ADA, at_ms))
        self.kept = {one.id: one for one in self.kept.values() if not erased.hides(one)}
        self.profile = replace(self.profile, erased=erased)
        self.profile = self.from_scratch()

    def from_scratch(self) -> Profile:
        profile = self.profile
        return refold(ADA, self.kept.values(), lateness_ms=profile.lateness_ms, erased=profile.erased)


def pieces(listens: list[Listen], cuts: list[int]) -> list[list[Listen]]:
    """Cut a list at some places; pieces may be empty."""
    edges = [0, *sorted(min(cut, len(listens)) for cut in cuts), len(listens)]
    return [listens[start:stop] for start, stop in pairwise(edges)]


def at(day: float, number: int, *, kind: str = "finished", track_id: str = "t1") -> Listen:
    return make_listen(number, at_ms=int(day * DAY_MS), kind=kind, track_id=track_id)


@given(distinct, st.randoms(use_true_random=False), cuts, bounds)
def test_any_order_and_any_batches_give_the_same_profile(
    listens: list[Listen], random: Random, cuts: list[int], lateness_ms: int
) -> None:
    shuffled = random.sample(listens, len(listens))
    keeper = Keeper(lateness_ms)
    for piece in pieces(shuffled, cuts):
        keeper.take(piece)
    assert bits(keeper.profile) == bits(refold(ADA, listens, lateness_ms=lateness_ms))


@given(distinct, st.randoms(use_true_random=False), cuts, bounds)
def test_repeats_count_once(listens: list[Listen], random: Random, cuts: list[int], lateness_ms: int) -> None:
    thrice = random.sample(listens * 3, 3 * len(listens))
    keeper = Keeper(lateness_ms)
    for piece in pieces(thrice, cuts):
        keeper.take(piece)
    assert bits(keeper.profile) == bits(refold(ADA, listens, lateness_ms=lateness_ms))
    assert keeper.profile.taste.count == len(listens)


@given(distinct, st.randoms(use_true_random=False), cuts, bounds)
def test_a_fold_ignores_what_it_folded_already(
    listens: list[Listen], random: Random, cuts: list[int], lateness_ms: int
) -> None:
    profile = refold(ADA, listens, lateness_ms=lateness_ms)
    for piece in pieces(random.sample(listens * 2, 2 * len(listens)), cuts):
        assert fold(profile, piece).profile is profile


@given(st.lists(listens, max_size=40), cuts, bounds)
def test_the_first_content_of_an_id_counts(listens: list[Listen], cuts: list[int], lateness_ms: int) -> None:
    first = {listen.id: listen for listen in reversed(listens)}
    keeper = Keeper(lateness_ms)
    for piece in pieces(listens, cuts):
        keeper.take(piece)
    assert bits(keeper.profile) == bits(refold(ADA, first.values(), lateness_ms=lateness_ms))


@given(st.lists(listens, max_size=40), bounds)
def test_in_one_batch_the_first_content_of_an_id_counts(listens: list[Listen], lateness_ms: int) -> None:
    first = {listen.id: listen for listen in reversed(listens)}
    assert bits(refold(ADA, listens, lateness_ms=lateness_ms)) == bits(
        refold(ADA, first.values(), lateness_ms=lateness_ms)
    )


@given(distinct, cuts, st.lists(st.tuples(st.integers(0, 7), days), max_size=3), bounds)
def test_an_erasure_hides_what_came_before_and_what_comes_late(
    listens: list[Listen], cuts: list[int], erasures: list[tuple[int, int]], lateness_ms: int
) -> None:
    keeper = Keeper(lateness_ms)
    for place, piece in enumerate(pieces(listens, cuts)):
        for when, at_ms in erasures:
            if when == place:
                keeper.erase(at_ms)
        keeper.take(piece)
    for when, at_ms in erasures:
        if when > len(cuts):
            keeper.erase(at_ms)
    until_ms = max((at_ms for _, at_ms in erasures), default=None)
    seen = [one for one in listens if until_ms is None or one.at_ms > until_ms]
    assert bits(keeper.profile) == bits(
        refold(ADA, seen, lateness_ms=lateness_ms, erased=erased_until(until_ms))
    )


@given(distinct, bounds, bounds)
def test_the_bound_on_lateness_decides_what_is_cheap_and_nothing_else(
    listens: list[Listen], one_ms: int, other_ms: int
) -> None:
    one, other = (refold(ADA, listens, lateness_ms=bound) for bound in (one_ms, other_ms))
    assert (one.version, one.taste) == (other.version, other.taste)


@given(distinct, cuts, bounds)
def test_a_profile_that_was_written_and_read_goes_on_as_if_it_had_not_been(
    listens: list[Listen], cuts: list[int], lateness_ms: int
) -> None:
    keeper = Keeper(lateness_ms)
    for piece in pieces(listens, cuts):
        read = profile_from(json.loads(json.dumps(profile_body(keeper.profile))), NOTHING_ERASED)
        assert read is not None
        assert read == keeper.profile
        keeper.profile = read
        keeper.take(piece)
    assert bits(keeper.profile) == bits(refold(ADA, listens, lateness_ms=lateness_ms))


@given(distinct, st.randoms(use_true_random=False), cuts, bounds)
@settings(max_examples=50)
def test_dropping_tracks_is_the_same_in_any_order(
    listens: list[Listen], random: Random, cuts: list[int], lateness_ms: int
) -> None:
    many = [replace(one, track_id=TrackId(f"t{number * 7 % 23}")) for number, one in enumerate(listens)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(taste_module, "MAX_TRACKS", 5)
        patch.setattr(taste_module, "MAX_JUDGED", 3)
        keeper = Keeper(lateness_ms)
        for piece in pieces(random.sample(many, len(many)), cuts):
            keeper.take(piece)
        assert bits(keeper.profile) == bits(refold(ADA, many, lateness_ms=lateness_ms))


@given(distinct, distinct)
def test_other_listens_give_another_version(listens: list[Listen], others: list[Listen]) -> None:
    one, other = refold(ADA, listens), refold(ADA, others)
    assert (one.version == other.version) == (one.taste == other.taste)


def test_an_erasure_gives_another_version() -> None:
    assert refold(ADA, []).version != refold(ADA, [], erased=erased_until(5)).version


class TestLateness:
    def take(self, *listens: Listen) -> Keeper:
        keeper = Keeper(7 * DAY_MS)
        for listen in listens:
            keeper.take([listen])
        assert bits(keeper.profile) == bits(refold(ADA, listens, lateness_ms=7 * DAY_MS))
        return keeper

    def test_a_listen_late_by_less_than_the_bound_needs_no_refold(self) -> None:
        keeper = self.take(at(0, 1), at(10, 2), at(10 - 6.999, 3, kind="liked"))
        assert keeper.refolds == 0
        assert keeper.profile.taste.count == 3

    @pytest.mark.parametrize("day", [3, 2, 0, -100])
    def test_a_listen_late_by_the_bound_or_more_needs_a_refold_and_counts(self, day: float) -> None:
        keeper = self.take(at(100, 1), at(110, 2), at(100 + day, 3, kind="liked"))
        assert keeper.refolds == 1
        assert keeper.profile.taste.count == 3

    def test_likes_made_offline_on_a_holiday_count(self) -> None:
        liked = [at(day, number, kind="liked", track_id=f"t{number}") for number, day in enumerate((1, 2, 3))]
        keeper = Keeper(7 * DAY_MS)
        keeper.take([at(30, 9)])
        keeper.take(liked)
        tracks = keeper.profile.taste.tracks
        assert {name for name, one in tracks.items() if one.liked_ms is not None} == {"t0", "t1", "t2"}

    def test_late_listens_are_returned_and_left_out(self) -> None:
        profile = refold(ADA, [at(10, 1)], lateness_ms=7 * DAY_MS)
        folded = fold(profile, [at(3, 2), at(4, 3)])
        assert folded.late == (at(3, 2),)
        assert [one.id for one in folded.profile.recent] == [at(4, 3).id, at(10, 1).id]

    def test_only_listens_within_the_bound_are_kept_one_by_one(self) -> None:
        profile = refold(ADA, [at(day, day) for day in range(100)], lateness_ms=7 * DAY_MS)
        assert [one.at_ms // DAY_MS for one in profile.recent] == list(range(93, 100))
        assert (profile.settled.count, profile.taste.count) == (93, 100)

    def test_an_erased_listen_is_not_late(self) -> None:
        profile = refold(ADA, [at(20, 1)], erased=erased_until(15 * DAY_MS))
        folded = fold(profile, [at(15, 2), at(3, 3)])
        assert folded.late == ()
        assert folded.profile is profile

    def test_without_a_bound_only_newer_listens_need_no_refold(self) -> None:
        profile = refold(ADA, [at(1, 1)], lateness_ms=0)
        assert profile.recent == ()
        assert fold(profile, [at(1, 2), at(2, 3)]).late == (at(1, 2),)


def test_at_the_same_time_ids_decide() -> None:
    like, unlike = at(1, 1, kind="liked"), at(1, 2, kind="unliked")
    for order in ([like, unlike], [unlike, like]):
        keeper = Keeper()
        for listen in order:
            keeper.take([listen])
        assert [one.liked_ms for one in keeper.profile.taste.tracks.values()] == [None]
