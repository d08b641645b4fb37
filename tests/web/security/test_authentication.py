"""Who a request is from, with and without accounts, proxies and exposed addresses."""

import pytest

from soundalike.domain.errors import StoreBusyError, StoreError, StoreUnavailableError
from soundalike.domain.users import YOU
from web.clients import LOCAL, PASSWORD, form_token, me
from web.stage import Stage

FORWARDED = [
    {"Forwarded": "for=192.0.2.1"},
    {"Forwarded": ""},
    {"X-Forwarded-For": "192.0.2.1"},
    {"X-Forwarded-Proto": "https"},
    {"X-Forwarded-Host": "localhost"},
    {"x-forwarded-anything": "x"},
]
EVERYWHERE = [
    "/",
    "/healthz",
    "/api/tracks",
    "/api/nothing",
    "/nothing",
    "/static/x/logo.svg",
    "/login",
    "/account",
]
ELSEWHERE = {"Host": "192.0.2.7:8000"}


def test_without_accounts_everybody_on_this_machine_is_you(stage: Stage) -> None:
    assert me(stage.client()).json == {"id": "you", "name": None, "is_admin": True, "generation": 0}
    html = stage.client().get("/", headers=LOCAL).text
    assert 'data-user="you"' in html
    assert stage.client().get("/login", headers=LOCAL).location == "/"


def test_from_the_first_account_on_a_login_is_needed_without_a_restart(stage: Stage) -> None:
    stage.add("a")
    stage.listen(YOU)
    client = stage.client()
    assert me(client).status_code == 200
    stage.add_user("Ann")
    assert me(client).status_code == 401
    answer = client.get("/tracks/a?x=1&y=%26", headers=LOCAL)
    assert (answer.status_code, answer.location) == (303, "/login?next=/tracks/a?x%3D1%26y%3D%2526")
    ann = stage.log_in("ann")
    assert me(ann).json == {"id": "you", "name": "Ann", "is_admin": True, "generation": 0}
    assert 'data-user="you"' in ann.get("/", headers=LOCAL).text
    assert len(ann.get("/api/me/export", headers=LOCAL).json["listens"]) == 1  # type: ignore[index] # JSON


@pytest.mark.parametrize("headers", FORWARDED, ids=str)
@pytest.mark.parametrize("is_exposed", [False, True])
def test_without_accounts_nothing_is_served_through_a_proxy(
    stage: Stage, headers: dict[str, str], *, is_exposed: bool
) -> None:
    stage.is_exposed = is_exposed
    client = stage.client()
    for path in EVERYWHERE:
        for method in ("GET", "HEAD", "POST", "OPTIONS"):
            answer = client.open(path, method=method, headers={**LOCAL, **headers})
            assert answer.status_code == 403
            assert method == "HEAD" or "soundalike users add" in answer.text
    assert client.get("/api/me", headers={**LOCAL, **headers}).json["error"] == "no_accounts"  # type: ignore[index] # JSON


def test_a_proxy_is_refused_before_the_host_is_checked(stage: Stage) -> None:
    answer = stage.client().get("/", headers={"Host": "music.example", "X-Forwarded-For": "192.0.2.1"})
    assert answer.status_code == 403


def test_with_accounts_a_proxy_is_served(stage: Stage) -> None:
    stage.add_user("ann")
    headers = {**stage.bearer("ann"), "X-Forwarded-For": "192.0.2.1", "Forwarded": "for=192.0.2.1"}
    assert me(stage.client(), headers).status_code == 200
    assert me(stage.client(), {**LOCAL, "X-Forwarded-For": "127.0.0.1"}).status_code == 401


@pytest.mark.parametrize("failure", [StoreBusyError("busy"), StoreUnavailableError("away")])
def test_nobody_is_let_in_while_the_store_does_not_say_whether_there_are_accounts(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, failure: StoreError
) -> None:
    def fail() -> bool:
        raise failure

    client = stage.client()
    monkeypatch.setattr(stage.store, "has_users", fail)
    for headers in ({}, {"X-Forwarded-For": "192.0.2.1"}):
        assert me(stage.client(), {**LOCAL, **headers}).status_code in {500, 503}
        assert client.get("/", headers={**LOCAL, **headers}).status_code in {500, 503}


def test_removing_the_last_account_during_a_proxied_request_lets_nobody_in(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = stage.client()
    answers = iter([True, False])
    monkeypatch.setattr(stage.store, "has_users", lambda: next(answers))
    assert me(client, {**LOCAL, "X-Forwarded-For": "192.0.2.1"}).status_code == 401


def test_on_an_exposed_address_nobody_is_you(stage: Stage) -> None:
    stage.is_exposed = True
    client = stage.client()
    for headers in (LOCAL, ELSEWHERE):
        assert me(client, headers).status_code == 401
        assert client.get("/", headers=headers).location == "/login"
        assert "soundalike users add NAME" in client.get("/login", headers=headers).text
        assert client.get("/healthz", headers=headers).status_code == 200


def test_on_an_exposed_address_nobody_is_let_in_after_the_last_account(stage: Stage) -> None:
    stage.is_exposed = True
    stage.add("a")
    ann = stage.add_user("ann")
    client, headers = stage.log_in("ann"), stage.bearer("ann")
    assert me(client).status_code == me(stage.client(), headers).status_code == 200
    late = stage.client()
    fields = {"csrf_token": form_token(late, "/login"), "name": "ann", "password": PASSWORD}
    stage.services.accounts.remove(ann.id, erase=stage.services.personal_data.erase)
    for answer in (
        me(client),
        me(stage.client(), headers),
        me(stage.client()),
        me(stage.client(), ELSEWHERE),
    ):
        assert answer.status_code == 401
    assert late.post("/login", data=fields, headers=LOCAL).status_code == 303
    assert me(late).status_code == 401


@pytest.mark.parametrize(
    "host", ["192.0.2.7", "192.0.2.7:8000", "[2001:db8::1]:8000", "localhost", "music.lan:80"]
)
def test_an_exposed_player_is_served_by_address_or_by_an_allowed_host(stage: Stage, host: str) -> None:
    stage.is_exposed = True
    stage.allowed_hosts = frozenset({"music.lan"})
    assert stage.client().get("/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "192.0.2.7.evil.example", "3221225991", "0xc0.0.2.7", "192.0.519", "[192.0.2.7]",
     "192.0.2.07", "[::1", "2001:db8::1", "[fe80::1%25eth0]", "[]", "music.lan.evil.example"],
)  # fmt: skip
def test_an_exposed_player_refuses_other_hosts(stage: Stage, host: str) -> None:
    stage.is_exposed = True
    stage.allowed_hosts = frozenset({"music.lan"})
    assert stage.client().get("/healthz", environ_overrides={"HTTP_HOST": host}).status_code == 400


def test_a_player_that_is_not_exposed_refuses_other_addresses(stage: Stage) -> None:
    assert stage.client().get("/healthz", headers=ELSEWHERE).status_code == 400
