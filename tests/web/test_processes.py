"""Several web processes side by side over the same store, log and artefacts are one player."""

from flask import Flask
from flask.testing import FlaskClient

from soundalike.domain.users import YOU
from soundalike.wire.listens import listen_body
from web.clients import LOCAL
from web.stage import LaterStage, Stage

RECOMMENDATIONS = "/api/recommendations?limit=20&adventure=0.5"


def furnish(stage: Stage) -> None:
    for number in range(40):
        stage.add(f"t{number:02}", artist=f"Artist {number % 7}", point=(number % 8, number // 8))
    stage.build(k=10)


def recommended(app: Flask, path: str = RECOMMENDATIONS) -> object:
    answer = app.test_client().get(path, headers=LOCAL)
    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["recommendations"]
    return answer.json


def send(app: Flask, stage: Stage, number: int, *, track_id: str, kind: str) -> None:
    events = [listen_body(stage.make_listen(YOU, number, track_id=track_id, kind=kind))]
    answer = app.test_client().post("/api/listens", json={"events": events}, headers=LOCAL)
    assert answer.status_code == 202


def test_processes_recommend_the_same_whichever_one_took_the_events(later: LaterStage) -> None:
    furnish(later)
    one, other = later.app(), later.beside()
    seen = [recommended(one)]
    assert recommended(other) == seen[0]
    for number, (taking, kind) in enumerate(((one, "liked"), (other, "disliked"), (one, "skipped"))):
        send(taking, later, 100 - number, track_id=f"t{11 * number:02}", kind=kind)
        later.log.fold()
        seen.append(recommended(one))
        assert recommended(other) == seen[-1]
        assert seen[-1] != seen[-2]
    seeded = f"{RECOMMENDATIONS}&seed=t05&exclude=t06,t07"
    assert recommended(one, seeded) == recommended(other, seeded)


def test_where_the_log_folds_at_once_the_other_process_sees_the_change_at_once(stage: Stage) -> None:
    furnish(stage)
    one, other = stage.app(), stage.beside()
    before = recommended(other)
    send(one, stage, 1, track_id="t20", kind="liked")
    assert recommended(other) == recommended(one) != before


def test_a_session_is_valid_in_other_processes_with_the_same_key_alone(stage: Stage) -> None:
    furnish(stage)
    stage.add_user("ann")
    session = stage.log_in("ann")
    kept = session.get_cookie("soundalike")
    assert kept is not None
    beside = stage.beside()
    assert _me(beside, kept.value) == 200
    assert _me(stage.beside(session_key=b"another key of the same length"), kept.value) == 401
    stage.services.accounts.change_password(stage.services.accounts.named("ann").id, "battery staple")
    assert _me(beside, kept.value) == 401


def _me(app: Flask, cookie: str) -> int:
    client: FlaskClient = app.test_client()
    client.set_cookie("soundalike", cookie)
    return client.get("/api/me", headers=LOCAL).status_code
