"""What a folder of music has beside tracks, as a user meets it who types commands."""

import os
from pathlib import Path

import pytest

from journeys.program import Program, write_tune


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path / "data")


def test_files_are_read_anew_on_request(program: Program, tmp_path: Path) -> None:
    first, second = (write_tune(tmp_path / "music" / name / "a.flac", seed=1) for name in ("one", "two"))
    program.json("extract", first.parent.parent)
    assert program.json("extract", "--again", first)["analysed"] == 1
    assert program.json("extract", "--again", second.parent)["analysed"] == 1
    (report,) = program.json("extract", "--again")["directories"]
    assert (report["analysed"], report["added"], report["unchanged"]) == (2, 0, 0)
    other = write_tune(tmp_path / "other.flac", seed=2)
    result = program.run("extract", "--again", other)
    assert (result.returncode, "in no folder of the library" in result.stderr) == (1, True)
    assert program.run("extract", os.fspath(first)).returncode == 1
