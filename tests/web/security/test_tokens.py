"""Requests with a token."""

import pytest

from web.clients import LOCAL, me
from web.stage import Stage


def test_a_token_stands_for_its_user_without_a_cookie(stage: Stage) -> None:
    stage.add_user("ann")
    stage.add_user("bob")
    answer = me(stage.client(), stage.bearer("bob"))
    assert answer.json == {
        "id": stage.services.accounts.named("bob").id,
        "name": "bob",
        "is_admin": False,
        "generation": 0,
    }
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    "value",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer x",
        "Bearer sndl_x",
        "TOKEN",
        "Basic TOKEN",
        "BearerTOKEN",
        "Bearer TOKEN x",
        "Bearer TOKEN, Bearer TOKEN",
        "Bearer x, Bearer TOKEN",
        "Bearer TOKEN,",
        "Bearer: TOKEN",
        'Bearer "TOKEN"',
        "Token TOKEN",
        "Bearer TOKEN\u00e9",
        "Bearer\tTOKEN",
    ],
)
@pytest.mark.parametrize("path", ["/api/me", "/", "/api/tracks", "/account"])
def test_a_wrong_token_is_refused_even_with_a_valid_session(stage: Stage, value: str, path: str) -> None:
    stage.add_user("ann")
    token = stage.token_of("ann")
    client = stage.log_in("ann")
    answer = client.get(path, headers={**LOCAL, "Authorization": value.replace("TOKEN", token)})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert token not in answer.text


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer "])
def test_the_bearer_scheme_is_case_insensitive(stage: Stage, scheme: str) -> None:
    stage.add_user("ann")
    headers = {**LOCAL, "Authorization": f"{scheme} {stage.token_of('ann')}"}
    assert me(stage.client(), headers).status_code == 200


def test_without_accounts_there_are_no_tokens_and_a_wrong_one_is_refused(stage: Stage) -> None:
    client = stage.client()
    assert client.get("/api/tokens", headers=LOCAL).json == {"tokens": []}
    assert client.post("/api/tokens", json={}, headers=LOCAL).status_code == 409
    assert me(client, {**LOCAL, "Authorization": "Bearer sndl_x"}).status_code == 401


def test_open_routes_ignore_tokens(stage: Stage) -> None:
    stage.add_user("ann")
    for path in ("/healthz", "/login", "/static/x/logo.svg"):
        with stage.client().get(path, headers={**LOCAL, "Authorization": "Bearer x"}) as answer:
            assert answer.status_code == 200


def test_a_request_for_another_user_than_the_one_logged_in_is_refused(stage: Stage) -> None:
    stage.add("a")
    ann, bob = stage.add_user("ann"), stage.add_user("bob")
    client = stage.log_in("bob")
    for user_id, status in ((bob.id, 200), (ann.id, 401), ("", 401)):
        assert me(client, {**LOCAL, "Soundalike-User": user_id}).status_code == status
