"""The player bar, the keys, and what a real audio element does with them."""

import json
import re

import pytest
from playwright.sync_api import Page, expect

from browser.conftest import tone
from browser.listener import Listener, RecordedListens, until
from soundalike.domain.files import Part
from soundalike.domain.users import YOU
from web.stage import Stage

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

ODD_STATE = {
    "queue": {"entries": [{"track": {"id": "amber", "title": "Amber"}, "reason": {"text": 5}}], "index": 0},
    "guide": {"mode": "like", "seed": {"id": "a"}, "played": [1, None]},
    "volume": 1e9,
    "position": -5,
}
RELEASE_SPACE = "like.dispatchEvent(new KeyboardEvent('keyup', {key: ' ', bubbles: true, cancelable: true}))"


def test_seeking_goes_where_it_is_asked_to_in_every_format(listener: Listener, page: Page) -> None:
    for title in ("Amber", "Birch", "Cedar", "Dogwood"):
        listener.play(title)
        box = page.locator("#seek").bounding_box()
        assert box is not None
        page.mouse.click(box["x"] + box["width"] * 0.5, box["y"] + box["height"] / 2)
        page.wait_for_function("() => Math.abs(audio.currentTime - 10) < 2 && !audio.seeking")
        listener.expect_sound(title)
        page.locator("h1").click()
        page.keyboard.press("ArrowLeft")
        page.wait_for_function("() => audio.currentTime < 8.5 && !audio.seeking")
        listener.expect_sound(title)


def test_what_is_heard_is_recorded_as_it_was(
    listener: Listener, page: Page, stage: Stage, listens: RecordedListens
) -> None:
    listener.play_in_order("Amber")
    page.evaluate("audio.currentTime = 19.6")
    listener.expect_sound("Birch")
    page.evaluate("audio.currentTime = 7")
    page.wait_for_function("() => audio.currentTime > 7.1 && !audio.seeking")
    page.click("#next")
    listener.expect_sound("Cedar")
    told = [("started", "amber"), ("finished", "amber"), ("started", "birch"), ("skipped", "birch")]
    listens.expect(*told, ("started", "cedar"))
    skip = next(listen for listen in stage.store.listens_of(YOU) if listen.kind == "skipped")
    assert skip.position_ms is not None
    assert 7_000 <= skip.position_ms <= 12_000
    listener.slow_down()
    page.evaluate("audio.currentTime = 18.2")
    until(page, lambda: ("finished", "cedar") in listens.of())
    page.goto("about:blank")
    listens.expect(*told, ("started", "cedar"), ("finished", "cedar"))


def test_parts_of_one_file_that_follow_each_other_are_heard_without_a_gap(
    listener: Listener, page: Page, stage: Stage, listens: RecordedListens, sounds: dict[str, bytes]
) -> None:
    for name, part in (("one", Part(0, 3_000, 1_000)), ("two", Part(3_000, None, 1_000))):
        stage.add(
            name,
            title=f"Part {name}",
            path=b"image.wav",
            part=part,
            data=sounds["audio/wav"],
            media_type="audio/wav",
            duration_ms=3_000 if name == "one" else 17_000,
        )
    page.goto(f"{page.url}?query=part")
    listener.play_in_order("Part one")
    page.evaluate("""() => {
        window.stops = [];
        for (const type of ["pause", "ended", "emptied", "waiting"])
            audio.addEventListener(type, () => stops.push(type));
    }""")
    expect(page.locator("#player-title")).to_have_text("Part two")
    listener.expect_sound("Part two")
    assert page.evaluate("stops") == []
    assert listener.position_s() > 3
    listens.expect(("started", "one"), ("finished", "one"), ("started", "two"))


def test_a_reload_remembers_queue_place_and_volume_and_is_the_same_play(
    listener: Listener, page: Page, listens: RecordedListens
) -> None:
    listener.play_in_order("Birch")
    listener.slow_down()
    page.evaluate("audio.currentTime = 12")
    page.keyboard.press("m")
    page.reload()
    expect(page.locator("#player-title")).to_have_text("Birch")
    page.wait_for_function("() => audio.readyState > 0 && Math.abs(audio.currentTime - 12) < 1.5")
    assert page.evaluate("[audio.paused, audio.muted]") == [True, True]
    page.click("#toggle")
    listener.expect_sound("Birch")
    page.click("#next")
    listener.expect_sound("Cedar")
    listens.expect(("started", "birch"), ("skipped", "birch"), ("started", "cedar"))


def test_a_new_tab_and_a_copy_of_a_tab_have_played_nothing_and_pause_the_tab_before(
    listener: Listener, page: Page, listens: RecordedListens
) -> None:
    listener.play_in_order("Amber")
    listens.expect(("started", "amber"))
    with page.context.expect_page() as opened:
        page.evaluate("window.open(location.href)")
    copy, fresh = opened.value, page.context.new_page()
    fresh.goto(page.url)
    for other in (copy, fresh):
        expect(other.locator("#player-title")).to_have_text("Amber")
    for earlier, other in ((page, copy), (copy, fresh)):
        other.keyboard.press("n")
        Listener(other).expect_sound("Birch")
        earlier.wait_for_function("() => audio.paused")
    listens.expect(("started", "amber"), ("started", "birch"), ("started", "birch"))
    page.click("#next")
    until(page, lambda: listens.of().count(("skipped", "amber")) == 1)


