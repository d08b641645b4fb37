"""`soundalike store copy` in practice: interrupted, and while a player runs."""

import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from filled_store import checksums_of, fill, fill_library
from journeys.program import Program, post
from making import make_track
from servers.mongodb import drop_database, new_database
from soundalike.app.backends import open_store
from soundalike.domain.times import from_ms, rfc3339
from soundalike.store.sqlite.store import SqliteStore

TRACKS, LISTENS = 1_500, 1_500


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with some of everything; no test changes it."""
    data = tmp_path_factory.mktemp("filled")
    with closing(SqliteStore(data / "library.sqlite")) as store:
        fill(store, tracks=TRACKS, listens=LISTENS)
    return data


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path / "of no use here")


def read(place: Path | str) -> dict[str, Any]:
    """Return what a store has, as checksums."""
    with open_store(place / "library.sqlite" if isinstance(place, Path) else place) as store:
        return checksums_of(store)


def is_unfinished(place: Path) -> bool:
    with open_store(place / "library.sqlite") as store:
        return store.library_mark().is_unfinished


def refused(program: Program, *arguments: str | Path) -> str:
    result = program.run("store", "copy", *arguments)
    assert result.returncode == 1
    assert result.stderr.startswith("error: ")
    return result.stderr


def test_a_library_is_copied_and_counted(program: Program, filled: Path, tmp_path: Path) -> None:
    target = tmp_path / "new" / "data"
    report = program.json("store", "copy", filled, target)
    assert report["is_same"]
    assert report["problem"] == ""
    assert (report["source"], report["target"]) == (
        str(filled / "library.sqlite"),
        str(target / "library.sqlite"),
    )
    assert {
        kind["kind"]: (kind["target_count"], kind["target_checksum"]) for kind in report["kinds"]
    } == read(filled)
    assert read(target) == read(filled)
    assert target.stat().st_mode & 0o777 == 0o700

    again = program.run("store", "copy", filled, target / "library.sqlite")
    assert again.returncode == 0
    both = f"{filled / 'library.sqlite'} and {target / 'library.sqlite'} are the same"
    assert f"{both}; there was nothing left to write." in again.stderr
    lines = [line.split() for line in again.stdout.splitlines()]
    assert lines[0] == ["what", "from", "to", "written", "checksum"]
    assert ["tracks", f"{TRACKS:,}", f"{TRACKS:,}", "0"] in [line[:4] for line in lines]
    assert all(line[-1] == "same" for line in lines[1:])


@pytest.mark.faults
def test_a_killed_copy_resumes(program: Program, filled: Path, tmp_path: Path) -> None:
    target = tmp_path / "target"
    whole = read(filled)
    random = np.random.default_rng(0)
    seen: list[int] = []
    for _ in range(6):
        with program.start("store", "copy", filled, target) as process:
            wait_for(lambda: count_in(target) > (seen[-1] if seen else 0), process)
            time.sleep(random.uniform(0, 0.1))
            process.kill()
        copied = read(target)
        seen.append(count_in(target))
        if not is_unfinished(target):
            assert copied in (dict.fromkeys(whole, (0, f"{0:064x}")), whole)
    assert seen == sorted(seen)
    assert any(0 < done < count_in(filled) for done in seen), "it was killed in the middle"
    assert program.run("store", "copy", filled, target).returncode == 0
    assert read(target) == whole


def wait_for(is_true: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Wait until something is so, or the process has ended well."""
    while process.poll() is None and not is_true():
        time.sleep(0.01)
    assert process.returncode in {None, 0}, process.communicate()


def count_in(place: Path | str) -> int:
    """Count the tracks that are there, and all listens."""
    if isinstance(place, Path) and not (place / "library.sqlite").exists():
        return 0
    with open_store(place / "library.sqlite" if isinstance(place, Path) else place) as store:
        return store.count_tracks() + sum(store.listen_counts().values())


def test_a_changed_row_in_the_target_is_found(program: Program, filled: Path, tmp_path: Path) -> None:
    target = tmp_path / "target"
    assert program.run("store", "copy", filled, target).returncode == 0
    with closing(sqlite3.connect(target / "library.sqlite")) as connection, connection:
        connection.execute("UPDATE feature SET vectors = zeroblob(length(vectors)) WHERE rowid = 77")
    changed = read(target)
    words = refused(program, filled, target)
    assert "differ; nothing was written" in words
    assert "vectors" in words
    assert read(target) == changed


def test_another_library_is_refused_untouched(program: Program, filled: Path, tmp_path: Path) -> None:
    target = tmp_path / "target"
    with closing(SqliteStore(target / "library.sqlite")) as store:
        store.save_track(make_track("mine"))
    held = read(target)
    assert "has something that is not a copy of" in refused(program, filled, target)
    assert read(target) == held


