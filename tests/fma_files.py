"""Files in the formats of the Free Music Archive, as pandas writes them."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from soundalike.domain.fma import FMA, STATISTICS

ALBUM = (
    "comments date_created date_released engineer favorites id information listens producer tags title "
    "tracks type"
)
ARTIST = (
    "active_year_begin active_year_end associated_labels bio comments date_created favorites id latitude "
    "location longitude members name related_projects tags website wikipedia_page"
)
TRACK = (
    "bit_rate comments composer date_created date_recorded duration favorites genre_top genres genres_all "
    "information interest language_code license listens lyricist number publisher tags title"
)
COLUMNS = [
    (group, name)
    for group, names in (("album", ALBUM), ("artist", ARTIST), ("set", "split subset"), ("track", TRACK))
    for name in names.split()
]
"""The 52 columns of ``tracks.csv``."""

FOOD: dict[str, object] = {
    "album.id": 1, "album.title": "AWOL - A Way Of Life", "album.date_released": "2009-01-05 00:00:00",
    "artist.id": 1, "artist.name": "AWOL", "set.split": "training", "set.subset": "small",
    "track.duration": 168, "track.genre_top": "Hip-Hop", "track.genres": "[21]", "track.genres_all": "[21]",
    "track.license": "Attribution-NonCommercial-ShareAlike 3.0 International", "track.number": 3,
    "track.title": "Food",
}  # fmt: skip
"""FMA's first track, number 2."""


def text_of(rows: Sequence[Sequence[object]]) -> str:
    file = io.StringIO(newline="")
    csv.writer(file, lineterminator="\n").writerows(rows)
    return file.getvalue()


def write_tracks(folder: Path, tracks: Mapping[int, Mapping[str, object]]) -> Path:
    """Write ``tracks.csv``; a track names its columns as ``track.title``."""
    rows: list[list[object]] = [
        ["", *(group for group, _ in COLUMNS)],
        ["", *(name for _, name in COLUMNS)],
        ["track_id", *[""] * len(COLUMNS)],
    ]
    rows += [
        [number, *(track.get(f"{group}.{name}", "") for group, name in COLUMNS)]
        for number, track in tracks.items()
    ]
    return _write(folder / "tracks.csv", text_of(rows))


def write_genres(folder: Path, genres: Mapping[int, tuple[str, int]]) -> Path:
    """Write ``genres.csv``: a name and a parent for each number."""
    rows: list[list[object]] = [["genre_id", "#tracks", "parent", "title", "top_level"]]
    rows += [[number, 1, parent, name, parent or number] for number, (name, parent) in genres.items()]
    return _write(folder / "genres.csv", text_of(rows))


def write_features(folder: Path, tracks: Mapping[int, object], families: Sequence[str] = ()) -> Path:
    """Write ``features.csv``: for each track a seed, or the cells themselves."""
    columns = [
        (name, family)
        for name, family in zip(FMA.features, FMA.groups, strict=True)
        if not families or family in families
    ]
    parts = [(family, *name.removeprefix(f"{family}_").split("_")) for name, family in columns]
    assert {statistic for _, statistic, _ in parts} == set(STATISTICS)
    rows: list[list[object]] = [
        [header, *(part[place] for part in parts)]
        for place, header in enumerate(("feature", "statistics", "number"))
    ]
    rows.append(["track_id", *[""] * len(parts)])
    for number, found in tracks.items():
        cells = (
            [f"{one:.10e}" for one in features_of(found)[: len(parts)]] if isinstance(found, int) else found
        )
        rows.append([number, *cells])  # type: ignore[misc] # cells of any kind
    return _write(folder / "features.csv", text_of(rows))


def features_of(seed: int) -> list[float]:
    """Return the features that `write_features` writes for a seed."""
    return [float(one) for one in np.random.default_rng(seed).normal(size=len(FMA)).astype(np.float32)]


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path
