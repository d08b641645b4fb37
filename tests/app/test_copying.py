"""Which stores may be copied into one another, before anything is written."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from soundalike.app.copying import open_copier, parse_address
from soundalike.domain.errors import CopyError, StoreVersionError
from soundalike.settings import Settings
from soundalike.store.sqlite.schema import MIGRATIONS

VERSION_1 = Path(__file__).parents[1] / "compatibility" / "version-1" / "library.sqlite"


def open_both(source: Path, target: Path) -> None:
    settings = Settings(data=source, artefacts=source)
    with open_copier(parse_address(str(source), settings), parse_address(str(target), settings)):
        pass


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return Path(shutil.copy(VERSION_1, tmp_path / "source.sqlite"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the target is, alone."""
    (tmp_path / "new").mkdir()
    return tmp_path / "new"


def test_a_target_of_the_version_before_is_refused_untouched(source: Path, folder: Path) -> None:
    target = Path(shutil.copy(VERSION_1, folder / "library.sqlite"))
    with pytest.raises(CopyError, match=r"older soundalike wrote; nothing was written, choose an empty"):
        open_both(source, target)
    assert target.read_bytes() == VERSION_1.read_bytes()
    assert list(folder.iterdir()) == [target]


def test_what_the_version_before_has_only_in_its_journal_counts_too(source: Path, folder: Path) -> None:
    target = folder / "library.sqlite"
    with closing(made_by_version_2(target)) as running:
        running.execute("INSERT INTO roots VALUES ('music', x'2F')")
        with pytest.raises(CopyError, match="older soundalike wrote"):
            open_both(source, target)


def test_a_target_of_the_version_before_that_is_empty_is_used(source: Path, folder: Path) -> None:
    made_by_version_2(folder / "library.sqlite").close()
    open_both(source, folder / "library.sqlite")


def test_a_target_of_a_newer_version_is_refused(source: Path, folder: Path) -> None:
    with closing(made_by_version_2(folder / "library.sqlite")) as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    with pytest.raises(StoreVersionError, match="newer soundalike"):
        open_both(source, folder / "library.sqlite")


def made_by_version_2(path: Path) -> sqlite3.Connection:
    """Make an empty store as the version before did; return a connection that holds its journal open."""
    with closing(sqlite3.connect(VERSION_1)) as filled:
        statements = [sql for (sql,) in filled.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")]
        header = filled.execute("SELECT * FROM pragma_application_id, pragma_user_version").fetchone()
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    for sql in statements:
        connection.execute(sql)
    for name, value in zip(("application_id", "user_version"), header, strict=True):
        connection.execute(f"PRAGMA {name} = {value}")
    return connection
