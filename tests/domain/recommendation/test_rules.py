from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.recommendation.toy_library import build_index, scatter, taste_of
from making import make_track
from soundalike.domain.catalogue import first_artist
from soundalike.domain.recommendation.rules import (
    ArtistRules,
    are_same_positions,
    artist_caps,
    exploration_slots,
    is_same_position,
    is_same_title,
    longest_ago,
    proportional_turns,
    recently_played,
)
from soundalike.domain.recommendation.weighted_tracks import TasteProfile, profile_taste
from soundalike.domain.tracks import Track
from soundalike.domain.types import ArtistId, TrackId


def profile_of(*listens: str) -> TasteProfile:
    return profile_taste(taste_of(*listens), build_index(scatter(20)))


def test_nothing_is_repeated_within_the_memory() -> None:
    taste_profile = profile_of(*(f"started t{number:03}" for number in range(6)), "skipped t001")
    assert recently_played(taste_profile, memory=3) == ("t001", "t005", "t004")


def test_repeats_come_longest_ago_first_and_negative_tracks_last() -> None:
    taste_profile = profile_of("finished t000", "skipped t001", "finished t002", "finished t000")
    assert longest_ago(taste_profile) == ("t001", "t002", "t000")
    assert longest_ago(taste_profile, negative={TrackId("t001")}) == ("t002", "t000", "t001")


@pytest.mark.parametrize(
    ("title", "artist", "duration_ms", "is_same"),
    [
        ("Song", "Band", 200_000, True),
        ("  SÖNG ", "bänd", 201_900, True),
        ("Song", "Band", 202_100, False),
        ("Song (live)", "Band", 200_000, False),
        ("Song", "Other", 200_000, False),
        ("Song", None, 200_000, False),
    ],
)
def test_the_same_title_and_artist_of_nearly_the_same_length_is_the_same_recording(
    title: str, artist: str | None, duration_ms: int, *, is_same: bool
) -> None:
    track = make_track("a", title="Song", artist="Band", duration_ms=200_000)
    other = make_track("b", title=title, artist=artist, duration_ms=duration_ms)
    assert is_same_title(track, other) is is_same
    assert is_same_title(other, track) is is_same


def test_titles_without_an_artist_are_not_compared() -> None:
    assert not is_same_title(make_track("a", title="1", artist=None), make_track("b", title="1", artist=None))
    assert not is_same_title(make_track("a", title="1", artist=" "), make_track("b", title="1", artist=" "))


def test_what_is_within_the_threshold_is_the_same_recording() -> None:
    others = np.array([[0.0, 0.0], [5.0, 0.0]], dtype=np.float32)
    points = np.array([[0.0, 0.1], [5.0, 0.3], [2.0, 0.0]], dtype=np.float32)
    thresholds = np.array([0.2, 0.2, 0.2], dtype=np.float32)
    assert are_same_positions(points, others, thresholds=thresholds).tolist() == [
        True,
        False,
        False,
    ]
    assert are_same_positions(points, others, thresholds=thresholds * 2).tolist() == [
        True,
        True,
        False,
    ]
    assert not are_same_positions(points, others[:0], thresholds=thresholds * 99).any()
    assert [is_same_position(point, others, threshold=0.2) for point in points] == [True, False, False]
    assert not is_same_position(points[0], others[:0], threshold=99)


def by(artist: str | None) -> Track:
    return make_track(artist=artist)


def ids(names: str) -> list[ArtistId | None]:
    return [first_artist(by(name)) for name in names]


def play(
    *artists: str | None, caps: dict[ArtistId, int] | None = None, are_apart: bool = False
) -> list[bool]:
    """Whether each was admitted; all are played."""
    rules = ArtistRules(caps or {}, are_apart=are_apart)
    admitted = []
    for artist in artists:
        admitted.append(rules.admits(by(artist)))
        rules.take(by(artist))
    return admitted


def test_an_artist_has_three_places_of_ten() -> None:
    assert play("A", "A", "A", "A") == [True, True, True, False]
    assert play("A", "A", "A", *"BCDEFGH", "A") == [True] * 11  # the first is out of the window
    assert play("A", "A", "A", *"BCDEFG", "A")[-1] is False


def test_what_was_played_before_counts() -> None:
    rules = ArtistRules({}, ids("AAABCDEFG"))
    assert not rules.admits(by("A"))
    rules.take(by("H"))
    assert rules.admits(by("A")), "one of the three is out of the window"


def test_an_artist_does_not_come_twice_in_a_row() -> None:
    assert play("A", "A", "B", "a", "B", are_apart=True) == [True, False, True, True, True]
    assert not ArtistRules({}, ids("BA")).admits(by("A"))


def test_an_artist_is_the_same_however_the_name_is_written() -> None:
    assert play("Sigur Rós", "SIGUR ROS", "sigur  rós", "Sigur Rós")[-1] is False


@pytest.mark.parametrize("artist", [None, "", "Various Artists", "VARIOUS  artists"])
def test_tracks_without_an_artist_or_by_various_ones_never_clash(artist: str | None) -> None:
    assert play(*[artist] * 10, are_apart=True) == [True] * 10


def test_an_artist_that_the_listener_plays_more_may_come_more_often() -> None:
    artist = first_artist(by("A"))
    assert artist is not None
    assert play(*"AAAAAA", caps={artist: 5}) == [True] * 5 + [False]
    # 9 of 13, nobody's three included.
    assert artist_caps([(by("A"), 1.0)] * 9 + [(by("B"), 1.0)]) == {artist: 7}
    assert artist_caps([(by("A"), 1.0)]) == {}  # a quarter is below the cap
    assert artist_caps([(by(None), 1.0), (by(""), 50.0)]) == {}


def test_every_taste_has_its_turn_in_proportion() -> None:
    turns = list(islice(proportional_turns([6.0, 3.0, 1.0], [0, 0, 0]), 20))
    assert [turns.count(one) for one in range(3)] == [12, 6, 2]
    assert turns[:3] == [0, 1, 0]


def test_a_taste_that_was_served_waits_for_the_others() -> None:
    assert list(islice(proportional_turns([1.0, 1.0], [3, 0]), 4)) == [1, 1, 1, 0]


@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=5), st.integers(1, 60))
def test_no_taste_is_ever_one_and_a_half_places_short(shares: list[float], count: int) -> None:
    turns = list(islice(proportional_turns(shares, [0] * len(shares)), count))
    for one, share in enumerate(shares):
        assert turns.count(one) > count * share / sum(shares) - 1.5


def test_without_tastes_there_are_no_turns() -> None:
    assert list(proportional_turns([], [])) == []


@given(st.floats(0, 1), st.floats(0, 1, exclude_max=True), st.integers(0, 200), st.integers(1, 100))
def test_any_places_in_a_row_have_the_share_of_exploration(
    adventure: float, phase: float, begin: int, count: int
) -> None:
    slots = list(islice(exploration_slots(adventure, phase), begin, begin + count))
    assert abs(sum(slots) - adventure * count) <= 1


def test_no_adventure_is_none_and_full_adventure_is_all() -> None:
    assert not any(islice(exploration_slots(0.0, 0.9), 50))
    assert all(islice(exploration_slots(1.0, 0.9), 50))
