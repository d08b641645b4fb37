"""A lost or replaced store is noticed at the next start, and what belongs to it goes on with a copy."""

import shlex
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from filled_store import fill, no_progress
from soundalike.app import open_app
from soundalike.app.copying import open_copier, parse_address
from soundalike.app.doctor import diagnose
from soundalike.domain.errors import (
    CopyError,
    ExposedFileError,
    ForeignLibraryError,
    SettingsError,
    StoreError,
    UnfinishedCopyError,
)
from soundalike.domain.library_mark import LibraryMark
from soundalike.domain.types import LibraryId
from soundalike.settings import Settings
from soundalike.store.sqlite.store import SqliteStore

VERSION_1 = Path(__file__).parents[1] / "compatibility" / "version-1"


def settings(data: Path) -> Settings:
    return Settings(data=data, artefacts=data / "artefacts")


@pytest.fixture
def library(tmp_path: Path) -> Settings:
    """A library that has been served: it has an id, and a key for sessions."""
    library = settings(tmp_path / "data")
    with open_app(library) as app:
        fill(app.store)
        app.session_key()
    return library


def key_of(library: Settings) -> bytes:
    with open_app(library) as app:
        return app.session_key()


def empty(database: Path) -> None:
    database.write_bytes(b"")


@pytest.mark.parametrize("lose", [Path.unlink, empty])
def test_a_lost_store_is_not_taken_for_a_new_library(
    library: Settings, tmp_path: Path, lose: Callable[[Path], None]
) -> None:
    key = key_of(library)
    shutil.copy(library.database, tmp_path / "backup")
    for name in ("library.sqlite-wal", "library.sqlite-shm"):
        (library.data / name).unlink(missing_ok=True)
    lose(library.database)
    for _ in range(2):  # the file that the first attempt made is no store that another may use
        with pytest.raises(ForeignLibraryError, match=r"missing or empty, but the session key .* belongs"):
            key_of(library)
    shutil.copy(tmp_path / "backup", library.database)
    assert key_of(library) == key


def test_nothing_is_made_where_a_store_was_lost(library: Settings) -> None:
    library.database.unlink()
    with pytest.raises(ForeignLibraryError, match="from a backup"):
        key_of(library)
    assert [path.name for path in library.data.iterdir()] == ["session.key"]


@pytest.mark.parametrize("size", [1, 50, 4096, 50_000])
def test_a_truncated_store_is_not_taken_for_a_new_library(library: Settings, size: int) -> None:
    whole = library.database.read_bytes()
    library.database.write_bytes(whole[:size])
    for _ in range(2):
        with pytest.raises(StoreError, match=r"library\.sqlite"):
            key_of(library)
    assert library.database.read_bytes() == whole[:size]
    library.database.write_bytes(whole)
    assert len(key_of(library)) == 32


def test_an_emptied_store_is_not_copied_as_a_new_one(library: Settings, tmp_path: Path) -> None:
    empty(library.database)
    copy = settings(tmp_path / "copy")
    addresses = (parse_address(str(one.data), one) for one in (library, copy))
    with pytest.raises(CopyError, match="there is no store at"), open_copier(*addresses):
        pass
    assert library.database.read_bytes() == b""
    assert not copy.data.exists()


def test_doctor_tells_a_lost_store_from_one_that_was_never_made(library: Settings, tmp_path: Path) -> None:
    library.database.unlink()
    lost, new = (
        next(check for check in diagnose(one) if check.name == "store")
        for one in (library, settings(tmp_path / "new"))
    )
    assert lost.is_ok is False
    assert "the session key" in lost.remedy
    assert "from a backup" in lost.remedy
    assert (new.is_ok, new.detail) == (None, f"none yet in {tmp_path / 'new'}")
    assert not library.database.exists()


def test_artefacts_without_their_store_are_named_too(library: Settings) -> None:
    old = library.artefacts / "000003"
    old.mkdir(parents=True)
    (old / "manifest.json").write_text("{}", encoding="utf-8")
    assert len(key_of(library)) == 32, "those of the version before belong to the store that is there"
    library.database.unlink()
    with pytest.raises(ForeignLibraryError, match=r"artefact folder .* and the session key .* belong to a"):
        key_of(library)


