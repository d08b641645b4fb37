"""Odd but real files beside the checkout, with what is right about each: `expected.tsv`."""

import csv
from collections.abc import Mapping
from pathlib import Path

import pytest

from soundalike.audio.tags import read_tags

FILES = Path(__file__).resolve().parents[3] / "shared" / "data" / "files"
EXPECTED = FILES / "expected.tsv"
# Its INFO has an artist and a title, and no album.
NOT_IN_THE_FILE = {("06-riff-info-latin1.wav", "album"): b"GoodAlbum"}

pytestmark = pytest.mark.realmusic


def expected_rows() -> list[Mapping[str, str]]:
    """Return a row for each file; none, which skips, where they are missing."""
    if not EXPECTED.is_file():
        return []
    with EXPECTED.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


ROWS = pytest.mark.parametrize("row", [pytest.param(row, id=row["file"]) for row in expected_rows()])


@pytest.fixture(autouse=True)
def files() -> None:
    if not EXPECTED.is_file():
        pytest.skip("no real music beside the checkout (../shared/data/files)")


@ROWS
def test_tags_are_right(row: Mapping[str, str]) -> None:
    path = FILES / row["file"]
    with path.open("rb") as file:
        tags = read_tags(file)
    found = {
        "title": tags.title or "",
        "artists": "|".join(tags.artists),
        "album": tags.album or "",
        "year": str(tags.year or ""),
        "genres": "|".join(tags.genres),
    }
    for name, value in found.items():
        if missing := NOT_IN_THE_FILE.get((row["file"], name)):
            assert missing.decode() == row[name]
            assert missing not in path.read_bytes()
        elif row[name]:
            assert value == row[name], name
