import re

import pytest
from playwright.sync_api import Page, Route, expect

from browser.conftest import HOSTILE
from browser.listener import Listener, too_small, until
from soundalike.web.server.serve import HttpServer
from web.stage import Stage

pytestmark = pytest.mark.browser


def test_a_track_goes_on_playing_while_pages_change(listener: Listener, page: Page) -> None:
    page.evaluate("audio.dataset.mark = 'the very same'")
    listener.play("Amber")
    listener.hears("Amber")
    listener.open("Cedar")
    listener.hears("Amber")
    page.go_back()
    expect(page.locator("li.track")).to_have_count(6)
    listener.hears("Amber")
    page.go_forward()
    expect(page).to_have_title("Cedar · soundalike")
    listener.hears("Amber")
    assert page.evaluate("audio.dataset.mark") == "the very same"


def test_a_similar_track_is_opened_and_played(listener: Listener, page: Page) -> None:
    listener.open("Amber")
    rows = page.locator("ol.tracks .track-title")
    expect(rows).to_have_text(["Birch", "Cedar", "Dogwood", "Elm", "Fir"])
    listener.open("Birch")
    page.locator(".hero [data-do=play]").click()
    listener.hears("Birch")
    page.locator(".hero [data-do=play]").click()
    page.wait_for_function("() => audio.paused")


def test_a_track_is_followed_by_what_sounds_like_it(listener: Listener, page: Page) -> None:
    page.click("#queue-button")
    page.locator("#adventure").press("Home")
    page.click("#queue-close")
    listener.open("Dogwood")
    page.locator(".hero [data-do=play]").click()
    listener.hears("Dogwood")
    page.click("#next")
    # Both are as near.
    expect(page.locator("#player-title")).to_have_text(re.compile("^(Cedar|Elm)$"))


@pytest.mark.parametrize("title", ["Amber", "Birch", "Cedar", "Dogwood"])
def test_seeking_goes_where_it_is_asked_to_in_every_format(
    listener: Listener, page: Page, title: str
) -> None:
    listener.play(title)
    listener.hears(title)
    slider = page.locator("#seek")
    box = slider.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] * 0.5, box["y"] + box["height"] / 2)
    page.wait_for_function("() => Math.abs(audio.currentTime - 10) < 2 && !audio.seeking")
    listener.hears(title)
    page.locator("h1").click()
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("() => audio.currentTime < 8.5 && !audio.seeking")
    listener.hears(title)


def test_search_finds_as_you_type(listener: Listener, page: Page) -> None:
    listener.play("Amber")
    page.keyboard.press("/")
    page.keyboard.type("ced", delay=30)
    expect(page.locator("li.track .track-title")).to_have_text(["Cedar"])
    expect(page).to_have_url(re.compile(r"/\?query=ced$"))
    expect(page.locator("#search input")).to_be_focused()
    page.keyboard.type("zzz")
    expect(page.get_by_role("heading", name="Nothing matches")).to_be_visible()
    for _ in range(6):
        page.keyboard.press("Backspace")
    expect(page.locator("li.track")).to_have_count(6)
    listener.hears("Amber")


def test_only_the_last_answer_to_a_search_is_shown(listener: Listener, page: Page) -> None:
    late: list[Route] = []
    page.route("**/?query=amb", lambda route: late.append(route))  # noqa: PLW0108 - what Playwright marks
    page.fill("#search input", "amb")
    page.wait_for_timeout(300)
    page.fill("#search input", "fir")
    expect(page.locator("li.track .track-title")).to_have_text(["Fir"])
    for route in late:
        route.continue_()
    page.wait_for_timeout(300)
    expect(page.locator("li.track .track-title")).to_have_text(["Fir"])
    listener.play("Fir")


def test_sorting_and_the_way_back(page: Page) -> None:
    page.select_option("#sort", "-year")
    expect(page).to_have_url(re.compile(r"sort=-year"))
    page.select_option("#sort", "artist")
    expect(page.locator("li.track .track-artist").first).to_have_text("Artist 0")
    expect(page).to_have_url(re.compile(r"sort=artist"))
    page.go_back()
    page.go_back()
    expect(page.locator("#sort")).to_have_value("title")


def test_next_previous_and_the_queue_of_a_list_in_order(listener: Listener, page: Page) -> None:
    listener.choose("Amber", "Play from here in order")
    listener.hears("Amber")
    listener.choose("Elm", "Play next")
    listener.sees(re.compile("“.Elm.” plays next."))
    listener.choose("Fir", "Add to queue")
    page.click("#queue-button")
    lines = page.locator("#queue-list .track-title")
    expect(lines).to_have_text(["Amber", "Elm", "Fir", "Birch", "Cedar", "Dogwood", "Elm", "Fir"])
    page.locator("#queue-list li").nth(2).get_by_role("button", name=re.compile("Remove .*Fir")).click()
    expect(lines).to_have_text(["Amber", "Elm", "Birch", "Cedar", "Dogwood", "Elm", "Fir"])
    page.click("#next")
    listener.hears("Elm")
    page.locator("#queue-list li").nth(2).locator(".queue-jump").click()
    listener.hears("Cedar")
    listener.dwells()
    page.click("#previous")
    listener.hears("Birch")
    page.click("#queue-clear")
    expect(lines).to_have_text(["Birch"])
    expect(page.locator("#next")).to_be_disabled()


