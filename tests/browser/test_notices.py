"""What a page shows while the event log, the store or the whole server is away."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from browser.listener import Listener, RecordedListens, stored, until
from browser.queues import recommended, three_groups, titles
from soundalike.domain.errors import StoreUnavailableError
from soundalike.domain.ports.listening import LogHealth
from web.stage import LaterStage, Stage

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

NOBODY = LogHealth(is_consumed=False, detail="no consumer is running; start one with 'soundalike consume'")
STORE_AWAY = "The library's database does not answer. What you do is stored in this browser until it is back."
CANNOT_BE_REACHED = "soundalike cannot be reached. What you do is stored in this browser until it is back."
ASKED_AGAIN_MS = 6_500
HIDE = """() => Object.defineProperty(document, "visibilityState", {value: "hidden", configurable: true})"""


@pytest.fixture
def later(tmp_path: Path, sounds: dict[str, bytes]) -> LaterStage:
    """A library whose log folds on demand."""
    stage = LaterStage(tmp_path)
    three_groups(stage, sounds["audio/ogg"])
    return stage


@contextmanager
def store_away(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the store answer nothing that a player asks for."""

    def fail(*_: object, **__: object) -> None:
        msg = "no answer from mongodb"
        raise StoreUnavailableError(msg)

    with monkeypatch.context() as away:
        for name in ("has_users", "track", "tracks", "count_tracks", "profile_version"):
            away.setattr(stage.store, name, fail)
        yield


@contextmanager
def consuming(stage: LaterStage) -> Iterator[None]:
    """Fold what comes, soon, as a consumer does."""
    ended = threading.Event()

    def consume() -> None:
        while not ended.wait(0.03):
            stage.log.fold()

    thread = threading.Thread(target=consume)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


class TestWhereTheLogFoldsLater:
    @pytest.fixture
    def stage(self, later: LaterStage) -> LaterStage:
        return later

    def test_the_queue_follows_once_what_was_done_is_folded(
        self, listener: Listener, page: Page, stage: LaterStage
    ) -> None:
        listener.play("A00")
        lines = listener.open_queue()
        liked = lines.filter(has_text="which you liked today")
        recommended(lines)
        page.keyboard.press("l")
        until(page, lambda: stage.log.waiting == 2 and stored(page) == [])
        expect(liked).to_have_count(0)
        with consuming(stage):
            expect(liked.first).to_be_visible()
            until(page, lambda: stored(page, "unfolded") == [])

    def test_that_nobody_folds_is_shown_quietly_until_somebody_does(
        self, page: Page, stage: LaterStage
    ) -> None:
        notice = page.locator("#log-notice")
        expect(notice).to_be_hidden()
        stage.log.known_health = NOBODY
        page.reload()
        expect(notice).to_have_text(
            "What you do is stored, but recommendations are not updated at the moment: "
            "no consumer is running."
        )
        stage.log.known_health = LogHealth()
        page.evaluate("dispatchEvent(new Event('visibilitychange'))")
        expect(notice).to_be_hidden()

    def test_the_notice_covers_nothing_that_one_needs_and_nothing_covers_it(
        self, listener: Listener, page: Page, stage: LaterStage
    ) -> None:
        stage.log.known_health = NOBODY
        for width, height in ((1280, 800), (800, 800), (390, 844)):
            page.set_viewport_size({"width": width, "height": height})
            page.reload()
            expect_room(listener, page, width)


