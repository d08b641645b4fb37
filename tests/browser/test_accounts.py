"""Accounts in a real browser, with its own headers and cookies, and several listeners at one browser."""

import re

import pytest
from playwright.sync_api import Page, expect

from browser.accounts import fill_login, log_in, log_out, open_account
from browser.listener import Listener, RecordedListens, overflow_px, stored, until
from soundalike.domain.users import YOU, User
from soundalike.web.server.serve import HttpServer
from web.stage import Stage

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture
def mira(stage: Stage) -> User:
    return stage.add_user("mira")


@pytest.fixture
def tom(stage: Stage, mira: User) -> User:
    assert mira.id == YOU
    return stage.add_user("tom")


@pytest.mark.console_errors("401")
def test_one_logs_in_lands_where_one_wanted_to_be_and_logs_out(
    mira: User, page: Page, server: HttpServer, console_errors: list[str]
) -> None:
    page.goto(f"{server.url}tracks/cedar")
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    fill_login(page, "mira", "another password")
    expect(page.get_by_role("alert")).to_have_text("wrong user name or password")
    expect(page.get_by_label("Name")).to_have_value("mira")
    assert len(console_errors) == 1
    fill_login(page, "mira")
    expect(page.get_by_role("heading", level=1)).to_have_text("Cedar")
    assert page.evaluate("document.body.dataset.user") == mira.id
    assert page.evaluate("document.cookie") == ""
    open_account(page, "mira")
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    page.goto(server.url)
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()


def test_without_accounts_server_and_browser_forget_you_once_you_have_typed_so(
    listener: Listener, page: Page, stage: Stage, listens: RecordedListens
) -> None:
    page.evaluate("localStorage.setItem('soundalike:player:else', '1')")
    listener.play("Amber")
    listens.expect(("started", "amber"))
    page.get_by_role("link", name="You", exact=True).click()
    page.get_by_label("Type delete").fill("delete")
    page.get_by_role("button", name="Delete my data").click()
    expect(page.get_by_text("All your data is deleted.")).to_be_visible()
    expect(page.locator("#player-title")).to_have_text("Nothing playing")
    assert list(stage.store.listens_of(YOU)) == []
    assert "amber" not in page.evaluate("JSON.stringify(localStorage)")
    assert page.evaluate("localStorage['soundalike:player:else']") == "1"


def test_nothing_of_an_account_is_wider_than_the_screen(mira: User, page: Page, stage: Stage) -> None:
    stage.services.accounts.make_token(mira.id, "x" * 80)
    page.reload()
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        assert overflow_px(page) <= 0
    log_in(page, "mira")
    open_account(page, "mira")
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        assert overflow_px(page) <= 0


def test_the_secret_of_a_token_is_shown_once_and_not_on_the_way_back(
    mira: User, page: Page, stage: Stage
) -> None:
    page.reload()
    log_in(page, "mira")
    open_account(page, "mira")
    page.get_by_label("What is it for?").fill("phone")
    page.get_by_role("button", name="Make a token").click()
    secret = page.locator(".secret").inner_text()
    assert secret not in page.url
    page.click(".wordmark")
    expect(page.get_by_role("heading", name="Library")).to_be_visible()
    page.go_back()
    expect(page.locator(".tokens")).to_contain_text("phone")
    assert secret not in page.content()
    page.reload()
    expect(page.locator(".tokens li")).to_have_count(1)
    assert stage.services.accounts.user_of_token(secret) == stage.services.accounts.user(mira.id)


@pytest.mark.console_errors("401|ERR_FAILED")
def test_a_page_left_open_sends_nothing_for_another_who_logged_in_meanwhile(
    tom: User, mira: User, listener: Listener, page: Page, server: HttpServer, listens: RecordedListens
) -> None:
    page.goto(server.url)
    log_in(page, "mira")
    other = page.context.new_page()
    other.goto(server.url)
    log_out(other, server.url)
    log_in(other, "tom")
    listener.choose("Amber", "Like")
    expect(page.get_by_text("You are logged out.")).to_be_visible()
    assert len(stored(page)) == 1
    assert listens.of(tom.id) == listens.of(mira.id) == []
    listener.row("Cedar").locator("a.track-title").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Cedar")
    expect(page.locator("body")).to_have_attribute("data-user", tom.id)
    expect(listener.page.locator(".hero [data-do=menu]")).to_be_visible()
    assert listens.of(tom.id) == []


@pytest.mark.console_errors("401|ERR_FAILED")
def test_who_logs_in_again_goes_on_where_they_were(
    mira: User, listener: Listener, page: Page, server: HttpServer, listens: RecordedListens
) -> None:
    page.goto(server.url)
    log_in(page, "mira")
    listener.open("Cedar")
    page.context.clear_cookies()
    page.click("#main [data-do=menu] >> nth=0")
    page.locator("#menu").get_by_text("Like", exact=True).click()
    page.get_by_role("link", name="log in").click()
    expect(page).to_have_url(re.compile(r"/login\?next=%2Ftracks%2Fcedar$"))
    fill_login(page, "mira")
    expect(page.get_by_role("heading", level=1)).to_have_text("Cedar")
    until(page, lambda: listens.of(mira.id) == [("liked", "cedar")])
    expect(page.get_by_text("You are logged out.")).to_be_hidden()


def test_judgements_and_queues_are_of_each_listener_alone(
    tom: User, mira: User, listener: Listener, page: Page, server: HttpServer, listens: RecordedListens
) -> None:
    page.goto(server.url)
    log_in(page, "mira")
    listener.play("Amber")
    page.click("#like")
    until(page, lambda: ("liked", "amber") in listens.of(mira.id))
    log_out(page, server.url)
    log_in(page, "tom")
    expect(page.locator("#player-title")).to_have_text("Nothing playing")
    expect(listener.judgement("Amber", "Like")).to_have_attribute("aria-checked", "false")
    assert listens.of(tom.id) == []
