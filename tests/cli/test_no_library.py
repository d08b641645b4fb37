"""A mistyped folder: nothing is written, and what is said names the libraries that there are."""

import os
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import click
import pytest
from pymongo import MongoClient

from servers.mongodb import new_database
from soundalike.cli import cli, run
from soundalike.store.sqlite.store import SqliteStore

NEEDS_A_LIBRARY: dict[str, tuple[str, ...]] = {
    "build": (),
    "events export": ("out.jsonl",),
    "events replay": (),
    "export": ("out.parquet",),
    "fma remove": ("--yes",),
    "extract": ("--forget-set", "timbre-v1"),
    "pairs": (),
    "scan": (),
    "similar": ("words",),
    "tune": (),
    "users admin": ("ann",),
    "users list": (),
    "users passwd": ("ann",),
    "users remove": ("ann", "--yes"),
    "users token": ("ann",),
}
MAKES_ONE = {
    "up",
    "serve",
    "consume",
    "demo",
    "events import",
    "fma download",
    "fma import",
    "users add",
    "store copy",
}
TELLS = {"doctor"}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to be in, of a user who has no library by default."""
    for name in [name for name in os.environ if name.startswith("SOUNDALIKE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home" / "data"))
    place = tmp_path / "here"
    place.mkdir()
    monkeypatch.chdir(place)
    return place


def make_library(data: Path) -> Path:
    """Make what looks like a library to those who do not open it."""
    data.mkdir(parents=True)
    (data / "library.sqlite").write_bytes(b"something")
    return data


def everything_in(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


def commands(group: click.Group, above: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, (*above, name))
        else:
            yield " ".join((*above, name)), command


def test_each_command_is_here() -> None:
    assert {name for name, _ in commands(cli)} == NEEDS_A_LIBRARY.keys() | MAKES_ONE | TELLS


def test_to_listen_is_what_people_do() -> None:
    texts = [cli.help, *(command.help for _, command in commands(cli))]
    assert [text for text in texts if re.search(r"\b([Hh]ears?|[Ll]istening)\b", str(text))] == []


@pytest.mark.parametrize("command", NEEDS_A_LIBRARY)
def test_a_command_that_needs_a_library_makes_none(
    here: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    make_library(here / "var" / "demo" / "data")
    make_library(here / "var" / "it's mine")
    before = everything_in(here.parent)
    assert run([*command.split(), *NEEDS_A_LIBRARY[command], "--data", "var/dmeo/data"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    first, *listed = said.err.splitlines()
    assert first.startswith(f"error: there is no library in '{here}/var/dmeo/data'; name one of these")
    assert "soundalike up DIR" in first
    assert [line.strip() for line in listed] == ["""--data 'var/it'"'"'s mine'""", "--data var/demo/data"]
    assert everything_in(here.parent) == before


def test_a_library_two_folders_below_what_was_named_is_found_from_anywhere(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = make_library(here.parent / "checkout" / "var" / "demo" / "data")
    assert run(["users", "list", "--data", str(here.parent / "checkout" / "var")]) == 1
    first, *listed = capsys.readouterr().err.splitlines()
    assert "name one of these" in first
    assert [line.strip() for line in listed] == [f"--data {data}"]


def test_that_there_is_nothing_to_export_is_said(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(SqliteStore(here / "data" / "library.sqlite")):
        pass
    assert run(["events", "export", "out.jsonl", "--data", "data"]) == 0
    (said,) = capsys.readouterr().err.splitlines()
    assert said == "There are no listens to export; what was written is empty."
    assert (here / "out.jsonl").read_bytes() == b""


@pytest.mark.mongodb
def test_nor_in_a_database_of_a_server(mongodb: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = new_database(mongodb)
    assert run(["similar", "words", "--store", url]) == 1
    assert "there is no library in 'mongodb://" in capsys.readouterr().err
    assert run(["doctor", "--store", url]) == 0
    assert "none yet in mongodb://" in capsys.readouterr().out.replace("\n", " ")
    assert run(["store", "copy", url, "copy"]) == 1
    assert "there is no store at mongodb://" in capsys.readouterr().err
    client: MongoClient[dict[str, Any]] = MongoClient(url)
    with client:
        assert client.get_default_database().list_collection_names() == []
    assert everything_in(here.parent) == {here}


def test_the_library_of_the_user_and_those_beside_the_folder_are_named(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = make_library(here.parent / "home" / "data" / "soundalike")
    beside = make_library(here.parent / "libraries" / "jazz")
    (here.parent / "libraries" / "empty").mkdir()
    assert run(["users", "list", "--data", str(here.parent / "libraries" / "jaz")]) == 1
    *_, first, second = capsys.readouterr().err.splitlines()
    assert {first.strip(), second.strip()} == {f"--data {own}", f"--data {beside}"}


def test_where_there_is_none_at_all_it_says_how_to_make_one(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["similar", "words"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "there is no library in" in line
    assert "soundalike up DIR" in line
    assert everything_in(here.parent) == {here}


def test_a_database_file_without_a_byte_is_no_library(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "library.sqlite").touch()
    assert run(["similar", "words", "--data", "."]) == 1
    assert "there is no library in" in capsys.readouterr().err
    assert (here / "library.sqlite").stat().st_size == 0
    assert everything_in(here) == {here / "library.sqlite"}


def test_doctor_writes_nothing_and_names_them(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_library(here / "var" / "demo" / "data")
    before = everything_in(here.parent)
    assert run(["doctor", "--data", "var/demo"]) == 0
    said = capsys.readouterr()
    assert "none yet" in said.out
    assert "--data var/demo/data" in said.err
    assert everything_in(here.parent) == before


@pytest.mark.parametrize("command", ["up", "extract"])
def test_a_mistyped_folder_of_music_makes_no_library(
    here: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    make_library(here / "var" / "demo" / "data")
    before = everything_in(here.parent)
    assert run([command, "/nowhere", "--data", "var/new"]) == 1
    first, second = capsys.readouterr().err.splitlines()
    assert "'/nowhere' is not a folder: nothing is there" in first
    assert first.endswith("give the folder with the music, such as ~/Music")
    assert second.strip() == "soundalike serve --data var/demo/data"
    assert everything_in(here.parent) == before


@pytest.mark.parametrize("command", [("consume",), ("events", "import", "nowhere.jsonl")])
def test_what_has_nothing_to_work_on_makes_no_library(here: Path, command: tuple[str, ...]) -> None:
    assert run([*command, "--data", "new"]) == 1
    assert everything_in(here) == set()


def test_a_copy_from_nowhere_names_what_could_be_copied(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_library(here / "var" / "demo" / "data")
    before = everything_in(here.parent)
    assert run(["store", "copy", "var/dmeo/data", "copy"]) == 1
    first, second = capsys.readouterr().err.splitlines()
    assert f"there is no store at {here}/var/dmeo/data/library.sqlite" in first
    assert second.strip() == "var/demo/data"
    assert everything_in(here.parent) == before


def test_a_first_account_in_a_new_library_says_that_it_is_new(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("soundalike.cli.users._ask_password", lambda: "correct horse")
    for number, is_new in enumerate((True, False)):
        assert run(["users", "add", f"user{number}", "--data", "new"]) == 0
        assert ("a new one is made" in capsys.readouterr().err) == is_new
    assert (here / "new" / "library.sqlite").exists()
