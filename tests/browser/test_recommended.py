"""The queue lives: what comes next follows from what is done, and says why."""

import json
import re
import time
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from browser.conftest import HOSTILE
from browser.listener import Ledger, Listener, remember, too_small, until
from browser.queues import changes, questions, reasons, recommended, three_groups, titles
from soundalike.domain.types import RelativePath, RootName
from soundalike.web.server.serve import HttpServer
from web.stage import Stage

pytestmark = pytest.mark.browser

RECOMMENDATIONS = "**/api/recommendations?*"
TRIES = 3  # the quickest counts: a machine that is busy with other tests makes any of them slow
AT_ONCE_S = 1
AT_ONCE_ON_SERVERS_S = 3  # here they share this machine's cores with the browser


@pytest.fixture
def stage(bare: Stage, sounds: dict[str, bytes]) -> Stage:
    return three_groups(bare, sounds["audio/ogg"])


@pytest.fixture
def at_once_s(bare: Stage) -> float:
    return AT_ONCE_S if type(bare) is Stage else AT_ONCE_ON_SERVERS_S


def answer_with(page: Page, found: list[dict[str, Any]], note: str | None = None) -> None:
    body = json.dumps({"artefact": "v", "profile_version": "p", "recommendations": found, "note": note})
    page.route(RECOMMENDATIONS, lambda route: route.fulfill(body=body, content_type="application/json"))


def one_track(track_id: str, reason: str, *, title: str = "A track") -> dict[str, Any]:
    track = {
        "id": track_id,
        "title": title,
        "artist": title,
        "album": None,
        "genre": None,
        "year": None,
        "duration_ms": 1000,
    }
    return {"track": track, "distance": 1, "score": 1, "reason": {"text": reason, "because": []}}


def test_a_skip_changes_the_visible_queue_within_a_second_and_says_why(
    listener: Listener, page: Page, at_once_s: float
) -> None:
    listener.play("A00")
    listener.hears("A00")
    lines = listener.open_queue()
    took_s = []
    for _ in range(TRIES):
        before = recommended(lines)
        listener.hears(page.locator("#player-title").inner_text())
        begun = time.monotonic()
        page.click("#next")
        changes(lines, before)
        took_s.append(time.monotonic() - begun)
        recommended(lines)
        assert all(re.search(r"[a-z]{3}", reason) for reason in reasons(lines))
    assert min(took_s) < at_once_s


def test_a_like_changes_the_visible_queue_within_a_second_and_is_told_as_the_reason(
    listener: Listener, page: Page, at_once_s: float
) -> None:
    listener.play("A00")
    listener.hears("A00")
    lines = listener.open_queue()
    recommended(lines)
    liked = lines.filter(has_text="to “A00”, which you liked today")
    expect(liked).to_have_count(0)
    liking_s, taking_back_s = [], []
    for _ in range(TRIES):
        begun = time.monotonic()
        page.keyboard.press("l")
        expect(liked.first).to_be_visible()
        liking_s.append(time.monotonic() - begun)
        begun = time.monotonic()
        page.keyboard.press("l")
        expect(liked).to_have_count(0)
        taking_back_s.append(time.monotonic() - begun)
    assert min(liking_s) < at_once_s
    assert min(taking_back_s) < at_once_s


def test_a_dislike_goes_on_and_clears_the_queue_of_it(listener: Listener, page: Page, ledger: Ledger) -> None:
    listener.play("A00")
    listener.hears("A00")
    listener.choose("B01", "Add to queue")
    lines = listener.open_queue()
    expect(lines).to_have_count(11)
    first = titles(lines)[1]
    listener.choose(first, "Dislike")
    expect(lines.get_by_text(first, exact=True)).to_have_count(0)
    listener.hears("A00")
    page.keyboard.press("d")
    listener.hears("B01")
    expect(lines.get_by_text("A00", exact=True)).to_have_count(0)
    told = [("started", "a00"), ("disliked", first.lower()), ("disliked", "a00"), ("started", "b01")]
    ledger.becomes(*told)
    listener.sees(re.compile("“.A00.” will not be recommended again."))


def test_less_of_this_goes_on_and_is_one_event(listener: Listener, page: Page, ledger: Ledger) -> None:
    listener.play("A00")
    listener.hears("A00")
    lines = listener.open_queue()
    first = recommended(lines)[0]
    page.click("#less")
    listener.hears(first)
    ledger.becomes(("started", "a00"), ("less", "a00"), ("started", first.lower()))


