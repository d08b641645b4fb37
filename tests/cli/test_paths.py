"""A file where a folder is wanted, a folder where a file is, and names that promise another format."""

from contextlib import closing
from pathlib import Path

import pytest

from soundalike.cli import run
from soundalike.store.sqlite.store import SqliteStore


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("library")
    with closing(SqliteStore(data / "library.sqlite")):
        return data


@pytest.fixture(autouse=True)
def here(tmp_path: Path, library: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").symlink_to(library)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "song.mp3").write_bytes(b"no song")
    return tmp_path


@pytest.mark.parametrize(
    "arguments",
    [
        ("up", "folder/song.mp3"),
        ("extract", "folder/song.mp3"),
        ("demo", "folder/song.mp3"),
        ("serve", "--data", "folder/library.sqlite"),
    ],
)
def test_a_file_is_said_to_be_one_where_a_folder_is_wanted(
    here: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    if arguments[-1].endswith(".sqlite"):
        with closing(SqliteStore(here / "folder" / "library.sqlite")):
            pass
    before = sorted((here / "folder").iterdir())
    assert run(arguments) == 1
    said = capsys.readouterr().err
    assert f"{arguments[-1]}' is a file" in said
    assert "give the folder that it is in: '" in said
    assert "folder'" in said
    assert sorted((here / "folder").iterdir()) == before


@pytest.mark.parametrize(
    "arguments",
    [
        ("similar", "x", "--data", "folder/song.mp3"),
        ("doctor", "--data", "folder/song.mp3"),
        ("serve", "--data", "folder/song.mp3"),
        ("similar", "x", "--data", "data", "--artefacts", "folder/song.mp3"),
    ],
)
def test_a_file_among_music_leads_nobody_to_store_anything_there(
    here: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    assert run(arguments) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "folder/song.mp3' is a file" in line
    assert "give a folder for what soundalike stores, not one of music" in line
    assert [path.name for path in (here / "folder").iterdir()] == ["song.mp3"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("export", "folder"),
        ("events", "export", "folder"),
        ("events", "import", "folder"),
        ("similar", "x", "--store", "folder"),
        ("similar", "folder"),
        ("similar", "x", "--config", "folder"),
    ],
)
def test_a_folder_is_said_to_be_one_where_a_file_is_wanted(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    where = () if "--store" in arguments else ("--data", "data")
    assert run([*arguments, *where]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "is a folder" in line
    assert "give" in line


@pytest.mark.parametrize(
    ("command", "name", "better"),
    [
        ("export", "x.csv", "x.parquet"),
        ("export", "x.CSV", "x.parquet"),
        ("export", "some.songs.json", "some.songs.parquet"),
        ("events export", "x.csv", "x.jsonl"),
        ("events export", "x.jsonl.gz", "x.jsonl"),
        ("events export", "x.parquet", "x.jsonl"),
    ],
)
def test_a_name_that_promises_another_format_is_refused(
    here: Path, capsys: pytest.CaptureFixture[str], command: str, name: str, better: str
) -> None:
    assert run([*command.split(), name, "--data", "data"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert f"cannot be written, only {Path(better).suffix}" in line
    assert f"'{better}'" in line
    assert not (here / name).exists()


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("export", "x.parquet"),
        ("export", "x.PQ"),
        ("export", "x"),
        ("export", "x-2026.11.30"),
        ("events export", "x.jsonl"),
        ("events export", "x"),
    ],
)
def test_other_names_are_taken(here: Path, command: str, name: str) -> None:
    assert run([*command.split(), name, "--data", "data"]) == 0
    assert (here / name).is_file()
