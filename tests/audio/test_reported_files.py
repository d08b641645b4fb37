"""Files of the kinds that people report: each is heard, at its true length, or says what it needs."""

import csv
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from audio.sounds import analyse
from soundalike.domain.files import Analysis, AnalysisFailure, ProblemReason


@dataclass(frozen=True, slots=True)
class Expected:
    """A line of the table: how long a file is, if that is checked, and what becomes of it."""

    path: Path
    seconds: float | None
    outcome: str


@pytest.fixture(scope="module")
def expected(reported_files: Path) -> list[Expected]:
    return list(_lines(reported_files))


def _lines(folder: Path) -> Iterator[Expected]:
    with (folder / "expected.tsv").open(encoding="utf-8", newline="") as table:
        for line in csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE):
            seconds = line["seconds"]
            yield Expected(folder / line["file"], float(seconds) if seconds else None, line["outcome"])


def assert_heard(file: Expected, result: Analysis | AnalysisFailure) -> None:
    assert isinstance(result, Analysis), (file, result)
    assert not result.is_truncated
    if file.seconds is not None:
        assert result.duration_ms == pytest.approx(file.seconds * 1_000, abs=100), file


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