def test_a_like_is_shown_survives_a_reload_and_is_taken_back(
    listener: Listener, page: Page, ledger: Ledger
) -> None:
    listener.play("A00")
    listener.hears("A00")
    like, dislike = page.locator("#like"), page.locator("#dislike")
    like.click()
    expect(like).to_have_attribute("aria-pressed", "true")
    expect(dislike).to_have_attribute("aria-pressed", "false")
    page.reload()
    expect(like).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("l")
    expect(like).to_have_attribute("aria-pressed", "false")
    ledger.becomes(("started", "a00"), ("liked", "a00"), ("unliked", "a00"))


def test_an_opinion_is_shown_in_every_tab(listener: Listener, page: Page, server: HttpServer) -> None:
    listener.play("A00")
    listener.hears("A00")
    other = page.context.new_page()
    other.goto(server.url)
    expect(other.locator("#player-title")).to_have_text("A00")
    page.click("#like")
    expect(other.locator("#like")).to_have_attribute("aria-pressed", "true")


def test_what_was_asked_for_by_hand_stays_first_and_untouched(listener: Listener, page: Page) -> None:
    listener.play("A00")
    listener.hears("A00")
    listener.choose("C05", "Add to queue")
    listener.choose("C06", "Add to queue")
    lines = listener.open_queue()
    expect(lines).to_have_count(12)
    listener.choose("A03", "Like")
    page.wait_for_timeout(300)
    assert titles(lines)[:2] == ["C05", "C06"]
    lines.nth(4).locator(".queue-jump").click()
    expect(lines.first.locator(".track-title")).to_have_text("C05")
    assert titles(lines)[:2] == ["C05", "C06"]
    page.click("#next")
    listener.hears("C05")
    expect(lines.first.locator(".track-title")).to_have_text("C06")


def test_questions_name_what_must_not_come(listener: Listener, page: Page) -> None:
    asked = questions(page)
    listener.play("A00")
    listener.hears("A00")
    listener.choose("C05", "Add to queue")
    until(page, lambda: len(asked) > 0)
    page.click("#next")
    listener.hears("C05")
    page.click("#next")
    page.wait_for_function("() => !audio.src.includes('/c05/')")
    current = listener.current_id()
    until(page, lambda: asked[-1]["seed"] == current)
    assert asked[-1]["exclude"].split(",")[0] == current
    assert {"a00", "c05"} <= set(asked[-1]["exclude"].split(","))
    assert asked[-1]["adventure"] == "0.2"


def test_no_question_names_more_than_a_hundred(listener: Listener, page: Page) -> None:
    heard = [f"gone{number}" for number in range(150)]
    state = {"guide": {"mode": "follow", "played": heard}, "queue": {"entries": [], "index": -1}}
    asked = questions(page)
    remember(page, state)
    listener.play("A00")
    listener.hears("A00")
    until(page, lambda: len(asked) > 0)
    excluded = asked[-1]["exclude"].split(",")
    assert len(excluded) == 100
    assert excluded[:2] == ["a00", "gone149"]


def test_play_for_me_plays_at_once_with_no_history(listener: Listener, page: Page, ledger: Ledger) -> None:
    asked = questions(page)
    page.get_by_role("button", name="Play for me").first.click()
    page.wait_for_function("() => audio.currentTime > 0.2")
    assert "seed" not in asked[0]
    playing = page.locator("#player-title").inner_text()
    lines = listener.open_queue()
    expect(lines.first).to_be_visible()
    ledger.becomes(("started", playing.lower()))
    assert all("start" in reason for reason in reasons(lines))


def test_a_radio_keeps_to_its_seed_and_can_be_ended(listener: Listener, page: Page) -> None:
    asked = questions(page)
    listener.choose("B03", "Play things like this")
    listener.hears("B03")
    lines = listener.open_queue()
    recommended(lines)
    page.click("#next")
    page.wait_for_function("() => !audio.src.includes('/b03/') && audio.currentTime > 0.2")
    until(page, lambda: len(asked) > 1)
    assert {question["seed"] for question in asked} == {"b03"}
    expect(page.locator("#queue-radio")).to_contain_text("Things like B03")
    page.click("#radio-stop")
    expect(page.locator("#queue-radio")).to_be_hidden()
    until(page, lambda: asked[-1]["seed"] == listener.current_id())


def test_adventure_is_asked_for_anew_and_remembered(listener: Listener, page: Page) -> None:
    listener.play("A00")
    listener.hears("A00")
    lines = listener.open_queue()
    recommended(lines)
    asked = questions(page)
    page.locator("#adventure").press("End")
    until(page, lambda: len(asked) == 1)
    assert asked[0]["adventure"] == "1"
    expect(page.locator("#adventure")).to_have_attribute("aria-valuetext", "100 % adventurous")
    page.reload()
    expect(page.locator("#adventure")).to_have_value("1")


