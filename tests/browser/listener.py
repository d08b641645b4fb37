"""Somebody at the browser: what they do, and what they hear."""

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
CLOCK_STEP_MS = 25


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
        self.page.locator("#menu").get_by_text(what, exact=True).click()

    def open(self, title: str) -> None:
        self.row(title).locator("a.track-title").click()
        expect(self.page.get_by_role("heading", level=1)).to_have_text(title)

    def hears(self, title: str) -> None:
        """Wait until a track is heard, by the clock of what sounds."""
        expect(self.page.locator("#player-title")).to_have_text(title)
        before = self.second()
        self.page.wait_for_function("second => !audio.paused && audio.currentTime > second + 0.2", arg=before)

    def dwells(self) -> None:
        """Let what plays take ten times as long, so that its moments can be met."""
        self.page.evaluate("audio.playbackRate = 0.1")

    def second(self) -> float:
        second: float = self.page.evaluate("audio.currentTime")
        return second

    def sees(self, words: str | re.Pattern[str]) -> None:
        expect(self.page.locator(".toast-word").filter(has_text=words).first).to_be_visible()

    def open_queue(self) -> Locator:
        """Show the queue; return the lines of what is to come."""
        self.page.click("#queue-button")
        return self.page.locator("#queue-list li:not(.is-current)")

    def current_id(self) -> str:
        source: str = self.page.evaluate("audio.src")
        return source.split("/")[-2]


class Ledger:
    """What the server was told: every listen it keeps, and every request that brought some."""

    def __init__(self, page: Page, stage: Stage) -> None:
        self._page = page
        self._store = stage.store
        self._sent: list[list[dict[str, Any]]] = []
        page.context.on("request", self._note)

    def of(self, user_id: UserId = YOU) -> list[tuple[str, str]]:
        """Return kind and track of every listen of a user, oldest first."""
        return [(listen.kind.value, listen.track_id) for listen in self._store.listens_of(user_id)]

    def becomes(self, *expected: tuple[str, str]) -> None:
        """Wait until these listens and no others are kept."""
        until(self._page, lambda: self.of() == list(expected), lambda: f"{self.of()} is not {expected}")

    @property
    def sent(self) -> list[list[dict[str, Any]]]:
        """The events of every request up to now, in the order sent."""
        hear_out(self._page)
        return self._sent

    def ids(self) -> list[str]:
        """Return the ids of all events that were sent, as often as they were."""
        return [event["id"] for events in self.sent for event in events]

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


def hear_out(page: Page) -> None:
    """Let the browser tell of all that it did: it does so before it answers."""
    page.evaluate("0")


class Requests:
    """What is asked of the server from now on, of a kind: how often, and how much of it at once."""

    def __init__(self, page: Page, is_meant: Callable[[Request], bool]) -> None:
        self.open: set[Request] = set()
        self.most_at_once = 0
        self._is_meant = is_meant
        self._count = 0
        page.context.on("request", self._begin)
        page.context.on("requestfinished", self._end)
        page.context.on("requestfailed", self._end)

    def __len__(self) -> int:
        return self._count

    def _begin(self, request: Request) -> None:
        if self._is_meant(request):
            self._count += 1
            self.open.add(request)
            self.most_at_once = max(self.most_at_once, len(self.open))

    def _end(self, request: Request) -> None:
        self.open.discard(request)


class StoppedClock:
    """A clock on which time passes for a page's scripts when told to, whatever else goes on meanwhile."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._requests = Requests(page, lambda request: request.resource_type == "fetch")
        page.clock.install()
        page.clock.pause_at(page.evaluate("Date.now() / 1000") + 1)  # never in its past

    def passes(self, ms: int, is_so: Callable[[], bool] = lambda: False) -> None:
        """Let so much time pass, or less where something is so before; every answer comes at once."""
        for _ in range(ms // CLOCK_STEP_MS):
            if is_so():
                return
            self._page.clock.run_for(CLOCK_STEP_MS)
            until(self._page, self._is_answered)

    def goes_on(self) -> None:
        self._page.clock.resume()

    def _is_answered(self) -> bool:
        hear_out(self._page)
        return not self._requests.open


def remember(page: Page, state: object) -> None:
    """Open the page anew as if the browser had remembered this state of the player."""
    text = json.dumps(json.dumps(state))
    # Once, before the page's own scripts: the page that goes has written its own state by then.
    page.add_init_script(
        "if (!sessionStorage.isSeeded) {"
        f" sessionStorage.isSeeded = 1; localStorage.setItem('soundalike:player:you', {text}) }}"
    )
    page.reload()


def stored(page: Page) -> list[dict[str, Any]]:
    """Return the events that wait in the browser's storage."""
    events: list[dict[str, Any]] = page.evaluate(
        """() => Object.keys(localStorage).filter((key) => key.startsWith("soundalike:outbox:"))
                 .map((key) => JSON.parse(localStorage[key]))"""
    )
    return sorted(events, key=lambda event: event["at"])


def too_small(page: Page) -> list[str]:
    """Return what is to be touched and is lower than a finger."""
    found: list[str] = page.evaluate(
        """[...document.querySelectorAll("button, .form-control, #adventure")]
           .filter(one => one.checkVisibility() && one.getBoundingClientRect().height < 44)
           .map(one => one.outerHTML)"""
    )
    return found