def test_damage_in_the_source_is_named(program: Program, filled: Path, tmp_path: Path) -> None:
    source = tmp_path / "source"
    assert program.run("store", "copy", filled, source).returncode == 0
    with closing(sqlite3.connect(source / "library.sqlite")) as connection, connection:
        connection.execute("UPDATE track SET mtime_ns = 'yesterday' WHERE id = 't00042'")
    assert "track t00042: the store's file is damaged" in refused(program, source, tmp_path / "target")


def test_one_store_is_not_copied_into_itself(program: Program, filled: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(filled)
    for other in (filled, filled / "library.sqlite", link):
        assert "cannot be copied into itself" in refused(program, filled, other)
    program.environment["SOUNDALIKE_STORE"] = str(filled / "library.sqlite")
    assert "cannot be copied into itself" in refused(program, filled, "-")
    one, same = "mongodb://ada:secret@db:27017/music?w=1", "mongodb://DB/music"
    assert "mongodb://db/music cannot be copied into itself" in refused(program, one, same)


def test_an_invalid_address_is_reported(program: Program, filled: Path, tmp_path: Path) -> None:
    assert "there is no store at" in refused(program, tmp_path / "nowhere", tmp_path / "target")
    assert not (tmp_path / "target").exists()
    assert "a store is a data folder" in refused(program, filled, "http://example.org/")
    with closing(SqliteStore(tmp_path / "empty" / "library.sqlite")):
        pass
    for address in ("db:27017/seCRet", "ada:seCRet@db/music"):
        words = refused(program, filled, address)
        assert "a store's name looks like a server's address" in words
        assert "seCRet" not in words
    assert "is empty; is it the right store?" in refused(program, tmp_path / "empty", tmp_path / "target")


@pytest.mark.parametrize("is_setting", [False, True])
def test_no_password_is_shown(program: Program, filled: Path, *, is_setting: bool) -> None:
    url = "mongodb://ada:seCRet@127.0.0.1:1/music?serverSelectionTimeoutMS=300"
    if is_setting:
        program.environment["SOUNDALIKE_STORE"], url = url, "-"
    for arguments in ((filled, url), (url, filled), (url, url)):
        result = program.run("store", "copy", *arguments, "--debug")
        assert result.returncode == 1
        assert "seCRet" not in result.stdout + result.stderr


def test_a_source_that_a_player_writes_to_is_reported_and_copied_by_the_next_run(tmp_path: Path) -> None:
    program = Program(tmp_path / "live")
    with closing(SqliteStore(program.data / "library.sqlite")) as store:
        fill_library(store, 3_000)
    target = tmp_path / "target"
    with program.serving("serve") as address:
        is_over = threading.Event()
        heard: list[int] = []
        listener = threading.Thread(target=listen, args=(address, is_over, heard))
        listener.start()
        try:
            result = program.run("store", "copy", program.data, target)
        finally:
            is_over.set()
            listener.join()
    assert result.returncode == 1
    assert "changed while it was copied; run the same command again" in result.stderr
    assert is_unfinished(target)
    assert program.run("store", "copy", program.data, target).returncode == 0
    assert read(target) == read(program.data)
    assert read(target)["listens"][0] == len(heard) > 0


def listen(address: str, is_over: threading.Event, heard: list[int]) -> None:
    """Finish a track, and another, as fast as the player takes it."""
    first_ms = 1_790_000_000_000 - 10**11
    for number in count():
        if is_over.is_set():
            return
        event = {
            "id": f"00000000-0000-4000-8000-{number:012x}",
            "track_id": f"t{number % 3_000:05}",
            "kind": "finished",
            "position_ms": None,
            "at": rfc3339(from_ms(first_ms + number)),
        }
        assert post(f"{address}/api/listens", {"events": [event]}) == 202
        heard.append(number)
        time.sleep(0.06)  # 1,200 requests a minute are taken


@pytest.mark.mongodb
class TestThroughMongoDb:
    @pytest.fixture
    def database(self, mongodb: str) -> Iterator[str]:
        url = new_database(mongodb)
        yield url
        drop_database(url)

    def test_a_library_goes_into_mongodb_and_comes_back_the_same(
        self, program: Program, filled: Path, tmp_path: Path, database: str
    ) -> None:
        whole = read(filled)
        assert program.run("store", "copy", filled, database).returncode == 0
        assert read(database) == whole
        program.environment["SOUNDALIKE_STORE"] = database
        assert program.run("store", "copy", "-", tmp_path / "back").returncode == 0
        assert read(tmp_path / "back") == whole

    @pytest.mark.faults
    def test_a_killed_copy_into_mongodb_resumes(self, program: Program, filled: Path, database: str) -> None:
        whole = read(filled)
        for wanted in (400, TRACKS + 300):
            with program.start("store", "copy", filled, database) as process:
                wait_for(lambda: count_in(database) >= wanted, process)  # noqa: B023 - called at once
                process.kill()
            copied = read(database)
            assert copied["accounts"] == whole["accounts"]
            assert copied["roots"][0] == 0 or copied == whole
        assert program.run("store", "copy", filled, database).returncode == 0
        assert read(database) == whole
