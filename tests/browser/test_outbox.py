"""What is done reaches the server once, whatever happens on the way."""

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Error, Page, Route, expect

from browser.listener import Ledger, Listener, stored, until
from soundalike.domain.users import YOU
from soundalike.web.server.serve import HttpServer
from web.stage import Stage

pytestmark = pytest.mark.browser

LISTENS = "**/api/listens"
LIKED_BOTH = (("liked", "amber"), ("liked", "cedar"))


def like(listener: Listener, *titles: str) -> None:
    for title in titles:
        listener.choose(title, "Like")


def refuse(
    page: Page, status: int, *, headers: dict[str, str] | None = None, **body: Any
) -> Callable[[], None]:
    """Let the server answer with an error until the returned function is called."""

    def answer(route: Route) -> None:
        text = json.dumps({"error": "x", "message": "not now", **body})
        route.fulfill(status=status, headers=headers or {}, body=text, content_type="application/json")

    page.context.route(LISTENS, answer)
    return lambda: page.context.unroute(LISTENS, answer)


@contextmanager
def cut_off(page: Page, answer: Callable[[Route], None]) -> Iterator[None]:
    """Let no listen get through for a while, and each meet `answer` from then on, with no gap between."""
    is_away = True
    page.context.route(LISTENS, lambda route: route.abort() if is_away else answer(route))
    yield
    is_away = False
    page.evaluate("dispatchEvent(new Event('online'))")


def sent_at_ms(page: Page) -> list[float]:
    """Return when listens were sent, by the browser's own clock."""
    times: list[float] = page.evaluate(
        """performance.getEntriesByType("resource")
             .filter(({name}) => name.endsWith("/api/listens")).map(({startTime}) => startTime)"""
    )
    return times


@pytest.mark.complains("ERR_INTERNET_DISCONNECTED")
def test_likes_made_offline_come_back_after_a_reload_once(
    listener: Listener, page: Page, server: HttpServer, ledger: Ledger
) -> None:
    page.context.set_offline(True)
    like(listener, "Amber", "Cedar")
    with pytest.raises(Error, match="ERR_INTERNET_DISCONNECTED"):
        page.reload()
    page.context.set_offline(False)
    page.goto(server.url)
    ledger.becomes(*LIKED_BOTH)
    until(page, lambda: stored(page) == [])
    page.reload()
    page.wait_for_timeout(300)
    ledger.becomes(*LIKED_BOTH)


@pytest.mark.complains("ERR_FAILED")
def test_a_reload_while_listens_cannot_be_sent_loses_none(
    listener: Listener, page: Page, ledger: Ledger
) -> None:
    page.route(LISTENS, lambda route: route.abort())
    like(listener, "Amber", "Cedar")
    page.reload()
    assert [event["track_id"] for event in stored(page)] == ["amber", "cedar"]
    listener.row("Amber").locator("[data-do=menu]").click()
    liked = page.get_by_role("menuitemcheckbox", name="Like", exact=True)
    expect(liked).to_have_attribute("aria-checked", "true")
    page.unroute(LISTENS)
    page.evaluate("dispatchEvent(new Event('online'))")
    ledger.becomes(*LIKED_BOTH)
    assert len(set(ledger.ids())) == 2


@pytest.mark.complains("ERR_INTERNET_DISCONNECTED")
def test_coming_back_online_sends_without_a_reload(listener: Listener, page: Page, ledger: Ledger) -> None:
    page.context.set_offline(True)
    like(listener, "Amber", "Cedar")
    page.wait_for_timeout(300)
    page.context.set_offline(False)
    ledger.becomes(*LIKED_BOTH)
    until(page, lambda: stored(page) == [])


def test_what_was_done_last_is_sent_by_a_page_that_closes(
    listener: Listener, page: Page, stage: Stage
) -> None:
    held: list[Route] = []
    page.route(LISTENS, lambda route: held.append(route) if not held else route.continue_())
    like(listener, "Amber")
    until(page, lambda: len(held) == 1)
    page.goto("about:blank")
    until(page, lambda: len(list(stage.store.listens_of(YOU))) == 1)


