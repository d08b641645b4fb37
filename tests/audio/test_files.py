"""Only the very file that was scanned is opened, and no link is followed to it."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from soundalike.audio.files import LocalAudioFiles, NotRegularError, open_regular
from soundalike.domain.errors import TrackGoneError
from soundalike.domain.files import FileStamp

FILES = LocalAudioFiles()


@pytest.fixture
def song(tmp_path: Path) -> Path:
    path = tmp_path.resolve() / "album" / "song.mp3"
    path.parent.mkdir()
    path.write_bytes(b"sound")
    return path


def stamp(path: Path) -> FileStamp:
    status = path.stat()
    return FileStamp(status.st_size, status.st_mtime_ns)


def test_the_scanned_file_is_opened(song: Path) -> None:
    with FILES.open(song, stamp(song)) as file:
        assert file.read() == b"sound"


def test_a_name_that_is_no_utf8_is_opened(song: Path) -> None:
    odd = song.rename(os.fsdecode(os.fsencode(song.parent) + b"/\xff.mp3"))
    with FILES.open(Path(odd), stamp(Path(odd))) as file:
        assert file.read() == b"sound"


def test_a_missing_file_is_gone(song: Path) -> None:
    seen = stamp(song)
    song.unlink()
    with pytest.raises(
        TrackGoneError, match=r"'song\.mp3' no longer exists; run 'soundalike extract'"
    ) as told:
        FILES.open(song, seen)
    assert str(song.parent) not in str(told.value)


def test_a_changed_file_is_gone(song: Path) -> None:
    seen = stamp(song)
    song.write_bytes(b"other sound")
    with pytest.raises(TrackGoneError, match="changed"):
        FILES.open(song, seen)


def test_a_touched_file_is_gone(song: Path) -> None:
    seen = stamp(song)
    os.utime(song, ns=(0, 0))
    with pytest.raises(TrackGoneError, match="changed"):
        FILES.open(song, seen)


def test_a_link_in_the_files_place_is_not_followed(song: Path) -> None:
    seen, target = stamp(song), song.with_name("target.mp3")
    song.rename(target)
    song.symlink_to(target)
    with pytest.raises(TrackGoneError, match="link"):
        FILES.open(song, seen)


def test_a_link_in_a_folders_place_is_not_followed(song: Path) -> None:
    seen, folder = stamp(song), song.parent
    folder.rename(folder.with_name("moved"))
    folder.symlink_to("moved")
    with pytest.raises(TrackGoneError, match="link"):
        FILES.open(song, seen)


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_opening_something_else_never_blocks(make: Callable[[Path], None], song: Path) -> None:
    seen = stamp(song)
    song.unlink()
    make(song)
    with pytest.raises(TrackGoneError, match="no longer a regular file"):
        FILES.open(song, seen)
    with pytest.raises(NotRegularError):
        open_regular(song)


def test_a_path_with_a_nul_is_gone() -> None:
    with pytest.raises(TrackGoneError):
        FILES.open(Path("/a\0b"), FileStamp(0, 0))


def test_a_failed_opening_leaves_no_descriptor(song: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - descriptors, not files
    for path in (song, song.with_name("none"), song.parent):
        with pytest.raises(TrackGoneError):
            FILES.open(path, FileStamp(0, 0))
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208 - the same
