"""The rules that recommendations follow: no repeats, each recording once, artists apart."""

from itertools import pairwise
from typing import Any

import pytest

from making import make_track
from services.recommendation.stage import SCHEMA, Stage, texts
from soundalike.domain.recommendation.results import Recommendations
from soundalike.domain.recommendation.rules import MEMORY
from soundalike.domain.types import TrackId


def test_recently_played_tracks_are_not_repeated_while_there_are_new_ones(stage: Stage) -> None:
    played = [f"harp{number:02}" for number in range(12)]
    stage.listen(*(f"finished {name}" for name in played))
    assert not set(played) & set(stage.names(limit=24))


def test_a_track_that_is_playing_is_not_recommended(stage: Stage) -> None:
    stage.listen("finished harp03", "started harp05")
    assert "harp05" not in stage.names(limit=30)


def test_a_recently_played_recording_does_not_come_from_another_file(stage: Stage) -> None:
    stage.add("copy", -20.0, 3.0, artist="Band", title="Song")
    stage.add("louder", -21.0, -3.0, artist="band", title="song")
    stage.add("other-length", -21.0, 3.0, artist="band", title="song", duration_ms=300_000)
    stage.build()
    stage.listen("finished copy")
    found = stage.names(limit=40)
    assert "louder" not in found
    assert "other-length" in found


def test_the_last_100_recordings_do_not_come_from_another_file() -> None:
    stage = Stage()
    for number in range(MEMORY + 1):
        stage.add(f"a{number:03}", 3.0 * number, 0.0, artist="Band", title=f"Song {number}")
    for name, number in (("old", 0), ("recent", 1)):
        stage.add(name, 0.0, 50.0 - 550 * number, artist="Band", title=f"Song {number}")
    stage.build()
    stage.listen(*(f"finished a{number:03}" for number in range(MEMORY + 1)))
    found = stage.names(limit=10)
    assert found[0] in {"old", "a000"}
    assert "recent" not in found


def test_of_many_dislikes_the_latest_count_by_name() -> None:
    stage = Stage()
    for number in range(100):
        stage.add(f"a{number:02}", 3.0 * number, 0.0, artist="Band", title=f"Song {number}")
    stage.add("copy", 5.0, 50.0, artist="Band", title="Song 99")
    stage.build()
    stage.listen(*(f"disliked a{number:02}" for number in range(100)))
    assert stage.names(limit=10) == []


def test_the_same_recording_comes_once(stage: Stage) -> None:
    for number, name in enumerate(("one", "two", "three")):
        stage.add(name, -20.0 + number * 1e-4, 0.1)
    stage.build()
    stage.listen("finished harp03")
    found = stage.names(limit=40)
    assert len({"one", "two", "three"} & set(found)) == 1


def test_disliked_tracks_and_their_duplicates_are_left_out(stage: Stage) -> None:
    stage.add("twin", *_place(stage, "harp04"))
    stage.build()
    stage.listen("finished harp03", "disliked harp04")
    found = stage.names(limit=40)
    assert "harp04" not in found
    assert "twin" not in found
    stage.listen("undisliked harp04")
    assert {"harp04", "twin"} & set(stage.names(limit=40))


def _place(stage: Stage, name: str) -> list[float]:
    vectors = stage.store.vectors_of(TrackId(name), SCHEMA)
    assert vectors is not None
    return [float(value) for value in vectors.summary]


def test_less_is_negative_without_excluding(stage: Stage) -> None:
    stage.listen("finished harp03", "finished metal03")
    before = stage.names(limit=36)
    liked = next(name for name in before if name.startswith("harp"))
    stage.listen(f"less {liked}")
    after = stage.names(limit=36)
    assert liked in after
    assert after.index(liked) > before.index(liked)


def beside_a_prolific_artist(count: int, *, away: float) -> Stage:
    """Many tracks by one artist, and 15 distant ones by other artists."""
    stage = Stage()
    stage.add_heap("a", count, 0, 0, artist="Prolific")
    stage.add_heap("b", 15, away, 0, seed=1)
    stage.build()
    return stage


def test_no_more_than_three_of_ten_are_by_one_artist() -> None:
    stage = beside_a_prolific_artist(15, away=2)
    stage.listen("finished b00")
    found = stage.ask(limit=12)
    by_artist = [one.track.artist == "Prolific" for one in found.recommendations]
    assert all(sum(by_artist[begin : begin + 10]) <= 3 for begin in range(3))


def test_an_artist_whom_the_listener_plays_all_the_time_may_come_more_often() -> None:
    stage = beside_a_prolific_artist(25, away=9)
    stage.listen(*(f"finished a{number:02}" for number in range(10)))
    found = stage.ask(limit=10)
    assert sum(one.track.artist == "Prolific" for one in found.recommendations) > 3


def test_the_cap_applies_from_one_answer_to_the_next() -> None:
    stage = beside_a_prolific_artist(25, away=1)
    stage.listen("liked a00")
    played = []
    for _ in range(12):
        first = stage.ask(limit=1).recommendations[0].track
        played.append(first.artist)
        stage.listen(f"started {first.id}")
    # The like gives its artist a fourth place.
    assert all(played[start : start + 10].count("Prolific") <= 4 for start in range(3))


def test_excluded_tracks_are_left_out_with_their_duplicates(stage: Stage) -> None:
    stage.add("twin", *_place(stage, "harp04"))
    stage.build()
    stage.listen("finished harp03")
    first = stage.names()
    assert not set(first[:3]) & set(stage.names(exclude=first[:3]))
    assert not {"harp04", "twin"} & set(stage.names(limit=40, exclude=["harp04"]))


def test_what_is_excluded_need_not_exist(stage: Stage) -> None:
    assert len(stage.names(exclude=["nobody"])) == 10


