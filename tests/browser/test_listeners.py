"""Several people at one browser: nobody's listens become another's."""

import re

import pytest
from playwright.sync_api import Page, expect

from browser.listener import Ledger, Listener, stored, until
from soundalike.domain.users import YOU, User
from soundalike.web.server.serve import HttpServer
from web.clients import PASSWORD
from web.stage import Stage

# Browsers complain of every answer that turns them away, which is what these tests are about.
pytestmark = [pytest.mark.browser, pytest.mark.complains("401|ERR_FAILED")]

LISTENS = "**/api/listens"


@pytest.fixture
def mira(stage: Stage) -> User:
    return stage.add_user("mira")


@pytest.fixture
def tom(stage: Stage, mira: User) -> User:
    assert mira.id == YOU
    return stage.add_user("tom")


def log_in(page: Page, name: str) -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Library")).to_be_visible()
    page.wait_for_load_state("networkidle")  # the page is whole, and its scripts have run


def log_out(page: Page, url: str) -> None:
    page.goto(f"{url}account")
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()


def test_what_one_has_not_sent_is_never_sent_as_another(
    tom: User, mira: User, listener: Listener, page: Page, server: HttpServer, ledger: Ledger
) -> None:
    # What a page sends as it closes is out of a test's reach.
    page.add_init_script(
        "const send = fetch; fetch = (to, how) => (how?.keepalive ? Promise.reject() : send(to, how))"
    )
    page.goto(server.url)
    log_in(page, "mira")
    page.route(LISTENS, lambda route: route.abort())
    listener.choose("Amber", "Like")
    log_out(page, server.url)
    page.unroute(LISTENS)
    log_in(page, "tom")
    listener.choose("Cedar", "Like")
    until(page, lambda: ledger.of(tom.id) == [("liked", "cedar")])
    assert ledger.of(mira.id) == []
    until(page, lambda: [event["track_id"] for event in stored(page)] == ["amber"])
    log_out(page, server.url)
    log_in(page, "mira")
    until(page, lambda: ledger.of(mira.id) == [("liked", "amber")])
    assert ledger.of(tom.id) == [("liked", "cedar")]
    until(page, lambda: stored(page) == [])


def test_a_page_left_open_sends_nothing_for_who_logged_in_elsewhere(
    tom: User, mira: User, listener: Listener, page: Page, server: HttpServer, ledger: Ledger
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
    assert ledger.of(tom.id) == ledger.of(mira.id) == []
    listener.row("Cedar").locator("a.track-title").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Cedar")
    expect(page.locator("body")).to_have_attribute("data-user", tom.id)


def test_who_logs_in_again_goes_on_where_they_were(
    mira: User, listener: Listener, page: Page, server: HttpServer, ledger: Ledger
) -> None:
    page.goto(server.url)
    log_in(page, "mira")
    listener.open("Cedar")
    page.context.clear_cookies()
    page.click("#main [data-do=menu] >> nth=0")
    page.locator("#menu").get_by_text("Like", exact=True).click()
    page.get_by_role("link", name="log in").click()
    expect(page).to_have_url(re.compile(r"/login\?next=%2Ftracks%2Fcedar$"))
    page.get_by_label("Name").fill("mira")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Cedar")
    until(page, lambda: ledger.of(mira.id) == [("liked", "cedar")])
    expect(page.get_by_text("You are logged out.")).to_be_hidden()


def test_opinions_and_queues_are_of_each_listener_alone(
    tom: User, mira: User, listener: Listener, page: Page, server: HttpServer, ledger: Ledger
) -> None:
    page.goto(server.url)
    log_in(page, "mira")
    listener.play("Amber")
    listener.hears("Amber")
    page.click("#like")
    until(page, lambda: ("liked", "amber") in ledger.of(mira.id))
    log_out(page, server.url)
    log_in(page, "tom")
    expect(page.locator("#player-title")).to_have_text("Nothing playing")
    listener.row("Amber").locator("[data-do=menu]").click()
    like = page.get_by_role("menuitemcheckbox", name="Like", exact=True)
    expect(like).to_have_attribute("aria-checked", "false")
    assert ledger.of(tom.id) == []
