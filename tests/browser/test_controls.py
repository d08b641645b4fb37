import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from browser.conftest import tone
from browser.listener import Listener
from soundalike.web.server.serve import HttpServer
from web.stage import Stage

pytestmark = pytest.mark.browser


@pytest.fixture
def bare(tmp_path: Path) -> Stage:
    """One process alone: what is tested here is of the page, whatever store and log are behind it."""
    return Stage(tmp_path)


def test_the_bar_and_the_page_tell_one_length(listener: Listener, page: Page, stage: Stage) -> None:
    stage.add(
        "aa", title="Aspen", data=tone(220, "WAV", length_s=4.98), media_type="audio/wav", duration_ms=4980
    )
    stage.build("v2")
    page.reload()
    listener.play("Aspen")
    listener.hears("Aspen")
    expect(listener.row("Aspen").locator(".track-length")).to_have_text("0:05")
    expect(page.locator("#total")).to_have_text("0:05")


def test_arrows_seek_five_seconds_on_the_bar_too(listener: Listener, page: Page) -> None:
    listener.play("Amber")
    listener.hears("Amber")
    listener.dwells()
    page.locator("#seek").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => audio.currentTime > 10 && audio.currentTime < 13")
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("() => audio.currentTime < 9")


def test_silence_by_the_slider_is_ended_by_the_button(listener: Listener, page: Page) -> None:
    listener.play("Amber")
    page.locator("#volume").fill("0")
    expect(page.locator("#mute")).to_have_attribute("aria-label", "Unmute")
    page.click("#mute")
    expect(page.locator("#mute")).to_have_attribute("aria-label", "Mute")
    assert page.evaluate("[audio.muted, audio.volume]") == [False, 1]


def test_escape_empties_the_search_and_then_leaves_it(page: Page) -> None:
    field = page.locator("#search input")
    field.fill("ced")
    expect(page.locator("li.track")).to_have_count(1)
    field.press("Escape")
    expect(field).to_have_value("")
    expect(page.locator("li.track")).to_have_count(6)
    expect(field).to_be_focused()
    field.press("Escape")
    expect(field).not_to_be_focused()


def test_letters_typed_into_the_search_are_no_commands(listener: Listener, page: Page) -> None:
    listener.play("Amber")
    listener.hears("Amber")
    page.locator("#search input").press_sequentially("n mq?/p ")
    expect(page.locator("#search input")).to_have_value("n mq?/p ")
    expect(page.locator("#help")).to_be_hidden()
    expect(page.locator("#queue")).to_be_hidden()
    assert not page.evaluate("audio.muted")
    listener.hears("Amber")


def test_a_link_opens_a_tab_of_its_own_where_that_is_asked_for(
    listener: Listener, page: Page, server: HttpServer
) -> None:
    listener.play("Amber")
    with page.context.expect_page() as opened:
        listener.row("Cedar").locator("a.track-title").click(modifiers=["ControlOrMeta"])
    expect(opened.value).to_have_title("Cedar · soundalike")
    assert opened.value.evaluate("audio.paused")
    assert page.url == server.url
    listener.hears("Amber")


def test_every_radio_remembers_its_own_tracks_alone(listener: Listener, page: Page) -> None:
    for seed in ("Cedar", "Birch"):
        listener.choose(seed, "Play things like this")
        listener.hears(seed)
        heard = [listener.current_id()]
        for _ in range(5):
            page.click("#next")
            page.wait_for_function("id => !audio.src.includes(`/${id}/`)", arg=heard[-1])
            heard.append(listener.current_id())
        assert len(set(heard)) == 6
        listener.sees(re.compile(f"There is nothing more like “.{seed}.”"))