def test_a_new_library_begins_where_the_key_was_moved_away(library: Settings) -> None:
    library.database.unlink()
    (library.data / "session.key").unlink()
    assert len(key_of(library)) == 32


def test_a_key_from_the_environment_is_not_checked(library: Settings) -> None:
    (library.data / "session.key").write_bytes(b"of nobody" * 4)
    library.database.unlink()
    given = replace(library, secret_key="a key of sixteen")  # noqa: S106 - of a test
    assert key_of(given) == b"a key of sixteen"


def test_a_key_that_cannot_be_read_stops_only_what_needs_it(library: Settings) -> None:
    (library.data / "session.key").unlink()
    (library.data / "session.key").mkdir()
    with open_app(library) as app:
        assert app.services.accounts.has_users()
        with pytest.raises(SettingsError, match="SOUNDALIKE_SECRET_KEY"):
            app.session_key()


def test_a_key_that_everybody_may_read_stops_whatever_reads_it(library: Settings) -> None:
    key = library.data / "session.key"
    key.chmod(0o644)
    with pytest.raises(ExposedFileError, match=f"chmod o-r {key}"), open_app(library):
        pytest.fail("it was opened")
    for is_there in (True, False):
        if not is_there:
            library.database.unlink()
        (failed,) = [check for check in diagnose(library) if check.is_ok is False]
        assert failed.remedy.endswith(f"run: chmod o-r {key}")
    key.chmod(0o640)
    with pytest.raises(ForeignLibraryError):
        key_of(library)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody on this machine may enter."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.parametrize(
    ("mode", "may", "letters"), [(0o644, "read", "r"), (0o666, "read and write", "rw"), (0o602, "write", "w")]
)
def test_a_store_that_everybody_may_read_or_write_is_refused_with_the_command_that_mends_it(
    open_folder: Path, mode: int, may: str, letters: str
) -> None:
    library = settings(open_folder)
    with open_app(library):
        pass
    assert stat.S_IMODE(library.database.stat().st_mode) == 0o600
    library.database.chmod(mode)
    command = f"chmod o-{letters} {library.database}"
    with pytest.raises(ExposedFileError, match=f"may {may} it; run: {command}"), open_app(library):
        pytest.fail("it was opened")
    (failed,) = [check for check in diagnose(library) if check.is_ok is False]
    assert failed.remedy.endswith(f"run: {command}")
    library.data.chmod(0o700)
    with open_app(library):
        pass
    library.data.chmod(0o755)
    subprocess.run(shlex.split(command), check=True)
    with open_app(library):
        pass


def test_the_store_of_another_library_is_refused(library: Settings, tmp_path: Path) -> None:
    other = settings(tmp_path / "other")
    with open_app(other):
        pass
    shutil.copy(other.database, library.database)
    with pytest.raises(ForeignLibraryError, match="belongs to another library"):
        key_of(library)


def test_artefacts_and_sessions_go_on_with_a_backup_that_is_migrated_again(tmp_path: Path) -> None:
    library = settings(tmp_path)
    shutil.copytree(VERSION_1 / "artefacts", library.artefacts)
    shutil.copy(VERSION_1 / "library.sqlite", library.database)
    key = key_of(library)
    library.database.with_name("library.sqlite.backup-2").replace(library.database)
    assert key_of(library) == key


def test_sessions_go_on_with_a_copy(library: Settings, tmp_path: Path) -> None:
    key = key_of(library)
    copy = settings(tmp_path / "copy")
    addresses = (parse_address(str(one.data), one) for one in (library, copy))
    with open_copier(*addresses) as copier:
        assert copier.copy(no_progress).problem == ""
    shutil.copy(library.data / "session.key", copy.data / "session.key")
    assert key_of(copy) == key


def test_nothing_but_the_copier_opens_an_unfinished_copy(tmp_path: Path) -> None:
    copy = settings(tmp_path / "copy")
    with closing(SqliteStore(copy.database)) as store:
        fill(store)
        unfinished = LibraryMark(LibraryId("c" * 32), is_unfinished=True)
        store.set_library_mark(unfinished, replacing=store.library_mark())
    with pytest.raises(UnfinishedCopyError, match=str(copy.database)):
        key_of(copy)
