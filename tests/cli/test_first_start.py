"""What the commands say of a small folder of music, from the first start on."""

import re
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from audio.sounds import write
from journeys.program import write_tune
from soundalike.app import App
from soundalike.app.library_worker import WorkerJob
from soundalike.app.scanning import open_runner
from soundalike.cli import run
from soundalike.cli.scan import print_outcome

TRACKS = 24


@pytest.fixture
def music(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Some tunes and a broken file, and a player beside which one scan is run before it ends."""
    monkeypatch.setattr("soundalike.cli.serving._serve", scan_once)
    for number in range(TRACKS):
        write_tune(tmp_path / "music" / f"tune {number:02}.wav", seed=number, seconds=1.5)
    (tmp_path / "music" / "broken.mp3").write_bytes(b"no song")
    return tmp_path / "music"


def scan_once(app: App, worker_job: WorkerJob) -> None:
    report = partial(print_outcome, app, is_verbose=worker_job.is_verbose)
    assert open_runner(app, on_outcome=report).try_all()


def test_it_says_what_a_person_understands(
    music: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = str(tmp_path / "data")
    assert run(["up", str(music), "--data", data]) == 0
    said = capsys.readouterr()
    assert said.err.startswith("25 files: 24 analysed, 1 unusable.\n")
    (space,) = re.findall(r"^Similarity space: .* \(chosen from \d+\)\.$", said.err, re.MULTILINE)
    assert len(space) <= 80
    assert "engine local: NumPy, faster than Spark below 1,000,000 tracks (here 24)\n" in said.err
    assert "hubness" not in said.out
    assert "listen" not in (said.out + said.err).lower()

    assert run(["similar", "tune", "--data", data]) == 1
    first, *matches, rest = capsys.readouterr().err.splitlines()
    assert first == "error: 'tune' matches 24 tracks; give the id of one:"
    assert [line.split("  ")[-1] for line in matches] == [
        f"tune {number:02} by an unknown artist, 0:02" for number in range(20)
    ]
    assert rest == "  and 4 more; add words of the title to see fewer"
    assert run(["similar", matches[3].split()[0], "--data", data]) == 0
    assert run(["similar", "nobody", "--data", data]) == 1
    assert "no track has the id, path or title 'nobody'" in capsys.readouterr().err

    (music / "tune 07.wav").rename(music / "moved.wav")
    (music / "tune 06.wav").unlink()
    assert run(["extract", str(music), "--data", data]) == 0
    said = capsys.readouterr()
    assert said.err.startswith("24 files: 1 analysed, 22 unchanged, 1 unusable; 1 moved, 1 vanished.\n")


def test_the_measurements_of_tuning_are_shown_to_who_asks(
    music: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["up", str(music), "--data", str(tmp_path / "data"), "--verbose"]) == 0
    said = capsys.readouterr()
    assert "hubness" in said.out
    assert "Similarity space:" not in said.err


@pytest.mark.parametrize("name", [None, "broken.mp3"])
def test_a_folder_without_usable_audio_leads_to_no_step_that_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str | None
) -> None:
    (tmp_path / "music").mkdir()
    if name is not None:
        (tmp_path / "music" / name).write_bytes(b"no song")
    assert run(["extract", str(tmp_path / "music"), "--data", str(tmp_path / "data")]) == 0
    said = capsys.readouterr().err
    assert "Next:" not in said
    assert said.splitlines()[-1] == "Nothing to learn from yet: no track could be analysed."


def test_a_silent_track_is_no_file_that_cannot_be_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_tune(tmp_path / "music" / "tune.wav", seed=1, seconds=1.5)
    write(tmp_path / "music" / "gap.wav", np.zeros(66_150, np.float32))
    assert run(["extract", str(tmp_path / "music"), "--data", str(tmp_path / "data")]) == 0
    said = capsys.readouterr()
    assert said.err.startswith("2 files: 2 analysed.\n")
    assert re.search(r"\b1\W+silent\W+1\b", said.out), said.out