@pytest.mark.parametrize("browser_has", ["locks", "no locks"])
@pytest.mark.complains("ERR_INTERNET_DISCONNECTED")
def test_two_tabs_neither_double_nor_lose_anything(
    listener: Listener, page: Page, server: HttpServer, ledger: Ledger, browser_has: str
) -> None:
    if browser_has == "no locks":
        page.context.add_init_script(
            "Object.defineProperty(Navigator.prototype, 'locks', {value: undefined})"
        )
        page.reload()
    page.context.set_offline(True)
    like(listener, "Amber", "Birch")
    page.context.set_offline(False)
    ledger.becomes(("liked", "amber"), ("liked", "birch"))
    other = page.context.new_page()
    other.goto(server.url)
    page.context.set_offline(True)
    like(listener, "Cedar")
    like(Listener(other), "Dogwood")
    like(listener, "Elm")
    page.context.set_offline(False)
    expected = [("liked", name) for name in ("amber", "birch", "cedar", "dogwood", "elm")]
    ledger.becomes(*expected)
    until(page, lambda: stored(page) == [])


def test_tabs_take_turns_where_the_browser_lets_them(
    listener: Listener, page: Page, server: HttpServer, ledger: Ledger
) -> None:
    other = page.context.new_page()
    other.goto(server.url)
    held: list[Route] = []
    page.context.route(LISTENS, lambda route: held.append(route) if not held else route.continue_())
    like(listener, "Amber")
    until(page, lambda: len(held) == 1)
    like(Listener(other), "Cedar")
    page.wait_for_timeout(300)
    assert len(ledger.sent) == 1
    held[0].continue_()
    ledger.becomes(*LIKED_BOTH)
    until(page, lambda: stored(page) == [])
    # Each process of the browser has a copy of its storage: a tab may hear a little late of what another
    # has sent for it. That comes twice, and counts once.
    assert len(set(ledger.ids())) == 2


def test_two_tabs_that_play_are_two_plays(
    listener: Listener, page: Page, server: HttpServer, ledger: Ledger
) -> None:
    listener.play("Amber")
    listener.hears("Amber")
    other = page.context.new_page()
    other.goto(server.url)
    expect(other.locator("#player-title")).to_have_text("Amber")
    other.click("#toggle")
    Listener(other).hears("Amber")
    ledger.becomes(("started", "amber"), ("started", "amber"))


@pytest.mark.complains("ERR_INTERNET_DISCONNECTED|400|404")
def test_an_event_that_the_server_refuses_is_dropped_with_a_word_and_the_rest_sent(
    listener: Listener, page: Page, stage: Stage, ledger: Ledger
) -> None:
    page.context.set_offline(True)
    like(listener, "Amber", "Birch", "Cedar")
    stage.lose("birch")
    page.context.set_offline(False)
    ledger.becomes(*LIKED_BOTH)
    listener.sees(re.compile("One thing you did was rejected .* no track has the id 'birch'"))
    until(page, lambda: stored(page) == [])


@pytest.mark.complains("400")
def test_an_event_of_tomorrow_is_dropped_with_a_word(listener: Listener, page: Page, ledger: Ledger) -> None:
    page.evaluate("Date.now = ((now) => () => now() + 24 * 3600 * 1000)(Date.now)")
    like(listener, "Amber")
    listener.sees(re.compile("rejected .* check the clock"))
    until(page, lambda: stored(page) == [])
    ledger.becomes()


@pytest.mark.complains("ERR_FAILED|400")
def test_where_no_event_is_named_the_bad_one_is_found_by_halves(
    listener: Listener, page: Page, ledger: Ledger
) -> None:
    def answer(route: Route) -> None:
        events = json.loads(route.request.post_data or "")["events"]
        if any(event["track_id"] == "cedar" for event in events):
            route.fulfill(status=400, json={"error": "bad_event", "message": "one of them is wrong"})
        else:
            route.continue_()

    with cut_off(page, answer):
        like(listener, "Amber", "Birch", "Cedar", "Dogwood", "Elm")
    ledger.becomes(*[("liked", name) for name in ("amber", "birch", "dogwood", "elm")])
    listener.sees(re.compile("One thing you did was rejected"))
    until(page, lambda: stored(page) == [])


@pytest.mark.complains("ERR_FAILED|413")
def test_too_much_at_once_is_sent_in_parts(listener: Listener, page: Page, ledger: Ledger) -> None:
    def answer(route: Route) -> None:
        events = json.loads(route.request.post_data or "")["events"]
        if len(events) > 1:
            route.fulfill(status=413, json={"error": "too_large", "message": "send fewer"})
        else:
            route.continue_()

    with cut_off(page, answer):
        like(listener, "Amber", "Birch", "Cedar")
    ledger.becomes(*[("liked", name) for name in ("amber", "birch", "cedar")])
    until(page, lambda: stored(page) == [])


