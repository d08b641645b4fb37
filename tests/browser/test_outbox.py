"""What is done reaches the server once, from a real browser's storage, locks and closing pages."""

import pytest
from playwright.sync_api import Error, Page, Route, expect

from browser.listener import Listener, RecordedListens, stored, until
from soundalike.web.server.serve import HttpServer
from web.stage import Stage

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

LISTENS = "**/api/listens"
LIKED_BOTH = (("liked", "amber"), ("liked", "cedar"))


def like(listener: Listener, *titles: str) -> None:
    for title in titles:
        listener.choose(title, "Like")


@pytest.mark.console_errors("ERR_INTERNET_DISCONNECTED|409")
def test_likes_made_offline_are_sent_once_by_a_later_page_without_what_the_server_cannot_take(
    listener: Listener, page: Page, stage: Stage, server: HttpServer, listens: RecordedListens
) -> None:
    page.context.set_offline(True)
    like(listener, "Amber", "Birch", "Cedar")
    stage.lose("birch")
    with pytest.raises(Error, match="ERR_INTERNET_DISCONNECTED"):
        page.reload()
    page.context.set_offline(False)
    page.goto(server.url)
    listens.expect(*LIKED_BOTH)
    until(page, lambda: [event["track_id"] for event in stored(page)] == ["birch"])
    page.reload()
    expect(listener.judgement("Amber", "Like")).to_have_attribute("aria-checked", "true")
    listens.expect(*LIKED_BOTH)


@pytest.mark.console_errors("ERR_INTERNET_DISCONNECTED")
def test_coming_back_online_sends_without_a_reload(
    listener: Listener, page: Page, listens: RecordedListens
) -> None:
    page.context.set_offline(True)
    like(listener, "Amber", "Cedar")
    until(page, lambda: len(stored(page)) == 2)
    page.context.set_offline(False)
    listens.expect(*LIKED_BOTH)
    until(page, lambda: stored(page) == [])


def test_what_was_done_last_is_sent_by_a_page_that_closes(
    listener: Listener, page: Page, listens: RecordedListens
) -> None:
    held: list[Route] = []
    page.route(LISTENS, lambda route: held.append(route) if not held else route.continue_())
    like(listener, "Amber")
    until(page, lambda: len(held) == 1)
    page.goto("about:blank")
    listens.expect(("liked", "amber"))


def test_tabs_take_turns_and_neither_double_nor_lose_anything(
    listener: Listener, page: Page, server: HttpServer, listens: RecordedListens
) -> None:
    other = page.context.new_page()
    other.goto(server.url)
    held: list[Route] = []
    page.context.route(LISTENS, lambda route: held.append(route) if not held else route.continue_())
    like(listener, "Amber")
    until(page, lambda: len(held) == 1)
    like(Listener(other), "Cedar")
    until(other, lambda: len(stored(other)) == 2)
    assert len(set(listens.ids())) == 1
    held[0].continue_()
    listens.expect(*LIKED_BOTH)
    until(page, lambda: stored(page) == [])
    # Each process of the browser has a copy of its storage: a tab may learn a little late of what another
    # has sent for it. That is sent twice, and counts once.
    assert len(set(listens.ids())) == 2
