"""Files of the kinds that people report: their tags, their true length, or what they need to be heard."""

import csv
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from audio.sounds import analyse
from soundalike.audio.tags import read_tags
from soundalike.domain.files import Analysis, AnalysisFailure, ProblemReason

TAGS = ("title", "artists", "album", "year", "genres")
# Its INFO has an artist and a title alone; these words are nowhere in the file.
NOT_IN_THE_FILE = {("06-riff-info-latin1.wav", "album"): "GoodAlbum"}


@dataclass(frozen=True, slots=True)
class Expected:
    """A line of the table: tags and length of a file, as far as they are checked, and what becomes of it."""

    path: Path
    tags: Mapping[str, str]
    seconds: float | None
    outcome: str


@pytest.fixture(scope="module")
def expected(reported_files: Path) -> list[Expected]:
    return list(_lines(reported_files))


def _lines(folder: Path) -> Iterator[Expected]:
    with (folder / "expected.tsv").open(encoding="utf-8", newline="") as table:
        for line in csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE):
            seconds = line["seconds"]
            yield Expected(
                path=folder / line["file"],
                tags={name: line[name] for name in TAGS if line[name]},
                seconds=float(seconds) if seconds else None,
                outcome=line["outcome"],
            )


def assert_heard(file: Expected, result: Analysis | AnalysisFailure) -> None:
    assert isinstance(result, Analysis), (file, result)
    assert not result.is_truncated
    if file.seconds is not None:
        assert result.duration_ms == pytest.approx(file.seconds * 1_000, abs=100), file


def test_the_tags_of_every_file_are_right(expected: list[Expected]) -> None:
    assert expected
    for file in expected:
        with file.path.open("rb") as opened:
            tags = read_tags(opened)
        found = {
            "title": tags.title,
            "artists": "|".join(tags.artists),
            "album": tags.album,
            "year": str(tags.year),
            "genres": "|".join(tags.genres),
        }
        for name, value in file.tags.items():
            if NOT_IN_THE_FILE.get((file.path.name, name)) == value:
                assert value.encode() not in file.path.read_bytes()
            else:
                assert found[name] == value, (file.path.name, name)


def test_every_file_is_heard(expected: list[Expected]) -> None:
    assert expected
    for file in expected:
        assert file.outcome.startswith("heard")
        assert_heard(file, analyse(file.path))


def test_without_pyav_a_file_is_heard_or_says_what_it_needs(
    expected: list[Expected], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    for file in expected:
        result = analyse(file.path)
        if file.outcome == "heard" or isinstance(result, Analysis):
            assert_heard(file, result)
            continue
        assert result.reason is ProblemReason.UNSUPPORTED_CODEC
        assert "pip install 'soundalike[codecs]'" in result.detail
