"""The player over an event log that folds later, and over a log or a store that is away."""

import re

import pytest
from flask.testing import FlaskClient

from soundalike.domain.errors import EventLogError, StoreUnavailableError
from soundalike.domain.ports.listening import LogHealth
from soundalike.domain.types import TrackId
from soundalike.domain.users import YOU
from soundalike.wire.listens import listen_body
from web.clients import LOCAL
from web.stage import LaterStage, Stage

TAKEN = {"accepted": 1, "duplicates": 0, "generation": 0}


def post_events(client: FlaskClient, stage: Stage, *numbers: int, kind: str = "liked") -> tuple[int, object]:
    events = [listen_body(stage.make_listen(YOU, number, kind=kind)) for number in numbers]
    answer = client.post("/api/listens", json={"events": events}, headers=LOCAL)
    return answer.status_code, answer.json


def profile(client: FlaskClient) -> dict[str, object]:
    answer = client.get("/api/profile", headers=LOCAL)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "private, no-store"
    body: dict[str, object] = answer.json  # type: ignore[assignment] # JSON
    assert set(body) == {"profile_version", "listens"}
    return body


@pytest.fixture(params=["embedded", "later"])
def either(request: pytest.FixtureRequest, stage: Stage, later: LaterStage) -> Stage:
    return stage if request.param == "embedded" else later


def test_an_answer_says_that_the_events_are_not_folded_yet(later: LaterStage) -> None:
    later.add("a")
    client = later.client()
    assert post_events(client, later, 1, 2) == (202, TAKEN | {"accepted": 2, "folded": False})
    assert later.store.count_listens(YOU) == 0
    assert later.log.waiting == 2


def test_where_the_log_folds_at_once_the_answer_does_not_mention_folding(stage: Stage) -> None:
    stage.add("a")
    assert post_events(stage.client(), stage, 1) == (202, TAKEN | {"hidden": 0})


def test_a_profile_has_its_version_and_its_number_of_listens(either: Stage) -> None:
    either.add("a")
    client = either.client()
    empty = profile(client)
    assert empty["listens"] == 0
    assert profile(client) == empty
    post_events(client, either, 1, 2)
    either.settle()
    two = profile(client)
    assert two["listens"] == 2
    assert two["profile_version"] != empty["profile_version"]
    assert client.delete("/api/me", json={}, headers=LOCAL).status_code == 204
    erased = profile(client)
    assert erased["listens"] == 0
    assert erased["profile_version"] != two["profile_version"]


def test_a_profile_changes_when_events_are_folded_and_not_before(later: LaterStage) -> None:
    later.add("a")
    client = later.client()
    before = profile(client)
    post_events(client, later, 1, 2, 3)
    assert profile(client) == before
    later.log.fold(1)
    first = profile(client)
    later.log.fold()
    last = profile(client)
    assert [one["listens"] for one in (before, first, last)] == [0, 1, 3]
    assert len({one["profile_version"] for one in (before, first, last)}) == 3


def test_every_personal_answer_has_the_version_of_the_profile(either: Stage) -> None:
    for number, name in enumerate("abc"):
        either.add(name, point=(float(number), 0.0))
    either.build()
    client = either.client()
    for count in range(3):
        if count:
            either.listen(YOU, count)
        version = profile(client)["profile_version"]
        for path in ("/api/recommendations", "/api/judgements"):
            assert client.get(path, headers=LOCAL).json["profile_version"] == version  # type: ignore[index] # JSON