@pytest.mark.console_errors("410")
def test_what_the_browser_cannot_play_is_said_and_skipped(
    listener: Listener, page: Page, stage: Stage, sounds: dict[str, bytes]
) -> None:
    stage.add("aa", title="Aardvark", data=sounds["audio/aiff"], media_type="audio/aiff")
    stage.add("ab", title="Abalone", data=b"x", media_type="audio/mpeg")
    (stage.folder / "ab.mp3").unlink()
    page.reload()
    listener.choose("Aardvark", "Play from here in order")
    listener.expect_toast(re.compile("“.Aardvark.” is skipped: this browser cannot play AIFF."))
    listener.expect_toast(re.compile("“.Abalone.” is skipped: its file is gone from its folder."))
    listener.expect_sound("Amber")


def test_keys_control_what_plays(listener: Listener, page: Page, listens: RecordedListens) -> None:
    page.keyboard.press("?")
    for text in ("like (again takes it back), dislike", "less of this", "why this?"):
        expect(page.locator("#help")).to_contain_text(text)
    page.keyboard.press("Escape")
    expect(page.locator("#help")).to_be_hidden()
    for key in "ldxw":
        page.keyboard.press(key)
    listener.play_in_order("Amber")
    listener.row("Cedar").locator("a.track-title").focus()
    page.keyboard.press(" ")
    page.wait_for_function("() => audio.paused")
    assert page.evaluate("scrollY") == 0
    page.keyboard.press("n")
    listener.expect_sound("Birch")
    page.keyboard.press("L")
    until(page, lambda: ("liked", "birch") in listens.of())
    page.keyboard.press("w")
    expect(page.locator("#why")).to_be_visible()
    page.keyboard.press("x")
    page.keyboard.press("Escape")
    expect(page.locator("#why")).to_be_hidden()
    listener.slow_down()
    page.locator("#seek").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => audio.currentTime > 10 && audio.currentTime < 13")
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("() => audio.currentTime < 9")
    page.keyboard.press("Shift+ArrowDown")
    expect(page.locator("#volume")).to_have_value("0.95")
    assert page.evaluate("audio.volume") == pytest.approx(0.95**2)
    page.keyboard.press("m")
    expect(page.locator("#mute")).to_have_attribute("aria-pressed", "true")
    told = [("started", "amber"), ("skipped", "amber"), ("started", "birch"), ("liked", "birch")]
    until(page, lambda: sorted(listens.of()) == sorted(told), lambda: str(listens.of()))


def test_a_double_click_on_a_row_plays(listener: Listener, page: Page, listens: RecordedListens) -> None:
    for _ in ("another track", "the one that plays"):
        listener.row("Amber").locator(".track-length").dblclick()
        listener.expect_sound("Amber")
    assert page.evaluate("getSelection().toString()") == ""
    page.keyboard.press(" ")
    listener.row("Amber").locator("[data-do=play]").dblclick()
    listener.expect_sound("Amber")
    listens.expect(("started", "amber"))


def test_space_plays_and_pauses_wherever_a_click_or_the_key_for_the_queue_left_the_focus(
    listener: Listener, page: Page, listens: RecordedListens
) -> None:
    def press_space_twice() -> None:
        for is_paused in ("true", "false"):
            page.keyboard.press(" ")
            page.wait_for_function(f"() => audio.paused === {is_paused}")

    listener.play("Amber")
    listener.slow_down()
    page.click("#like")
    press_space_twice()
    assert not page.evaluate(RELEASE_SPACE), "Firefox would press the button now"
    page.keyboard.press("m")  # from now on the browser shows the focus
    press_space_twice()
    page.click("#why-this")
    page.keyboard.press("Escape")
    press_space_twice()
    listener.row("Cedar").locator("[data-do=menu]").click()
    page.keyboard.press("Escape")
    press_space_twice()
    for state in ("true", "false"):
        page.keyboard.press("q")
        press_space_twice()
        expect(page.locator("#queue-button")).to_have_attribute("aria-expanded", state)
    page.click("#like")
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press(" ")
    assert page.evaluate(RELEASE_SPACE)
    page.keyboard.press("m")
    page.keyboard.press(" ")
    kinds = ("started", "liked", "unliked", "liked", "unliked")
    listens.expect(*((kind, "amber") for kind in kinds))


def test_the_bar_shows_length_and_volume(listener: Listener, page: Page, stage: Stage) -> None:
    aspen = tone(220, "WAV", length_s=4.98)
    stage.add("aa", title="Aspen", data=aspen, media_type="audio/wav", duration_ms=4980)
    stage.build("v2")
    page.reload()
    listener.play("Aspen")
    expect(listener.row("Aspen").locator(".track-length")).to_have_text("0:05")
    expect(page.locator("#total")).to_have_text("0:05")
    page.locator("#volume").fill("0")
    expect(page.locator("#mute")).to_have_attribute("aria-label", "Unmute")
    page.click("#mute")
    expect(page.locator("#mute")).to_have_attribute("aria-label", "Mute")
    assert page.evaluate("[audio.muted, audio.volume]") == [False, 1]


def test_a_memory_that_makes_no_sense_does_no_harm(listener: Listener, page: Page) -> None:
    text = json.dumps(json.dumps(ODD_STATE))
    # Once, before the page's own scripts: the page that closes has written its own state by then.
    page.add_init_script(
        "if (!sessionStorage.isSeeded) {"
        f" sessionStorage.isSeeded = 1; localStorage.setItem('soundalike:player:you', {text}) }}"
    )
    page.reload()
    page.click("#queue-button")
    page.keyboard.press("w")
    page.keyboard.press("Escape")
    listener.play_in_order("Birch")
    page.click("#next")
    listener.expect_sound("Cedar")
    assert page.evaluate("audio.volume") == 1
