"""Recommendations of small, empty and excluded libraries, and their reproducibility."""

import json
import subprocess
import sys
import threading
from datetime import timedelta

import pytest

from artefact_store import make_draft
from making import SOME_TIME, make_track
from services.recommendation.stage import SCHEMA, TESTS, Stage, names, note, texts
from soundalike.domain.errors import (
    NoArtefactError,
    QueryError,
)
from soundalike.domain.recommendation.results import Recommendations
from soundalike.domain.types import TrackId, UserId
from soundalike.wire.recommendations import recommendations_body


@pytest.mark.parametrize("adventure", [-0.1, 1.1, float("nan"), float("inf")])
def test_adventure_is_0_to_1(stage: Stage, adventure: float) -> None:
    with pytest.raises(QueryError, match="adventure"):
        stage.ask(adventure=adventure)


@pytest.mark.parametrize("limit", [0, 101, -5])
def test_limit_is_1_to_100(stage: Stage, limit: int) -> None:
    with pytest.raises(QueryError, match="limit"):
        stage.ask(limit=limit)


# Small libraries


def test_a_library_without_audio_has_nothing_to_play_and_says_so() -> None:
    stage = Stage()
    stage.store.save_track(make_track("described", has_file=False))
    found = stage.ask()
    assert (found.artefact, found.recommendations) == (None, ())
    assert note(found) == "no track has its audio here: run 'soundalike up' on the folder with their files"
    stage.store.save_track(make_track("heard"))
    with pytest.raises(NoArtefactError):
        stage.ask()


def test_an_empty_library_has_nothing_to_play_and_says_so() -> None:
    stage = Stage()
    found = stage.ask()
    assert (found.artefact, found.recommendations) == (None, ())
    assert "empty" in note(found)


def test_a_library_whose_tracks_have_all_vanished_is_empty(stage: Stage) -> None:
    stage.store.mark_vanished([one.track.id for one in stage.ask(limit=100).recommendations], 0)
    found = stage.ask()
    assert (found.artefact, found.recommendations) == (None, ())
    assert note(found) == "the library is empty: run 'soundalike up' on a folder of music"


def test_a_library_whose_tracks_have_vanished_but_those_to_learn_of_is_not_empty(stage: Stage) -> None:
    stage.store.mark_vanished([one.track.id for one in stage.ask(limit=100).recommendations], 0)
    stage.add("new", 1.0, 1.0)
    found = stage.ask()
    assert (found.artefact, found.recommendations) == ("000001", ())
    assert note(found) == "there is nothing to play: run 'soundalike up' on the folder of music"


def test_tracks_without_an_artefact_need_a_build() -> None:
    stage = Stage()
    stage.add("a", 0.0, 0.0)
    with pytest.raises(NoArtefactError, match="soundalike build"):
        stage.ask()


def test_an_only_track_is_played_and_played_again() -> None:
    stage = Stage()
    stage.add("a", 0.0, 0.0)
    stage.build()
    assert stage.names(adventure=0.2) == ["a"]
    stage.listen("finished a")
    again = stage.ask(adventure=0.2)
    assert texts(again) == ["a repeat, last played today"]
    assert note(again) == "everything was played recently, so these are repeats, the longest ago first"
    assert stage.ask(seed="a").recommendations == ()


def test_of_five_tracks_the_new_come_first_then_the_longest_ago() -> None:
    stage = Stage()
    for number, name in enumerate("abcde"):
        stage.add(name, float(number), 0.0)
    stage.build()
    stage.listen("finished c", "finished a", ("skipped b", 900))
    found = stage.ask()
    assert set(names(found)[:2]) == {"d", "e"}
    assert names(found)[2:] == ["c", "a", "b"]
    assert "longest ago" in note(found)


def test_if_everything_is_disliked_nothing_plays_and_the_note_says_why() -> None:
    stage = Stage()
    for number, name in enumerate("ab"):
        stage.add(name, float(number), 0.0)
    stage.build()
    stage.listen("disliked a", "disliked b")
    found = stage.ask()
    assert found.recommendations == ()
    assert "disliked" in note(found)
    assert found.artefact == "000001"


def test_if_everything_is_excluded_the_note_says_why() -> None:
    stage = Stage()
    stage.add("a", 0.0, 0.0)
    stage.build()
    assert "excluded" in note(stage.ask(exclude=["a"]))


