"""Every route of the table, and that none gives access to another user's data."""

from dataclasses import replace

import pytest

from soundalike.domain.types import TrackId
from soundalike.domain.users import YOU
from web.calls import CALLS, CLOSED, EVENT, READS, WRITES, Call, TwoUsers
from web.clients import LOCAL, form_token
from web.stage import Stage


@pytest.fixture
def users(stage: Stage) -> TwoUsers:
    return TwoUsers(stage)


def test_the_table_has_every_route_and_no_other(stage: Stage) -> None:
    served = [
        f"{method} {rule.rule}"
        for rule in stage.app().url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    ]
    assert sorted(served) == sorted(map(str, CALLS))


@pytest.mark.parametrize("route", CALLS, ids=str)
@pytest.mark.parametrize("how", ["session", "token"])
def test_no_user_sees_or_changes_data_of_another(users: TwoUsers, route: Call, how: str) -> None:
    before = users.data_of(users.bob.id)
    answer = users.ask_as_ann(route, users.stage.bearer("ann") if how == "token" else LOCAL)
    assert (
        answer.status_code < 404 or (answer.status_code == 404 and "TOKEN" in route.path) or route.is_library
    )
    assert not users.find_data_of_bob(route, answer.text)
    assert users.data_of(users.bob.id) == before
    assert users.stage.services.accounts.user_of_token(users.made.secret) == users.bob


@pytest.mark.parametrize("route", [route for route in READS if not route.is_library], ids=str)
def test_a_token_takes_precedence_over_a_session(users: TwoUsers, route: Call) -> None:
    bob = users.stage.log_in("bob")
    answer = route.call(bob, users.stage.bearer("ann"))
    assert answer.status_code in {200, 303}
    assert route.is_open or not users.find_data_of_bob(route, answer.text)


def test_recommendations_do_not_depend_on_other_users(users: TwoUsers) -> None:
    route = next(call for call in CALLS if call.route.name == "listening.recommendations")
    route = replace(route, path="/api/recommendations?adventure=1")
    before = users.ask_as_ann(route).json
    for number in range(1, 20):
        users.stage.listen(users.bob.id, number, track_id="ab"[number % 2], kind="disliked")
    assert users.ask_as_ann(route).json == before
    assert before is not None
    assert before["recommendations"]
    assert users.ask_as_ann(route, users.stage.bearer("bob")).json != before


@pytest.mark.parametrize("route", CLOSED, ids=str)
def test_without_a_login_closed_routes_are_refused(users: TwoUsers, route: Call) -> None:
    before = users.all_data()
    called = route.with_token_id(users.made.token.id)
    for method in (route.route.method, "OPTIONS", "GET" if route.is_write else "HEAD"):
        answer = called.send(users.stage.client(), LOCAL, method=method)
        if route.is_api:
            assert answer.status_code == 401
            assert answer.headers["WWW-Authenticate"] == "Bearer"
            assert method == "HEAD" or answer.json["error"] == "unauthorized"  # type: ignore[index] # JSON
        else:
            assert answer.status_code == 303
            assert answer.location.startswith("/login")
        assert answer.headers["Cache-Control"] in {"no-store", "private, no-store"}
    assert users.all_data() == before
    assert users.stage.files.opened == []


@pytest.mark.parametrize("route", [route for route in CALLS if route.is_open], ids=str)
def test_open_routes_reveal_no_user(users: TwoUsers, route: Call) -> None:
    answer = route.call(users.stage.client(), LOCAL)
    assert answer.status_code in {200, 303}
    assert not users.find_data_of_bob(route, answer.text)


@pytest.mark.parametrize("route", READS, ids=str)
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_reading_changes_nothing(users: TwoUsers, route: Call, method: str) -> None:
    before = users.all_data()
    assert users.ask_as_ann(route, method=method).status_code in {200, 303, 404}
    assert users.all_data() == before


@pytest.mark.parametrize("route", WRITES, ids=str)
@pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"])
def test_a_method_cannot_be_overridden(users: TwoUsers, route: Call, header: str) -> None:
    before = users.all_data()
    called = route.with_token_id(users.made.token.id)
    client = users.stage.log_in("ann")
    answer = client.get(
        f"{called.path}?_method={route.route.method}", headers={**LOCAL, header: route.route.method}
    )
    assert answer.status_code in {200, 303, 404, 405}
    assert users.all_data() == before


FOREIGN_HEADERS = [
    {"Origin": "http://evil.example"},
    {"Origin": "http://localhost:3000"},
    {"Origin": "http://127.0.0.1"},
    {"Origin": "https://localhost"},
    {"Origin": "http://localhost.evil.example"},
    {"Origin": "http://localhost/"},
    {"Origin": "http://localhost, http://localhost"},
    {"Origin": "http://user@localhost"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": "localhost"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": ""},
    {"Sec-Fetch-Site": "same-origin, cross-site"},
    {"Origin": "http://localhost", "Sec-Fetch-Site": "same-site"},
    {"Origin": "http://evil.example", "Sec-Fetch-Site": "same-origin"},
]
OWN_HEADERS: list[dict[str, str]] = [
    {},
    {"Origin": "http://localhost"},
    {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "none"},
]