def test_asking_for_an_unchanged_profile_reads_its_version_alone(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.add("a")
    stage.listen(YOU)
    client = stage.client()
    known = profile(client)

    def fail(*_: object) -> None:
        msg = "read whole"
        raise AssertionError(msg)

    version = known["profile_version"]
    monkeypatch.setattr(stage.store, "profile_version", lambda _user_id: version)
    for name in ("profile", "count_listens", "listens_of", "erased"):
        monkeypatch.setattr(stage.store, name, fail)
    assert profile(client) == known


def test_while_the_log_is_away_events_are_refused_and_not_stored(later: LaterStage) -> None:
    later.add("a")
    client = later.client()
    later.log.failure = EventLogError("Kafka does not answer")
    answer = client.post(
        "/api/listens", json={"events": [listen_body(later.make_listen(YOU, 1))]}, headers=LOCAL
    )
    assert answer.status_code == 503
    assert answer.json == {
        "error": "log_unavailable",
        "message": "the event log is not accepting events; try again later",
    }
    assert int(answer.headers["Retry-After"]) >= 1
    later.log.failure = None
    assert post_events(client, later, 1) == (202, TAKEN | {"folded": False})
    later.log.fold()
    assert profile(client)["listens"] == 1


def test_deleting_data_does_not_wait_for_the_log_and_is_final(later: LaterStage) -> None:
    later.add("a")
    client = later.client()
    post_events(client, later, 1)
    later.log.fold()
    post_events(client, later, 2)
    assert client.delete("/api/me", json={}, headers=LOCAL).status_code == 204
    assert profile(client)["listens"] == 0
    later.log.fold()
    assert profile(client)["listens"] == 0
    assert TrackId("a") not in later.services.profiles.of(YOU).taste.tracks


def test_while_the_log_is_away_no_data_is_deleted(later: LaterStage) -> None:
    later.add("a")
    later.listen(YOU)
    client = later.client()
    later.log.failure = EventLogError("Kafka does not answer")
    answer = client.delete("/api/me", json={}, headers=LOCAL)
    assert (answer.status_code, answer.json["error"]) == (503, "log_unavailable")  # type: ignore[index] # JSON
    assert profile(client)["listens"] == 1


HEALTH = [
    LogHealth(),
    LogHealth(is_consumed=False, detail="no consumer is running; start one"),
    LogHealth(is_up=False, is_consumed=False, detail="Kafka at broker-1.internal refuses the login"),
]
DETAILS = [
    "",
    "no consumer is running; start one",
    "the event log is not accepting events",
]


@pytest.mark.parametrize(
    ("health", "detail"), list(zip(HEALTH, DETAILS, strict=True)), ids=["healthy", "not consumed", "away"]
)
def test_healthz_reports_the_health_of_the_log_without_internals(
    later: LaterStage, health: LogHealth, detail: str
) -> None:
    later.log.known_health = health
    answer = later.client().get("/healthz", headers=LOCAL)
    assert answer.status_code == 200
    assert answer.json == {
        "status": "ok",
        "tracks": 0,
        "artefact": None,
        "events": {"is_up": health.is_up, "is_consumed": health.is_consumed, "detail": detail},
    }


def test_pages_have_a_notice_and_watch_the_log_only_where_it_is_a_server(
    stage: Stage, later: LaterStage
) -> None:
    notices = [
        re.findall(r'<p id="log-notice"[^>]*>', one.client().get("/", headers=LOCAL).text)
        for one in (stage, later)
    ]
    assert ["hidden" in notice for (notice,) in notices] == [True, True]
    assert ["data-apart" in notice for (notice,) in notices] == [False, True]


def test_an_answer_about_a_store_that_is_away_has_no_address(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        msg = "no answer from mongo.internal:27017"
        raise StoreUnavailableError(msg)

    stage.add("a")
    client = stage.client()
    for name in ("has_users", "tracks", "track", "profile_version", "find_tracks", "count_tracks"):
        monkeypatch.setattr(stage.store, name, fail)
    for path in ("/api/recommendations", "/api/profile", "/api/tracks/a/audio", "/", "/healthz"):
        answer = client.get(path, headers=LOCAL)
        assert answer.status_code == 503, path
        assert int(answer.headers["Retry-After"]) >= 1
        assert "database does not answer" in answer.text
        assert "mongo.internal" not in answer.text
    proxied = client.get("/api/profile", headers={**LOCAL, "X-Forwarded-For": "192.0.2.1"})
    assert (proxied.status_code, proxied.json["error"]) == (503, "store_unavailable")  # type: ignore[index] # JSON
    assert int(proxied.headers["Retry-After"]) >= 1
    assert "mongo.internal:27017" in caplog.text
