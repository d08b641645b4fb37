"""What `serve` and `up` say as they start."""

import os
from pathlib import Path

import pytest

from soundalike.cli import learning, library, run, serving

ROOT_LINE = "Running as root"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither analyse nor learn nor wait for requests."""
    monkeypatch.setattr(serving, "serve_forever", lambda _web, **_how: None)
    monkeypatch.setattr(library, "run_extract", lambda _app, _directory: None)
    monkeypatch.setattr(library, "print_report", lambda _app, _report: None)
    monkeypatch.setattr(learning, "run_build", lambda _app, **_how: None)


@pytest.mark.parametrize("command", [["serve"], ["up", "."]])
@pytest.mark.parametrize("is_root", [True, False])
def test_whoever_serves_as_root_is_told_so_in_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: list[str],
    *,
    is_root: bool,
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0 if is_root else 1000)
    assert run([*command, "--data", str(tmp_path / "data")]) == 0
    told = [line for line in capsys.readouterr().err.splitlines() if ROOT_LINE in line]
    assert len(told) == (1 if is_root else 0)


def test_commands_that_do_not_serve_say_nothing_of_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--data", str(tmp_path / "data")]
    assert run(["serve", *where]) == 0
    capsys.readouterr()
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert run(["users", "list", *where]) == 0
    assert ROOT_LINE not in capsys.readouterr().err
