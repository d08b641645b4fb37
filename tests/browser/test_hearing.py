"""What is heard, finished and skipped is told as it was."""

import pytest
from playwright.sync_api import Page, expect

from browser.listener import Ledger, Listener, until
from soundalike.domain.users import YOU
from web.stage import Stage

pytestmark = pytest.mark.browser


def in_order(listener: Listener, title: str) -> None:
    listener.choose(title, "Play from here in order")
    listener.hears(title)


def test_a_track_that_ends_by_itself_is_finished_and_counts_again_when_repeated(
    listener: Listener, page: Page, ledger: Ledger
) -> None:
    in_order(listener, "Amber")
    page.evaluate("audio.currentTime = 19.2")
    listener.hears("Birch")
    listener.dwells()
    ledger.becomes(("started", "amber"), ("finished", "amber"), ("started", "birch"))
    page.click("#previous")
    listener.hears("Amber")
    page.evaluate("audio.currentTime = 19.2")
    listener.hears("Birch")
    heard = [("started", "amber"), ("finished", "amber"), ("started", "birch")]
    ledger.becomes(*heard, *heard)


def test_next_is_a_skip_with_its_place_and_one_alone(
    listener: Listener, page: Page, stage: Stage, ledger: Ledger
) -> None:
    in_order(listener, "Amber")
    page.evaluate("audio.currentTime = 7")
    page.wait_for_function("() => audio.currentTime > 7.2")
    page.keyboard.press("n")
    listener.hears("Birch")
    ledger.becomes(("started", "amber"), ("skipped", "amber"), ("started", "birch"))
    skip = next(listen for listen in stage.store.listens_of(YOU) if listen.kind == "skipped")
    assert skip.position_ms is not None
    assert 7_000 <= skip.position_ms <= 12_000


def test_choosing_another_track_is_a_skip_by_list_and_by_queue(listener: Listener, ledger: Ledger) -> None:
    in_order(listener, "Amber")
    in_order(listener, "Cedar")
    listener.open_queue().nth(1).locator(".queue-jump").click()
    listener.hears("Elm")
    ledger.becomes(
        ("started", "amber"),
        ("skipped", "amber"),
        ("started", "cedar"),
        ("skipped", "cedar"),
        ("started", "elm"),
    )


def test_going_on_in_the_last_moment_is_no_skip(listener: Listener, page: Page, ledger: Ledger) -> None:
    in_order(listener, "Amber")
    listener.dwells()
    page.evaluate("audio.currentTime = 18.3")
    page.wait_for_function("() => audio.currentTime > 18.4 && !audio.seeking")
    page.click("#next")
    listener.hears("Birch")
    ledger.becomes(("started", "amber"), ("finished", "amber"), ("started", "birch"))


def test_seeking_pausing_going_back_and_leaving_are_no_skips(
    listener: Listener, page: Page, ledger: Ledger
) -> None:
    in_order(listener, "Amber")
    in_order(listener, "Birch")
    told = [("started", "amber"), ("skipped", "amber"), ("started", "birch")]
    page.locator("h1").click()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press(" ")
    page.wait_for_function("() => audio.paused")
    page.keyboard.press(" ")
    listener.hears("Birch")
    listener.dwells()
    page.keyboard.press("p")
    page.wait_for_function("() => audio.currentTime < 3")
    page.keyboard.press("p")
    listener.hears("Amber")
    ledger.becomes(*told, ("started", "amber"))
    page.goto("about:blank")
    page.wait_for_timeout(300)
    ledger.becomes(*told, ("started", "amber"))


def test_a_reload_neither_skips_nor_begins_anew(listener: Listener, page: Page, ledger: Ledger) -> None:
    in_order(listener, "Amber")
    ledger.becomes(("started", "amber"))
    page.reload()
    expect(page.locator("#player-title")).to_have_text("Amber")
    page.click("#toggle")
    listener.hears("Amber")
    page.click("#next")
    listener.hears("Birch")
    ledger.becomes(("started", "amber"), ("skipped", "amber"), ("started", "birch"))


def test_what_never_sounded_is_neither_heard_nor_skipped(
    listener: Listener, page: Page, stage: Stage, sounds: dict[str, bytes], ledger: Ledger
) -> None:
    stage.add("aa", title="Aardvark", data=sounds["audio/aiff"], media_type="audio/aiff")
    page.reload()
    listener.choose("Aardvark", "Play from here in order")
    listener.hears("Amber")
    ledger.becomes(("started", "amber"))


def test_going_on_from_a_restored_track_in_a_new_tab_judges_nothing(
    listener: Listener, page: Page, ledger: Ledger
) -> None:
    in_order(listener, "Amber")
    ledger.becomes(("started", "amber"))
    other = page.context.new_page()
    other.goto(page.url)
    other.click("#next")
    Listener(other).hears("Birch")
    ledger.becomes(("started", "amber"), ("started", "birch"))


def test_a_finished_track_that_is_taken_back_to_its_beginning_is_heard_again(
    listener: Listener, page: Page, ledger: Ledger
) -> None:
    in_order(listener, "Fir")
    listener.dwells()
    page.evaluate("audio.currentTime = 18.2")
    until(page, lambda: ("finished", "fir") in ledger.of())
    page.evaluate("audio.currentTime = 0")
    listener.hears("Fir")
    ledger.becomes(("started", "fir"), ("finished", "fir"), ("started", "fir"))