def test_a_library_of_one_artist_is_played_and_the_note_says_so() -> None:
    stage = Stage()
    stage.add_heap("a", 15, 0, 0, artist="Only")
    stage.build()
    stage.listen("finished a03")
    found = stage.ask(limit=10)
    assert len(found.recommendations) == 10
    assert note(found) == "all tracks are by one artist, because there are too few others"


def test_a_library_of_equal_tracks_is_one_recording() -> None:
    stage = Stage()
    for name in "abc":
        stage.add(name, 1.0, 1.0)
    stage.build()
    assert len(stage.names()) == 1


def test_a_liked_track_that_was_not_played_is_recommended_itself(stage: Stage) -> None:
    stage.listen("liked metal07")
    assert texts(stage.ask(limit=1)) == ["you liked it today"]
    assert stage.names(limit=1) == ["metal07"]


# The same question, the same answer


def body(found: Recommendations) -> str:
    return json.dumps(recommendations_body(found))


def test_the_same_question_has_the_same_answer_with_any_cache(stage: Stage) -> None:
    stage.listen("finished harp03", "liked metal05", ("skipped mid01", 4000))
    question = {"adventure": 0.4, "limit": 15, "exclude": ["harp01", "metal01"]}
    first = body(stage.ask(**question))  # type: ignore[arg-type] # as `ask` takes them
    assert body(stage.ask(**question)) == first  # type: ignore[arg-type] # the same
    stage.recommender = stage.new_recommender()
    assert body(stage.ask(**question)) == first  # type: ignore[arg-type] # the same
    stage.now += timedelta(hours=1)
    assert body(stage.ask(**question | {"exclude": ["metal01", "harp01"]})) == first  # type: ignore[arg-type] # the same


def test_each_part_of_the_question_changes_the_random_numbers(stage: Stage) -> None:
    stage.listen("finished harp03")
    plain = stage.names(limit=12, adventure=0.5)
    assert stage.names(limit=13, adventure=0.5)[:12] != plain
    assert stage.names(limit=12, adventure=0.5, exclude=["nobody"]) != plain


PROGRAM = """
import sys
from services.recommendation.stage import Stage
from services.recommendation.test_recommender_edges import body
stage = Stage()
stage.add_heap("a", 20, 0, 0)
stage.add_heap("b", 20, 9, 0, seed=1)
stage.build()
stage.listen("finished a03", "liked b05", ("skipped a07", 2000), "disliked b09", "finished a11")
print(body(stage.ask(limit=20, adventure=0.3, exclude={"a01", "b01", "b02"})))
"""


def test_the_same_listens_give_the_same_answer_in_every_process() -> None:
    outputs = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            capture_output=True,
            check=True,
            cwd=TESTS,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(TESTS)},
        ).stdout
        for seed in ("1", "77")
    }
    assert len(outputs) == 1
    assert len(outputs.pop()) > 1000


def test_many_threads_at_once_get_the_answers_of_one(stage: Stage) -> None:
    users = [UserId(f"u{number}") for number in range(6)]
    for number, user in enumerate(users):
        stage.listen(f"finished harp{number:02}", f"finished metal{number:02}", user=user)
    alone = {user: body(stage.ask(user=user, adventure=0.2)) for user in users}
    stage.recommender = stage.new_recommender()
    answers: list[tuple[UserId, str]] = []

    def ask(user: UserId) -> None:
        answers.extend((user, body(stage.ask(user=user, adventure=0.2))) for _ in range(5))

    threads = [threading.Thread(target=ask, args=(user,)) for user in users]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 30
    assert all(answer == alone[user] for user, answer in answers)


def test_the_order_of_tracks_in_the_artefact_changes_nothing(stage: Stage) -> None:
    stage.listen("finished harp03", "finished metal03", ("skipped mid01", 100))
    first = stage.names(limit=20)
    points = dict(reversed(list(stage._points.items())))  # noqa: SLF001 - the stage's own
    stage.artefacts.publish(make_draft(points, k=10, schema=SCHEMA))
    assert stage.names(limit=20) == first


def test_a_track_that_came_back_is_recommended_again(stage: Stage) -> None:
    stage.listen("finished harp03")
    first = stage.names(limit=3)
    stage.store.mark_vanished([TrackId(first[0])], 0)
    stage.names(limit=3)
    stage.store.save_track(make_track(first[0], artist=f"artist of {first[0]}", added_at=SOME_TIME))
    assert stage.names(limit=3) == first
