"""A made Free Music Archive in FMA's own formats: seeded, with clusters and hubs like real features'.

python bench/made_fma.py FOLDER [TRACKS]
"""

import csv
import sys
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

import numpy as np
import numpy.typing as npt

from fma_files import COLUMNS
from soundalike.domain.fma import FAMILIES, FMA, STATISTICS

TRACKS, ARTISTS, ALBUMS, GENRES, TOPS = 106_574, 16_341, 14_854, 163, 16
LATENT, BATCH = 40, 500
EMPTY_ROWS, INVALID_ROW = 10, 1_000
INVALID = "Caf\u00e9"  # written as Latin-1 in one row, which is not UTF-8

RAW_COLUMNS = (
    "track_id album_id album_title artist_id artist_name license_title track_disc_number track_duration "
    "track_genres track_number track_title"
)
_WORDS = (
    "amber blue cedar dust echo fern glass harbour iron june kite lantern moss north opal paper quiet river "
    "salt tide umber violet winter yarrow zephyr morning night window street garden machine signal"
)
WORDS = tuple(_WORDS.split())

Floats = npt.NDArray[np.float64]


class Made:
    """Who plays what, and how it sounds."""

    def __init__(self, tracks: int, seed: int = 0) -> None:
        self.rng = np.random.default_rng(seed)
        share = tracks / TRACKS
        self.tracks = tracks
        self.artists, self.albums = max(20, int(ARTISTS * share)), max(20, int(ALBUMS * share))
        self.tops = [f"Top {WORDS[number].title()}" for number in range(TOPS)]
        self.parents = {
            number: 0 if number <= TOPS else int(self.rng.integers(1, TOPS + 1))
            for number in range(1, GENRES + 1)
        }
        # Ids are not consecutive, as FMA's are not: some tracks were deleted.
        self.ids = np.sort(self.rng.choice(np.arange(2, int(tracks * 1.46) + 3), tracks, replace=False))
        # Few artists have very many tracks, most have few.
        weights = 1 / np.arange(1, self.albums + 1) ** 0.6
        self.album_of = np.sort(self.rng.choice(self.albums, tracks, p=weights / weights.sum()))
        self.artist_of_album = self.rng.integers(self.artists, size=self.albums)
        self.genre_of_artist = self.rng.integers(1, GENRES + 1, size=self.artists)
        self._sound(LATENT)

    def _sound(self, latent: int) -> None:
        """Draw a genre's, an artist's and an album's place, and what of it shows in each feature."""
        decay = 1 / np.sqrt(1 + np.arange(latent))
        self._genres = self.rng.normal(size=(GENRES + 1, latent)) * decay * 1.2
        self._artists = self.rng.normal(size=(self.artists, latent)) * decay
        self._albums = self.rng.normal(size=(self.albums, latent)) * decay * 0.6
        self._decay = decay
        self._loadings = self.rng.normal(size=(latent, len(FMA))) / np.sqrt(latent)
        self._scale = 10 ** self.rng.uniform(-2, 2.5, size=len(FMA))
        self._offset = self._scale * self.rng.normal(size=len(FMA))
        statistics = [
            statistic for family in FAMILIES for statistic in STATISTICS for _ in range(FAMILIES[family])
        ]
        # Kurtosis and skew have heavy tails, extremes some: outliers that clip, and antihubs.
        self._tail = np.array(
            [{"kurtosis": 1.0, "skew": 0.6, "max": 0.3, "min": 0.3}.get(one, 0.1) for one in statistics]
        )

    def features(self, rows: npt.NDArray[np.int64]) -> Floats:
        """Return the features of some tracks, shape (n, 518); the same rows, the same features."""
        rng = np.random.default_rng((int(rows[0]), len(rows)))
        albums = self.album_of[rows]
        artists = self.artist_of_album[albums]
        place = self._genres[self.genre_of_artist[artists]] + self._artists[artists] + self._albums[albums]
        # A track of average sound is near everything: those are the hubs.
        place = (place + rng.normal(size=place.shape) * self._decay) * rng.gamma(
            4.0, 0.25, size=(len(rows), 1)
        )
        values = place @ self._loadings + 0.3 * rng.normal(size=(len(rows), len(FMA)))
        found: Floats = self._offset + self._scale * np.sinh(values * self._tail) / self._tail
        return found


def words(number: int) -> str:
    """Return a title that is its own."""
    return f"{WORDS[number % len(WORDS)]} {WORDS[number // len(WORDS) % len(WORDS)]} {number}".title()


