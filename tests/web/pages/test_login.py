import re
from html import unescape

import pytest

from soundalike.domain.users import YOU, User
from web.clients import LOCAL, PASSWORD, form_token, send_form
from web.stage import Stage


def test_the_login_page_has_no_player_and_nothing_of_the_library(stage: Stage) -> None:
    stage.add("a", title="Tides")
    stage.add_user("ann")
    html = stage.client().get("/login", headers=LOCAL).text
    assert 'type="password"' in html
    assert "<audio" not in html
    assert "main.js" not in html
    assert "data-user" not in html
    assert 'role="search"' not in html
    assert 'href="/account"' not in html


@pytest.mark.parametrize("path", ["/nothing", "/static/x/nothing"])
def test_without_a_login_unknown_pages_have_no_player(stage: Stage, path: str) -> None:
    stage.add_user("ann")
    answer = stage.client().get(path, headers=LOCAL)
    assert answer.status_code in {303, 404}
    assert "<audio" not in answer.text


def test_logging_in_leads_to_the_library(stage: Stage) -> None:
    stage.add_user("Ann")
    client = stage.client()
    answer = send_form(client, "/login", "/login", {"name": "ann", "password": PASSWORD})
    assert (answer.status_code, answer.location) == (303, "/")
    html = client.get("/", headers=LOCAL).text
    assert 'href="/account"' in html
    assert ">Ann</bdi>" in html
    assert f'data-user="{YOU}"' in html


@pytest.mark.parametrize(
    ("name", "password"),
    [("ann", "wrong password"), ("nobody", PASSWORD), ("", ""), ("ann", ""), ("ann\0", PASSWORD),
     ("<b>", "\0\ufffd"), ("ann", PASSWORD.upper()), ("ann", PASSWORD + " "), ("x" * 9000, "y" * 9000)],
)  # fmt: skip
def test_every_wrong_login_gets_the_same_answer(stage: Stage, name: str, password: str) -> None:
    stage.add_user("ann")
    stage.hasher.compared.clear()
    client = stage.client()
    answer = send_form(client, "/login", "/login", {"name": name, "password": password})
    assert answer.status_code == 401
    (message,) = re.findall(r'<span class="error-text">(.*?)</span>', answer.text)
    assert unescape(message) == "wrong user name or password"
    assert len(stage.hasher.compared) == 1
    assert client.get("/api/me", headers=LOCAL).status_code == 401
    assert not password or f'value="{password}"' not in answer.text


def test_a_wrong_login_keeps_the_name_and_the_target(stage: Stage) -> None:
    stage.add_user("ann")
    fields = {"name": 'ann"><script>', "password": "wrong password", "next": "/tracks/a"}
    answer = send_form(stage.client(), "/login", "/login", fields)
    assert 'value="ann&#34;&gt;&lt;script&gt;"' in answer.text
    assert 'name="next" value="/tracks/a"' in answer.text


def test_answers_about_the_login_are_not_cached(stage: Stage) -> None:
    stage.add_user("ann")
    client = stage.client()
    assert client.get("/login", headers=LOCAL).headers["Cache-Control"] == "private, no-store"
    answer = send_form(client, "/login", "/login", {"name": "ann", "password": "wrong password"})
    assert answer.headers["Cache-Control"] == "private, no-store"


def test_a_form_that_was_open_for_days_still_works(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.add_user("ann")
    client = stage.client()
    token = form_token(client, "/login")
    stage.pass_time(20 * 24 * 3600)
    monkeypatch.setattr("itsdangerous.timed.time.time", lambda: stage.now().timestamp())
    fields = {"csrf_token": token, "name": "ann", "password": PASSWORD}
    assert client.post("/login", data=fields, headers=LOCAL).status_code == 303


def test_an_account_with_a_weak_password_logs_in_and_is_told_once_where_to_change_it(stage: Stage) -> None:
    weak = "password"
    user = User(
        id=YOU, name="ann", password_hash=stage.hasher.hash(weak), created_at=stage.now(), is_admin=True
    )
    stage.store.add_user(user)
    fields = {"name": "ann", "password": weak, "next": "/tracks/a"}
    client = stage.client()
    answer = send_form(client, "/login", "/login", fields)
    assert (answer.status_code, answer.location) == (303, "/account")
    told = "Your password is easy to guess: it is one of the most common passwords"
    assert told in client.get("/account", headers=LOCAL).text
    assert told not in client.get("/account", headers=LOCAL).text
    later = stage.client()
    assert send_form(later, "/login", "/login", fields).location == "/tracks/a"
    assert told not in later.get("/account", headers=LOCAL).text
