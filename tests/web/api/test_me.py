import json
import tracemalloc
from typing import Any

import pytest
from flask.testing import FlaskClient

from soundalike.domain.errors import StoreBusyError
from soundalike.domain.times import rfc3339
from soundalike.domain.types import TrackId, UserId
from soundalike.domain.users import YOU, Credential, CredentialKind
from soundalike.wire.listens import listen_body
from web.clients import LOCAL, me
from web.stage import Stage

LATE: dict[str, Any] = {
    "id": "00000000-0000-4000-8000-000000000abc",
    "track_id": "a",
    "kind": "liked",
    "position_ms": None,
    "at": "2026-01-01T00:00:00.000Z",
}


@pytest.fixture
def shared(stage: Stage) -> Stage:
    stage.add("a")
    stage.add("b")
    stage.add_user("ann")
    stage.add_user("bob")
    return stage


def id_of(stage: Stage, name: str) -> UserId:
    return stage.services.accounts.named(name).id


def exported(client: FlaskClient, headers: dict[str, str] = LOCAL) -> Any:
    answer = client.get("/api/me/export", headers=headers)
    assert answer.status_code == 200
    assert answer.content_type == "application/json"
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    return json.loads(answer.text)


def test_an_export_has_all_data_of_its_user_and_none_of_others(shared: Stage) -> None:
    ann = id_of(shared, "ann")
    listens = [shared.make_listen(ann, number, track_id="ab"[number % 2]) for number in range(1, 1203)]
    shared.services.listens.ingest(ann, listens)
    shared.listen(id_of(shared, "bob"), 5000)
    made = shared.services.accounts.make_token(ann, "phone \u260e")
    body = exported(shared.log_in("ann"))
    assert set(body) == {"account", "tokens", "credentials", "profile", "listens"}
    assert (body["account"]["id"], body["account"]["name"]) == (ann, "ann")
    assert set(body["account"]) == {"id", "name", "created_at", "is_admin"}
    assert [set(token) for token in body["tokens"]] == [{"id", "label", "created_at"}]
    assert body["tokens"][0]["label"] == "phone \u260e"
    assert body["listens"] == [listen_body(listen) for listen in reversed(listens)]
    assert body["profile"]["user"] == ann
    text = json.dumps(body)
    for secret in (
        made.secret,
        str(made.token.secret_hash),
        shared.services.accounts.named("ann").password_hash,
    ):
        assert secret not in text


def test_an_export_has_credentials_of_every_kind_without_their_secrets(shared: Stage) -> None:
    ann = id_of(shared, "ann")
    made = shared.services.accounts.make_token(ann, "phone").token
    app = Credential(
        id="app1",
        user_id=ann,
        kind=CredentialKind.APP_PASSWORD,
        label="tablet",
        created_at=made.created_at,
        last_used_at=made.created_at,
        ciphertext=b"encrypted",
    )
    shared.store.add_credential(app)
    body = exported(shared.log_in("ann"))
    at = rfc3339(made.created_at)
    of_app = {"id": "app1", "kind": "app-password", "label": "tablet", "created_at": at, "last_used_at": at}
    of_token = {"id": made.id, "kind": "token", "label": "phone", "created_at": at, "last_used_at": None}
    assert sorted(body["credentials"], key=lambda one: str(one["kind"])) == [of_app, of_token]
    assert [one["id"] for one in body["tokens"]] == [made.id]
    assert "encrypted" not in json.dumps(body)


def test_an_export_can_be_sent_back_as_listens(shared: Stage) -> None:
    shared.listen(id_of(shared, "ann"), 7)
    listens = exported(shared.log_in("ann"))["listens"]
    answer = shared.client().post("/api/listens", json={"events": listens}, headers=shared.bearer("bob"))
    assert answer.json == {"accepted": 1, "duplicates": 0, "hidden": 0, "generation": 0}


@pytest.mark.parametrize("count", [0, 1, 499, 500, 501])
def test_an_export_of_any_length_is_json(stage: Stage, count: int) -> None:
    stage.add("a")
    stage.services.listens.ingest(YOU, [stage.make_listen(YOU, number) for number in range(1, count + 1)])
    body = exported(stage.client())
    assert len(body["listens"]) == count
    assert body["account"] == {"id": "you", "name": None, "created_at": None, "is_admin": True}
    assert body["tokens"] == []


def test_an_export_is_written_in_bounded_memory(stage: Stage) -> None:
    stage.add("a")
    stage.store.add_listens([stage.make_listen(YOU, 1000 * number) for number in range(1, 10_001)])
    whole = len(stage.client().get("/api/me/export", headers=LOCAL).data)
    client = stage.client()
    tracemalloc.start()
    answer = client.get("/api/me/export", headers=LOCAL, buffered=False)
    pieces = [len(piece) for piece in answer.iter_encoded()]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    answer.close()
    assert sum(pieces) == whole
    assert len(pieces) >= 20
    assert max(pieces) < whole / 10
    assert peak < whole


def test_a_failure_before_an_export_begins_is_answered_as_an_error(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_user_id: UserId) -> None:
        msg = "busy"
        raise StoreBusyError(msg)

    client = stage.client()
    monkeypatch.setattr(stage.store, "profile_version", fail)
    assert client.get("/api/me/export", headers=LOCAL).status_code == 503


