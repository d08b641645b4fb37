"""`make run MUSIC=...`: any name that a folder may have reaches the program whole."""

import shutil
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
FAKE_PROGRAM = """#!/bin/sh
printf '%s\\n' "$@" > called
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Make a checkout that is installed already, of a program that only writes down its arguments."""
    (tmp_path / "scripts").mkdir()
    for name in ("Makefile", "pyproject.toml", "scripts/run", "scripts/setup"):
        shutil.copy2(PROJECT / name, tmp_path / name)
    program = tmp_path / ".venv" / "bin" / "soundalike"
    program.parent.mkdir(parents=True)
    program.write_text(FAKE_PROGRAM, encoding="utf-8")
    program.chmod(0o755)
    (tmp_path / ".venv" / "run.stamp").touch()
    return tmp_path


@pytest.mark.parametrize(
    "name", ["with space", "quo'te\"s", "$HOME `id`", "-x", "#a;b", "[red]", "d" * 250, "Ærø"]
)
def test_any_name_of_a_folder_will_do(checkout: Path, name: str) -> None:
    (checkout / name).mkdir()
    command = ["make", "run", f"MUSIC={name}", "PORT=9000"]
    subprocess.run(command, cwd=checkout, check=True)
    arguments = (checkout / "called").read_text(encoding="utf-8").splitlines()
    assert arguments[-4:] == ["--port", "9000", "--", name]
    (checkout / arguments[arguments.index("--data") + 1]).mkdir(parents=True)