def expect_room(listener: Listener, page: Page, width: int) -> None:
    """Expect the notice, the player, the queue and the top of the page to share no room."""
    if page.evaluate("audio.paused"):
        listener.row("A00").locator("[data-do=play]").click()
        listener.expect_sound("A00")
    close = page.get_by_role("button", name="Close this notice")
    expect(close).to_be_in_viewport(ratio=1)
    size = close.bounding_box()
    assert size is not None
    assert min(size["width"], size["height"]) >= 44
    until(page, lambda: not overlap(page, "#log-notice", "#player"))
    lines = listener.open_queue()
    expect(lines.first).to_be_visible()
    apart = [
        ("#log-notice", "#player"),
        ("#log-notice", "#queue"),
        ("#log-notice", ".top"),
        ("#queue", ".top"),
    ]

    def overlapping() -> list[tuple[str, str]]:
        return [two for two in apart if overlap(page, *two)]

    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        until(page, lambda: overlapping() == [], lambda: str(overlapping()))
        expect(page.locator("#log-notice span")).to_be_in_viewport(ratio=1)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    lines.first.locator("[data-do=remove]").click()
    before = bottom(page, "#queue")
    close.click()
    expect(page.locator("#log-notice")).to_be_hidden()
    if width == 390:  # the queue takes the room that the notice had
        until(page, lambda: bottom(page, "#queue") > before)
    else:
        assert bottom(page, "#queue") == before


def bottom(page: Page, what: str) -> float:
    box = page.locator(what).bounding_box()
    assert box is not None
    return box["y"] + box["height"]


def overlap(page: Page, one: str, other: str) -> bool:
    """Whether two things on the page share any of its room."""
    first, second = page.locator(one).bounding_box(), page.locator(other).bounding_box()
    assert first is not None
    assert second is not None
    is_beside = first["x"] + first["width"] <= second["x"] or second["x"] + second["width"] <= first["x"]
    is_above = first["y"] + first["height"] <= second["y"] or second["y"] + second["height"] <= first["y"]
    return not (is_beside or is_above)


class TestWhereTheLogFoldsAtOnce:
    @pytest.fixture
    def stage(self, bare: Stage, sounds: dict[str, bytes]) -> Stage:
        return three_groups(bare, sounds["audio/ogg"])

    @pytest.mark.console_errors("503")
    def test_while_the_store_is_away_that_is_shown_and_what_plays_goes_on(
        self,
        listener: Listener,
        page: Page,
        stage: Stage,
        listens: RecordedListens,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        page.clock.install()
        listener.play("A00")
        listener.slow_down()
        before = recommended(listener.open_queue())
        listens.expect(("started", "a00"))
        lines = page.locator("#queue-list li:not(.is-current)")
        notice = page.locator("#log-notice")
        with store_away(stage, monkeypatch):
            page.keyboard.press("l")
            page.clock.run_for(1_100)
            listener.expect_toast(re.compile("the queue stays as it is: the library's database does not"))
            expect(notice).to_have_text(STORE_AWAY)
            listener.expect_sound("A00")
            assert titles(lines) == before
            page.keyboard.press("n")
            listener.expect_toast(
                re.compile("The library cannot be reached at the moment. Playback continues")
            )
            page.wait_for_function("() => audio.paused")
            assert titles(lines) == before[1:]
            assert [event["kind"] for event in stored(page)] == ["liked", "skipped"]
        page.clock.run_for(ASKED_AGAIN_MS)
        listener.expect_sound(before[0])
        expect(notice).to_be_hidden()
        until(page, lambda: stored(page) == [])
        page.clock.run_for(1_100)
        recommended(lines)

    @pytest.mark.console_errors("ERR_INTERNET_DISCONNECTED")
    def test_sound_that_stopped_with_the_server_comes_back_with_it_even_unseen(
        self, listener: Listener, page: Page
    ) -> None:
        page.clock.install()
        notice = page.locator("#log-notice")
        page.context.set_offline(True)
        listener.row("A00").locator("[data-do=play]").click()
        listener.expect_toast("soundalike cannot be reached. Playback continues when it is back.")
        expect(page.locator("#toggle")).to_have_attribute("aria-label", "Play")
        expect(notice).to_have_text(CANNOT_BE_REACHED)
        page.evaluate(HIDE)
        page.clock.run_for(ASKED_AGAIN_MS)
        page.context.set_offline(False)
        page.clock.run_for(ASKED_AGAIN_MS)
        listener.expect_sound("A00")
        expect(notice).to_be_hidden()
