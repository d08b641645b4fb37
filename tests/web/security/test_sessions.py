"""Sessions: their cookie, and when they begin and end."""

import re
from datetime import timedelta
from http.cookies import SimpleCookie

import pytest
from werkzeug.test import TestResponse

from soundalike.domain.users import YOU
from web.clients import LOCAL, PASSWORD, me, send_form
from web.stage import Stage


def cookie_of(answer: TestResponse) -> str:
    """Return the one cookie that an answer sets, as it is set."""
    (header,) = answer.headers.getlist("Set-Cookie")
    return header


def test_the_session_cookie_is_protected_and_lasts_a_month(stage: Stage) -> None:
    stage.add_user("ann")
    answer = send_form(stage.client(), "/login", "/login", {"name": "ann", "password": PASSWORD})
    header = cookie_of(answer)
    cookie = SimpleCookie(header)["soundalike"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
    assert not cookie["secure"]
    assert not cookie["domain"]
    assert "Expires=" in header
    assert PASSWORD not in header
    assert answer.headers["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize(
    ("proto", "is_secure"),
    [
        ("https", True),
        ("HTTPS", True),
        ("https, http", True),
        ("http", False),
        ("http, https", False),
        ("x", False),
    ],
)
def test_a_session_made_over_https_is_sent_over_https_alone(
    stage: Stage, proto: str, *, is_secure: bool
) -> None:
    stage.add_user("ann")
    client = stage.client()
    headers = {**LOCAL, "X-Forwarded-Proto": proto}
    fields = {"name": "ann", "password": PASSWORD}
    header = cookie_of(send_form(client, "/login", "/login", fields, headers))
    assert bool(SimpleCookie(header)["soundalike"]["secure"]) == is_secure


@pytest.mark.parametrize(
    ("origin", "host", "is_own"),
    [
        ("https://music.example", "music.example", True),
        ("https://music.example", "music.example:443", True),
        ("https://music.example:8443", "music.example:8443", True),
        ("http://music.example", "music.example", False),
        ("https://music.example:8443", "music.example", False),
        ("https://localhost", "music.example", False),
    ],
)
def test_behind_an_https_proxy_the_origin_is_https(
    stage: Stage, origin: str, host: str, *, is_own: bool
) -> None:
    stage.allowed_hosts = frozenset({"music.example"})
    stage.add_user("ann")
    headers = {**stage.bearer("ann"), "Host": host, "Origin": origin, "X-Forwarded-Proto": "https"}
    answer = stage.client().post("/api/tokens", json={"label": "x"}, headers=headers)
    assert answer.status_code == (201 if is_own else 403)


def test_ordinary_answers_do_not_set_the_session_cookie_again(stage: Stage) -> None:
    stage.add_user("ann")
    answer = me(stage.log_in("ann"))
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers


def test_a_session_expires_after_a_month(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.add_user("ann")
    client = stage.log_in("ann")
    (cookie,) = [client.get_cookie("soundalike")]
    assert cookie is not None
    assert cookie.expires is not None
    assert abs(cookie.expires - stage.now() - timedelta(days=30)) < timedelta(minutes=5)
    value = cookie.value
    monkeypatch.setattr("itsdangerous.timed.time.time", lambda: stage.now().timestamp() + 30.1 * 24 * 3600)
    late = stage.client()
    late.set_cookie("soundalike", value, domain="localhost")
    assert me(late).status_code == 401


def test_logging_in_starts_a_new_session(stage: Stage) -> None:
    stage.add_user("ann")
    victim = stage.client()
    with victim.session_transaction(headers=LOCAL) as session:
        session["planted"] = "by somebody else"
        session["csrf_token"] = "known to somebody else"  # noqa: S105 - planted
    answer = send_form(victim, "/login", "/login", {"name": "ann", "password": PASSWORD})
    assert answer.status_code == 303
    with victim.session_transaction(headers=LOCAL) as session:
        assert "planted" not in session
        assert session.get("csrf_token") != "known to somebody else"


def test_logging_in_over_another_session_replaces_it(stage: Stage) -> None:
    stage.add_user("ann")
    stage.add_user("bob")
    client = stage.log_in("ann")
    page = client.get("/account", headers=LOCAL).text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token is not None
    fields = {"csrf_token": token[1], "name": "bob", "password": PASSWORD}
    assert client.post("/login", data=fields, headers=LOCAL).status_code == 303
    assert me(client).json["name"] == "bob"  # type: ignore[index] # JSON


def test_logging_out_ends_the_session_in_this_browser_alone(stage: Stage) -> None:
    stage.add_user("ann")
    here, there = stage.log_in("ann"), stage.log_in("ann")
    answer = send_form(here, "/account", "/logout", {})
    assert (answer.status_code, answer.location) == (303, "/login")
    assert me(here).status_code == 401
    assert me(there).status_code == 200
    assert here.get("/logout", headers=LOCAL).status_code in {303, 405}


def test_a_removed_account_has_no_sessions(stage: Stage) -> None:
    stage.add_user("ann")
    bob = stage.add_user("bob")
    client = stage.log_in("bob")
    stage.services.accounts.remove(bob.id, erase=stage.services.personal_data.erase)
    assert me(client).status_code == 401
    stage.add_user("bob")
    assert me(client).status_code == 401


def test_a_session_of_a_removed_account_is_not_valid_for_the_next_one_with_its_id(stage: Stage) -> None:
    ann = stage.add_user("ann")
    client = stage.log_in("ann")
    stage.services.accounts.remove(ann.id, erase=stage.services.personal_data.erase)
    body = me(client).json or {}
    assert (body["id"], body["name"], body["is_admin"]) == (YOU, None, True)
    stage.add("a")
    stage.pass_time(5)
    stage.listen(YOU, 1)  # what comes after the erasure is taken over
    assert stage.add_user("eve", "battery staple").id == ann.id
    assert me(client).status_code == 401


def test_a_new_password_ends_every_session(stage: Stage) -> None:
    ann = stage.add_user("ann")
    client, headers = stage.log_in("ann"), stage.bearer("ann")
    stage.services.accounts.change_password(ann.id, "battery staple")
    assert me(client).status_code == 401
    assert me(stage.client(), headers).status_code == 200
    assert me(stage.log_in("ann", "battery staple")).status_code == 200


@pytest.mark.parametrize(
    "claim",
    [
        "you",
        "you.",
        ".",
        "",
        "you." + "0" * 64,
        "nobody." + "0" * 64,
        "you.\u2713",
        "x" * 10_000,
        1,
        None,
        ["you"],
    ],
)
def test_a_session_with_a_made_up_user_is_refused(stage: Stage, claim: object) -> None:
    stage.add_user("ann")
    client = stage.client()
    with client.session_transaction(headers=LOCAL) as session:
        session["_user_id"] = claim
    assert me(client).status_code == 401


@pytest.mark.parametrize("value", ["", "x", "e30.x.y", "\xe9", "." * 1000, "x" * 3000])
def test_an_unsigned_cookie_is_ignored(stage: Stage, value: str) -> None:
    stage.add_user("ann")
    client = stage.client()
    client.set_cookie("soundalike", value, domain="localhost")
    client.set_cookie("remember_token", f"you|{value}", domain="localhost")
    assert me(client).status_code == 401
    assert client.get("/login", headers=LOCAL).status_code == 200


def test_a_session_signed_with_another_key_is_ignored(
    stage: Stage, tmp_path_factory: pytest.TempPathFactory
) -> None:
    stage.add_user("ann")
    other = Stage(tmp_path_factory.mktemp("other"))
    other.add_user("ann")
    app = other.app()
    app.secret_key = b"quite another key of its own"
    cookie = other.log_in("ann").get_cookie("soundalike")
    assert cookie is not None
    client = stage.client()
    client.set_cookie("soundalike", cookie.value, domain="localhost")
    assert me(client).status_code == 401
