"""What ends with a logout: the session, wherever its cookie was copied to, and nothing else."""

import pytest
from flask.testing import FlaskClient

from soundalike.domain.errors import StoreError
from soundalike.domain.users import YOU, EndedSession
from web.clients import LOCAL, PASSWORD, me, send_form
from web.stage import Stage

DAY_S = 24 * 3600


def cookie_of(client: FlaskClient) -> str:
    cookie = client.get_cookie("soundalike")
    assert cookie is not None
    return cookie.value


def client_with(cookie: str, client: FlaskClient) -> FlaskClient:
    client.set_cookie("soundalike", cookie)
    return client


def copy_of(client: FlaskClient, stage: Stage) -> FlaskClient:
    """Return another browser with the cookie that a browser has now."""
    return client_with(cookie_of(client), stage.client())


def log_out(client: FlaskClient) -> None:
    answer = send_form(client, "/account", "/logout", {})
    assert (answer.status_code, answer.location) == (303, "/login")


def forget_secret(client: FlaskClient) -> None:
    """Make the session of a browser one that began in a version whose sessions had no secret."""
    with client.session_transaction(headers=LOCAL) as session:
        del session["secret"]


def test_a_copied_cookie_is_dead_after_the_logout(stage: Stage) -> None:
    stage.add_user("ann")
    ann = stage.log_in("ann")
    copies = [copy_of(ann, stage)]
    ann.get("/account", headers=LOCAL)  # the form's secret is in the cookie from now on
    copies.append(copy_of(ann, stage))
    assert [me(copy).status_code for copy in copies] == [200, 200]
    log_out(ann)
    assert [me(copy).status_code for copy in copies] == [401, 401]
    assert copies[0].get("/", headers=LOCAL).status_code == 303


def test_a_copied_cookie_is_dead_in_other_processes_too(stage: Stage) -> None:
    stage.add_user("ann")
    ann = stage.log_in("ann")
    beside = client_with(cookie_of(ann), stage.beside().test_client())
    assert me(beside).status_code == 200
    log_out(ann)
    assert me(beside).status_code == 401


def test_other_sessions_and_tokens_of_the_user_go_on(stage: Stage) -> None:
    stage.add_user("ann")
    here, there, headers = stage.log_in("ann"), stage.log_in("ann"), stage.bearer("ann")
    log_out(here)
    assert me(there).status_code == 200
    assert me(stage.client(), headers).status_code == 200
    assert me(stage.log_in("ann")).status_code == 200


def test_an_answer_that_comes_after_the_logout_does_not_bring_the_session_back(stage: Stage) -> None:
    stage.add_user("ann")
    ann = stage.log_in("ann")
    late = copy_of(ann, stage)
    with late.session_transaction(headers=LOCAL) as session:  # signed again, and sent once she is out
        session["more"] = "of the same session"
    log_out(ann)
    assert me(late).status_code == 401


def test_a_session_of_a_version_without_secrets_goes_on_until_its_own_logout(stage: Stage) -> None:
    stage.add_user("ann")
    here, there = stage.log_in("ann"), stage.log_in("ann")
    for client in (here, there):
        forget_secret(client)
    before_its_first_page = copy_of(here, stage)
    there.get("/account", headers=LOCAL)
    assert [me(client).status_code for client in (here, there)] == [200, 200]
    here.get("/account", headers=LOCAL)
    copy = copy_of(here, stage)
    log_out(here)
    assert me(copy).status_code == 401
    assert me(before_its_first_page).status_code == 401
    assert me(there).status_code == 200, "it is another session, in a browser of the same kind"
    assert me(stage.log_in("ann")).status_code == 200


def test_old_sessions_of_two_users_of_one_browser_are_not_taken_for_each_other(stage: Stage) -> None:
    for name in ("ann", "bob"):
        stage.add_user(name)
    ann, bob = stage.log_in("ann"), stage.log_in("bob")
    for client in (ann, bob):
        forget_secret(client)
    log_out(ann)
    assert me(bob).status_code == 200


def test_an_ended_session_is_forgotten_once_no_cookie_of_it_can_be_valid(stage: Stage) -> None:
    stage.add_user("ann")
    log_out(stage.log_in("ann"))
    (ended,) = stage.store.ended_sessions()
    stage.pass_time(31 * DAY_S)  # cookies last for 30 days, and a clock may be wrong by some
    log_out(stage.log_in("ann"))
    assert len(list(stage.store.ended_sessions())) == 2
    stage.pass_time(30 * DAY_S)
    log_out(stage.log_in("ann"))
    left = list(stage.store.ended_sessions())
    assert ended not in left
    assert len(left) == 2


def test_a_logout_under_a_fast_clock_brings_no_session_back(stage: Stage) -> None:
    stage.add_user("ann")
    ann = stage.log_in("ann")
    copy = copy_of(ann, stage)
    log_out(ann)
    stage.pass_time(20 * DAY_S)
    log_out(stage.log_in("ann"))
    stage.pass_time(-20 * DAY_S)
    assert me(copy).status_code == 401


def test_an_account_that_is_deleted_leaves_no_session_and_nothing_of_those_that_ended(stage: Stage) -> None:
    stage.add_user("ann")
    elsewhere = stage.log_in("ann")
    log_out(stage.log_in("ann"))
    ann = stage.log_in("ann")
    copy = copy_of(ann, stage)
    assert ann.delete("/api/me", json={}, headers=LOCAL).status_code == 204
    assert list(stage.store.ended_sessions()) == []
    stage.add_user("bob")
    assert [me(client).status_code for client in (ann, copy, elsewhere)] == [401, 401, 401]


def test_a_logout_that_cannot_be_stored_is_not_said_to_be_done(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_ended: EndedSession) -> None:
        msg = "the store is full"
        raise StoreError(msg)

    stage.add_user("ann")
    ann = stage.log_in("ann")
    with monkeypatch.context() as failing:
        failing.setattr(stage.store, "add_ended_session", fail)
        assert send_form(ann, "/account", "/logout", {}).status_code >= 500
    assert me(ann).status_code == 200, "she can see that she is still logged in, and try again"


def test_a_new_password_ends_the_session_in_which_it_was_set(stage: Stage) -> None:
    stage.add_user("ann")
    ann = stage.log_in("ann")
    copy = copy_of(ann, stage)
    new = "a longer password"
    fields = {"password": PASSWORD, "new_password": new, "repeated": new}
    assert send_form(ann, "/account", "/account/password", fields).status_code == 303
    assert me(ann).status_code == 200
    assert me(copy).status_code == 401


@pytest.mark.parametrize("owner", [None, "eve"])
def test_whoever_plants_a_cookie_does_not_share_the_session_that_begins_with_it(
    stage: Stage, owner: str | None
) -> None:
    for name in ("ann", "eve"):
        stage.add_user(name)
    eve = stage.client() if owner is None else stage.log_in(owner)
    eve.get("/login", headers=LOCAL)
    ann = copy_of(eve, stage)
    page = "/login" if owner is None else "/account"
    send_form(ann, page, "/login", {"name": "ann", "password": PASSWORD})
    assert (me(ann).json or {})["name"] == "ann"
    assert me(eve).status_code == 401 if owner is None else (me(eve).json or {})["name"] == "eve"
    log_out(ann)
    assert me(ann).status_code == 401


def test_without_accounts_there_is_nothing_to_end(stage: Stage) -> None:
    you = stage.client()
    log_out(you)
    assert (me(you).json or {})["id"] == YOU
    assert list(stage.store.ended_sessions()) == []
