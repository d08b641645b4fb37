"""Events are taken, hidden, or kept by who sent them, whatever the clocks of servers and devices show."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from werkzeug.test import TestResponse

from soundalike.domain.listens import Erasure
from soundalike.domain.times import rfc3339, to_ms
from soundalike.domain.users import YOU
from soundalike.wire.listens import listen_body
from web.clients import LOCAL, me
from web.stage import LaterStage, Stage

DAY_S = 24 * 3600
HOUR_S = 3600


@pytest.fixture(params=["embedded", "later"])
def either(request: pytest.FixtureRequest, stage: Stage, later: LaterStage) -> Stage:
    chosen = stage if request.param == "embedded" else later
    chosen.add("a")
    return chosen


def event(stage: Stage, number: int, *, ahead_s: float = 0, **members: object) -> dict[str, Any]:
    """Return an event that happens now, or so many seconds ahead of the server's clock."""
    at = rfc3339(stage.now() + timedelta(seconds=ahead_s))
    return {**listen_body(stage.make_listen(YOU, number)), "at": at, **members}


def post(stage: Stage, *events: dict[str, Any]) -> TestResponse:
    answer = stage.client().post("/api/listens", json={"events": events}, headers=LOCAL)
    stage.settle()
    return answer


def receipt(stage: Stage, *events: dict[str, Any]) -> dict[str, Any]:
    answer = post(stage, *events)
    assert answer.status_code == 202, answer.text
    body: dict[str, Any] = answer.json  # type: ignore[assignment] # JSON
    return body


def stored(stage: Stage) -> list[str]:
    return [listen.id for listen in stage.store.listens_of(YOU)]


def delete_data(stage: Stage) -> int:
    """Delete all data of the user; return the generation that begins."""
    assert stage.client().delete("/api/me", json={}, headers=LOCAL).status_code == 204
    stage.settle()
    return stage.store.erased(YOU).generation


