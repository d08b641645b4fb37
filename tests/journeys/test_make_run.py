"""`make run`: any name that a folder may have reaches the program whole, and a mistyped one is said to be."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
FAKE_PROGRAM = """#!/bin/sh
printf '%s\\n' "$@" > called
"""
TALKING_PROGRAM = """#!/bin/sh
echo "$@" >> called
case " $* " in
    *" --json "*) echo "{}" ;;
    *" demo "*) echo "Next: soundalike up" >&2 ;;
esac
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


def files_in(checkout: Path) -> set[str]:
    return {str(path.relative_to(checkout)) for path in checkout.rglob("*")}


@pytest.mark.parametrize("is_installed", [True, False])
def test_a_mistyped_folder_writes_nothing_and_the_libraries_that_are_there_are_named(
    checkout: Path, *, is_installed: bool
) -> None:
    if not is_installed:  # nobody waits two minutes to be told
        (checkout / ".venv" / "run.stamp").unlink()
        (checkout / "scripts" / "setup").write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    for data in ("demo/data", "Mine 1-2"):
        (checkout / "var" / data).mkdir(parents=True)
        (checkout / "var" / data / "library.sqlite").write_bytes(b"something")
    before = files_in(checkout)
    result = run_make(checkout, "MUSIC=/nowhere")
    assert result.returncode != 0
    assert result.stdout == ""
    first, *listed, _ = result.stderr.splitlines()
    assert first == "run: there is no folder /nowhere; give that of your music, as in: make run MUSIC=~/Music"
    assert listed == [
        "  a library that is there: .venv/bin/soundalike serve --data 'var/Mine 1-2'",
        "  a library that is there: .venv/bin/soundalike serve --data 'var/demo/data'",
    ]
    assert files_in(checkout) == before


def test_a_file_is_said_to_be_one(checkout: Path) -> None:
    (checkout / "song.mp3").touch()
    result = run_make(checkout, f"MUSIC={checkout}/song.mp3")
    assert result.returncode != 0
    assert (
        f"song.mp3 is a file; give the folder that it is in, as in: make run MUSIC={checkout}"
        in result.stderr
    )
    assert not (checkout / "called").exists()


def test_a_library_whose_folder_is_away_is_left_to_the_program(checkout: Path) -> None:
    (checkout / "Mine").mkdir()
    assert run_make(checkout, "MUSIC=Mine").returncode == 0
    called = (checkout / "called").read_text(encoding="utf-8").splitlines()
    data = checkout / called[called.index("--data") + 1]
    data.mkdir(parents=True)
    (data / "library.sqlite").write_bytes(b"something")
    (checkout / "Mine").rmdir()
    (checkout / "called").unlink()
    assert run_make(checkout, "MUSIC=Mine").returncode == 0
    assert (checkout / "called").exists()


def test_the_demo_library_is_served_and_nobody_is_told_to_do_so(checkout: Path) -> None:
    program = checkout / ".venv" / "bin" / "soundalike"
    program.write_text(TALKING_PROGRAM, encoding="utf-8")
    result = run_make(checkout)
    assert result.returncode == 0
    assert "Next" not in result.stdout + result.stderr
    assert "{}" not in result.stdout
    assert (checkout / "called").read_text(encoding="utf-8").splitlines() == [
        "demo --json var/demo/music",
        "up --data var/demo/data -- var/demo/music",
    ]


def run_make(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["make", "--silent", "run", *arguments]
    environment = {name: value for name, value in os.environ.items() if name not in {"MUSIC", "PORT"}}
    return subprocess.run(
        command, cwd=checkout, env=environment, capture_output=True, text=True, check=False, timeout=60
    )