def test_why_is_told_for_what_plays_and_for_what_comes(listener: Listener, page: Page) -> None:
    listener.choose("A03", "Like")
    listener.play("A00")
    listener.hears("A00")
    dialog = page.locator("#why")
    page.keyboard.press("w")
    expect(dialog).to_contain_text("you chose it, or the list it is in")
    page.keyboard.press("Escape")
    lines = listener.open_queue()
    line = lines.filter(has_text=re.compile("which you liked", re.IGNORECASE)).first
    expect(line).to_be_visible()
    reason = line.locator(".queue-reason").inner_text()
    line.get_by_role("button", name=re.compile("^Why")).click()
    expect(dialog.locator("#why-reason")).to_have_text(re.compile(re.escape(reason), re.IGNORECASE))
    expect(dialog.locator("#why-because")).to_contain_text("A03: you liked it just now")
    dialog.get_by_role("link", name="A03").click()
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("heading", level=1)).to_have_text("A03")
    line.locator(".queue-jump").click()
    page.click("#why-this")
    expect(dialog.locator("#why-because")).to_contain_text("A03: you liked it")


def test_the_same_deed_done_several_times_is_told_once(listener: Listener, page: Page) -> None:
    times = ["2020-01-01T00:00:00.000Z", "2020-01-03T00:00:00.000Z", "2020-01-02T00:00:00.000Z"]
    found = one_track("a01", "near A03")
    found["reason"]["because"] = [
        {"track_id": "a03", "kind": "finished", "at": times[1]},
        {"track_id": "a03", "kind": "finished", "at": times[2]},
        {"track_id": "a03", "kind": "finished", "at": times[0]},
        {"track_id": "gone", "kind": "liked", "at": times[0]},
    ]
    answer_with(page, [found])
    page.route("**/api/tracks/gone", lambda route: route.fulfill(json={"message": "x"}))
    listener.play("A00")
    lines = listener.open_queue()
    lines.first.get_by_role("button", name=re.compile("^Why")).click()
    because = page.locator("#why-because li")
    expect(because).to_have_count(2)
    expect(because.first).to_have_text(re.compile(r"^A03: you finished it 3 times, last \d+ years ago$"))


def test_hostile_titles_and_reasons_do_nothing(listener: Listener, page: Page) -> None:
    found = one_track("a01", HOSTILE + "x" * 2000, title=HOSTILE + "y" * 2000)
    found["reason"]["because"] = [{"track_id": "a03", "kind": "<b>", "at": "<i>"}]
    answer_with(page, [found], note=HOSTILE + "z" * 500)
    hostile = {**found["track"], "id": "a03"}
    page.route("**/api/tracks/a03", lambda route: route.fulfill(json=hostile))
    page.set_viewport_size({"width": 390, "height": 844})
    listener.play("A00")
    lines = listener.open_queue()
    expect(lines).to_have_count(1)
    lines.first.locator("[data-do=why]").click()
    expect(page.locator("#why-because a")).to_have_count(1)
    assert "owned" not in page.title()
    inside = "script, img[onerror], #why img, bdi *, .queue-reason *, #queue-note *, #why-reason *"
    assert page.locator("#queue, #why").locator(inside).count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    box = page.locator("#why").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390


def test_a_note_is_shown_in_the_queue(listener: Listener, page: Page) -> None:
    answer_with(page, [one_track("a01", "x")], note="Your library has two tracks.")
    listener.play("A00")
    listener.open_queue()
    expect(page.locator("#queue-note")).to_have_text("Your library has two tracks.")


@pytest.mark.complains("503")
def test_without_recommendations_the_list_goes_on_and_it_is_said_once(
    listener: Listener, page: Page, stage: Stage
) -> None:
    stage.artefacts.artefact = None
    page.evaluate(
        """window.said = 0;
        new MutationObserver((changes) => changes.forEach(({addedNodes}) => window.said += addedNodes.length))
          .observe(document.getElementById("toasts"), {childList: true})"""
    )
    listener.play("A00")
    listener.hears("A00")
    listener.sees(re.compile("There are no new recommendations just now.*run 'soundalike build'"))
    page.click("#next")
    listener.hears("A01")
    page.click("#next")
    listener.hears("A02")
    assert page.evaluate("said") == 1
    lines = listener.open_queue()
    assert titles(lines)[:2] == ["A03", "A04"]
    stage.build("v2", k=10)
    page.click("#next")
    listener.hears("A03")
    assert len(recommended(lines)) == 10


@pytest.mark.complains("ERR_FAILED")
def test_offline_the_queue_stays_and_recovers(listener: Listener, page: Page) -> None:
    listener.play("A00")
    listener.hears("A00")
    lines = listener.open_queue()
    before = recommended(lines)
    page.route(RECOMMENDATIONS, lambda route: route.abort())
    page.click("#next")
    listener.hears(before[0])
    listener.sees(re.compile("the queue stays as it is: soundalike cannot be reached"))
    assert titles(lines) == before[1:]
    page.unroute(RECOMMENDATIONS)
    page.evaluate("dispatchEvent(new Event('online'))")
    recommended(lines)


