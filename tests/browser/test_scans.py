"""The line that says how far a scan is, on a desktop and on a phone."""

from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from browser.listener import Listener, too_small, until
from soundalike.domain.scans import ScanProgress, ScanRecord, ScanResult, ScanState
from soundalike.domain.types import TrackId
from web.stage import Stage

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

RUNNING = ScanRecord(
    owner="a worker",
    beat=1,
    started_ms=0,
    progress=ScanProgress(state=ScanState.ANALYSING, done=1_200, total=8_000, seconds_left=410),
)


def set_record(stage: Stage, record: ScanRecord) -> None:
    assert stage.store.save_scan_record(record, replacing=stage.store.scan_record())


@pytest.mark.parametrize("width", [1280, 390])
def test_it_is_there_while_a_scan_runs_and_steers_it(
    page: Page, stage: Stage, tmp_path: Path, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    line = page.locator("#scan")
    expect(line).to_be_hidden()
    set_record(stage, RUNNING)
    expect(line).to_contain_text("Analysing 1,200 of 8,000 files, about 7 min left.")
    page.screenshot(path=tmp_path / f"scan-{width}.png")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert too_small(page) == []
    line.get_by_role("button", name="Pause").click()
    expect(line).to_contain_text("Analysis is paused")
    assert stage.store.scan_record().is_paused
    line.get_by_role("button", name="Resume").click()
    expect(line).to_contain_text("Analysing")
    set_record(stage, stage.store.scan_record().freed())
    expect(line).to_be_hidden()


def test_the_list_follows_unless_somebody_works_in_it(page: Page, stage: Stage, listener: Listener) -> None:
    listener.play("Amber")
    page.locator("h1").click()
    stage.add("new", title="Aaa New", point=(9.0, 9.0))
    set_record(stage, ScanRecord(last=ScanResult(finished_ms=1_000, added=1)))
    expect(listener.row("Aaa New")).to_be_visible()
    assert not page.evaluate("audio.paused")

    listener.row("Birch").locator("[data-do=menu]").click()
    stage.add("newer", title="Aaa Newer", point=(9.0, 9.0))
    set_record(stage, ScanRecord(last=ScanResult(finished_ms=2_000, added=1)))
    line = page.locator("#scan")
    expect(line).to_contain_text("The library has changed.")
    expect(listener.row("Aaa Newer")).to_have_count(0)
    page.keyboard.press("Escape")
    line.get_by_role("button", name="Show").click()
    expect(listener.row("Aaa Newer")).to_be_visible()
    expect(line).to_be_hidden()


def test_an_empty_library_says_what_to_run_unless_a_scan_runs(page: Page, stage: Stage) -> None:
    stage.store.remove_tracks(
        [TrackId(name) for name in ("amber", "birch", "cedar", "dogwood", "elm", "fir")]
    )
    page.reload()
    command, soon = (
        page.get_by_text("soundalike up ~/Music"),
        page.get_by_text("The first tracks appear here"),
    )
    expect(command).to_be_visible()
    expect(soon).to_be_hidden()
    set_record(stage, RUNNING)
    page.reload()
    expect(soon).to_be_visible()
    expect(command).to_be_hidden()


def test_a_scan_is_asked_for_on_the_account_page(page: Page, stage: Stage) -> None:
    last = ScanResult(finished_ms=1_000, added=3, problem="the folder '/mnt/nas' is not here")
    set_record(stage, ScanRecord(last=last))
    page.locator(".who").click()
    said = "The last scan found 3 new. It was not whole: the folder '/mnt/nas' is not here."
    expect(page.get_by_text(said)).to_be_visible()
    page.get_by_role("button", name="Scan now").click()
    expect(page.locator("#scan")).to_contain_text("Looking for changes in your music.")
    until(page, lambda: stage.store.scan_record().wanted == 1)
    set_record(stage, replace(stage.store.scan_record(), taken=1))
    expect(page.locator("#scan")).to_be_hidden()
