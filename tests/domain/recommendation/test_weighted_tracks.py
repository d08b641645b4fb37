import pytest

from domain.recommendation.toy_library import DAY_MS, lay, scatter, taste_of
from making import make_listen
from soundalike.domain.recommendation import weighted_tracks as reading_module
from soundalike.domain.recommendation.weighted_tracks import profile_taste
from soundalike.domain.taste import HALF_LIFE_MS, NO_TASTE, Taste, fold_taste

LAND = lay(scatter(10))


def test_what_was_finished_or_liked_is_wanted_and_what_was_skipped_or_disliked_is_not() -> None:
    taste_profile = profile_taste(
        taste_of("finished t001", "liked t002", "skipped t003", "disliked t004", "less t005"), LAND
    )
    assert taste_profile.positive.track_ids == ("t001", "t002")
    assert taste_profile.negative.track_ids == ("t003", "t004", "t005")
    assert taste_profile.disliked == ("t004",)


def test_weights_count_by_their_square_root() -> None:
    taste_profile = profile_taste(taste_of(*["finished t001"] * 4, "finished t002"), LAND)
    assert taste_profile.positive.weights.tolist() == pytest.approx([2.0, 1.0], abs=1e-3)


def test_everything_fades_relative_to_the_newest_listen() -> None:
    early = make_listen(1, track_id="t001", at_ms=0)
    late = make_listen(2, track_id="t002", at_ms=2 * HALF_LIFE_MS)
    taste_profile = profile_taste(fold_taste(NO_TASTE, [early, late]), LAND)
    assert taste_profile.positive.weights.tolist() == pytest.approx([0.5, 1.0])  # a quarter, by its root


def test_what_was_heard_comes_latest_first_also_outside_of_the_artefact() -> None:
    taste_profile = profile_taste(taste_of("started t003", "finished elsewhere", "started t001"), LAND)
    assert taste_profile.played == ("t001", "elsewhere", "t003")
    assert len(taste_profile.positive) == 0


def test_a_listen_at_the_very_beginning_of_time_was_heard() -> None:
    taste = fold_taste(NO_TASTE, [make_listen(1, track_id="t001", at_ms=0)])
    assert profile_taste(taste, LAND).played == ("t001",)


def test_the_order_in_which_tracks_stand_in_a_taste_changes_nothing() -> None:
    taste = taste_of("finished t005", "finished t001", "skipped t004", "skipped t002", "disliked t009")
    other = Taste(
        tracks=dict(reversed(list(taste.tracks.items()))), count=taste.count, newest_ms=taste.newest_ms
    )
    one, two = profile_taste(taste, LAND), profile_taste(other, LAND)
    assert (one.positive.track_ids, one.negative.track_ids, one.disliked, one.played) == (
        two.positive.track_ids,
        two.negative.track_ids,
        two.disliked,
        two.played,
    )
    assert one.positive.weights.tolist() == two.positive.weights.tolist()


def test_of_many_tracks_those_that_weigh_most_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading_module, "MAX_TRACKS_WEIGHED", 2)
    taste_profile = profile_taste(
        taste_of("finished t001", "liked t005", "liked t003", "finished t003"), LAND
    )
    assert taste_profile.positive.track_ids == ("t003", "t005")
    assert taste_profile.positive.heaviest(1) == ["t003"]


def test_what_has_faded_away_is_not_read() -> None:
    taste = fold_taste(
        NO_TASTE,
        [make_listen(1, track_id="t001", at_ms=0), make_listen(2, track_id="t002", at_ms=1000 * DAY_MS)],
    )
    assert profile_taste(taste, LAND).positive.track_ids == ("t002",)
