"""The backup script copies a store, complete and checked, while a player writes to it."""

import shutil
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from conftest import ROOT
from filled_store import checksums_of, fill
from making import make_listen
from soundalike.domain.library_mark import LibraryMark
from soundalike.domain.types import LibraryId, UserId
from soundalike.store.sqlite.store import SqliteStore

BACKUP = ROOT / "deploy" / "backup.py"


class TestBackup:
    def back_up(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(BACKUP), *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)

    @pytest.fixture
    def data(self, tmp_path: Path) -> Path:
        data = tmp_path / "data"
        with closing(SqliteStore(data / "library.sqlite")) as store:
            fill(store)
            store.set_library_mark(LibraryMark(LibraryId("b" * 32)), replacing=store.library_mark())
        (data / "session.key").write_bytes(b"k" * 32)
        return data

    def test_a_backup_has_the_store_and_the_session_key(self, data: Path, tmp_path: Path) -> None:
        result = self.back_up(data, tmp_path / "backups")
        assert result.returncode == 0, result.stderr
        made = Path(result.stdout.strip())
        assert sorted(path.name for path in made.iterdir()) == ["library.sqlite", "session.key"]
        assert made.stat().st_mode & 0o777 == 0o700
        assert {path.stat().st_mode & 0o777 for path in made.iterdir()} == {0o600}
        shutil.move(data, tmp_path / "lost")
        shutil.copytree(made, data)
        with closing(SqliteStore(data / "library.sqlite")) as store:
            restored, mark = checksums_of(store), store.library_mark()
        with closing(SqliteStore(tmp_path / "lost" / "library.sqlite")) as store:
            assert (restored, mark) == (checksums_of(store), store.library_mark())

    def test_a_backup_has_a_number_of_its_own(self, data: Path, tmp_path: Path) -> None:
        made = [Path(self.back_up(data, tmp_path / name).stdout.strip()) for name in "ab"]
        numbers = set()
        for folder in (data, *made):
            with closing(sqlite3.connect(folder / "library.sqlite")) as connection:
                (number,) = connection.execute("SELECT sequence FROM library").fetchone()
            assert 1 << 60 <= number < 1 << 61
            numbers.add(number)
        assert len(numbers) == 3

    def test_a_player_may_write_during_a_backup(self, data: Path, tmp_path: Path) -> None:
        is_over = threading.Event()
        with closing(SqliteStore(data / "library.sqlite")) as store:

            def play() -> None:
                number = 0
                while not is_over.is_set():
                    store.add_listens([make_listen(number, user_id="eve", at_ms=number)])
                    number += 1

            player = threading.Thread(target=play)
            player.start()
            try:
                made = [Path(self.back_up(data, tmp_path / f"{n}").stdout.strip()) for n in range(3)]
            finally:
                is_over.set()
                player.join()
            count = store.count_listens(UserId("eve"))
        for backup in made:
            with closing(SqliteStore(backup / "library.sqlite")) as store:
                held = store.count_listens(UserId("eve"))
                assert [listen.at_ms for listen in store.listens_of(UserId("eve"))] == list(range(held))
                assert held <= count

    def test_the_oldest_backups_are_removed(self, data: Path, tmp_path: Path) -> None:
        backups = tmp_path / "backups"
        for day in (1, 2, 3):
            (backups / f"2020-01-0{day}T000000Z").mkdir(parents=True)
        (backups / "not ours").mkdir()
        made = Path(self.back_up(data, backups, "--keep", "2").stdout.strip())
        assert {path.name for path in backups.iterdir()} == {"2020-01-03T000000Z", made.name, "not ours"}

    def test_a_folder_without_a_store_is_reported_and_nothing_is_written(self, tmp_path: Path) -> None:
        result = self.back_up(tmp_path / "nowhere", tmp_path / "backups")
        assert result.returncode == 1
        assert result.stderr.startswith("error: could not back up")
        assert [path.name for path in (tmp_path / "backups").iterdir() if not path.name.startswith(".")] == []
        assert not (tmp_path / "nowhere").exists()
        (tmp_path / "library.sqlite").write_bytes(b"not a database, but rather long\n" * 1000)
        assert self.back_up(tmp_path, tmp_path / "backups").returncode == 1

    def test_a_damaged_store_makes_no_backup(self, data: Path, tmp_path: Path) -> None:
        with closing(sqlite3.connect(data / "library.sqlite")) as connection:
            (size,) = connection.execute("PRAGMA page_size").fetchone()
        whole = (data / "library.sqlite").read_bytes()
        (data / "library.sqlite").write_bytes(whole[:size] + b"\x5a" * (len(whole) - size))
        result = self.back_up(data, tmp_path / "backups")
        assert result.returncode == 1
        assert [path for path in (tmp_path / "backups").iterdir() if not path.name.startswith(".")] == []
