"""Somebody at the browser: what they do, and what they hear."""

import re

from playwright.sync_api import Locator, Page, expect


class Listener:
    """Acts by clicks and keys alone; hears through the page's audio element."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def row(self, title: str) -> Locator:
        return self.page.locator("li.track").filter(has=self.page.get_by_text(title, exact=True))

    def play(self, title: str) -> None:
        self.row(title).locator("[data-do=play]").click()

    def choose(self, title: str, what: str) -> None:
        """Open the menu of a track and take something from it."""
        self.row(title).locator("[data-do=menu]").click()
        self.page.locator("#menu").get_by_role("menuitem", name=what, exact=True).click()

    def open(self, title: str) -> None:
        self.row(title).locator("a.track-title").click()
        expect(self.page.get_by_role("heading", level=1)).to_have_text(title)

    def hears(self, title: str) -> None:
        """Wait until a track is heard, by the clock of what sounds."""
        expect(self.page.locator("#player-title")).to_have_text(title)
        before = self.second()
        self.page.wait_for_function("second => !audio.paused && audio.currentTime > second + 0.2", arg=before)

    def second(self) -> float:
        second: float = self.page.evaluate("audio.currentTime")
        return second

    def sees(self, words: str | re.Pattern[str]) -> None:
        expect(self.page.locator(".toast-word").filter(has_text=words).first).to_be_visible()

    def current_id(self) -> str:
        source: str = self.page.evaluate("audio.src")
        return source.split("/")[-2]
