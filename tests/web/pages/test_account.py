import re
from html import unescape
from http.cookies import SimpleCookie

import pytest
from flask.testing import FlaskClient
from itsdangerous import TimestampSigner, URLSafeTimedSerializer

from soundalike.domain.users import YOU
from web.clients import LOCAL, PASSWORD, send_form
from web.stage import SESSION_KEY, Stage

MADE_OF_NAME = (
    "this password is easy to guess: it is made of your name or another word that everybody knows of you; "
    "take several words that have nothing to do with each other, or more characters"
)
NEW = "a longer password"


def visible_text(html: str) -> str:
    """Return the text of a page without its tags."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", html)))


def error_messages(html: str) -> list[str]:
    return [unescape(found) for found in re.findall(r'<span class="error-text">(.*?)</span>', html)]


@pytest.fixture
def ann(stage: Stage) -> FlaskClient:
    stage.add("a")
    stage.add_user("ann")
    return stage.log_in("ann")


def test_only_administrators_are_offered_a_scan(stage: Stage) -> None:
    assert "Scan now" in stage.client().get("/account", headers=LOCAL).text
    stage.add_user("ann")
    stage.add_user("bob")
    assert "Scan now" in stage.log_in("ann").get("/account", headers=LOCAL).text
    assert "Scan now" not in stage.log_in("bob").get("/account", headers=LOCAL).text


def test_without_accounts_the_account_page_says_how_to_add_one(stage: Stage) -> None:
    stage.add("a")
    stage.listen(YOU)
    html = stage.client().get("/account", headers=LOCAL).text
    assert "<h1><bdi>You</bdi></h1>" in html
    assert "1 play, skip or like so far" in visible_text(html)
    assert "soundalike users add NAME" in html
    assert 'type="password"' not in html
    assert "/logout" not in html


def test_the_account_page_shows_the_name_and_the_date(stage: Stage, ann: FlaskClient) -> None:
    html = ann.get("/account", headers=LOCAL).text
    assert "<h1><bdi>ann</bdi></h1>" in html
    assert "0 plays, skips and likes so far" in visible_text(html)
    assert f"here since {stage.now():%-d %B %Y}" in visible_text(html)
    assert 'href="/api/me/export" download' in html


def test_the_account_page_has_no_inline_scripts_or_styles(stage: Stage, ann: FlaskClient) -> None:
    for html in (ann.get("/account", headers=LOCAL).text, stage.client().get("/login", headers=LOCAL).text):
        assert " style=" not in html
        assert not re.search(r"<script[^>]*>[^<]", html)
        assert not re.search(r" on\w+=", html)


def test_changing_the_password_keeps_this_session_and_ends_the_others(stage: Stage, ann: FlaskClient) -> None:
    other = stage.log_in("ann")
    fields = {"password": PASSWORD, "new_password": NEW, "repeated": NEW}
    answer = send_form(ann, "/account", "/account/password", fields)
    assert (answer.status_code, answer.location) == (303, "/account")
    assert "Your password is changed" in visible_text(ann.get("/account", headers=LOCAL).text)
    assert other.get("/api/me", headers=LOCAL).status_code == 401
    assert stage.log_in("ann", NEW).get("/api/me", headers=LOCAL).status_code == 200


@pytest.mark.parametrize(
    ("password", "new", "repeated", "message"),
    [
        ("wrong password", NEW, NEW, "this is not your password"),
        ("", NEW, NEW, "this is not your password"),
        (PASSWORD, NEW, "another password", "the two new passwords are not the same"),
        (PASSWORD, "short", "short", "a password must have 8 to 1024 characters, not 5"),
        (PASSWORD, "annannann", "annannann", MADE_OF_NAME),
        (PASSWORD, "x" * 1025, "x" * 1025, "a password must have 8 to 1024 characters, not 1025"),
    ],
)
def test_a_password_is_changed_with_the_old_one_alone(
    stage: Stage, ann: FlaskClient, password: str, new: str, repeated: str, message: str
) -> None:
    fields = {"password": password, "new_password": new, "repeated": repeated}
    answer = send_form(ann, "/account", "/account/password", fields)
    assert answer.status_code == 400
    assert error_messages(answer.text) == [message]
    assert stage.services.accounts.login("ann", PASSWORD).id == YOU


def secrets_in(html: str) -> list[str]:
    return re.findall(r'<code class="secret">(\S+)</code>', html)


def test_a_token_is_shown_once(stage: Stage, ann: FlaskClient) -> None:
    answer = send_form(ann, "/account", "/account/tokens", {"label": "<b>phone</b>"})
    assert (answer.status_code, answer.location) == (303, "/account")
    shown = ann.get("/account", headers=LOCAL)
    assert shown.headers["Cache-Control"] == "private, no-store"
    (secret,) = secrets_in(shown.text)
    user = stage.services.accounts.user_of_token(secret)
    assert user is not None
    assert user.name == "ann"
    later = ann.get("/account", headers=LOCAL).text
    assert secret not in later
    assert "&lt;b&gt;phone&lt;/b&gt;" in later
    assert "<b>phone" not in later
    assert len(stage.services.accounts.tokens_of(YOU)) == 1


def test_the_secret_of_a_token_is_in_no_lasting_cookie(ann: FlaskClient) -> None:
    answer = send_form(ann, "/account", "/account/tokens", {"label": "phone"})
    (header,) = answer.headers.getlist("Set-Cookie")
    cookie = SimpleCookie(header)["soundalike_new_token"]
    assert int(cookie["max-age"]) <= 60
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/account")
    shown = ann.get("/account", headers=LOCAL)
    (secret,) = secrets_in(shown.text)
    assert secret not in f"{answer.location} {answer.text}"
    (gone,) = shown.headers.getlist("Set-Cookie")
    assert SimpleCookie(gone)["soundalike_new_token"]["max-age"] == "0"
    assert "Set-Cookie" not in ann.get("/account", headers=LOCAL).headers


class AMinuteAgo(TimestampSigner):
    def get_timestamp(self) -> int:
        return super().get_timestamp() - 61


def new_token_cookie(key: bytes, token_id: str, signer: type[TimestampSigner] = TimestampSigner) -> str:
    return str(URLSafeTimedSerializer(key, salt="soundalike_new_token", signer=signer).dumps([token_id, "x"]))


def test_a_token_is_shown_to_nobody_else_not_once_revoked_and_from_no_cookie_that_is_old_or_made_up(
    stage: Stage, ann: FlaskClient
) -> None:
    stage.add_user("bob")
    bob = stage.log_in("bob")
    send_form(ann, "/account", "/account/tokens", {"label": "phone"})
    brought = ann.get_cookie("soundalike_new_token", path="/account")
    assert brought is not None
    (token,) = stage.services.accounts.tokens_of(YOU)
    made_up = new_token_cookie(b"x" * 16, token.id)
    old = new_token_cookie(SESSION_KEY, token.id, signer=AMinuteAgo)
    for client, value in ((bob, brought.value), (ann, made_up), (ann, old), (ann, "x")):
        client.set_cookie("soundalike_new_token", value, domain="localhost", path="/account")
        assert secrets_in(client.get("/account", headers=LOCAL).text) == []
    stage.services.accounts.revoke_token(YOU, token.id)
    ann.set_cookie("soundalike_new_token", brought.value, domain="localhost", path="/account")
    assert secrets_in(ann.get("/account", headers=LOCAL).text) == []


def test_a_token_is_revoked_on_the_page(stage: Stage, ann: FlaskClient) -> None:
    made = stage.services.accounts.make_token(YOU, "phone")
    action = f"/account/tokens/{made.token.id}/revoke"
    assert send_form(ann, "/account", action, {}).location == "/account"
    assert "The token is revoked." in visible_text(ann.get("/account", headers=LOCAL).text)
    assert stage.services.accounts.user_of_token(made.secret) is None
    send_form(ann, "/account", action, {})
    assert "already revoked" in visible_text(ann.get("/account", headers=LOCAL).text)


def test_a_label_that_is_too_long_is_refused_beside_its_form(stage: Stage, ann: FlaskClient) -> None:
    answer = send_form(ann, "/account", "/account/tokens", {"label": "x" * 81})
    assert answer.status_code == 400
    assert error_messages(answer.text) == ["a label has at most 80 characters"]
    assert stage.services.accounts.tokens_of(YOU) == ()


def test_an_account_is_deleted_with_its_password_alone(stage: Stage, ann: FlaskClient) -> None:
    stage.listen(YOU)
    refused = send_form(ann, "/account", "/account/delete", {"password": "wrong password", "word": "delete"})
    assert refused.status_code == 400
    assert error_messages(refused.text) == ["this is not your password"]
    assert len(list(stage.store.listens_of(YOU))) == 1
    stage.add_user("bob")
    answer = send_form(ann, "/account", "/account/delete", {"password": PASSWORD})
    assert answer.status_code == 303
    assert stage.store.user(YOU) is None
    assert list(stage.store.listens_of(YOU)) == []
    login = ann.get(answer.location, headers=LOCAL, follow_redirects=True)
    assert "All your data is deleted." in visible_text(login.text)


@pytest.mark.parametrize(
    ("word", "is_deleted"), [("delete", True), (" Delete ", True), ("", False), ("deleted", False)]
)
def test_without_an_account_data_is_deleted_once_confirmed(
    stage: Stage, word: str, *, is_deleted: bool
) -> None:
    stage.add("a")
    stage.listen(YOU)
    client = stage.client()
    answer = send_form(client, "/account", "/account/delete", {"word": word})
    assert answer.status_code == (303 if is_deleted else 400)
    assert (list(stage.store.listens_of(YOU)) == []) == is_deleted
    assert error_messages(answer.text) == ([] if is_deleted else ["type delete to confirm"])


def test_a_page_without_an_account_is_closed_once_there_are_accounts(stage: Stage) -> None:
    client = stage.client()
    client.get("/account", headers=LOCAL)
    stage.add_user("ann")
    assert client.get("/account", headers=LOCAL).location == "/login?next=/account"


@pytest.mark.parametrize("name", ["Zo\u00eb.\u00d8-1", "\u05d0\u05d1-1"])
def test_a_name_with_any_letters_is_shown_as_text(stage: Stage, name: str) -> None:
    stage.add_user(name)
    client = stage.log_in(name.lower())
    assert f"<bdi>{name}</bdi>" in client.get("/account", headers=LOCAL).text


def test_the_account_page_answers_head(ann: FlaskClient) -> None:
    answer = ann.head("/account", headers=LOCAL)
    assert (answer.status_code, answer.data) == (200, b"")
    assert answer.headers["Cache-Control"] == "private, no-store"