def test_a_long_time_offline_is_sent_in_batches_the_oldest_first(
    listener: Listener, page: Page, ledger: Ledger
) -> None:
    page.evaluate(
        """() => Array.from({length: 1203}, (_, number) => {
             const id = crypto.randomUUID();
             const at = new Date(Date.UTC(2026, 0, 1) + 1000 * number).toISOString();
             const listen = {id, track_id: "amber", kind: "started", position_ms: number, at};
             localStorage.setItem(`soundalike:outbox:you:${id}`, JSON.stringify(listen));
           })"""
    )
    like(listener, "Cedar")
    until(page, lambda: len(ledger.of()) == 1204)
    sizes = [len(events) for events in ledger.sent]
    assert sizes[:2] == [500, 500]
    assert sum(sizes) == 1204
    times = [event["at"] for events in ledger.sent for event in events]
    assert times == sorted(times)
    until(page, lambda: stored(page) == [])


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.complains("429|503")
def test_a_busy_server_is_left_alone_as_long_as_it_asks(
    listener: Listener, page: Page, ledger: Ledger, status: int
) -> None:
    relent = refuse(page, status, headers={"Retry-After": "5"})
    refused_at = time.monotonic()
    like(listener, "Amber")
    until(page, lambda: len(ledger.sent) == 1)
    relent()
    like(listener, "Cedar")
    page.wait_for_timeout(800)
    assert len(ledger.sent) == 1
    assert len(stored(page)) == 2
    ledger.becomes(*LIKED_BOTH)
    assert time.monotonic() - refused_at >= 5


@pytest.mark.complains("503")
def test_a_server_that_stays_busy_is_asked_less_and_less(listener: Listener, page: Page) -> None:
    refuse(page, 503)
    like(listener, "Amber")
    until(page, lambda: len(sent_at_ms(page)) == 4)
    first, second, third, fourth = sent_at_ms(page)
    assert second - first >= 500
    assert third - second >= 1000
    assert fourth - third >= 2000


@pytest.mark.parametrize("status", [200, 400, 403, 404, 415, 500])
@pytest.mark.complains("400|403|404|415|500")
def test_any_other_answer_loses_nothing(listener: Listener, page: Page, ledger: Ledger, status: int) -> None:
    relent = refuse(page, status)
    like(listener, "Amber")
    until(page, lambda: len(ledger.sent) >= 1)
    page.wait_for_timeout(200)
    assert len(stored(page)) == 1
    relent()
    page.reload()
    ledger.becomes(("liked", "amber"))


@pytest.mark.complains("401")
def test_who_is_logged_out_keeps_everything_and_is_led_to_the_login(
    listener: Listener, page: Page, ledger: Ledger
) -> None:
    relent = refuse(page, 401)
    like(listener, "Amber")
    notice = page.get_by_text("You are logged out.")
    expect(notice).to_be_visible()
    expect(notice.get_by_role("link", name="log in")).to_have_attribute("href", "/login?next=%2F")
    like(listener, "Cedar")
    page.wait_for_timeout(300)
    assert len(ledger.sent) == 1
    assert len(stored(page)) == 2
    relent()
    page.evaluate("document.dispatchEvent(new Event('visibilitychange', {bubbles: true}))")
    ledger.becomes(*LIKED_BOTH)
    expect(notice).to_be_hidden()


def test_a_browser_that_stores_nothing_says_so_once_and_sends_all_the_same(
    listener: Listener, page: Page, ledger: Ledger
) -> None:
    page.add_init_script(
        "Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError') }"
    )
    page.reload()
    like(listener, "Amber", "Cedar")
    ledger.becomes(*LIKED_BOTH)
    expect(page.locator(".toast-word").filter(has_text="stores nothing")).to_have_count(1)
    listener.row("Amber").locator("[data-do=menu]").click()
    liked = page.get_by_role("menuitemcheckbox", name="Like", exact=True)
    expect(liked).to_have_attribute("aria-checked", "true")


def test_ids_are_uuids_where_the_browser_makes_none_itself(
    listener: Listener, page: Page, ledger: Ledger
) -> None:
    page.add_init_script("Object.defineProperty(Crypto.prototype, 'randomUUID', {value: undefined})")
    page.reload()
    like(listener, "Amber", "Cedar")
    ledger.becomes(*LIKED_BOTH)
    uuid = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
    assert all(uuid.fullmatch(one) for one in ledger.ids())


def test_what_is_no_event_in_storage_hinders_nothing(listener: Listener, page: Page, ledger: Ledger) -> None:
    page.evaluate("localStorage.setItem('soundalike:outbox:you:a', 'no JSON')")
    page.evaluate("localStorage.setItem('soundalike:outbox:you:b', '[1]')")
    like(listener, "Amber")
    ledger.becomes(("liked", "amber"))
