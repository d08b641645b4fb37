"""What is liked and disliked is shown as the server knows it, with what it has not heard yet on top."""

import json
import re

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from browser.listener import Ledger, Listener, stored, until
from soundalike.domain.users import YOU
from web.stage import Stage

pytestmark = pytest.mark.browser

JUDGEMENTS, LISTENS = "**/api/judgements", "**/api/listens"


def opinion(listener: Listener, title: str, name: str) -> Locator:
    """Open the menu of a track; return its line for an opinion."""
    listener.page.keyboard.press("Escape")
    listener.row(title).locator("[data-do=menu]").click()
    return listener.page.get_by_role("menuitemcheckbox", name=name, exact=True)


def test_what_was_said_elsewhere_is_shown_here(listener: Listener, page: Page, stage: Stage) -> None:
    stage.listen(YOU, 30, track_id="amber", kind="liked")
    stage.listen(YOU, 20, track_id="cedar", kind="disliked")
    stage.listen(YOU, 10, track_id="birch", kind="liked")
    stage.listen(YOU, 5, track_id="birch", kind="unliked")
    page.reload(wait_until="networkidle")
    for title, name, is_so in (
        ("Amber", "Like", "true"),
        ("Cedar", "Dislike", "true"),
        ("Cedar", "Like", "false"),
        ("Birch", "Like", "false"),
    ):
        expect(opinion(listener, title, name)).to_have_attribute("aria-checked", is_so)


def test_looking_at_the_page_again_shows_what_was_said_on_another_device(
    listener: Listener, page: Page, stage: Stage
) -> None:
    listener.play("Amber")
    listener.hears("Amber")
    stage.listen(YOU, 5, track_id="amber", kind="liked")
    page.evaluate("dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator("#like")).to_have_attribute("aria-pressed", "true")


def test_an_answer_that_is_late_undoes_nothing_said_meanwhile(
    listener: Listener, page: Page, stage: Stage, ledger: Ledger
) -> None:
    stage.listen(YOU, 5, track_id="cedar", kind="liked")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route(JUDGEMENTS, hold)
    page.reload()
    until(page, lambda: len(held) == 1)
    listener.choose("Amber", "Like")
    until(page, lambda: ("liked", "amber") in ledger.of() and not stored(page))
    held[0].fulfill(json={"liked": ["cedar"], "disliked": []})
    expect(opinion(listener, "Cedar", "Like")).to_have_attribute("aria-checked", "true")
    expect(opinion(listener, "Amber", "Like")).to_have_attribute("aria-checked", "true")


@pytest.mark.complains("400")
def test_an_opinion_that_the_server_does_not_take_is_not_shown_either(
    listener: Listener, page: Page, ledger: Ledger
) -> None:
    def answer(route: Route) -> None:
        events = json.loads(route.request.post_data or "")["events"]
        assert [event["track_id"] for event in events] == ["amber"]
        route.fulfill(status=400, json={"error": "bad_event", "index": 0, "message": "no such track"})

    page.route(LISTENS, answer)
    listener.choose("Amber", "Like")
    listener.sees(re.compile("One thing you did was rejected"))
    expect(opinion(listener, "Amber", "Like")).to_have_attribute("aria-checked", "false")
    assert ledger.of() == []


@pytest.mark.complains("503")
def test_a_server_that_is_busy_leaves_what_is_known(listener: Listener, page: Page, stage: Stage) -> None:
    stage.listen(YOU, 5, track_id="amber", kind="liked")
    page.reload(wait_until="networkidle")
    page.route(
        JUDGEMENTS, lambda route: route.fulfill(status=503, json={"error": "store_busy", "message": ""})
    )
    page.evaluate("dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_timeout(200)
    expect(opinion(listener, "Amber", "Like")).to_have_attribute("aria-checked", "true")
