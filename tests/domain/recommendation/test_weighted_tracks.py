import pytest

from domain.recommendation.toy_library import DAY_MS, build_index, scatter, taste_of
from making import make_listen
from soundalike.domain.recommendation import weighted_tracks
from soundalike.domain.recommendation.weighted_tracks import profile_taste
from soundalike.domain.taste import HALF_LIFE_MS, NO_TASTE, Taste, fold_taste

INDEX = build_index(scatter(10))


def test_finished_and_liked_tracks_are_positive_skipped_and_disliked_ones_negative() -> None:
    taste_profile = profile_taste(
        taste_of("finished t001", "liked t002", "skipped t003", "disliked t004", "less t005"), INDEX
    )
    assert taste_profile.positive.track_ids == ("t001", "t002")
    assert taste_profile.negative.track_ids == ("t003", "t004", "t005")
    assert taste_profile.disliked == ("t004",)


def test_disliked_tracks_come_latest_first() -> None:
    taste = taste_of("disliked t002", "disliked t004", "disliked gone", "disliked t003", "undisliked t003")
    assert profile_taste(taste, INDEX).disliked == ("gone", "t004", "t002")


def test_weights_count_by_their_square_root() -> None:
    taste_profile = profile_taste(taste_of(*["finished t001"] * 4, "finished t002"), INDEX)
    assert taste_profile.positive.weights.tolist() == pytest.approx([2.0, 1.0], abs=1e-3)


def test_everything_fades_relative_to_the_newest_listen() -> None:
    early = make_listen(1, track_id="t001", at_ms=0)
    late = make_listen(2, track_id="t002", at_ms=2 * HALF_LIFE_MS)
    taste_profile = profile_taste(fold_taste(NO_TASTE, [early, late]), INDEX)
    assert taste_profile.positive.weights.tolist() == pytest.approx([0.5, 1.0])  # a quarter, by its root


def test_played_tracks_come_latest_first_also_outside_the_artefact() -> None:
    taste_profile = profile_taste(taste_of("started t003", "finished elsewhere", "started t001"), INDEX)
    assert taste_profile.played == ("t001", "elsewhere", "t003")
    assert len(taste_profile.positive) == 0


def test_a_listen_at_time_0_counts_as_played() -> None:
    taste = fold_taste(NO_TASTE, [make_listen(1, track_id="t001", at_ms=0)])
    assert profile_taste(taste, INDEX).played == ("t001",)


def test_the_order_of_tracks_in_a_taste_changes_nothing() -> None:
    taste = taste_of("finished t005", "finished t001", "skipped t004", "skipped t002", "disliked t009")
    other = Taste(
        tracks=dict(reversed(list(taste.tracks.items()))), count=taste.count, newest_ms=taste.newest_ms
    )
    one, two = profile_taste(taste, INDEX), profile_taste(other, INDEX)
    assert (one.positive.track_ids, one.negative.track_ids, one.disliked, one.played) == (
        two.positive.track_ids,
        two.negative.track_ids,
        two.disliked,
        two.played,
    )
    assert one.positive.weights.tolist() == two.positive.weights.tolist()


def test_of_many_tracks_those_with_most_weight_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weighted_tracks, "MAX_TRACKS_WEIGHED", 2)
    taste_profile = profile_taste(
        taste_of("finished t001", "liked t005", "liked t003", "finished t003"), INDEX
    )
    assert taste_profile.positive.track_ids == ("t003", "t005")
    assert taste_profile.positive.heaviest(1) == ["t003"]


def test_faded_tracks_are_not_used() -> None:
    taste = fold_taste(
        NO_TASTE,
        [make_listen(1, track_id="t001", at_ms=0), make_listen(2, track_id="t002", at_ms=1000 * DAY_MS)],
    )
    assert profile_taste(taste, INDEX).positive.track_ids == ("t002",)