def test_data_can_be_deleted_without_an_account(stage: Stage) -> None:
    stage.add("a")
    stage.listen(YOU)
    client = stage.client()
    answer = client.delete("/api/me", json={}, headers=LOCAL)
    assert (answer.status_code, answer.data) == (204, b"")
    body = exported(client)
    assert body["listens"] == []
    assert body["profile"]["recent"] == []


def test_events_from_before_the_deletion_that_come_late_are_not_folded(stage: Stage) -> None:
    stage.add("a")
    client = stage.client()
    client.post("/api/listens", json={"events": [LATE]}, headers=LOCAL)
    assert client.delete("/api/me", json={}, headers=LOCAL).status_code == 204
    again = client.post("/api/listens", json={"events": [LATE]}, headers=LOCAL)
    assert again.status_code == 202
    begun = (me(client).json or {})["generation"]
    assert again.json == {"accepted": 0, "duplicates": 0, "hidden": 1, "generation": begun}
    assert exported(client)["listens"] == []
    assert TrackId("a") not in stage.services.profiles.of(YOU).taste.tracks
    stage.pass_time(1)
    stage.listen(YOU, 0)
    assert len(exported(client)["listens"]) == 1


def test_a_deletion_begins_a_later_generation_which_its_user_is_told(stage: Stage) -> None:
    stage.add("a")
    client = stage.client()
    assert (me(client).json or {})["generation"] == 0
    client.delete("/api/me", json={}, headers=LOCAL)
    begun = (me(client).json or {})["generation"]
    assert begun > 0
    # One that names it counts whatever its date; one of before does not.
    late, now = (LATE | {"id": f"00000000-0000-4000-8000-{n:012}", "generation": n} for n in (0, begun))
    answer = client.post("/api/listens", json={"events": [late, now]}, headers=LOCAL)
    assert answer.json == {"accepted": 1, "duplicates": 0, "hidden": 1, "generation": begun}


def test_deleting_ones_data_deletes_account_tokens_and_sessions(shared: Stage) -> None:
    ann, bob = id_of(shared, "ann"), id_of(shared, "bob")
    shared.listen(ann)
    shared.listen(bob, 2)
    session, other, script = shared.log_in("ann"), shared.log_in("ann"), shared.bearer("ann")
    answer = session.delete("/api/me", json={}, headers=LOCAL)
    assert answer.status_code == 204
    assert shared.store.user(ann) is None
    assert list(shared.store.listens_of(ann)) == []
    assert shared.store.erased(ann).until_ms is not None
    for client, headers in ((session, LOCAL), (other, LOCAL), (shared.client(), script)):
        assert client.get("/api/me", headers=headers).status_code == 401
    assert len(exported(shared.client(), shared.bearer("bob"))["listens"]) == 1


def test_tokens_are_made_listed_and_revoked(shared: Stage) -> None:
    client = shared.log_in("ann")
    made = client.post("/api/tokens", json={"label": "phone"}, headers=LOCAL)
    assert made.status_code == 201
    assert made.headers["Cache-Control"] == "private, no-store"
    assert made.json is not None
    assert set(made.json) == {"id", "label", "created_at", "token"}
    script = {**LOCAL, "Authorization": f"Bearer {made.json['token']}"}
    assert shared.client().get("/api/me", headers=script).json == {
        "id": "you",
        "name": "ann",
        "is_admin": True,
        "generation": 0,
    }
    listed = client.get("/api/tokens", headers=LOCAL)
    assert listed.json == {"tokens": [{key: made.json[key] for key in ("id", "label", "created_at")}]}
    assert client.delete(f"/api/tokens/{made.json['id']}", json={}, headers=LOCAL).status_code == 204
    assert shared.client().get("/api/me", headers=script).status_code == 401
    assert client.delete(f"/api/tokens/{made.json['id']}", json={}, headers=LOCAL).status_code == 404


def test_a_token_is_revoked_by_its_owner_alone(shared: Stage) -> None:
    made = shared.services.accounts.make_token(id_of(shared, "bob"))
    answer = shared.client().delete(f"/api/tokens/{made.token.id}", json={}, headers=shared.bearer("ann"))
    assert answer.status_code == 404
    assert shared.services.accounts.user_of_token(made.secret) is not None


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"1", b'"x"', b'{"label": 1}', b'{"label": null}', b"\xff", b"[" * 5000]
)
def test_a_malformed_request_for_a_token_makes_none(shared: Stage, body: bytes) -> None:
    answer = shared.client().post(
        "/api/tokens", data=body, content_type="application/json", headers=shared.bearer("ann")
    )
    assert answer.status_code == 400
    assert answer.json is not None
    assert set(answer.json) == {"error", "message"}
    assert len(shared.services.accounts.tokens_of(id_of(shared, "ann"))) == 1


@pytest.mark.parametrize(
    ("label", "kept"),
    [("", ""), ("  a\tb\n", "ab"), ("\ud800<b>\u202e", "<b>"), ("x" * 80, "x" * 80), ("x" * 81, None)],
)
def test_a_label_is_a_short_line_of_text(shared: Stage, label: str, kept: str | None) -> None:
    headers = shared.bearer("bob")
    answer = shared.client().post("/api/tokens", json={"label": label}, headers=headers)
    assert answer.status_code == (400 if kept is None else 201)
    assert answer.json is not None
    assert answer.json.get("label") == kept
