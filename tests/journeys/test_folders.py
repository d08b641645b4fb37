"""What a folder of music has beside tracks, as a user meets it who types commands."""

import os
from pathlib import Path
from typing import Any

import pytest

from journeys.program import Program, get, write_tune


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
    other = write_tune(tmp_path / "others" / "other.flac", seed=2)
    for path, said in (
        (other, "in no folder of the library"),
        (other.parent, "in no folder of the library"),
        (first.with_name("none.mp3"), "none.mp3' does not exist; give a file or a folder of the library"),
        (first.parent.parent / "none", "none' does not exist; give a file or a folder of the library"),
    ):
        result = program.run("extract", "--again", path)
        assert (result.returncode, said in " ".join(result.stderr.split())) == (1, True), result.stderr
    assert program.run("extract", os.fspath(first)).returncode == 1


def test_what_is_left_out_is_said_and_comes_back(program: Program, tmp_path: Path) -> None:
    music = tmp_path / "music"
    for number, name in enumerate(("a.flac", "live/b.flac", "#recycle/c.flac")):
        write_tune(music / name, seed=number)
    report = program.json("extract", music)
    assert (report["found"], report["left_out"]) == (2, {"recycle bin or snapshot": 1})
    (music / ".soundalikeignore").write_text("live/\n")
    said = " ".join(program.run("extract", music).stderr.split())
    assert "1 vanished" in said
    assert "1 named in .soundalikeignore, 1 recycle bin or snapshot; 1 track in them vanished" in said
    (music / ".soundalikeignore").unlink()
    report = program.json("extract", music)
    assert (report["returned"], report["added"], report["vanished_left_out"]) == (1, 0, 0)


SHEET = """\
PERFORMER "Band"
TITLE "Live"
FILE "Image.wav" WAVE
TRACK 01 AUDIO
TITLE "Dawn"
INDEX 01 00:00:00
TRACK 02 AUDIO
TITLE "Dusk"
INDEX 00 00:03:00
INDEX 01 00:04:00
"""


def test_a_sheet_beside_a_long_file_makes_its_tracks_and_nothing_is_lost(
    program: Program, tmp_path: Path
) -> None:
    music = tmp_path / "music"
    write_tune(music / "Image.flac", seed=1, seconds=9)
    write_tune(music / "other.flac", seed=2)
    program.json("extract", music)
    (music / "Image.cue").write_text(SHEET)
    report = program.json("extract", music)
    assert (report["found"], report["added"], report["vanished"]) == (2, 2, 1)
    with program.serving("serve") as address:
        dawn, dusk = find(address, "dawn"), find(address, "dusk")
        assert dawn["part"].pop("file") == dusk["part"].pop("file")
        assert (dawn["part"], dawn["duration_ms"]) == ({"start_ms": 0, "end_ms": 4_000}, 4_000)
        assert (dusk["part"], dusk["duration_ms"]) == ({"start_ms": 4_000, "end_ms": None}, 5_000)
        assert (dusk["album"], dusk["artist"], dusk["track_number"]) == ("Live", "Band", 2)
        assert dawn["album_id"] == dusk["album_id"]
    (music / "Image.cue").write_text("broken")
    report = program.json("extract", music)
    assert (report["found"], report["returned"], report["vanished"]) == (2, 1, 2)
    assert [problem["reason"] for problem in report["problems"]] == ["a broken CUE sheet"]


def find(address: str, words: str) -> Any:
    (track,) = get(f"{address}/api/tracks?query={words}")["tracks"]
    return track