def write(folder: Path, tracks: int = TRACKS) -> Made:
    """Write the four files of ``fma_metadata``.

    Parameters
    ----------
    folder : Path
        Where to.
    tracks : int
        How many.
    """
    made = Made(tracks)
    folder.mkdir(parents=True, exist_ok=True)
    write_genres(made, folder / "genres.csv")
    write_tracks(made, folder / "tracks.csv")
    write_raw(made, folder / "raw_tracks.csv")
    write_features(made, folder / "features.csv")
    return made


def write_genres(made: Made, path: Path) -> None:
    """Write ``genres.csv``."""
    rows = [("genre_id", "#tracks", "parent", "title", "top_level")]
    rows += [(n, 1, above, genre_name(made, n), above or n) for n, above in made.parents.items()]  # type: ignore[misc] # numbers and texts
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def genre_name(made: Made, number: int) -> str:
    """Return the name of a genre."""
    return made.tops[number - 1] if number <= TOPS else f"Genre {words(number)}"


def write_tracks(made: Made, path: Path) -> None:
    """Write ``tracks.csv``, with a text of some hundred letters in each row, as FMA's have."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["", *(group for group, _ in COLUMNS)])
        writer.writerow(["", *(name for _, name in COLUMNS)])
        writer.writerow(["track_id", *[""] * len(COLUMNS)])
        for number, cells in described(made):
            writer.writerow([number, *(cells.get(f"{group}.{name}", "") for group, name in COLUMNS)])


def described(made: Made) -> Iterator[tuple[int, dict[str, object]]]:
    """Yield FMA's id and the cells of each track."""
    about = "<p>" + " ".join(WORDS * 6) + "</p>"
    for row, number in enumerate(made.ids.tolist()):
        album = int(made.album_of[row])
        artist = int(made.artist_of_album[album])
        genre = int(made.genre_of_artist[artist])
        top = made.parents[genre] or genre
        yield number, {
            "album.id": album + 1, "album.title": f"Album {words(album)}", "album.information": about,
            "album.date_released": f"{2000 + album % 18}-{1 + album % 12:02}-01 00:00:00",
            "artist.id": artist + 1, "artist.name": f"Artist {words(artist)}", "artist.bio": about,
            "set.split": "training" if row % 10 else "test",
            "set.subset": "small" if row % 13 == 0 else "large",
            "track.duration": 120 + row % 300, "track.genre_top": genre_name(made, top),
            "track.genres": f"[{genre}]", "track.genres_all": f"[{genre}, {top}]",
            "track.license": "Attribution-NonCommercial-ShareAlike 3.0 International",
            "track.number": row % 20 + 1, "track.title": words(row), "track.bit_rate": 256_000,
            "track.tags": "[]", "track.listens": row,
        }  # fmt: skip


def write_raw(made: Made, path: Path) -> None:
    """Write ``raw_tracks.csv``, with one row that is not UTF-8."""
    with path.open("w", newline="", encoding="utf-8", errors="surrogateescape") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(RAW_COLUMNS.split())
        for row, number in enumerate(made.ids.tolist()):
            title = (
                INVALID.encode("latin-1").decode(errors="surrogateescape")
                if row == INVALID_ROW
                else words(row)
            )
            genres = [{"genre_id": "1", "genre_title": made.tops[0], "genre_url": "http://x"}]
            writer.writerow([number, 1, "x", 1, "x", "x", row % 2 + 1, "02:48", genres, 1, title])


def write_features(made: Made, path: Path) -> None:
    """Write ``features.csv``, the first rows of which are empty."""
    parts = [
        (family, statistic, f"{number:02}")
        for family in FAMILIES
        for statistic in STATISTICS
        for number in range(1, FAMILIES[family] + 1)
    ]
    line = ",".join(["%.10e"] * len(FMA)) + "\n"
    with path.open("w", encoding="ascii") as file:
        for place, name in enumerate(("feature", "statistics", "number")):
            file.write(",".join([name, *(part[place] for part in parts)]) + "\n")
        file.write("track_id" + "," * len(FMA) + "\n")
        for first in range(0, made.tracks, BATCH):
            rows = np.arange(first, min(first + BATCH, made.tracks))
            for row, values in zip(rows.tolist(), made.features(rows).tolist(), strict=True):
                number = int(made.ids[row])
                file.write(
                    f"{number}{',' * len(FMA)}\n" if row < EMPTY_ROWS else f"{number},{line % tuple(values)}"
                )


def main() -> None:
    """Write it, and say how large it is."""
    if not 2 <= len(sys.argv) <= 3:  # noqa: PLR2004 - one or two arguments
        sys.exit(__doc__)
    folder = Path(sys.argv[1])
    started = time.monotonic()
    write(folder, int(sys.argv[2]) if len(sys.argv) > 2 else TRACKS)  # noqa: PLR2004 - the second
    size = sum(path.stat().st_size for path in folder.iterdir())
    print(f"{size / 1e6:,.0f} MB in {folder}, made in {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