def test_the_next_track_begins_when_one_ends(listener: Listener, page: Page) -> None:
    listener.play("Amber")
    listener.hears("Amber")
    page.evaluate("audio.currentTime = 19.5")
    page.wait_for_function("() => !audio.src.includes('/amber/') && !audio.paused")


def test_a_radio_repeats_nothing_and_ends_with_a_word(listener: Listener, page: Page) -> None:
    listener.choose("Cedar", "Play things like this")
    listener.hears("Cedar")
    heard = [listener.current_id()]
    for _ in range(5):
        page.click("#next")
        page.wait_for_function("id => !audio.src.includes(`/${id}/`)", arg=heard[-1])
        heard.append(listener.current_id())
    assert sorted(heard) == ["amber", "birch", "cedar", "dogwood", "elm", "fir"]
    listener.sees(re.compile("There is nothing more like “.Cedar.”"))


@pytest.mark.complains("410")
def test_what_the_browser_cannot_play_is_said_and_skipped(
    listener: Listener, page: Page, stage: Stage, sounds: dict[str, bytes]
) -> None:
    stage.add("aa", title="Aardvark", data=sounds["audio/aiff"], media_type="audio/aiff")
    stage.add("ab", title="Abalone", data=b"x", media_type="audio/mpeg")
    (stage.folder / "ab.mp3").unlink()
    page.reload()
    listener.choose("Aardvark", "Play from here in order")
    listener.sees(re.compile("“.Aardvark.” is skipped: this browser cannot play AIFF."))
    listener.sees(re.compile("“.Abalone.” is skipped: its file is gone from its folder."))
    listener.hears("Amber")


def test_a_library_of_nothing_playable_ends_in_silence(
    listener: Listener, page: Page, stage: Stage, sounds: dict[str, bytes]
) -> None:
    for number in range(8):
        stage.add(f"a{number}", title=f"A{number}", data=sounds["audio/aiff"], media_type="audio/aiff")
    page.reload()
    listener.choose("A0", "Play from here in order")
    listener.sees("Several tracks in a row could not be played")
    expect(page.locator("#toggle")).to_have_attribute("aria-label", "Play")
    expect(page.locator("#player-title")).to_have_text("A4")


@pytest.mark.complains("ERR_")
def test_a_lost_server_is_said_and_the_music_waits(
    listener: Listener, page: Page, server: HttpServer
) -> None:
    listener.choose("Amber", "Play from here in order")
    listener.hears("Amber")
    server.stop()
    page.wait_for_timeout(300)
    page.click("#next")
    listener.sees("soundalike cannot be reached")
    expect(page.locator("#player-title")).to_have_text("Birch")
    expect(page.locator("#toggle")).to_have_attribute("aria-label", "Play")


def test_a_reload_remembers_the_queue_the_place_and_the_volume(listener: Listener, page: Page) -> None:
    listener.choose("Birch", "Play from here in order")
    listener.hears("Birch")
    listener.dwells()
    page.evaluate("audio.currentTime = 12")
    page.keyboard.press("m")
    page.reload()
    expect(page.locator("#player-title")).to_have_text("Birch")
    page.wait_for_function("() => audio.readyState > 0 && Math.abs(audio.currentTime - 12) < 1.5")
    assert page.evaluate("[audio.paused, audio.muted]") == [True, True]
    page.click("#toggle")
    listener.hears("Birch")
    page.click("#next")
    listener.hears("Cedar")


def test_a_track_queued_on_silence_is_played(listener: Listener) -> None:
    listener.choose("Elm", "Add to queue")
    listener.hears("Elm")


def test_keys_play_and_pause_and_show_themselves(listener: Listener, page: Page) -> None:
    listener.choose("Amber", "Play from here in order")
    listener.hears("Amber")
    page.locator("h1").click()
    page.keyboard.press(" ")
    page.wait_for_function("() => audio.paused")
    page.keyboard.press("n")
    listener.hears("Birch")
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#help")).to_be_hidden()


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


def stands_still(page: Page) -> bool:
    is_so: bool = page.evaluate(
        "new Promise((tell) => { const y = scrollY; setTimeout(() => tell(y === scrollY), 200) })"
    )
    return is_so


def test_pages_of_a_large_library_come_as_one_scrolls(page: Page, stage: Stage) -> None:
    for number in range(150):
        stage.add(f"z{number:03}", title=f"Z {number:03}")
    page.reload()

    def has_scrolled_to_the_end() -> bool:
        page.mouse.wheel(0, 5000)
        return page.locator("li.track").count() == 156

    until(page, has_scrolled_to_the_end)
    until(page, lambda: stands_still(page))
    page.locator("li.track[data-id=z149] a.track-title").click()
    expect(page.locator(".hero")).to_be_visible()
    page.go_back()
    expect(page.locator("li.track")).to_have_count(156)
    assert page.evaluate("scrollY") > 1000


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_everything_without_scrolling_sideways(
    page: Page, listener: Listener, scheme: str
) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", scheme)
    listener.play("Amber")
    listener.open("Birch")
    listener.choose("Fir", "Play next")
    page.click("#queue-button")
    expect(page.locator("#queue-list .track-title").nth(1)).to_have_text("Fir")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert too_small(page) == []


def test_it_works_without_scripts(page: Page, server: HttpServer) -> None:
    assert page.context.browser is not None
    context = page.context.browser.new_context(java_script_enabled=False)
    plain = context.new_page()
    plain.goto(server.url + "?query=ced")
    plain.click("a.track-title")
    expect(plain.get_by_role("heading", level=1)).to_have_text("Cedar")
    context.close()