class TestGenerations:
    def test_every_answer_tells_the_generation(self, either: Stage) -> None:
        assert receipt(either)["generation"] == 0
        begun = delete_data(either)
        assert begun > 0
        assert receipt(either)["generation"] == (me(either.client()).json or {})["generation"] == begun

    def test_a_device_that_names_the_generation_is_heard_whatever_its_clock_shows(
        self, either: Stage
    ) -> None:
        late = event(either, 1, ahead_s=-DAY_S, generation=delete_data(either))
        assert receipt(either, late)["accepted"] == 1
        assert stored(either) == [late["id"]]

    def test_what_is_older_is_hidden_and_never_a_duplicate(self, either: Stage) -> None:
        receipt(either, event(either, 1, generation=0))
        begun = delete_data(either)
        either.pass_time(1)
        answer = receipt(
            either,
            event(either, 1, generation=0),
            event(either, 2, ahead_s=60, generation=0),
            event(either, 3, ahead_s=-HOUR_S),
            event(either, 4, generation=begun),
        )
        assert (answer["accepted"], answer["duplicates"]) == (1, 0)
        assert answer.get("hidden", 3) == 3
        assert ("hidden" in answer) != ("folded" in answer)
        assert stored(either) == [event(either, 4)["id"]]

    def test_what_the_library_does_not_know_is_kept_by_who_sent_it(self, either: Stage) -> None:
        lost = (
            to_ms(either.now()) // 1_000 - HOUR_S
        )  # of a deletion an hour ago, before a backup was restored
        sent = [event(either, n, generation=n * lost) for n in (0, 1, 2)]
        answer = post(either, *sent)
        assert answer.status_code == 409
        body: dict[str, Any] = answer.json  # type: ignore[assignment] # JSON
        assert (body["error"], body["generation"], body["indexes"]) == ("unknown_generation", 0, [1, 2])
        assert stored(either) == []
        assert receipt(either, sent[0])["accepted"] == 1
        either.store.erase_listens(Erasure(YOU, to_ms(either.now()), lost))  # as when it is brought back
        assert receipt(either, sent[1])["accepted"] == 1
        assert stored(either) == [sent[1]["id"]]

    def test_a_deletion_hides_what_came_after_one_that_a_backup_does_not_know(self, either: Stage) -> None:
        lost = to_ms(either.now()) // 1_000
        sent = event(either, 1, ahead_s=60, generation=lost)
        assert post(either, sent).status_code == 409
        either.pass_time(60)
        delete_data(either)
        answer = receipt(either, sent)
        assert (answer["accepted"], answer["duplicates"]) == (0, 0)
        assert stored(either) == []

    def test_an_erasure_in_between_hides_what_was_not_new(
        self, stage: Stage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stage.add("a")
        add = stage.store.add_listens

        def erase_first(listens: Any) -> Any:
            stage.store.erase_listens(Erasure(YOU, to_ms(stage.now()), 1))
            return add(listens)

        monkeypatch.setattr(stage.store, "add_listens", erase_first)
        answer = receipt(stage, event(stage, 1, generation=0))
        assert answer == {"accepted": 0, "duplicates": 0, "hidden": 1, "generation": 1}


class TestClocks:
    def test_an_erasure_under_a_fast_clock_silences_nobody(self, either: Stage) -> None:
        either.pass_time(DAY_S)
        begun = delete_data(either)
        either.pass_time(-DAY_S)
        either.services.personal_data.lower_marks()  # a start
        either.settle()
        either.pass_time(1)
        events = [event(either, 1), event(either, 2, generation=begun)]
        assert receipt(either, *events)["accepted"] == 2
        assert sorted(stored(either)) == sorted(one["id"] for one in events)

    def test_a_slow_clock_of_the_server_drops_nothing(self, either: Stage) -> None:
        sent = [event(either, number, ahead_s=ahead_s) for number, ahead_s in enumerate((0, 3600, 0, 301))]
        answer = post(either, *sent)
        assert answer.status_code == 409
        body: dict[str, Any] = answer.json  # type: ignore[assignment] # JSON
        assert (body["error"], body["indexes"]) == ("ahead_of_clock", [1, 3])
        assert abs(to_ms(either.now()) - to_ms(datetime.fromisoformat(body["server_time"]))) < 10_000
        assert stored(either) == []
        assert receipt(either, sent[0], sent[2])["accepted"] == 2
        either.pass_time(HOUR_S)
        assert receipt(either, sent[1], sent[3])["accepted"] == 2
        assert len(stored(either)) == 4

    def test_any_date_of_the_past_is_taken_and_recommended_by(self, either: Stage) -> None:
        either.add("b", point=(1.0, 0.0))
        either.build()
        dates = ("0001-01-01T00:00:00Z", "1969-12-31T23:59:59.999Z", "2016-12-31T23:59:60Z")
        sent = [event(either, number, kind="liked") | {"at": at} for number, at in enumerate(dates)]
        assert receipt(either, *sent)["accepted"] == len(dates)
        assert [one.at_ms for one in either.store.listens_of(YOU)] == [
            -62_135_596_800_000,
            -1,
            1_483_228_800_000,
        ]
        for path in ("/api/recommendations", "/api/judgements", "/api/me/export", "/api/tracks/b/similar"):
            assert either.client().get(path, headers=LOCAL).status_code == 200

    def test_what_is_hidden_is_so_whatever_its_date(self, either: Stage) -> None:
        delete_data(either)
        assert receipt(either, event(either, 1, ahead_s=HOUR_S, generation=0))["accepted"] == 0

    def test_what_can_never_be_taken_is_still_a_bad_event(self, either: Stage) -> None:
        answer = post(either, event(either, 1, ahead_s=HOUR_S), event(either, 2, track_id=""))
        assert answer.status_code == 400
        assert (answer.json or {})["index"] == 1


class TestTracks:
    def test_what_was_done_with_a_track_that_is_not_here_is_kept_by_who_sent_it(self, either: Stage) -> None:
        sent = [event(either, number, track_id="b" if number % 2 else "a") for number in range(4)]
        answer = post(either, *sent)
        assert answer.status_code == 409
        body: dict[str, Any] = answer.json  # type: ignore[assignment] # JSON
        assert (body["error"], body["indexes"]) == ("unknown_track", [1, 3])
        assert stored(either) == []
        assert receipt(either, sent[0], sent[2])["accepted"] == 2
        either.add("b")  # as when its disk is back
        assert receipt(either, sent[1], sent[3])["accepted"] == 2
        assert len(stored(either)) == 4

    def test_a_library_without_tracks_drops_nothing(self, stage: Stage) -> None:
        sent = event(stage, 1, generation=1)
        answer = post(stage, sent).json or {}
        assert (answer["error"], answer["indexes"]) == ("unknown_generation", [0])
        del sent["generation"]
        assert post(stage, sent).status_code == 409
