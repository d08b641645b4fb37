"""A library in which queues change, and what is seen of them."""

import numpy as np
from playwright.sync_api import Locator, Page, expect

from browser.conftest import LENGTH_S
from browser.listener import until
from web.stage import Stage


def three_groups(stage: Stage, sound: bytes) -> Stage:
    """Add sixty tracks by twenty artists on a plain, in three groups that lie apart, none on another."""
    jitter = np.random.default_rng(5).uniform(-0.2, 0.2, size=(60, 2))
    for number, (dx, dy) in enumerate(jitter.tolist()):
        group, place = divmod(number, 20)
        name = f"{'abc'[group]}{place:02}"
        stage.add(
            name,
            title=name.upper(),
            artist=f"Artist {place}",
            data=sound,
            media_type="audio/ogg",
            duration_ms=1000 * LENGTH_S,
            point=(place % 5 + 8 * group + dx, place // 5 + dy),
        )
    stage.build(k=10)
    return stage


def titles(lines: Locator) -> list[str]:
    return lines.locator(".track-title").all_inner_texts()


def reasons(lines: Locator) -> list[str]:
    return lines.locator(".queue-reason").all_inner_texts()


def recommended(lines: Locator) -> list[str]:
    """Wait until ten tracks are recommended; return their titles."""
    expect(lines).to_have_count(10)
    return titles(lines)


def changes(lines: Locator, before: list[str]) -> None:
    """Wait until the queue has something new; going on alone would only take its first line away."""
    until(lines.page, lambda: bool(set(titles(lines)) - set(before)))


def questions(page: Page) -> list[dict[str, str]]:
    """Collect the questions for recommendations from now on."""
    asked: list[dict[str, str]] = []

    def note(url: str) -> None:
        if "/api/recommendations?" in url:
            pairs = (pair.split("=", 1) for pair in url.split("?", 1)[1].split("&"))
            asked.append({name: value.replace("%2C", ",") for name, value in pairs})

    page.on("request", lambda request: note(request.url))
    return asked
