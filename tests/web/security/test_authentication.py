import re
from datetime import timedelta
from http.cookies import SimpleCookie

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from soundalike.domain.errors import StoreBusyError, StoreError, StoreUnavailableError
from soundalike.domain.users import YOU
from soundalike.web.security.authentication import safe_target
from web.stage import LOCAL, PASSWORD, Stage, form_token, send_form

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


def me(client: FlaskClient, headers: dict[str, str] = LOCAL) -> TestResponse:
    return client.get("/api/me", headers=headers)


def cookie_of(answer: TestResponse) -> str:
    """Return the one cookie that an answer sets, as it is set."""
    (header,) = answer.headers.getlist("Set-Cookie")
    return header


def test_without_accounts_everybody_on_this_machine_is_you(stage: Stage) -> None:
    assert me(stage.client()).json == {"id": "you", "name": None}
    html = stage.client().get("/", headers=LOCAL).text
    assert 'data-user="you"' in html
    assert stage.client().get("/login", headers=LOCAL).location == "/"


def test_from_the_first_account_on_everybody_logs_in_without_a_restart(stage: Stage) -> None:
    stage.add("a")
    stage.listen(YOU)
    client = stage.client()
    assert me(client).status_code == 200
    stage.add_user("Ann")
    assert me(client).status_code == 401
    answer = client.get("/tracks/a?x=1&y=%26", headers=LOCAL)
    assert (answer.status_code, answer.location) == (303, "/login?next=/tracks/a?x%3D1%26y%3D%2526")
    ann = stage.log_in("ann")
    assert me(ann).json == {"id": "you", "name": "Ann"}
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


def test_that_a_proxy_is_refused_comes_before_the_host(stage: Stage) -> None:
    answer = stage.client().get("/", headers={"Host": "music.example", "X-Forwarded-For": "192.0.2.1"})
    assert answer.status_code == 403


def test_with_accounts_a_proxy_is_fine(stage: Stage) -> None:
    stage.add_user("ann")
    headers = {**stage.bearer("ann"), "X-Forwarded-For": "192.0.2.1", "Forwarded": "for=192.0.2.1"}
    assert me(stage.client(), headers).status_code == 200
    assert me(stage.client(), {**LOCAL, "X-Forwarded-For": "127.0.0.1"}).status_code == 401


@pytest.mark.parametrize("failure", [StoreBusyError("busy"), StoreUnavailableError("away")])
def test_a_store_that_cannot_tell_whether_there_are_accounts_lets_nobody_in(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, failure: StoreError
) -> None:
    def fail() -> bool:
        raise failure

    client = stage.client()
    monkeypatch.setattr(stage.store, "has_users", fail)
    for headers in ({}, {"X-Forwarded-For": "192.0.2.1"}):
        assert me(stage.client(), {**LOCAL, **headers}).status_code in {500, 503}
        assert client.get("/", headers={**LOCAL, **headers}).status_code in {500, 503}


def test_when_the_last_account_goes_while_a_proxy_asks_nobody_is_you(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = stage.client()
    answers = iter([True, False])
    monkeypatch.setattr(stage.store, "has_users", lambda: next(answers))
    assert me(client, {**LOCAL, "X-Forwarded-For": "192.0.2.1"}).status_code == 401


def test_on_an_address_of_other_machines_nobody_is_you(stage: Stage) -> None:
    stage.is_exposed = True
    client = stage.client()
    for headers in (LOCAL, ELSEWHERE):
        assert me(client, headers).status_code == 401
        assert client.get("/", headers=headers).location == "/login"
        assert "soundalike users add NAME" in client.get("/login", headers=headers).text
        assert client.get("/healthz", headers=headers).status_code == 200


def test_when_the_last_account_goes_there_nobody_is_let_in(stage: Stage) -> None:
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
def test_other_machines_call_an_exposed_player_by_address_or_by_an_allowed_name(
    stage: Stage, host: str
) -> None:
    stage.is_exposed = True
    stage.allowed_hosts = frozenset({"music.lan"})
    assert stage.client().get("/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "192.0.2.7.evil.example", "3221225991", "0xc0.0.2.7", "192.0.519", "[192.0.2.7]",
     "192.0.2.07", "[::1", "2001:db8::1", "[fe80::1%25eth0]", "[]", "music.lan.evil.example"],
)  # fmt: skip
def test_no_other_name_is_answered_by_an_exposed_player(stage: Stage, host: str) -> None:
    stage.is_exposed = True
    stage.allowed_hosts = frozenset({"music.lan"})
    assert stage.client().get("/healthz", environ_overrides={"HTTP_HOST": host}).status_code == 400


