import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from browser.listener import Listener, remember, until
from web.stage import Stage

pytestmark = pytest.mark.browser


@pytest.fixture
def bare(tmp_path: Path) -> Stage:
    """One process alone: what is tested here is of the page, whatever store and log are behind it."""
    return Stage(tmp_path)


def test_next_waits_for_what_the_radio_is_asking_for(listener: Listener, page: Page) -> None:
    listener.play("Fir")
    listener.hears("Fir")
    late: list[Route] = []
    page.route("**/recommendations?*", lambda route: late.append(route))  # noqa: PLW0108 - what Playwright marks
    page.click("#like-this")
    page.click("#next")
    until(page, lambda: len(late) == 1)
    page.wait_for_timeout(200)
    expect(page.locator("#player-title")).to_have_text("Fir")
    late[0].continue_()
    page.wait_for_function("() => !audio.src.includes('/fir/') && !audio.paused")


@pytest.mark.complains("ERR_FAILED")
def test_a_radio_that_is_cut_off_says_so(listener: Listener, page: Page) -> None:
    page.route("**/recommendations?*", lambda route: route.abort())
    listener.choose("Cedar", "Play things like this")
    listener.sees("The radio stopped: soundalike cannot be reached.")
    listener.hears("Cedar")


def test_going_back_ends_waiting_for_a_page(listener: Listener, page: Page) -> None:
    listener.open("Cedar")
    page.click(".wordmark")
    expect(page.locator("li.track")).to_have_count(6)
    page.route("**/?sort=artist", lambda _: None)
    page.select_option("#sort", "artist")
    expect(page.locator("#loading")).to_be_visible()
    page.go_back()
    expect(page).to_have_title("Cedar · soundalike")
    expect(page.locator("#loading")).to_be_hidden()


@pytest.mark.complains("ERR_FAILED")
def test_a_cover_that_did_not_come_hides_no_later_one(
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


@pytest.mark.complains("503")
def test_the_rest_of_a_list_can_be_had_after_a_failure(page: Page, stage: Stage) -> None:
    for number in range(60):
        stage.add(f"z{number:03}", title=f"Z {number:03}")
    page.route("**/?cursor=*", lambda route: route.fulfill(status=503, body="<p>busy</p>"))
    page.reload()
    with page.expect_response("**/?cursor=*"):
        page.mouse.wheel(0, 5000)
    page.wait_for_timeout(300)
    page.unroute("**/?cursor=*")
    page.click("a[data-more]")
    expect(page.locator("li.track")).to_have_count(66)


@pytest.mark.parametrize(
    ("media_type", "name"),
    [
        ("audio/aiff", "AIFF"),
        ("audio/mp4; codecs=alac", "ALAC"),
        ("audio/x-caf", "CAF"),
        ("audio/ogg; codecs=flac", "FLAC"),
    ],
)
def test_a_format_is_called_by_its_name(
    listener: Listener, page: Page, stage: Stage, media_type: str, name: str
) -> None:
    stage.add("aa", title="Aardvark", data=b"no sound at all", media_type=media_type)
    stage.build("v2")
    page.reload()
    listener.play("Aardvark")
    listener.sees(re.compile(f"“.Aardvark.” is skipped: this browser cannot play {name}."))


TRACK = {"id": "amber", "title": "Amber"}
ODD_STATES = [
    [],
    {"queue": 5, "guide": "x", "volume": "loud", "position": {}},
    {"queue": {"entries": [None], "index": 0}},
    {"queue": {"entries": [{"track": TRACK}, {"track": {"id": "b", "title": None}}], "index": 0}},
    {"queue": {"entries": [{"track": TRACK}], "index": "length"}},
    {"queue": {"entries": [{"track": TRACK, "reason": {"text": 5}}], "index": 0}},
    {"queue": {"entries": [{"track": TRACK, "reason": {"text": "", "because": [None]}}], "index": 0}},
    {"queue": {"entries": [{"track": TRACK}], "index": 0}, "guide": {"mode": "like", "seed": {"id": "a"}}},
    {"guide": {"mode": "constructor", "seed": 1}},
    {"volume": 1e9, "position": -5, "guide": {"played": [1, None]}},
]


@pytest.mark.parametrize("state", ODD_STATES, ids=repr)
def test_a_memory_that_makes_no_sense_hinders_nothing(listener: Listener, page: Page, state: object) -> None:
    remember(page, state)
    page.click("#queue-button")
    page.keyboard.press("w")
    page.keyboard.press("Escape")
    listener.choose("Birch", "Play from here in order")
    listener.hears("Birch")
    page.click("#next")
    listener.hears("Cedar")
    assert page.evaluate("[0, 1].includes(audio.volume)")
