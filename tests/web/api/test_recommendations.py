"""Recommendations and radio over HTTP: their JSON, and what they refuse."""

from typing import Any

import pytest

from making import make_track
from web.clients import LOCAL
from web.stage import Stage


def ask(stage: Stage, path: str) -> dict[str, Any]:
    answer = stage.client().get(path, headers=LOCAL)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Cache-Control"] == "private, no-store"
    return dict(answer.get_json())


@pytest.fixture
def line(stage: Stage) -> Stage:
    """Four tracks in a row, each by an artist of its own."""
    for name, x in (("a", 0.0), ("b", 1.0), ("c", 2.0), ("d", 9.0)):
        stage.add(name, point=(x, 0.0), artist=f"artist {name}")
    stage.build()
    return stage


def test_a_reason_is_words_and_data(line: Stage) -> None:
    line.listen("you", kind="liked")
    found = ask(line, "/api/recommendations?adventure=0&limit=3&exclude=a")
    reason = found["recommendations"][0]["reason"]
    liked_at = reason["because"][0]["at"]
    assert reason == {
        "text": "near “Title a”, which you liked today",
        "because": [{"track_id": "a", "kind": "liked", "at": liked_at}],
        "code": "taste",
        "cause": {
            "track_id": "a",
            "title": "Title a",
            "is_near": True,
            "kind": "liked",
            "at": [liked_at],
        },
        "likeness": None,
    }
    assert (found["note"], found["notes"]) == (None, [])


def test_a_note_is_words_and_codes(line: Stage) -> None:
    found = ask(line, "/api/recommendations?limit=2")
    assert (found["note"], found["notes"]) == ("nothing is known about your taste yet", ["unknown_taste"])
    assert found["recommendations"][0]["reason"]["code"] == "cold_start"


def test_a_radio_is_recommendations_by_its_track(line: Stage) -> None:
    line.listen("you", track_id="b", kind="disliked")
    found = ask(line, "/api/tracks/a/radio?adventure=0")
    asked = ask(line, "/api/recommendations?seed=a&recent=a&adventure=0")
    assert (found["track_id"], found["artefact"]) == ("a", asked["artefact"])
    assert found["neighbours"] == asked["recommendations"]
    assert [one["track"]["id"] for one in found["neighbours"]] == ["c", "d"]
    assert found["neighbours"][0]["distance"] == pytest.approx(2.0)
    assert found["neighbours"][0]["reason"]["likeness"]["track_id"] == "a"


ROUTES = pytest.mark.parametrize("path", ["/api/tracks/a/radio?", "/api/recommendations?seed=a&"])


def ids(found: dict[str, Any]) -> list[str]:
    return [one["track"]["id"] for one in found.get("neighbours") or found["recommendations"]]


@ROUTES
def test_no_recording_comes_that_has_just_played(line: Stage, path: str) -> None:
    line.add("again", point=(9.0, 5.0), artist="artist d", title="Title d")
    line.build()
    assert set(ids(ask(line, f"{path}recent=a,d,,no-such&limit=10"))) == {"b", "c"}


@ROUTES
def test_the_first_is_by_another_artist_than_the_last_of_what_has_played(line: Stage, path: str) -> None:
    line.add("near", point=(0.0, 0.5), artist="artist c")
    line.build()
    assert ids(ask(line, f"{path}adventure=0&recent=c,d"))[0] == "near"
    assert ids(ask(line, f"{path}adventure=0&recent=d,c"))[0] == "b"


@ROUTES
def test_what_was_played_more_than_100_tracks_ago_may_come_again(line: Stage, path: str) -> None:
    ago = ",".join(f"x{number}" for number in range(100))
    assert "b" in ids(ask(line, f"{path}recent=b,{ago}"))
    assert "b" not in ids(ask(line, f"{path}recent=b,{ago.removesuffix(',x99')}"))


@pytest.mark.parametrize("path", ["/api/recommendations?adventure=0", "/api/tracks/a/radio?adventure=0"])
def test_tracks_without_audio_come_only_if_they_are_asked_for(line: Stage, path: str) -> None:
    line.store.save_track(make_track("c", has_file=False))
    assert "'id': 'c'" not in str(ask(line, path))
    assert "'id': 'c'" in str(ask(line, f"{path}&playable=any"))
    answer = line.client().get(f"{path}&playable=no", headers=LOCAL)
    assert answer.status_code == 400
    assert "playable must be 'any'" in answer.json["message"]  # type: ignore[index] # it is an object
