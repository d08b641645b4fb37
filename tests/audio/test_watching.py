"""Changes below folders are noticed, by watchdog on this machine's real files."""

import errno
import logging
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver

from clocks import Clock
from soundalike.audio.watching import LATEST_S, QUIET_S, Changes, LocalFolderWatcher

PATIENCE_S = 20.0


@pytest.fixture
def clock() -> Clock:
    return Clock()


class TestChanges:
    def test_they_are_told_once_they_are_quiet_and_only_once(self, clock: Clock) -> None:
        changes = Changes(clock)
        changes.note("/m", "/m/a")
        clock.now_s += QUIET_S - 0.1
        assert changes.take() == frozenset()
        clock.now_s += 0.1
        assert changes.take() == {Path("/m/a")}
        assert changes.take() == frozenset()

    def test_those_that_never_end_are_told_all_the_same(self, clock: Clock) -> None:
        changes = Changes(clock)
        begun = clock.now_s
        while not (taken := changes.take()):
            changes.note("/m", "/m/a")
            clock.now_s += 1
        assert taken == {Path("/m/a")}
        assert clock.now_s - begun == LATEST_S

    @pytest.mark.parametrize(
        ("folders", "told"),
        [
            (["/m/a/b", "/m/a/b"], "/m/a/b"),
            (["/m/a/b", "/m/a/c"], "/m/a"),
            (["/m/a", "/m/ab"], "/m"),
            (["/m", "/m/a/b"], "/m"),
        ],
    )
    def test_of_one_root_it_is_the_innermost_folder_that_has_all(
        self, clock: Clock, folders: list[str], told: str
    ) -> None:
        changes = Changes(clock)
        for folder in folders:
            changes.note("/m", folder)
        changes.note("/n", "/n/x")
        clock.now_s += QUIET_S
        assert changes.take() == {Path(told), Path("/n/x")}


@pytest.fixture
def music(tmp_path: Path) -> Path:
    folder = tmp_path / "music"
    (folder / "old").mkdir(parents=True)
    (folder / "old" / "song.mp3").touch()
    (tmp_path / "elsewhere").mkdir()
    return folder


@pytest.fixture
def watcher(music: Path, clock: Clock) -> Iterator[LocalFolderWatcher]:
    watcher = LocalFolderWatcher([f"{music}/data/"], clock=clock, mounts=lambda _place: None)
    assert watcher.watch([music]) == {}
    yield watcher
    watcher.close()


def told(watcher: LocalFolderWatcher, clock: Clock) -> frozenset[Path]:
    """Wait until the system has told of something."""
    ends = time.monotonic() + PATIENCE_S
    while not (changed := watcher.changed()):
        assert time.monotonic() < ends, "nothing was told"
        clock.now_s += QUIET_S
        time.sleep(0.02)
    return changed


def make_album(folder: Path) -> None:
    folder.mkdir()
    (folder / "a.mp3").touch()


CHANGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "a new album": (lambda music: make_album(music / "new"), "new"),
    "an album with dots in front": (lambda music: make_album(music / "...and more"), "...and more"),
    "a changed file": (lambda music: (music / "old" / "song.mp3").write_bytes(b"x"), "old"),
    "a changed time alone": (lambda music: os.utime(music / "old" / "song.mp3", (1, 1)), "old"),
    "changed permissions": (lambda music: (music / "old" / "song.mp3").chmod(0o604), "old"),
    "a folder's changed permissions": (lambda music: (music / "old").chmod(0o705), "old"),
    "a deleted file": (lambda music: (music / "old" / "song.mp3").unlink(), "old"),
    "a deleted album": (lambda music: shutil.rmtree(music / "old"), "."),
    "an album moved within": (lambda music: (music / "old").rename(music / "new"), "."),
    "an album moved away": (lambda music: (music / "old").rename(music.parent / "elsewhere" / "old"), "."),
    "rules for what to leave out": (lambda music: (music / "old" / ".soundalikeignore").touch(), "old"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_it_is_noticed(watcher: LocalFolderWatcher, music: Path, clock: Clock, what: str) -> None:
    change, place = CHANGES[what]
    change(music)
    concerned = told(watcher, clock)
    if place == ".":
        while music not in concerned:  # that of files further in is told of first, if the rest comes late
            concerned = told(watcher, clock)
    assert all(folder.is_relative_to(music / place) for folder in concerned)


def test_what_is_hidden_or_written_by_the_program_itself_is_not(
    watcher: LocalFolderWatcher, music: Path, clock: Clock
) -> None:
    (music / "data").mkdir()
    told(watcher, clock)
    (music / "data" / "library.sqlite").touch()
    (music / "old" / ".song.mp3.part").touch()
    (music / ".Trash-1000").mkdir()
    (music / "old" / "song.mp3").write_bytes(b"x")
    assert told(watcher, clock) == {music / "old"}


def test_reading_is_no_change(watcher: LocalFolderWatcher, music: Path, clock: Clock) -> None:
    (music / "old" / "song.mp3").read_bytes()
    make_album(music / "new")
    assert told(watcher, clock) == {music / "new"}


def test_another_disk_at_the_same_place_is_a_change_and_is_watched(
    watcher: LocalFolderWatcher, music: Path, clock: Clock
) -> None:
    music.rename(music.parent / "unmounted")
    assert watcher.watch([]) == {}
    (music / "old").mkdir(parents=True)
    watcher.watch([music])
    (music / "old" / "song.mp3").touch()
    assert told(watcher, clock) == {music / "old"}


def test_a_place_that_was_replaced_between_two_looks_is_scanned_whole(
    watcher: LocalFolderWatcher, music: Path, clock: Clock
) -> None:
    music.rename(music.parent / "unmounted")
    told_before = watcher.changed()
    music.mkdir()
    watcher.watch([music])
    assert music in told(watcher, clock) | told_before


def test_a_mount_without_events_is_not_watched(music: Path, clock: Clock) -> None:
    watcher = LocalFolderWatcher(clock=clock, mounts=lambda _place: "nfs4")
    assert watcher.watch([music]) == {music: "a mount of type nfs4 tells nothing of what others change"}
    watcher.close()


@pytest.mark.parametrize("allowed", [0, 1], ids=["at once", "on the way"])
def test_a_limit_that_is_reached_is_told_with_what_to_raise(music: Path, clock: Clock, allowed: int) -> None:
    def limited() -> BaseObserver:
        observer = Observer()
        schedule, count = observer.schedule, 0

        def refuse(*arguments: object, **more: object) -> object:
            nonlocal count
            count += 1
            if count > allowed:
                raise OSError(errno.ENOSPC, "inotify watch limit reached")
            return schedule(*arguments, **more)  # type: ignore[arg-type] # passed on

        observer.schedule = refuse  # type: ignore[method-assign, assignment] # to make it fail
        return observer

    watcher = LocalFolderWatcher(clock=clock, observer=limited, mounts=lambda _place: None)
    why = watcher.watch([music])[music]
    assert "fs.inotify.max_user_watches" in why
    assert watcher.watch([music]) == {music: why}
    watcher.close()


def test_if_events_were_lost_everything_has_changed(
    watcher: LocalFolderWatcher, music: Path, clock: Clock
) -> None:
    logging.getLogger("watchdog.observers.inotify_c").warning("Inotify queue overflowed; events were lost")
    assert told(watcher, clock) == {music}
