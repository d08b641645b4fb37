"""How much a listener likes a track follows from their listens and their times."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from making import make_listen
from soundalike.domain import taste as taste_module
from soundalike.domain.listens import PLAYS, Listen, ListenKind
from soundalike.domain.taste import (
    HALF_LIFE_MS,
    JUDGED_HALF_LIFE_MS,
    KEPT_EVIDENCE,
    NO_TASTE,
    Evidence,
    Taste,
    TrackTaste,
    fold_taste,
    skip_weight,
)
from soundalike.domain.types import TrackId

DAY_MS = 24 * 3600 * 1000
KINDS = list(ListenKind)
kinds = st.lists(st.sampled_from(KINDS), max_size=12)


def tasted(*did: str | tuple[str, int], track: str = "t") -> TrackTaste:
    """Fold what was done with a track, a second apart, skips at a position where one is given."""
    listens = []
    for number, one in enumerate(did):
        kind, position_ms = (one, None) if isinstance(one, str) else one
        listens.append(
            make_listen(number, track_id=track, kind=kind, position_ms=position_ms, at_ms=number * 1000)
        )
    return fold_taste(NO_TASTE, listens).tracks[TrackId(track)]


def weight(*did: str | tuple[str, int]) -> float:
    return tasted(*did).weight(len(did) * 1000)


def dated(kind: str, at_ms: int, track: str) -> Listen:
    return make_listen(at_ms, track_id=track, kind=kind, at_ms=at_ms)


def test_a_finished_track_has_a_positive_weight_and_a_skipped_one_a_negative() -> None:
    assert weight("finished") > 0 > weight("skipped")


def test_a_started_track_has_no_weight_but_counts_as_played() -> None:
    assert weight("started") == 0
    assert tasted("started").played_ms == 0


@pytest.mark.parametrize("kind", KINDS)
def test_only_plays_count_as_played(kind: ListenKind) -> None:
    assert (tasted(kind).played_ms is not None) == (kind in PLAYS)


def test_a_skip_in_the_first_seconds_weighs_more_than_one_near_the_end() -> None:
    weights = [weight(("skipped", position)) for position in (0, 3_000, 20_000, 60_000, 240_000)]
    assert all(earlier <= later < 0 for earlier, later in pairwise(weights))
    assert weights[0] < weights[1] < weights[2] < weights[3]


def test_a_skip_weighs_half_after_every_twenty_seconds_down_to_a_tenth() -> None:
    positions = (0, 20_000, 40_000, 60_000, 80_000, 2**53)
    assert [skip_weight(position) for position in positions] == [-1, -0.5, -0.25, -0.125, -0.1, -0.1]
    assert skip_weight(0) < skip_weight(None) < skip_weight(80_000)


def test_a_skip_takes_back_no_more_than_a_finish_gave() -> None:
    assert weight("finished", ("skipped", 0)) == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("kind", ["finished", "skipped", "less"])
def test_a_play_weighs_half_after_a_half_life(kind: str) -> None:
    known = tasted(kind)
    assert known.weight(HALF_LIFE_MS) == known.weight(0) / 2
    assert known.weight(2 * HALF_LIFE_MS) == known.weight(0) / 4


@pytest.mark.parametrize("kind", ["liked", "disliked"])
def test_judgements_fade_more_slowly(kind: str) -> None:
    known = tasted(kind)
    assert known.weight(JUDGED_HALF_LIFE_MS) == known.weight(0) / 2
    assert JUDGED_HALF_LIFE_MS > HALF_LIFE_MS


def test_recent_listens_weigh_more() -> None:
    taste = fold_taste(NO_TASTE, [dated("finished", 0, "old"), dated("finished", 40 * DAY_MS, "new")])
    old, new = (taste.tracks[TrackId(name)].weight(40 * DAY_MS) for name in ("old", "new"))
    assert new == 1
    assert old == pytest.approx(0.5 ** (40 / 30))


def test_repeated_listens_add_up_each_faded_by_its_own_age() -> None:
    ages = (90, 60, 30, 0)
    taste = fold_taste(NO_TASTE, [dated("finished", (90 - age) * DAY_MS, "t") for age in ages])
    assert taste.tracks[TrackId("t")].weight(90 * DAY_MS) == pytest.approx(1 + 1 / 2 + 1 / 4 + 1 / 8)


def test_a_listen_of_centuries_ago_weighs_nothing_and_breaks_nothing() -> None:
    last = 253_402_300_799_999
    taste = fold_taste(
        NO_TASTE, [dated("finished", 0, "t"), dated("liked", 1, "t"), dated("started", last, "u")]
    )
    known = taste.tracks[TrackId("t")]
    assert known.weight(last) == 0
    assert known.weight(-last) == 3  # nothing weighs more for being asked about the past


def test_less_is_negative_without_excluding() -> None:
    assert weight("less") < weight(("skipped", 0)) < 0
    assert not tasted("less").is_judged
    assert weight("less", "finished", "finished", "finished") > 0


def test_a_like_weighs_more_than_a_finish_and_a_dislike_excludes() -> None:
    assert weight("liked") > weight("finished") > 0 > weight("disliked")
    assert tasted("liked").liked_ms == 0
    assert tasted("disliked").disliked_ms == 0


@given(kinds)
def test_a_track_is_never_liked_and_disliked_at_once(did: list[ListenKind]) -> None:
    known = tasted("started", *did)
    assert known.liked_ms is None or known.disliked_ms is None


@given(kinds)
def test_the_last_judgement_counts(did: list[ListenKind]) -> None:
    assert tasted(*did, "liked", "disliked").liked_ms is None
    assert tasted(*did, "disliked", "liked").disliked_ms is None


@given(
    st.lists(st.sampled_from(["started", "finished", "skipped", "less"]), max_size=12),
    st.sampled_from([("liked", "unliked"), ("disliked", "undisliked")]),
    st.integers(1, 3),
)
def test_withdrawing_a_judgement_leaves_what_was_there_before(
    did: list[str], pair: tuple[str, str], times: int
) -> None:
    done, undone = pair
    assert tasted("started", *did, *(done,) * times, undone) == tasted("started", *did)


@given(kinds)
def test_withdrawing_no_judgement_changes_nothing(did: list[ListenKind]) -> None:
    before = tasted("started", *did)
    if before.liked_ms is None:
        assert tasted("started", *did, "unliked") == before
    if before.disliked_ms is None:
        assert tasted("started", *did, "undisliked") == before


def test_a_like_instead_of_a_dislike_is_not_a_dislike_once_it_is_taken_back() -> None:
    assert tasted("disliked", "liked", "unliked") == TrackTaste()


@given(kinds)
def test_evidence_is_what_counts_still_in_order(did: list[ListenKind]) -> None:
    known = tasted("started", *did)
    plays = []
    for side in ({ListenKind.FINISHED}, {ListenKind.SKIPPED, ListenKind.LESS}):
        alike = [Evidence(kind, number * 1000) for number, kind in enumerate(did, start=1) if kind in side]
        plays += alike[-KEPT_EVIDENCE:]
    judged = [
        Evidence(kind, at_ms)
        for kind, at_ms in ((ListenKind.LIKED, known.liked_ms), (ListenKind.DISLIKED, known.disliked_ms))
        if at_ms is not None
    ]
    assert list(known.evidence) == sorted(plays + judged, key=lambda one: one.at_ms)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(KINDS)), max_size=20), st.integers(0, 20))
def test_folding_some_and_then_others_is_folding_all(did: list[tuple[str, ListenKind]], cut: int) -> None:
    listens = [dated(kind, number * DAY_MS, track) for number, (track, kind) in enumerate(did)]
    assert fold_taste(fold_taste(NO_TASTE, listens[:cut]), listens[cut:]) == fold_taste(NO_TASTE, listens)


def test_a_fold_changes_nothing_of_what_it_was_given() -> None:
    before = fold_taste(NO_TASTE, [dated("liked", 0, "t")])
    fold_taste(before, [dated("finished", 1, "t"), dated("finished", 2, "u")])
    assert (list(before.tracks), before.count, before.newest_ms) == ([TrackId("t")], 1, 0)
    assert Taste(tracks={}) == NO_TASTE


class TestTooManyTracks:
    @pytest.fixture(autouse=True)
    def _few_are_many(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(taste_module, "MAX_TRACKS", 10)
        monkeypatch.setattr(taste_module, "MAX_JUDGED", 5)
        monkeypatch.setattr(taste_module, "KEPT_PLAYED", 2)

    def test_tracks_with_the_least_weight_are_dropped(self) -> None:
        listens = [dated("finished", number * DAY_MS, f"t{number:02d}") for number in range(11)]
        assert list(fold_taste(NO_TASTE, listens).tracks) == [f"t{number:02d}" for number in range(3, 11)]

    def test_a_strong_negative_weight_is_kept_too(self) -> None:
        listens = [
            dated("less", 0, "shunned"),
            *(dated("started", number, f"t{number:02d}") for number in range(1, 11)),
        ]
        assert TrackId("shunned") in fold_taste(NO_TASTE, listens).tracks

    def test_recently_played_tracks_are_kept_although_they_weigh_nothing(self) -> None:
        listens = [dated("finished", number * DAY_MS, f"t{number:02d}") for number in range(9)]
        listens += [dated("started", 9 * DAY_MS + number, name) for number, name in enumerate(("x", "y"))]
        assert list(fold_taste(NO_TASTE, listens).tracks) == [f"t{number:02d}" for number in range(3, 9)] + [
            "x",
            "y",
        ]

    def test_of_equals_ids_decide(self) -> None:
        listens = [dated("started", number, f"t{number * 7 % 11:02d}") for number in range(11)]
        assert sorted(fold_taste(NO_TASTE, listens).tracks) == [f"t{number:02d}" for number in range(3, 11)]

    def test_judged_ones_stay(self) -> None:
        listens = [dated("disliked", number, f"d{number}") for number in range(5)]
        listens += [dated("finished", number, f"t{number}") for number in range(5, 100)]
        kept = fold_taste(NO_TASTE, listens).tracks
        assert {f"d{number}" for number in range(5)} <= set(kept)
        assert len(kept) <= 15

    def test_of_too_many_judged_ones_the_first_are_dropped(self) -> None:
        listens = [dated("liked" if number % 2 else "disliked", number, f"j{number}") for number in range(6)]
        assert list(fold_taste(NO_TASTE, listens).tracks) == ["j2", "j3", "j4", "j5"]

    @given(st.lists(st.tuples(st.integers(0, 40), st.sampled_from(KINDS)), min_size=60, max_size=80))
    def test_it_is_seldom_done_and_there_are_never_more(self, did: list[tuple[int, ListenKind]]) -> None:
        taste = NO_TASTE
        for number, (track, kind) in enumerate(did):
            taste = fold_taste(taste, [dated(kind, number, f"t{track}")])
            judged = sum(known.is_judged for known in taste.tracks.values())
            assert judged <= 5
            assert len(taste.tracks) - judged <= 10
        assert taste.count == len(did)