@pytest.mark.complains("409")
def test_a_track_that_was_never_analysed_is_followed_by_what_is_liked(
    listener: Listener, page: Page, stage: Stage, sounds: dict[str, bytes]
) -> None:
    stage.add("aa", title="Aspen", data=sounds["audio/ogg"], media_type="audio/ogg", point=None)
    page.reload()
    listener.play("Aspen")
    listener.hears("Aspen")
    lines = listener.open_queue()
    expect(lines.first).to_be_visible()


def test_a_slow_outbox_does_not_keep_the_queue_waiting(listener: Listener, page: Page) -> None:
    held: list[Route] = []
    listener.play("A00")
    listener.hears("A00")
    lines = listener.open_queue()
    recommended(lines)
    page.route("**/api/listens", lambda route: held.append(route))  # noqa: PLW0108 - what Playwright marks
    asked = questions(page)
    page.click("#next")
    until(page, lambda: len(asked) == len(held) == 1)
    held[0].continue_()


def test_only_the_latest_answer_counts(listener: Listener, page: Page) -> None:
    late: list[Route] = []
    page.route(RECOMMENDATIONS, lambda route: late.append(route))  # noqa: PLW0108 - what Playwright marks
    listener.play("A00")
    until(page, lambda: len(late) == 1)
    listener.play("B00")
    until(page, lambda: len(late) == 2)
    body = {"recommendations": [one_track("b01", "x", title="New")], "note": None}
    late[1].fulfill(json=body)
    lines = listener.open_queue()
    expect(lines.locator(".track-title")).to_have_text(["New"])
    body["recommendations"] = [one_track("a01", "x", title="Old")]
    late[0].fulfill(json=body)
    page.wait_for_timeout(200)
    assert titles(lines) == ["New"]


def test_the_next_track_is_announced_and_no_more(listener: Listener, page: Page) -> None:
    listener.play("A00")
    lines = listener.open_queue()
    first = recommended(lines)[0]
    expect(page.locator("#announcer p")).to_have_text(
        re.compile(f"^Next: “.{first}.” by “.Artist [0-9]+.”\\.$")
    )


def test_keys_of_the_help_do_what_it_says(listener: Listener, page: Page, ledger: Ledger) -> None:
    page.keyboard.press("?")
    for words in ("like (again takes it back), dislike", "less of this", "why this?"):
        expect(page.locator("#help")).to_contain_text(words)
    page.keyboard.press("Escape")
    for key in "ldxw":
        page.keyboard.press(key)
    listener.play("A00")
    listener.hears("A00")
    page.locator("h1").click()
    page.keyboard.press("l")
    until(page, lambda: ("liked", "a00") in ledger.of())
    page.keyboard.press("w")
    expect(page.locator("#why")).to_be_visible()
    page.keyboard.press("x")
    page.keyboard.press("Escape")
    expect(page.locator("#why")).to_be_hidden()
    ledger.becomes(("started", "a00"), ("liked", "a00"))


def test_a_small_library_goes_on_by_what_was_heard_longest_ago(
    listener: Listener, page: Page, server: HttpServer, stage: Stage
) -> None:
    page.wait_for_load_state("networkidle")  # covers of what goes are asked for no more
    page.goto("about:blank")
    keep = ("a00", "a01", "a02")
    for track in stage.store.tracks_under(RootName("music"), RelativePath(b"")):
        if track.id not in keep:
            stage.lose(track.id)
    stage.build("v2")
    page.goto(server.url)
    listener.play("A00")
    heard = []
    for _ in range(5):
        page.wait_for_function("() => !audio.paused && audio.currentTime > 0.2")
        heard.append(listener.current_id())
        page.click("#next")
        page.wait_for_function("id => !audio.src.includes(`/${id}/`)", arg=heard[-1])
    assert set(heard[:3]) == set(keep)
    assert heard[3:] == heard[:2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_the_queue_its_reasons_and_opinions(
    listener: Listener, page: Page, scheme: str
) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    expect(page.get_by_role("button", name="Play for me").first).to_be_in_viewport()
    listener.play("A00")
    listener.hears("A00")
    lines = listener.open_queue()
    recommended(lines)
    expect(lines.first.locator(".queue-reason")).to_be_visible()
    for name in ("Like", "Dislike", "Less of this", "Why this?", "Play things like this", "Queue", "Next"):
        expect(page.get_by_role("button", name=name, exact=True)).to_be_in_viewport(ratio=1)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    until(page, lambda: too_small(page) == [], lambda: str(too_small(page)))  # a line that comes grows first
