"""A person's evening: the folder changes while music plays, and the player follows."""

import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from playwright.sync_api import Browser, Locator, Page, expect

from journeys.program import RATE, Program, get

pytestmark = pytest.mark.browser

ALBUMS, SONGS = 25, 12
WITHIN_S = 10
"""How soon after a scan's end the player shows what it found."""

SCAN_S = 240.0
STOPS = """() => {
  window.stops = [];
  for (const type of ["pause", "ended", "error", "emptied", "waiting"])
    audio.addEventListener(type, () => stops.push(type));
}"""


def write_song(path: Path, *, title: str, album: str, seed: int, seconds: float = 1.2) -> None:
    """Write a short song with its tags."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    time_s = np.arange(int(seconds * RATE)) / RATE
    wave = 0.1 * np.sin(2 * np.pi * rng.uniform(100, 900) * time_s) + 0.02 * rng.normal(size=len(time_s))
    aside = path.with_name(f".{path.name}")
    with soundfile.SoundFile(aside, "w", RATE, 1, format="FLAC") as file:
        file.title, file.artist, file.album = title, f"Band of {album}", album
        file.write(wave)
    aside.replace(path)


def write_album(folder: Path, album: str, songs: int, *, seed: int) -> Path:
    for number in range(songs):
        path, title = folder / album / f"{number:02}.flac", f"{album} {number:02}"
        write_song(path, title=title, album=album, seed=seed + number)
    return folder / album


@pytest.fixture
def music(tmp_path: Path) -> Path:
    folder = tmp_path / "music"
    for number in range(ALBUMS - 1):
        write_album(folder, f"Album {number:02}", SONGS, seed=100 * number)
    write_album(folder, "Zebra", SONGS - 1, seed=9_000)
    write_song(folder / "Zebra" / "long.flac", title="Aaa Long", album="Zebra", seed=9_999, seconds=900)
    return folder


class Evening:
    """The player on its library page, and what the server says of scans."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.address = address
        self.seen: str | None = None

    def scan(self) -> Any:
        return get(f"{self.address}/api/scans/current")

    def wait_for_scan(self, kind: str, tracks: int) -> None:
        """Wait until scans that found such changes have ended and left so many tracks."""
        ends = time.monotonic() + SCAN_S
        found = False
        while not found or get(f"{self.address}/healthz")["tracks"] != tracks:
            self.page.wait_for_timeout(100)
            scan = self.scan()
            last = scan["last"]
            if last["finished_at"] != self.seen and not scan["is_running"]:
                self.seen, found = last["finished_at"], found or last[kind] > 0
            assert time.monotonic() < ends, scan

    @property
    def left_ms(self) -> float:
        """How long the player may still take to show what the last scan found; at least a moment to look."""
        assert self.seen is not None
        passed_s = (datetime.now(UTC) - datetime.fromisoformat(self.seen)).total_seconds()
        return max(1.0, 1000 * (WITHIN_S - passed_s))

    def row(self, title: str) -> Locator:
        return self.page.locator("li.track").filter(has=self.page.get_by_text(title, exact=True))

    def shows(self, tracks: int) -> None:
        """The page, which nobody touches, shows so many tracks in time."""
        expect(self.page.locator("p.count")).to_have_text(f"{tracks} tracks", timeout=self.left_ms)

    def position_s(self) -> float:
        return float(self.page.evaluate("audio.currentTime"))

    def track_id(self, title: str) -> str:
        (track,) = get(f"{self.address}/api/tracks?query={title.replace(' ', '+')}")["tracks"]
        return str(track["id"])


@pytest.fixture
def evening(browser: Browser, music: Path, tmp_path: Path) -> Iterator[Evening]:
    with Program(tmp_path / "data").serving("up", music, "--engine", "local", patience_s=SCAN_S) as address:
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(address)
        yield Evening(page, address)
        page.close()
        assert errors == []


def test_the_player_shows_what_changes_in_the_folder_and_never_stops(evening: Evening, music: Path) -> None:
    page, count = evening.page, ALBUMS * SONGS
    evening.seen = evening.scan()["last"]["finished_at"]
    evening.shows(count)
    evening.row("Aaa Long").locator("[data-do=play]").click()
    page.wait_for_function("() => !audio.paused && audio.currentTime > 0.5")
    page.evaluate(STOPS)
    page.locator("h1").click()  # nobody works in the list
    begun, began_at = evening.position_s(), time.monotonic()

    write_album(music, "Aaa New", 20, seed=20_000)
    count += 20
    evening.wait_for_scan("added", count)
    evening.shows(count)
    expect(evening.row("Aaa New 07")).to_be_visible(timeout=evening.left_ms)

    write_song(music / "Aaa New" / "00.flac", title="Aaa Called Otherwise", album="Aaa New", seed=20_000)
    evening.wait_for_scan("changed", count)
    expect(evening.row("Aaa Called Otherwise")).to_be_visible(timeout=evening.left_ms)
    expect(evening.row("Aaa New 00")).to_have_count(0, timeout=evening.left_ms)

    moved = evening.track_id("Aaa New 01")
    (music / "Album 03" / "moved").mkdir()
    (music / "Aaa New" / "01.flac").rename(music / "Album 03" / "moved" / "here.flac")
    evening.wait_for_scan("moved", count)
    evening.shows(count)
    expect(evening.row("Aaa New 01")).to_have_attribute("data-id", moved, timeout=evening.left_ms)
    assert page.evaluate(f"fetch('/api/tracks/{moved}/audio').then((answer) => answer.status)") == 200

    shutil.rmtree(music / "Album 00")
    count -= SONGS
    evening.wait_for_scan("vanished", count)
    evening.shows(count)
    expect(evening.row("Album 00 00")).to_have_count(0, timeout=evening.left_ms)

    assert page.evaluate("stops") == []
    played, passed = evening.position_s() - begun, time.monotonic() - began_at
    assert played > 0.9 * passed

    evening.row("Aaa New 01").locator("[data-do=play]").click()
    page.wait_for_function("() => !audio.paused && audio.currentTime > 0.2")
    assert moved in page.evaluate("audio.currentSrc")