@pytest.mark.parametrize("headers", FOREIGN_HEADERS, ids=str)
@pytest.mark.parametrize("how", ["session", "you"])
def test_pages_of_other_origins_cannot_change_anything(
    stage: Stage, headers: dict[str, str], how: str
) -> None:
    if how == "session":
        TwoUsers(stage)
        client = stage.log_in("ann")
    else:
        stage.add("a")
        stage.listen(YOU)
        client = stage.client()
    before = stage.store.users(), list(stage.store.listens_of(YOU)), stage.store.profile_version(YOU)
    for route in WRITES:
        answer = route.with_token_id("x").send(client, {**LOCAL, **headers})
        assert answer.status_code == 403, route
        if route.is_api:
            assert answer.json is not None
            assert answer.json["error"] == "foreign_origin"
    assert before == (
        stage.store.users(),
        list(stage.store.listens_of(YOU)),
        stage.store.profile_version(YOU),
    )


@pytest.mark.parametrize("headers", OWN_HEADERS, ids=str)
@pytest.mark.parametrize("route", [route for route in CLOSED if route.is_write], ids=str)
def test_own_pages_and_scripts_can_change_data(users: TwoUsers, route: Call, headers: dict[str, str]) -> None:
    client = users.stage.log_in("ann")
    mine = users.stage.services.accounts.make_token(users.ann.id).token
    assert route.with_token_id(mine.id).call(client, {**LOCAL, **headers}).status_code < 400


@pytest.mark.parametrize(
    "kind",
    [None, "", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonx",
     "text/json", "application/json, text/plain", "application/json text/plain"],
)  # fmt: skip
@pytest.mark.parametrize("has_users", [True, False], ids=["accounts", "you"])
def test_json_must_be_sent_with_its_content_type(stage: Stage, kind: str | None, *, has_users: bool) -> None:
    headers = dict(LOCAL)
    if has_users:
        stage.add_user("ann")
        headers = stage.bearer("ann")
    for route in WRITES:
        if route.is_api:
            answer = stage.client().open(
                route.path, method=route.route.method, headers=headers, data=b"{}", content_type=kind
            )
            assert answer.status_code == 415
            assert answer.json is not None
            assert answer.json["error"] == "unsupported_media_type"


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "APPLICATION/JSON"])
def test_a_script_on_this_machine_is_you(stage: Stage, kind: str) -> None:
    stage.add("a")
    answer = stage.client().post(
        "/api/listens",
        headers=LOCAL,
        data=stage.app().json.dumps({"events": [EVENT]}),
        content_type=kind,
    )
    assert answer.status_code == 202
    assert [listen.track_id for listen in stage.store.listens_of(YOU)] == [TrackId("a")]


@pytest.mark.parametrize("route", [route for route in WRITES if route.form is not None], ids=str)
@pytest.mark.parametrize("kind", [None, "", "x", "of another"])
def test_a_form_without_a_valid_csrf_token_does_nothing(
    users: TwoUsers, route: Call, kind: str | None
) -> None:
    client = users.stage.client() if route.is_open else users.stage.log_in("ann")
    text = form_token(users.stage.client(), "/login") if kind == "of another" else kind
    before = users.all_data()
    fields = {} if text is None else {"csrf_token": text}
    answer = route.with_token_id(users.made.token.id).send(client, LOCAL, **fields)
    assert answer.status_code == 400
    assert "load the page again" in answer.text
    assert users.all_data() == before
    assert client.get("/api/me", headers=LOCAL).status_code == (401 if route.is_open else 200)


SPELLINGS = [
    "/api/../login", "/login/../api/me", "/login/..%2fapi/me", "/static/../api/me", "/static/x/../../api/me",
    "/static/x/..%2f..%2fapi%2fme", "/static/x/%2e%2e/%2e%2e/api/me", "//api/me", "/api//me", "/api%2fme",
    "/%61pi/me", "/API/me", "/api/me/", "/api/me%00", "/api/me;/login", "/login;/../api/me",
    "/healthz/../api/me", "/api\\me", "/./api/me", "/api/me?next=/login", "/api/me#/login",
    "/login%2f..%2fapi%2fme", "/\\api/me", "/static/x//api/me", "/static//api/me", "/healthz/api/me",
]  # fmt: skip


@pytest.mark.parametrize("path", SPELLINGS)
def test_no_spelling_of_a_path_bypasses_the_login(users: TwoUsers, path: str) -> None:
    for method in ("GET", "HEAD", "POST", "DELETE", "PUT", "TRACE"):
        answer = users.stage.client().open(path, method=method, headers=LOCAL)
        assert answer.status_code in {303, 401, 404, 405}
        if answer.status_code == 303:
            assert answer.location.startswith("/login")
        assert '"ann"' not in answer.text
        assert '"bob"' not in answer.text
