"""What a listener does in haste, or takes back, is told as it was meant."""

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from browser.listener import Ledger, Listener, until
from browser.queues import questions, titles
from soundalike.web.server.serve import HttpServer

pytestmark = pytest.mark.browser

RECOMMENDATIONS = "**/api/recommendations*"


def test_who_chooses_while_play_for_me_is_thinking_keeps_what_they_chose(
    listener: Listener, page: Page, ledger: Ledger
) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        if "seed=" in route.request.url or held:
            route.continue_()
        else:
            held.append(route)

    page.route(RECOMMENDATIONS, hold)
    page.locator("[data-do=play-for-me]").click()
    until(page, lambda: len(held) == 1)
    listener.play("Cedar")
    listener.hears("Cedar")
    held[0].continue_()
    page.wait_for_timeout(500)
    listener.hears("Cedar")
    ledger.becomes(("started", "cedar"))


def test_a_copy_of_a_tab_skips_nothing_that_sounded_in_the_other(
    listener: Listener, page: Page, ledger: Ledger
) -> None:
    listener.play("Amber")
    listener.hears("Amber")
    with page.context.expect_page() as opened:
        page.evaluate("window.open(location.href)")
    copy = opened.value
    expect(copy.locator("#player-title")).to_have_text("Amber")
    copy.wait_for_load_state("networkidle")
    copy.keyboard.press("n")
    copy.wait_for_timeout(300)
    assert ("skipped", "amber") not in ledger.of()
    page.bring_to_front()
    page.keyboard.press("n")
    until(page, lambda: ledger.of().count(("skipped", "amber")) == 1)


def test_a_dislike_that_slipped_is_undone(listener: Listener, page: Page, ledger: Ledger) -> None:
    listener.play("Amber")
    listener.hears("Amber")
    page.keyboard.press("d")
    page.get_by_role("button", name="Undo").click()
    until(page, lambda: ("undisliked", "amber") in ledger.of())
    expect(page.get_by_role("button", name="Undo")).to_have_count(0)


def test_what_was_taken_out_of_the_queue_does_not_come_back(listener: Listener, page: Page) -> None:
    listener.play("Amber")
    listener.hears("Amber")
    lines = listener.open_queue()
    expect(lines.first).to_be_visible()
    title = lines.first.locator(".track-title").inner_text()
    lines.first.locator("[data-do=remove]").click()
    with page.expect_response(RECOMMENDATIONS):
        page.click("#like")
    page.wait_for_timeout(200)
    assert title not in titles(lines)


@pytest.fixture
def coming(listener: Listener) -> Locator:
    """What comes next on a radio like Cedar."""
    listener.choose("Cedar", "Play things like this")
    listener.hears("Cedar")
    coming = listener.open_queue()
    expect(coming).to_have_count(5)
    return coming


@pytest.fixture
def held(coming: Locator, page: Page) -> list[Route]:
    """The question what comes next, once it has been put by going on; only this one waits for its answer."""
    held: list[Route] = []
    page.route(RECOMMENDATIONS, lambda route: route.continue_() if held else held.append(route))
    page.route("**/audio", lambda _: None)  # what has not sounded is not skipped, so that nothing else asks
    page.click("#next")
    until(page, lambda: len(held) == 1)
    expect(coming).to_have_count(4)
    return held


def test_what_is_passed_by_before_an_answer_does_not_come_again(
    page: Page, coming: Locator, held: list[Route]
) -> None:
    left = titles(coming)[2:]
    page.click("#next")
    page.click("#next")
    with page.expect_response(RECOMMENDATIONS):
        held[0].continue_()
    page.wait_for_timeout(200)
    assert sorted(titles(coming)) == sorted(left)


def test_what_is_taken_out_before_an_answer_does_not_come_back(
    page: Page, coming: Locator, held: list[Route]
) -> None:
    left = titles(coming)[1:]
    coming.first.locator("[data-do=remove]").click()
    with page.expect_response(RECOMMENDATIONS):
        held[0].continue_()
    page.wait_for_timeout(200)
    assert sorted(titles(coming)) == sorted(left)


def test_a_radio_whose_answer_has_all_been_played_asks_once_more_before_it_ends(
    listener: Listener, page: Page, coming: Locator, held: list[Route]
) -> None:
    asked = questions(page)
    for _ in range(4):
        page.click("#next")
    expect(coming).to_have_count(0)
    held[0].continue_()
    listener.sees("There is nothing more like")
    assert len(asked) == 1


def test_a_place_far_down_a_long_list_survives_a_reload(page: Page) -> None:
    kept = page.evaluate(
        """async () => {
             const {src} = document.querySelector("script[type=module]");
             const {Queue} = await import(src.replace("main.js", "state/queue.js"));
             const queue = new Queue(), again = new Queue();
             const tracks = Array.from({length: 700}, (_, n) => ({id: `t${n}`, title: `T${n}`}));
             queue.replace(tracks, 600);
             again.restore(JSON.parse(JSON.stringify(queue)));
             return [again.current?.id, again.upcoming.at(0)?.track.id, again.entries.length];
           }"""
    )
    assert kept == ["t600", "t601", 300]


def test_space_on_a_link_pauses(listener: Listener, page: Page) -> None:
    listener.play("Amber")
    listener.hears("Amber")
    listener.row("Cedar").locator("a.track-title").focus()
    page.keyboard.press(" ")
    page.wait_for_function("() => audio.paused")
    assert page.evaluate("scrollY") == 0


def test_a_key_means_the_same_with_caps_lock(listener: Listener, page: Page, ledger: Ledger) -> None:
    listener.play("Amber")
    listener.hears("Amber")
    page.keyboard.press("L")
    until(page, lambda: ("liked", "amber") in ledger.of())


def test_a_browser_forgets_whoever_is_deleted(listener: Listener, page: Page, server: HttpServer) -> None:
    page.evaluate("localStorage.setItem('soundalike:player:else', '1')")
    listener.play("Amber")
    listener.hears("Amber")
    page.goto(f"{server.url}account")
    page.get_by_label("Type delete").fill("delete")
    page.get_by_role("button", name="Delete my data").click()
    expect(page.get_by_text("All your data is deleted.")).to_be_visible()
    expect(page.locator("#player-title")).to_have_text("Nothing playing")
    assert "amber" not in page.evaluate("JSON.stringify(localStorage)")
    assert page.evaluate("localStorage['soundalike:player:else']") == "1"
