"""Albums, artists and genres in the player of the program, on a desktop and on a phone."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect

from journeys.collection import IMAGE_PART_S, Collection, fill_collection
from journeys.program import Program, get
from soundalike.store.sqlite.store import SqliteStore

pytestmark = pytest.mark.browser
SIZES = {
    "desktop": ViewportSize(width=1280, height=800),
    "phone": ViewportSize(width=390, height=844),
}


class Player:
    """The player in a browser; each page that it has shown is kept as a picture."""

    def __init__(self, page: Page, address: str, pictures: Path) -> None:
        self.page = page
        self._pictures = pictures
        page.goto(address)

    def search(self, words: str) -> None:
        self.page.get_by_label("Search the library").fill(words)
        expect(self.page.get_by_role("heading", name="Found" if words else "Library")).to_be_visible()

    def open(self, link: Locator, heading: str) -> None:
        link.click()
        self.sees(heading)

    def sees(self, heading: str) -> None:
        """Wait for a page; it must be no wider than the window."""
        expect(self.page.locator("#main h1")).to_have_text(heading)
        self.keep(heading)

    def keep(self, name: str) -> None:
        self.page.wait_for_load_state("networkidle")
        self.page.screenshot(path=self._pictures / f"{name}.png")
        assert self.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} is too wide"

    @property
    def rows(self) -> list[str]:
        return self.page.locator("#main .track .track-title").all_inner_texts()

    def row(self, title: str) -> Locator:
        return self.page.locator("#main .track").filter(
            has=self.page.get_by_role("link", name=title, exact=True)
        )

    @property
    def position(self) -> float:
        return float(self.page.locator("#seek").input_value())


@pytest.fixture
def collection(tmp_path: Path) -> Iterator[Collection]:
    (tmp_path / "data").mkdir()
    store = SqliteStore(tmp_path / "data" / "library.sqlite")
    yield fill_collection(store, tmp_path / "music")
    store.close()


@pytest.fixture
def address(collection: Collection) -> Iterator[str]:
    """Serve the collection, to which a test may still add."""
    with Program(collection.folder.parent / "data").serving("serve") as address:
        yield address


@pytest.fixture(params=SIZES)
def player(
    request: pytest.FixtureRequest, browser: Browser, address: str, tmp_path: Path
) -> Iterator[Player]:
    context = browser.new_context(viewport=SIZES[request.param])
    context.set_default_timeout(10_000)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield Player(page, address, tmp_path)
    context.close()
    assert errors == []


def test_a_collection_is_found_and_played(player: Player, address: str, collection: Collection) -> None:
    find_albums_artists_and_genres(player, address)
    play_an_image_as_its_tracks(player)
    # A track without audio says so, until its file comes.
    lost = player.row("Lost Tape")
    expect(lost).to_contain_text("no audio")
    expect(lost.get_by_role("button", name="Play Lost Tape")).to_be_disabled()
    player.open(lost.get_by_role("link", name="Lost Tape"), "Lost Tape")
    expect(player.page.get_by_text("Only what an import said")).to_be_visible()
    collection.find_lost_tape()
    player.page.reload()
    player.page.locator("#main").get_by_role("button", name="Play", exact=True).click()
    expect(player.page.locator("#player-title")).to_have_text("Lost Tape")
    expect(player.page.locator("#player.is-playing")).to_be_visible()
    player.keep("Lost Tape found")


def find_albums_artists_and_genres(player: Player, address: str) -> None:
    # An album in two formats has each of its tracks once.
    player.search("sea")
    assert sorted(player.rows) == ["Brine", "Foam", "Salt", "Tide"]
    player.keep("search")
    assert get(f"{address}/api/tracks?query=sea")["total"] == 8
    player.row("Brine").get_by_role("button", name="More for Brine").click()
    player.keep("menu")
    player.open(player.page.get_by_role("menuitem", name="Album"), "Sea")
    assert player.rows == ["Salt", "Brine", "Tide", "Foam"]
    # A track by two artists leads to both.
    player.open(player.row("Brine").get_by_role("link", name="The Harbour"), "The Harbour")
    assert player.rows == ["Opening", "Middle", "Encore", "Lost Tape", "Brine"]
    # A compilation is by no one artist.
    player.search("hills")
    player.row("Song of Fell").get_by_role("button", name="More for").click()
    player.open(player.page.get_by_role("menuitem", name="Album"), "Songs of the Hills")
    expect(player.page.locator(".hero-artist")).to_have_text("Various artists")
    player.open(player.row("Song of Fell").get_by_role("link", name="Lena Fell"), "Lena Fell")
    assert player.rows == ["Song of Fell"]
    player.row("Song of Fell").get_by_role("button", name="More for").click()
    player.open(player.page.get_by_role("menuitem", name="Genre"), "Folk")
    assert len(player.rows) == 4
    # A box has its discs in order.
    player.search("vogel")
    player.row("Étude 2.1").get_by_role("button", name="More for").click()
    player.open(player.page.get_by_role("menuitem", name="Album"), "The Complete Études")
    assert player.page.locator(".disc").all_inner_texts() == ["Disc 1", "Disc 2", "Disc 3"]
    assert player.rows == [f"Étude {disc}.{number}" for disc in (1, 2, 3) for number in (1, 2, 3)]


def play_an_image_as_its_tracks(player: Player) -> None:
    player.search("mole")
    player.row("Middle").get_by_role("button", name="More for").click()
    player.open(player.page.get_by_role("menuitem", name="Album"), "Live at the Mole")
    assert player.rows == ["Opening", "Middle", "Encore", "Lost Tape"]
    playing = player.page.locator("#player-title")
    player.page.get_by_role("button", name="Play", exact=True).first.click()
    expect(playing).to_have_text("Opening")
    expect(player.page.locator("#total")).to_have_text(f"0:0{IMAGE_PART_S}")
    # The part ends within its file, and the next begins.
    expect(playing).to_have_text("Middle", timeout=1000 * (IMAGE_PART_S + 8))
    in_file_s = player.page.evaluate("document.getElementById('audio').currentTime")
    assert IMAGE_PART_S <= in_file_s < 2 * IMAGE_PART_S
    assert player.position < IMAGE_PART_S
    player.keep("playing")
    player.page.get_by_role("button", name="Queue", exact=True).click()
    player.keep("queue")
    player.page.get_by_role("button", name="Close the queue").click()