def test_vanished_tracks_are_left_out_and_replaced(stage: Stage) -> None:
    stage.listen("finished harp03")
    first = stage.names(limit=8)
    stage.store.mark_vanished([TrackId(name) for name in first[:4]], 0)
    found = stage.names(limit=8)
    assert len(found) == 8
    assert not set(first[:4]) & set(found)
    assert set(first[4:]) <= set(found)


def test_a_vanished_track_still_counts_and_is_named(stage: Stage) -> None:
    stage.listen("finished harp03")
    stage.store.mark_vanished([TrackId("harp03")], 0)
    assert texts(stage.ask(limit=1)) == ["near “Title harp03”, which you finished today"]


def test_hostile_titles_stay_short_plain_text(stage: Stage) -> None:
    stage.store.save_track(make_track("harp03", title="<b>\x00\n" + "“x”" * 5000))
    stage.listen("finished harp03")
    text = texts(stage.ask(limit=1))[0]
    assert len(text) < 120
    assert text.isprintable()


# Artists and recordings, from one answer to the next


@pytest.mark.parametrize("adventure", [0.0, 0.3, 1.0])
def test_no_artist_comes_twice_in_a_row_where_another_can_be_had(stage: Stage, adventure: float) -> None:
    for number in range(30):
        stage.add(f"band{number:02}", -20.0 + number / 50, 8.0, artist="Band" if number % 3 else "Other")
    stage.build()
    stage.listen("finished harp03", "liked band01")
    for seed in (None, "band04"):
        found = stage.ask(limit=30, adventure=adventure, seed=seed)
        artists = [one.track.artist for one in found.recommendations]
        assert {"Band", "Other"} <= set(artists)
        assert all(one != other for one, other in pairwise(artists))


def test_the_first_is_by_another_artist_than_what_was_just_played(stage: Stage) -> None:
    for number in range(3):
        stage.add(f"band{number}", -20.0 + 5 * number, 20.0, artist="Band")
    stage.build()
    stage.listen("finished harp10", "liked band0", "started band0")
    first = stage.ask(limit=1, seed="band0")
    assert first.recommendations[0].track.artist != "Band"
    stage.listen("started harp10")
    first = stage.ask(limit=1, seed="band0")
    assert first.recommendations[0].track.artist == "Band"
    first = stage.ask(limit=1, seed="band0", recent=["harp11", "band0"])
    assert first.recommendations[0].track.artist != "Band"


def test_for_a_stranger_a_seed_has_just_played(stage: Stage) -> None:
    for number in range(3):
        stage.add(f"band{number}", -20.0 + 5 * number, 20.0, artist="Band")
    stage.build()
    assert stage.ask(limit=1, seed="band0").recommendations[0].track.artist != "Band"


def test_recent_tracks_and_their_recordings_do_not_come(stage: Stage) -> None:
    stage.add("here", -20.0, 3.3, artist="Band", title="Song")
    stage.add("there", -21.0, -3.0, artist="band", title="song")
    stage.build()
    assert {"here", "there"} & set(stage.names(seed="harp03", limit=40))
    found = stage.names(seed="harp03", recent=["here", "harp05"], limit=40)
    assert not {"here", "there", "harp05"} & set(found)
    assert not {"here", "there"} & set(stage.names(exclude=["here"], limit=40))


def test_a_library_of_one_artist_plays_on() -> None:
    only = Stage()
    only.add_heap("a", 15, 0, 0, artist="Only")
    only.build()
    assert len(only.names(seed="a03", limit=10)) == 10


@pytest.mark.parametrize("seed", ["a10", "new", None])
def test_other_artists_are_found_behind_hundreds_of_tracks_by_one(seed: str | None) -> None:
    stage = Stage()
    stage.add_heap("a", 500, 0, 0, artist="Mozart")
    stage.add_heap("b", 40, 300, 0, seed=1)
    stage.build()
    stage.add("new", 2.0, 50.0, artist="Mozart")
    stage.listen("finished a10")
    found = stage.ask(seed=seed, limit=10)
    assert len(found.recommendations) == 10
    assert all(one != other for one, other in pairwise(artists_of(found)))


def artists_of(found: Recommendations) -> list[str | None]:
    return [one.track.artist for one in found.recommendations]


def test_other_recordings_are_found_behind_hundreds_of_copies_of_one() -> None:
    stage = Stage()
    for number in range(400):
        stage.add(f"copy{number}", number / 100, 0.0, artist="Band", title="Song")
    stage.add_heap("b", 20, 300, 0)
    stage.build()
    assert len(stage.names(seed="copy3", limit=10)) == 10


@pytest.mark.parametrize("question", [{"recent": ["x1"]}, {"exclude": ["x1"]}, {"seed": "x1"}, {}], ids=str)
def test_repeats_leave_out_other_copies_of_what_must_not_come(question: dict[str, Any]) -> None:
    stage = Stage()
    for number, name in enumerate(("x1", "x2")):
        stage.add(name, 9.0 * number, 0.0, artist="Band", title="Song")
    stage.add("y", 20.0, 0.0)
    stage.build()
    stage.listen("finished x1", "finished x2", "finished y")
    assert stage.names() == ["x1", "y"]
    if not question:
        stage.listen("disliked x1")
    assert stage.names(**question) == ["y"]


def test_without_the_rules_of_this_version_answers_are_those_of_the_one_before() -> None:
    stage = Stage()
    for number in range(4):
        stage.add(f"a{number}", 9.0 * number, 0.0, artist="Band", recording="one of its songs")
    stage.build()
    assert stage.names(seed="a0") == []
    stage.recommender = stage.new_recommender(is_strict=False)
    assert stage.names(seed="a0") == ["a1", "a2", "a3"]
