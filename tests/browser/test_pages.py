"""Pages of the library: they change while the music plays, and work in every size."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from browser.conftest import HOSTILE
from browser.listener import Listener, until
from soundalike.web.server.serve import HttpServer
from web.stage import Stage

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

SORTED_BY_ARTIST = re.compile(r"/\?sort=artist")


def test_a_track_goes_on_playing_while_pages_change(listener: Listener, page: Page) -> None:
    page.evaluate("audio.dataset.mark = 'the very same'")
    listener.play("Amber")
    listener.open("Cedar")
    listener.expect_sound("Amber")
    page.go_back()
    expect(page.locator("li.track")).to_have_count(6)
    listener.expect_sound("Amber")
    page.go_forward()
    expect(page).to_have_title("Cedar · soundalike")
    listener.expect_sound("Amber")
    assert page.evaluate("audio.dataset.mark") == "the very same"


def test_a_similar_track_is_opened_played_and_followed_by_what_sounds_like_it(
    listener: Listener, page: Page
) -> None:
    page.click("#queue-button")
    page.locator("#adventure").press("Home")
    page.click("#queue-close")
    listener.open("Amber")
    rows = page.locator("ol.tracks .track-title")
    expect(rows).to_have_text(["Birch", "Cedar", "Dogwood", "Elm", "Fir"])
    listener.open("Dogwood")
    play = page.locator(".hero [data-do=play]")
    play.click()
    listener.expect_sound("Dogwood")
    play.click()
    page.wait_for_function("() => audio.paused")
    play.click()
    expect(page.locator("#next")).to_be_enabled()
    page.click("#next")
    # Both are as near.
    expect(page.locator("#player-title")).to_have_text(re.compile("^(Cedar|Elm)$"))


def test_search_finds_while_one_types_and_no_letter_is_a_command(listener: Listener, page: Page) -> None:
    listener.play("Amber")
    field, rows = page.locator("#search input"), page.locator("li.track")
    page.keyboard.press("/")
    page.keyboard.type("ced")
    expect(page.locator("li.track .track-title")).to_have_text(["Cedar"])
    expect(page).to_have_url(re.compile(r"/\?query=ced$"))
    expect(field).to_be_focused()
    page.keyboard.type("zzz")
    expect(page.get_by_role("heading", name="Nothing matches")).to_be_visible()
    for _ in range(6):
        page.keyboard.press("Backspace")
    expect(rows).to_have_count(6)
    page.keyboard.type("n mq?/p ")
    expect(field).to_have_value("n mq?/p ")
    expect(page.locator("#help")).to_be_hidden()
    expect(page.locator("#queue")).to_be_hidden()
    assert not page.evaluate("audio.muted")
    field.press("Escape")
    expect(field).to_have_value("")
    expect(rows).to_have_count(6)
    expect(field).to_be_focused()
    field.press("Escape")
    expect(field).not_to_be_focused()
    listener.expect_sound("Amber")


def test_only_the_last_answer_to_a_search_is_shown(listener: Listener, page: Page) -> None:
    late: list[Route] = []
    page.route("**/?query=amb", lambda route: late.append(route))  # noqa: PLW0108 - what Playwright marks
    page.fill("#search input", "amb")
    until(page, lambda: len(late) == 1)
    page.fill("#search input", "fir")
    found = page.locator("li.track .track-title")
    expect(found).to_have_text(["Fir"])
    late[0].continue_()
    page.wait_for_load_state("networkidle")
    expect(found).to_have_text(["Fir"])
    listener.play("Fir")


def test_sorting_and_the_way_back(page: Page) -> None:
    page.select_option("#sort", "-year")
    expect(page).to_have_url(re.compile(r"sort=-year"))
    page.select_option("#sort", "artist")
    expect(page.locator("li.track .track-artist").first).to_have_text("Artist 0")
    expect(page).to_have_url(SORTED_BY_ARTIST)
    page.go_back()
    page.go_back()
    expect(page.locator("#sort")).to_have_value("title")


def test_going_back_ends_waiting_for_a_page(listener: Listener, page: Page) -> None:
    listener.open("Cedar")
    page.click(".wordmark")
    expect(page.locator("li.track")).to_have_count(6)
    page.route(SORTED_BY_ARTIST, lambda _: None)
    page.select_option("#sort", "artist")
    expect(page.locator("#loading")).to_be_visible()
    page.go_back()
    expect(page).to_have_title("Cedar · soundalike")
    expect(page.locator("#loading")).to_be_hidden()


def test_a_link_opens_in_another_tab_where_that_is_asked_for(
    listener: Listener, page: Page, server: HttpServer
) -> None:
    listener.play("Amber")
    with page.context.expect_page() as opened:
        listener.row("Cedar").locator("a.track-title").click(modifiers=["ControlOrMeta"])
    expect(opened.value).to_have_title("Cedar · soundalike")
    opened.value.wait_for_load_state()
    assert opened.value.evaluate("audio.paused")
    assert page.url == server.url
    listener.expect_sound("Amber")


def test_hostile_tags_do_nothing(page: Page, stage: Stage, sounds: dict[str, bytes]) -> None:
    stage.add(
        "evil",
        title=HOSTILE + "x" * 1000,
        artist=HOSTILE,
        album=HOSTILE,
        data=sounds["audio/ogg"],
        point=(0.5, 0),
    )
    stage.build("v2")
    page.reload()
    evil = page.locator("li.track[data-id=evil]")
    evil.locator("[data-do=play]").click()
    page.wait_for_function("() => audio.currentTime > 0.2")
    page.click("#queue-button")
    page.click("#queue-close")
    evil.locator("a.track-title").click()
    expect(page.locator(".hero")).to_be_visible()
    assert "owned" not in page.title().split("<")[0]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate("document.querySelectorAll('main script, #player script, img[onerror]').length") == 0


@pytest.mark.console_errors("503")
def test_pages_of_a_large_library_load_as_one_scrolls_and_on_demand_after_a_failure(
    page: Page, stage: Stage
) -> None:
    for number in range(150):
        stage.add(f"z{number:03}", title=f"Z {number:03}")
    page.route("**/?cursor=*", lambda route: route.fulfill(status=503, body="<p>busy</p>"))
    page.reload()
    rows = page.locator("li.track")
    with page.expect_response("**/?cursor=*"):
        page.mouse.wheel(0, 5000)
    first = rows.count()
    page.unroute("**/?cursor=*")
    until(page, lambda: page.locator("a[data-more]").get_attribute("data-is-loading") is None)
    page.click("a[data-more]")
    until(page, lambda: rows.count() > first)

    def has_scrolled_to_the_end() -> bool:
        page.mouse.wheel(0, 5000)
        return rows.count() == 156

    until(page, has_scrolled_to_the_end)
    until(page, lambda: is_still(page))
    page.locator("li.track[data-id=z149] a.track-title").click()
    expect(page.locator(".hero")).to_be_visible()
    page.go_back()
    expect(rows).to_have_count(156)
    assert page.evaluate("scrollY") > 1000


def is_still(page: Page) -> bool:
    """Whether nothing scrolls for six frames."""
    is_so: bool = page.evaluate(
        """async () => {
             const before = scrollY;
             for (let frame = 0; frame < 6; frame += 1) await new Promise(requestAnimationFrame);
             return before === scrollY;
           }"""
    )
    return is_so


@pytest.mark.console_errors("ERR_FAILED")
def test_a_cover_that_did_not_load_hides_no_later_one(
    listener: Listener, page: Page, stage: Stage, sounds: dict[str, bytes]
) -> None:
    stage.add("zinnia", title="Zinnia", data=sounds["audio/wav"], media_type="audio/wav")
    stage.build("v2")
    page.route("**/tracks/zinnia/cover", lambda route: route.abort())
    page.reload()
    listener.play("Zinnia")
    expect(page.locator("#player-cover")).to_be_hidden()
    listener.play("Cedar")
    expect(page.locator("#player-cover")).to_be_visible()


def test_it_works_without_scripts(page: Page, server: HttpServer) -> None:
    assert page.context.browser is not None
    context = page.context.browser.new_context(java_script_enabled=False)
    plain = context.new_page()
    plain.goto(server.url + "?query=ced")
    plain.click("a.track-title")
    expect(plain.get_by_role("heading", level=1)).to_have_text("Cedar")
    context.close()


def test_a_long_name_is_whole_on_a_phone(stage: Stage, page: Page) -> None:
    long = "The Complete Rehearsals, Outtakes and Radio Broadcasts 1971-1974 (Limited Edition, Remastered)"
    stage.add("long", title=long, point=(9.0, 9.0))
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{page.url}tracks/long")
    expect(page.locator("h1")).to_have_text(long)
    assert page.locator("h1").evaluate("(h1) => h1.scrollHeight <= h1.clientHeight + 2")
