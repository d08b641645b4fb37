"""A person at the browser: what they do, and what they get to hear and see."""

import json
import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Locator, Page, Request, expect

from soundalike.domain.types import UserId
from soundalike.domain.users import YOU
from web.stage import Stage

PATIENCE_MS = 10_000
STEP_MS = 50


class Listener:
    """Acts by clicks and keys, and hears through the page's audio element."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def row(self, title: str) -> Locator:
        return self.page.locator("li.track").filter(has=self.page.get_by_text(title, exact=True))

    def play(self, title: str) -> None:
        """Play a track from its row, and wait for its sound."""
        self.row(title).locator("[data-do=play]").click()
        self.expect_sound(title)

    def choose(self, title: str, what: str) -> None:
        """Open the menu of a track and choose something from it."""
        self.row(title).locator("[data-do=menu]").click()
        self.page.locator("#menu").get_by_text(what, exact=True).click()

    def play_in_order(self, title: str) -> None:
        self.choose(title, "Play from here in order")
        self.expect_sound(title)

    def open(self, title: str) -> None:
        self.row(title).locator("a.track-title").click()
        expect(self.page.get_by_role("heading", level=1)).to_have_text(title)

    def expect_sound(self, title: str) -> None:
        """Wait until a track plays, by the clock of the audio element."""
        expect(self.page.locator("#player-title")).to_have_text(title)
        before = self.position_s()
        self.page.wait_for_function("second => !audio.paused && audio.currentTime > second + 0.1", arg=before)

    def expect_other_sound(self, track_id: str) -> None:
        """Wait until another track than this plays."""
        self.page.wait_for_function(
            "id => !audio.src.includes(`/${id}/`) && !audio.paused && audio.currentTime > 0.1", arg=track_id
        )

    def slow_down(self) -> None:
        """Make what plays take ten times as long, so that a test can act at a moment of it."""
        self.page.evaluate("audio.playbackRate = 0.1")

    def position_s(self) -> float:
        position: float = self.page.evaluate("audio.currentTime")
        return position

    def expect_toast(self, text: str | re.Pattern[str]) -> None:
        expect(self.page.locator(".toast-word").filter(has_text=text).first).to_be_visible()

    def open_queue(self) -> Locator:
        """Show the queue; return the lines of what comes next."""
        self.page.click("#queue-button")
        return self.page.locator("#queue-list li:not(.is-current)")

    def judgement(self, title: str, name: str) -> Locator:
        """Open the menu of a track; return its line for a judgement."""
        self.page.keyboard.press("Escape")
        self.row(title).locator("[data-do=menu]").click()
        return self.page.get_by_role("menuitemcheckbox", name=name, exact=True)

    def current_id(self) -> str:
        source: str = self.page.evaluate("audio.src")
        return source.split("/")[-2]


class RecordedListens:
    """Every listen that the server stores, and every request that brought some."""

    def __init__(self, page: Page, stage: Stage) -> None:
        self._page = page
        self._store = stage.store
        self._sent: list[list[dict[str, Any]]] = []
        page.context.on("request", self._note)

    def of(self, user_id: UserId = YOU) -> list[tuple[str, str]]:
        """Return kind and track of every listen of a user, oldest first."""
        return [(listen.kind.value, listen.track_id) for listen in self._store.listens_of(user_id)]

    def expect(self, *expected: tuple[str, str], user_id: UserId = YOU) -> None:
        """Wait until these listens and no others are stored."""
        wanted = list(expected)
        until(self._page, lambda: self.of(user_id) == wanted, lambda: f"{self.of(user_id)} is not {expected}")

    def ids(self) -> list[str]:
        """Return the ids of all events that were sent, as often as they were."""
        self._page.evaluate("0")  # the browser reports its requests before it answers
        return [event["id"] for events in self._sent for event in events]

    def _note(self, request: Request) -> None:
        if request.method == "POST" and request.url.endswith("/api/listens"):
            self._sent.append(json.loads(request.post_data or "{}")["events"])


def until(page: Page, is_so: Callable[[], bool], complaint: Callable[[], str] = lambda: "") -> None:
    """Wait until something is so, while the browser goes on."""
    for _ in range(PATIENCE_MS // STEP_MS):
        if is_so():
            return
        page.wait_for_timeout(STEP_MS)
    assert is_so(), complaint()


def stored(page: Page, name: str = "outbox") -> list[dict[str, Any]]:
    """Return the events in the browser's storage that wait to be sent."""
    events: list[dict[str, Any]] = page.evaluate(
        """(name) => Object.keys(localStorage).filter((key) => key.startsWith(`soundalike:${name}:`))
                       .map((key) => JSON.parse(localStorage[key]))""",
        name,
    )
    return sorted(events, key=lambda event: event["at"])


def too_small(page: Page) -> list[str]:
    """Return the controls that are too low for a finger."""
    found: list[str] = page.evaluate(
        """[...document.querySelectorAll("button, .form-control, #adventure")]
           .filter(one => one.checkVisibility() && one.getBoundingClientRect().height < 44)
           .map(one => one.outerHTML)"""
    )
    return found


def overflow_px(page: Page) -> int:
    """Return by how much the page is wider than the screen."""
    pixels: int = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return pixels