def test_addresses_are_no_names_of_a_player_that_is_not_exposed(stage: Stage) -> None:
    assert stage.client().get("/healthz", headers=ELSEWHERE).status_code == 400


# Sessions


def test_the_cookie_of_a_session_is_for_us_alone_and_lasts_a_month(stage: Stage) -> None:
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
def test_a_session_that_came_by_https_stays_on_https(stage: Stage, proto: str, *, is_secure: bool) -> None:
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
def test_behind_a_proxy_with_https_our_origin_is_https(
    stage: Stage, origin: str, host: str, *, is_own: bool
) -> None:
    stage.allowed_hosts = frozenset({"music.example"})
    stage.add_user("ann")
    headers = {**stage.bearer("ann"), "Host": host, "Origin": origin, "X-Forwarded-Proto": "https"}
    answer = stage.client().post("/api/tokens", json={"label": "x"}, headers=headers)
    assert answer.status_code == (201 if is_own else 403)


def test_an_answer_that_comes_late_brings_no_session_back(stage: Stage) -> None:
    stage.add_user("ann")
    answer = me(stage.log_in("ann"))
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers


def test_a_session_ends_by_itself_after_a_month(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_logging_in_begins_a_new_session(stage: Stage) -> None:
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


def test_whoever_logs_in_over_another_is_the_new_one_alone(stage: Stage) -> None:
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


def test_nobody_gets_into_the_first_account_by_a_session_of_the_one_before(stage: Stage) -> None:
    ann = stage.add_user("ann")
    client = stage.log_in("ann")
    stage.services.accounts.remove(ann.id, erase=stage.services.personal_data.erase)
    assert me(client).json == {"id": YOU, "name": None}
    stage.add("a")
    stage.pass_time(5)
    stage.listen(YOU, 1)  # what comes after the erasure is taken over
    assert stage.add_user("eve", "another password").id == ann.id
    assert me(client).status_code == 401


def test_a_new_password_ends_every_session(stage: Stage) -> None:
    ann = stage.add_user("ann")
    client, headers = stage.log_in("ann"), stage.bearer("ann")
    stage.services.accounts.change_password(ann.id, "another password")
    assert me(client).status_code == 401
    assert me(stage.client(), headers).status_code == 200
    assert me(stage.log_in("ann", "another password")).status_code == 200


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
def test_a_session_of_nobody_is_nobodys(stage: Stage, claim: object) -> None:
    stage.add_user("ann")
    client = stage.client()
    with client.session_transaction(headers=LOCAL) as session:
        session["_user_id"] = claim
    assert me(client).status_code == 401


@pytest.mark.parametrize("value", ["", "x", "e30.x.y", "\xe9", "." * 1000, "x" * 3000])
def test_a_cookie_that_we_did_not_sign_is_none(stage: Stage, value: str) -> None:
    stage.add_user("ann")
    client = stage.client()
    client.set_cookie("soundalike", value, domain="localhost")
    client.set_cookie("remember_token", f"you|{value}", domain="localhost")
    assert me(client).status_code == 401
    assert client.get("/login", headers=LOCAL).status_code == 200


def test_a_session_signed_with_another_key_is_none(
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


# Tokens


def test_a_token_is_its_user_and_no_cookie_is_needed(stage: Stage) -> None:
    stage.add_user("ann")
    stage.add_user("bob")
    answer = me(stage.client(), stage.bearer("bob"))
    assert answer.json == {"id": stage.services.accounts.named("bob").id, "name": "bob"}
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
def test_a_wrong_token_is_refused_whatever_the_cookie_says(stage: Stage, value: str, path: str) -> None:
    stage.add_user("ann")
    token = stage.token_of("ann")
    client = stage.log_in("ann")
    answer = client.get(path, headers={**LOCAL, "Authorization": value.replace("TOKEN", token)})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert token not in answer.text


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer "])
def test_the_word_bearer_may_be_in_any_letters(stage: Stage, scheme: str) -> None:
    stage.add_user("ann")
    headers = {**LOCAL, "Authorization": f"{scheme} {stage.token_of('ann')}"}
    assert me(stage.client(), headers).status_code == 200


def test_without_accounts_there_are_no_tokens_and_a_wrong_one_is_still_wrong(stage: Stage) -> None:
    client = stage.client()
    assert client.get("/api/tokens", headers=LOCAL).json == {"tokens": []}
    assert client.post("/api/tokens", json={}, headers=LOCAL).status_code == 409
    assert me(client, {**LOCAL, "Authorization": "Bearer sndl_x"}).status_code == 401


def test_what_is_open_asks_for_no_token(stage: Stage) -> None:
    stage.add_user("ann")
    for path in ("/healthz", "/login", "/static/x/logo.svg"):
        with stage.client().get(path, headers={**LOCAL, "Authorization": "Bearer x"}) as answer:
            assert answer.status_code == 200


def test_a_page_made_for_one_says_so_and_is_told_that_another_is_here(stage: Stage) -> None:
    stage.add("a")
    ann, bob = stage.add_user("ann"), stage.add_user("bob")
    client = stage.log_in("bob")
    for user_id, status in ((bob.id, 200), (ann.id, 401), ("", 401)):
        assert me(client, {**LOCAL, "Soundalike-User": user_id}).status_code == status


# Addresses to go on to

OURS = [
    "/",
    "/tracks/a",
    "/?query=x&sort=-year",
    "/tracks/a#more",
    "/account",
    "/%5cevil",
    "/a//b",
    "/@x",
    "/a:b",
]
NOT_OURS = [
    "",
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\evil.example",
    "\\\\evil.example",
    "@evil.example",
    "/\\/evil.example",
    "http://evil.example",
    "https:evil.example",
    "https:/evil.example",
    "javascript:alert(1)",
    "evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "\t//evil.example",
    " //evil.example",
    "/ /evil.example",
    "/\u2028/x",
    "/\0",
    "/tracks/\u00e9",
    "/api/me",
    "/api/me/export",
    "/api",
    "/healthz",
    "/" + "x" * 3000,
    "/a\\b",
    "/\x7f",
]


@pytest.mark.parametrize("address", OURS)
def test_after_logging_in_one_is_where_one_wanted_to_be(stage: Stage, address: str) -> None:
    stage.add_user("ann")
    fields = {"name": "ann", "password": PASSWORD, "next": address}
    assert send_form(stage.client(), "/login", "/login", fields).location == address


@pytest.mark.parametrize("address", NOT_OURS)
def test_logging_in_leads_to_no_other_site(stage: Stage, address: str) -> None:
    stage.add_user("ann")
    fields = {"name": "ann", "password": PASSWORD, "next": address}
    assert send_form(stage.client(), "/login", "/login", fields).location == "/"
    already = stage.log_in("ann")
    assert already.get("/login", query_string={"next": address}, headers=LOCAL).location == "/"
    page = stage.client().get("/login", query_string={"next": address}, headers=LOCAL).text
    assert 'name="next" value="/"' in page


@given(st.text(alphabet="/\\.:@?#%\t\n\r aeh5cft0", max_size=12))
def test_an_address_of_ours_begins_with_one_slash_and_has_nothing_that_browsers_drop(text: str) -> None:
    address = safe_target(text)
    assert address.startswith("/")
    assert not address.startswith(("//", "/\\"))
    assert not set(address) & set("\\\t\r\n ")


def test_where_one_wanted_to_be_is_asked_for_by_reading_alone(stage: Stage) -> None:
    stage.add_user("ann")
    client = stage.client()
    assert client.post("/account/delete", headers=LOCAL).location == "/login"
    assert client.get("//evil.example", headers=LOCAL).location in {"/login", "/login?next=/evil.example"}
    assert client.get("/" + "x" * 5000, headers=LOCAL).location == "/login"
    assert client.get("/tracks/%C3%A9%3F", headers=LOCAL).location == "/login?next=/tracks/%25C3%25A9%253F"
