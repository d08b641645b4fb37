"""The queue on the page: what comes next follows from what is done, and says why."""

import re
import time

import pytest
from playwright.sync_api import Page, expect

from browser.conftest import HOSTILE
from browser.listener import Listener, RecordedListens, overflow_px, too_small, until
from browser.queues import (
    answer_with,
    expect_new,
    one_recommendation,
    questions,
    reasons,
    recommended,
    three_groups,
    titles,
)
from soundalike.web.server.serve import HttpServer
from web.stage import Stage

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

TRIES = 3  # the quickest counts: a machine that is busy with other tests makes any of them slow
AT_ONCE_S = 1


@pytest.fixture
def stage(bare: Stage, sounds: dict[str, bytes]) -> Stage:
    return three_groups(bare, sounds["audio/ogg"])


def test_a_skip_and_a_like_change_the_visible_queue_within_a_second_and_say_why(
    listener: Listener, page: Page
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    listener.play("A00")
    lines = listener.open_queue()
    liked = lines.filter(has_text="which you liked today")
    skipping_s, liking_s, taking_back_s = [], [], []
    for _ in range(TRIES):
        before = recommended(lines)
        listener.expect_sound(page.locator("#player-title").inner_text())
        begun = time.monotonic()
        page.click("#next")
        expect_new(lines, before)
        skipping_s.append(time.monotonic() - begun)
        recommended(lines)
        assert all(re.search(r"[a-z]{3}", reason) for reason in reasons(lines))
    expect(liked).to_have_count(0)
    for _ in range(TRIES):
        begun = time.monotonic()
        page.click("#like")
        expect(liked.first).to_be_visible()
        liking_s.append(time.monotonic() - begun)
        begun = time.monotonic()
        page.click("#like")
        expect(liked).to_have_count(0)
        taking_back_s.append(time.monotonic() - begun)
    assert max(min(skipping_s), min(liking_s), min(taking_back_s)) < AT_ONCE_S
    # Where the log folds at once nobody asks for the profile, nor for the health.
    assert any(url.endswith("/api/listens") for url in asked)
    assert not [url for url in asked if url.endswith(("/api/profile", "/healthz"))]


def test_the_queue_shows_what_comes_and_its_buttons_change_it(listener: Listener, page: Page) -> None:
    listener.play_in_order("A16")
    listener.choose("B00", "Play next")
    listener.expect_toast(re.compile("“.B00.” plays next."))
    listener.choose("B01", "Add to queue")
    listener.expect_toast(re.compile("“.B01.” is in the queue."))
    page.click("#queue-button")
    shown = page.locator("#queue-list .track-title")
    expect(shown.first).to_have_text("A16")
    assert shown.all_inner_texts()[:6] == ["A16", "B00", "B01", "A17", "A18", "A19"]
    page.locator("#queue-list li").nth(2).get_by_role("button", name=re.compile("Remove .*B01")).click()
    until(page, lambda: shown.all_inner_texts()[:5] == ["A16", "B00", "A17", "A18", "A19"])
    page.click("#next")
    listener.expect_sound("B00")
    page.locator("#queue-list li").nth(2).locator(".queue-jump").dblclick()
    listener.expect_sound("A18")
    listener.slow_down()
    page.click("#previous")
    listener.expect_sound("A17")
    before = shown.all_inner_texts()
    page.click("#queue-clear")
    expect(shown).to_have_count(11)
    expect(page.locator("#queue-list .queue-reason:not([hidden])")).to_have_count(10)
    toast = page.locator(".toast-word").filter(has_text="The queue is cleared.")
    toast.get_by_role("button", name="Undo").click()
    expect(shown).to_have_text(before)


def test_a_dislike_goes_on_clears_the_queue_of_the_track_and_can_be_undone(
    listener: Listener, page: Page, listens: RecordedListens
) -> None:
    listener.play("A00")
    listener.choose("B01", "Add to queue")
    lines = listener.open_queue()
    expect(lines).to_have_count(11)
    first = titles(lines)[1]
    listener.choose(first, "Dislike")
    expect(lines.get_by_text(first, exact=True)).to_have_count(0)
    listener.expect_sound("A00")
    page.keyboard.press("d")
    listener.expect_sound("B01")
    expect(lines.get_by_text("A00", exact=True)).to_have_count(0)
    told = [("started", "a00"), ("disliked", first.lower()), ("disliked", "a00"), ("started", "b01")]
    listens.expect(*told)
    toast = page.locator(".toast-word").filter(has_text=re.compile("“.A00.” will not be recommended again."))
    toast.get_by_role("button", name="Undo").click()
    listens.expect(*told, ("undisliked", "a00"))
    expect(toast).to_have_count(0)
    recommended(lines)
    page.click("#less")
    less = page.locator(".toast-word").filter(has_text=re.compile("Less like “.B01.” from now on."))
    less.get_by_role("button", name="Undo").click()
    listener.expect_toast(re.compile("“.B01.” counts as before."))
    listener.expect_other_sound("b01")
    second = listener.current_id()
    page.keyboard.press("x")
    listener.expect_other_sound(second)
    told += [("undisliked", "a00"), ("started", second), ("less", second), ("started", listener.current_id())]
    page.goto("about:blank")
    listens.expect(*told)


def test_a_judgement_is_shown_in_bar_menu_and_every_tab(
    listener: Listener, page: Page, server: HttpServer
) -> None:
    listener.play("A00")
    other = page.context.new_page()
    other.goto(server.url)
    expect(other.locator("#player-title")).to_have_text("A00")
    like, dislike = page.locator("#like"), page.locator("#dislike")
    like.click()
    expect(like).to_have_attribute("aria-pressed", "true")
    expect(dislike).to_have_attribute("aria-pressed", "false")
    expect(other.locator("#like")).to_have_attribute("aria-pressed", "true")
    expect(listener.judgement("A00", "Like")).to_have_attribute("aria-checked", "true")
    expect(listener.judgement("A00", "Dislike")).to_have_attribute("aria-checked", "false")
    expect(listener.judgement("A01", "Like")).to_have_attribute("aria-checked", "false")


def test_play_for_me_plays_at_once_with_no_history(
    listener: Listener, page: Page, listens: RecordedListens
) -> None:
    asked = questions(page)
    page.get_by_role("button", name="Play for me").first.click()
    page.wait_for_function("() => audio.currentTime > 0.2")
    assert "seed" not in asked[0]
    playing = page.locator("#player-title").inner_text()
    lines = listener.open_queue()
    expect(lines.first).to_be_visible()
    listens.expect(("started", playing.lower()))
    assert all("first mix" in reason for reason in reasons(lines))


def test_a_radio_is_shown_until_it_is_stopped(listener: Listener, page: Page) -> None:
    asked = questions(page)
    listener.choose("B03", "Play things like this")
    listener.expect_sound("B03")
    expect(page.locator("#like-this")).to_have_attribute("aria-pressed", "true")
    recommended(listener.open_queue())
    page.click("#next")
    listener.expect_other_sound("b03")
    until(page, lambda: len(asked) > 1)
    assert {question["seed"] for question in asked} == {"b03"}
    expect(page.locator("#queue-radio")).to_contain_text("Things like B03")
    page.click("#radio-stop")
    expect(page.locator("#queue-radio")).to_be_hidden()
    until(page, lambda: asked[-1]["seed"] == listener.current_id())


def test_adventure_is_asked_for_anew_and_remembered(listener: Listener, page: Page) -> None:
    listener.play("A00")
    recommended(listener.open_queue())
    asked = questions(page)
    page.locator("#adventure").press("End")
    until(page, lambda: len(asked) == 1)
    assert asked[0]["adventure"] == "1"
    assert asked[0]["recent"].split(",")[-1] == "a00"
    expect(page.locator("#adventure")).to_have_attribute("aria-valuetext", "100 % adventurous")
    page.reload()
    expect(page.locator("#adventure")).to_have_value("1")


def test_why_is_explained_for_what_plays_and_for_what_comes(listener: Listener, page: Page) -> None:
    listener.choose("A03", "Like")
    listener.play("A00")
    dialog = page.locator("#why")
    page.keyboard.press("w")
    expect(dialog).to_contain_text("you chose it, or the list it is in")
    page.keyboard.press("Escape")
    line = listener.open_queue().filter(has_text=re.compile("which you liked", re.IGNORECASE)).first
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


@pytest.mark.console_errors("404")
def test_a_reason_counts_what_was_done_and_a_note_is_shown(listener: Listener, page: Page) -> None:
    times = ["2020-01-01T00:00:00.000Z", "2020-01-03T00:00:00.000Z", "2020-01-02T00:00:00.000Z"]
    because = [{"track_id": "a03", "kind": "finished", "at": at} for at in times]
    because.append({"track_id": "gone", "kind": "liked", "at": times[0]})
    found = one_recommendation("a01", "near A03", because)
    answer_with(page, [found], note="Your library has two tracks.")
    listener.play("A00")
    lines = listener.open_queue()
    expect(page.locator("#queue-note")).to_have_text("Your library has two tracks.")
    expect(page.locator("#announcer p")).to_have_text(re.compile("^Next: “.A track.” by “.A track.”\\.$"))
    lines.first.get_by_role("button", name=re.compile("^Why")).click()
    shown = page.locator("#why-because li")
    expect(shown).to_have_count(2)
    expect(shown.first).to_have_text(re.compile(r"^A03: you finished it 3 times, last \d+ years ago$"))
    expect(shown.last).to_have_text(re.compile(r"^A track that cannot be shown at the moment: you liked it"))


def test_hostile_titles_and_reasons_do_nothing(listener: Listener, page: Page) -> None:
    because = [{"track_id": "a03", "kind": "<b>", "at": "<i>"}]
    found = one_recommendation("a01", HOSTILE + "x" * 2000, because, title=HOSTILE + "y" * 2000)
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
    assert overflow_px(page) <= 0
    box = page.locator("#why").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390


def test_on_a_phone_back_closes_the_queue_and_stays_on_the_page(listener: Listener, page: Page) -> None:
    queue, opener = page.locator("#queue"), page.locator("#queue-button")
    listener.play_in_order("A00")
    opener.click()
    listener.open("A01")
    page.go_back()
    expect(page).to_have_title("soundalike")
    expect(queue).to_be_visible()  # beside the page, where there is room
    opener.click()

    page.set_viewport_size({"width": 390, "height": 844})
    listener.open("A01")
    opener.click()
    page.go_back()
    expect(queue).to_be_hidden()
    expect(page).to_have_title("A01 · soundalike")
    page.go_forward()
    expect(queue).to_be_visible()
    page.reload()
    expect(queue).to_be_visible()
    page.locator("#queue-list li").nth(2).locator("[data-do=menu]").click()
    page.locator("#menu").get_by_text("What sounds like it", exact=True).click()
    expect(page).to_have_title("A02 · soundalike")
    expect(queue).to_be_hidden()
    page.go_back()
    expect(page).to_have_title("A01 · soundalike")
    expect(queue).to_be_hidden()
    opener.click()
    page.keyboard.press("Escape")
    expect(queue).to_be_hidden()
    page.wait_for_function("() => !history.state.isCovered")
    page.go_back()
    expect(page).to_have_title("soundalike")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_everything_without_scrolling_sideways(
    listener: Listener, page: Page, scheme: str
) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", scheme)
    expect(page.get_by_role("button", name="Play for me").first).to_be_in_viewport()
    listener.play("A00")
    lines = listener.open_queue()
    recommended(lines)
    expect(lines.first.locator(".queue-reason")).to_be_visible()
    for name in ("Like", "Dislike", "Less of this", "Why this?", "Play things like this", "Queue", "Next"):
        expect(page.get_by_role("button", name=name, exact=True)).to_be_in_viewport(ratio=1)
    assert overflow_px(page) <= 0
    page.click("#queue-close")
    listener.open("A01")
    listener.choose("A02", "Play next")
    page.click("#queue-button")
    expect(lines.first.locator(".track-title")).to_have_text("A02")
    assert overflow_px(page) <= 0
    until(page, lambda: too_small(page) == [], lambda: str(too_small(page)))  # a new line grows first
