"""The artists and albums of the demo library, which are invented, and how they sound and look.

Names are not only ASCII on purpose: search must find Ólafía by "olafia", and a fish by its emoji.
"""

from collections.abc import Callable
from dataclasses import dataclass

from soundalike.demo.cover import Design
from soundalike.demo.idioms import breaks, chip, keys, pads, strings, weather
from soundalike.demo.score import Sketch
from soundalike.demo.tagwriter import DemoFormat
from soundalike.domain.types import FloatArray

Arrange = Callable[[Sketch], FloatArray]


@dataclass(frozen=True, slots=True)
class Album:
    """An album; all its tracks are files of one format with one cover."""

    title: str
    year: int
    container: DemoFormat
    design: Design
    tracks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Artist:
    """An invented artist, who plays in one idiom."""

    name: str
    genre: str
    arrange: Arrange
    fade_s: tuple[float, float]
    albums: tuple[Album, ...]


@dataclass(frozen=True, slots=True)
class DemoTrack:
    """One track; `place` counts through the artist's tracks, from 0."""

    artist: Artist
    album: Album
    number: int
    place: int

    @property
    def title(self) -> str:
        """Name of the track."""
        return self.album.tracks[self.number - 1]

    @property
    def path(self) -> tuple[str, str, str]:
        """Names of the folders and of the file below the library's folder."""
        file = f"{self.number:02} {self.title}.{self.album.container}"
        return _file_name(self.artist.name), _file_name(self.album.title), _file_name(file)


ARTISTS = (
    Artist(
        "Ólafía Brún",
        "Folk",
        strings.arrange,
        (0.05, 2.5),
        (
            Album(
                "Vetrarljós",
                2011,
                DemoFormat.FLAC,
                Design("strings", ("#1f3044", "#d98a5b", "#f6e3c5")),
                ("Fyrsta snjókorn", "Strandganga", "Lítið lag um þoku", "Hvalfjörður"),
            ),
            Album(
                "Six Strings to Reykjanes",
                2016,
                DemoFormat.OGG,
                Design("strings", ("#24382f", "#8fae6b", "#f3ecc8")),
                ("Lighthouse Keeper's Waltz", "Moss & Basalt", "Heim"),
            ),
        ),
    ),
    Artist(
        "Slow Meridian",
        "Ambient",
        pads.arrange,
        (2.0, 4.0),
        (
            Album(
                "Tidal Hours",
                2014,
                DemoFormat.FLAC,
                Design("horizon", ("#14213d", "#4f6d9a", "#f2a65a")),
                ("The Long Exhale", "Noctiluca", "Half-Light, Low Water", "Séance for a Satellite"),
            ),
            Album(
                "A Map of Quiet Places",
                2020,
                DemoFormat.FLAC,
                Design("horizon", ("#2b1b3d", "#a45c8f", "#f7c9b6")),
                ("Reading Room", "Greenhouse at 4 a.m.", "静かな海"),
            ),
        ),
    ),
    Artist(
        "Kvadrat & the Basement",
        "Drum and Bass",
        breaks.arrange,
        (0.02, 1.5),
        (
            Album(
                "Concrete Gardens",
                1998,
                DemoFormat.FLAC,
                Design("rings", ("#17120f", "#e4572e", "#f3c677")),
                ("Stairwell", "Red Line, Last Train", "Kopfsteinpflaster", "Ghost Note"),
            ),
            Album(
                "Подвал",
                2003,
                DemoFormat.MP3,
                Design("rings", ("#0d1b1e", "#3bceac", "#f9f7d9")),
                ("Ночной трамвай", "Subwoofer Lullaby", "Tiefgarage"),
            ),
        ),
    ),
    Artist(
        "Pixel Kingyo",
        "Chiptune",
        chip.arrange,
        (0.02, 1.2),
        (
            Album(
                "金魚カートリッジ",
                2009,
                DemoFormat.FLAC,
                Design("pixels", ("#22223b", "#f25f5c", "#ffe066")),
                ("Press Start to Swim", "金魚の夢", "Boss Rush at the Aquarium", "🐟 Loop-de-Loop"),
            ),
            Album(
                "Continue? 9 8 7",
                2018,
                DemoFormat.OGG,
                Design("pixels", ("#102542", "#2ec4b6", "#fdfcdc")),
                ("Warp Pipe Serenade", "🚀 Escape Velocity", "Save Point"),
            ),
        ),
    ),
    Artist(
        "Windward Static",
        "Drone",
        weather.arrange,
        (2.5, 4.0),
        (
            Album(
                "Weather Reports from Nowhere",
                2007,
                DemoFormat.FLAC,
                Design("contours", ("#1d2b2f", "#6f8f95", "#e6ebe0")),
                ("Gale Warning", "Drizzle on Tin", "Fog Signal", "Anemometer", "Øresund, 03:40", "Still Air"),
            ),
        ),
    ),
    Artist(
        "Rhodes to Nowhere",
        "Jazz",
        keys.arrange,
        (0.03, 2.5),
        (
            Album(
                "Café Après Minuit",
                1976,
                DemoFormat.FLAC,
                Design("discs", ("#2d1e2f", "#c8553d", "#f6d8ae")),
                ("Déjà Brew", "Blue Formica", "Two Sugars, No Regrets", "Last Call for Mr. Fender"),
            ),
            Album(
                "Tines",
                1979,
                DemoFormat.OGG,
                Design("discs", ("#0b3954", "#e0a458", "#fff1d0")),
                ("Rain on Linoleum", "Señorita Vibráfono"),
            ),
        ),
    ),
)


def _file_name(name: str) -> str:
    """Replace characters that some file systems do not allow in a name."""
    return name.translate(str.maketrans('<>:"/\\|?*', "_________"))


def demo_tracks() -> tuple[DemoTrack, ...]:
    """List every track, artist by artist."""
    listed: list[DemoTrack] = []
    for artist in ARTISTS:
        place = 0
        for album in artist.albums:
            for number in range(1, len(album.tracks) + 1):
                listed.append(DemoTrack(artist, album, number, place))
                place += 1
    return tuple(listed)
