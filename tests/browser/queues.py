"""A library in which queues change, and what a page shows of them."""

import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import numpy as np
from playwright.sync_api import Locator, Page, Request, expect

from browser.conftest import LENGTH_S
from browser.listener import until
from web.stage import Stage

RECOMMENDATIONS = "**/api/recommendations?*"


def three_groups(stage: Stage, sound: bytes) -> Stage:
    """Add sixty tracks by twenty artists as points on a plane, in three groups far from each other."""
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


def expect_new(lines: Locator, before: list[str]) -> None:
    """Wait until the queue has something new; going on alone would only take its first line away."""
    until(lines.page, lambda: bool(set(titles(lines)) - set(before)))


def questions(page: Page) -> list[dict[str, str]]:
    """Collect the queries for recommendations from now on."""
    asked: list[dict[str, str]] = []

    def note(request: Request) -> None:
        if "/api/recommendations?" in request.url:
            asked.append(dict(parse_qsl(urlsplit(request.url).query)))

    page.on("request", note)
    return asked


def answer_with(page: Page, found: list[dict[str, Any]], note: str | None = None) -> None:
    """Let every question for recommendations have this answer."""
    body = json.dumps({"artefact": "v", "profile_version": "p", "recommendations": found, "note": note})
    page.route(RECOMMENDATIONS, lambda route: route.fulfill(body=body, content_type="application/json"))


def one_recommendation(
    track_id: str, reason: str, because: list[dict[str, str]], *, title: str = "A track"
) -> dict[str, Any]:
    tags = {"title": title, "artist": title, "album": None, "genre": None, "year": None}
    track = {"id": track_id, **tags, "duration_ms": 1000}
    return {"track": track, "distance": 1, "score": 1, "reason": {"text": reason, "because": because}}
