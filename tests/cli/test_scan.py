"""The command scan, and that one scan runs at a time."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from journeys.program import write_tune
from soundalike.app import open_app
from soundalike.cli import run
from soundalike.cli.turns import status_line
from soundalike.domain.scans import ScanProgress, ScanRecord, ScanResult, ScanState
from soundalike.settings import Settings

RUNNING = ScanRecord(
    owner="elsewhere", progress=ScanProgress(state=ScanState.ANALYSING, done=1_200, total=8_000)
)


@pytest.fixture
def library(tmp_path: Path) -> list[str]:
    """A library of two tunes and a third in its folder; returns the options that name it."""
    for number in range(2):
        write_tune(tmp_path / "music" / f"tune {number}.wav", seed=number, seconds=1.0)
    where = ["--data", str(tmp_path / "data")]
    assert run(["extract", str(tmp_path / "music"), *where]) == 0
    write_tune(tmp_path / "music" / "tune 2.wav", seed=2, seconds=1.0)
    return where


def set_record(where: list[str], record: ScanRecord) -> None:
    data = Path(where[1])
    with open_app(Settings(data=data, artefacts=data / "artefacts")) as app:
        assert app.store.save_scan_record(record, replacing=app.store.scan_record())


def test_it_brings_all_folders_in_step_and_learns(
    library: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["scan", *library, "--engine", "local"]) == 0
    said = capsys.readouterr().err
    assert "3 files: 1 analysed, 2 unchanged.\n" in said
    assert "Artefact 000001: 3 tracks" in said
    assert run(["scan", "--status", "--json", *library]) == 0
    status = json.loads(capsys.readouterr().out)
    assert (status["state"], status["last"]["found"], status["last"]["added"]) == ("idle", 3, 1)


def test_it_steers_what_runs_elsewhere(library: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    set_record(library, RUNNING)
    for option, said in (
        ("--status", "A scan runs: analysing, 1,200 of 8,000.\n"),
        ("--pause", "Scans are paused; 'soundalike scan --resume' lets them go on.\n"),
        ("--resume", "A scan runs: analysing, 1,200 of 8,000.\n"),
    ):
        assert run(["scan", option, *library]) == 0
        assert capsys.readouterr().out == said


@pytest.mark.parametrize("command", ["scan", "extract"])
def test_it_waits_for_its_turn(
    library: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    set_record(library, RUNNING)
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            set_record(library, RUNNING.freed())

    monkeypatch.setattr("soundalike.cli.turns.time", SimpleNamespace(sleep=wait))
    music = [str(Path(library[1]).parent / "music")] if command == "extract" else ["--engine", "local"]
    assert run([command, *music, *library]) == 0
    said = capsys.readouterr().err
    assert said.count("A scan runs: analysing, 1,200 of 8,000. This waits for its turn.") == 1
    assert "3 files: 1 analysed" in said
    assert len(waits) == 3


@pytest.mark.parametrize(
    ("record", "line"),
    [
        (ScanRecord(), "No scan runs."),
        (ScanRecord(wanted=1), "A scan is wanted, and none runs yet."),
        (replace(RUNNING, progress=ScanProgress()), "A scan runs: looking for files."),
        (
            replace(RUNNING, progress=replace(RUNNING.progress, seconds_left=59)),
            "A scan runs: analysing, 1,200 of 8,000, 59 s left.",
        ),
        (
            replace(RUNNING, progress=replace(RUNNING.progress, seconds_left=3_601)),
            "A scan runs: analysing, 1,200 of 8,000, 1 h 01 min left.",
        ),
        (ScanRecord(last=ScanResult(finished_ms=0)), "No scan runs."),
    ],
)
def test_how_far_it_is_is_a_sentence(record: ScanRecord, line: str) -> None:
    assert status_line(record) == line
