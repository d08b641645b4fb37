"""Only the very file that was scanned is opened, and no link is followed to it."""

import io
import os
import resource
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from audio.disks import PASSING, FailingFile
from audio.sounds import id3v2
from soundalike.audio.files import LocalAudioFiles, NotRegularError, open_regular
from soundalike.domain.errors import FileUnavailableError, TrackGoneError
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


# Disks that fail, and descriptors that run out


@contextmanager
def no_descriptor_left() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.dup(0)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_without_a_free_descriptor_a_file_is_unavailable_not_gone(song: Path) -> None:
    seen = stamp(song)
    with no_descriptor_left(), pytest.raises(FileUnavailableError, match=r"Too many open files.*try again"):
        FILES.open(song, seen)
    FILES.open(song, seen).close()


@pytest.mark.parametrize("call", ["open", "stat", "fstat"])
@pytest.mark.parametrize("number", PASSING)
def test_a_disk_that_fails_makes_a_file_unavailable_not_gone(
    number: int, call: str, song: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = stamp(song)
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - descriptors, not files

    def fail(*_arguments: Any, **_options: Any) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(os, call, fail)
        with pytest.raises(FileUnavailableError) as caught:
            FILES.open(song, seen)
    assert os.strerror(number) in str(caught.value)
    assert song.name not in str(caught.value)  # one line in the log for a disk, not one for each file
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208 - the same


@pytest.mark.parametrize("good_bytes", [0, 10, 300])
@pytest.mark.parametrize("number", PASSING)
def test_a_cover_on_a_disk_that_fails_is_unavailable_not_missing(number: int, good_bytes: int) -> None:
    file = FailingFile(id3v2((b"APIC", bytes(200)), padding=500), good_bytes=good_bytes, number=number)
    with pytest.raises(FileUnavailableError):
        FILES.cover(file)


def test_covers_of_a_disk_that_hangs_are_not_waited_for_by_all_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("soundalike.audio.files.COVER_TURN_S", 0.01)
    answers, is_read = threading.Event(), threading.Semaphore(0)

    class Hanging(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            is_read.release()
            assert answers.wait(10)
            return super().read(size)

    content = id3v2((b"APIC", bytes(200)), padding=500)
    with ThreadPoolExecutor(2) as pool:
        for _ in range(2):
            pool.submit(FILES.cover, Hanging(content))
        assert is_read.acquire(timeout=10)
        assert is_read.acquire(timeout=10)
        with pytest.raises(FileUnavailableError, match="the covers before it"):
            FILES.cover(io.BytesIO(content))
        answers.set()
    assert FILES.cover(io.BytesIO(content)) is None


def test_a_file_that_ends_in_its_tag_is_not_a_failing_disk() -> None:
    assert FILES.cover(io.BytesIO(id3v2(padding=500)[:300])) is None


# Covers beside files

JPEG, PNG = b"\xff\xd8\xff" + bytes(100), b"\x89PNG\r\n\x1a\n" + bytes(100)


def put(folder: Path, **pictures: bytes) -> None:
    for name, content in pictures.items():
        folder.joinpath(name.replace("_", ".")).write_bytes(content)


@pytest.mark.parametrize("name", ["cover.jpg", "Folder.JPEG", "FRONT.png", "album.gif", "Cover.WebP"])
def test_a_picture_that_is_called_like_a_cover_is_found(name: str, song: Path) -> None:
    put(song.parent, notes_jpg=PNG, covers_jpg=PNG, **{name: JPEG})
    cover = FILES.folder_cover(song.parent)
    assert cover is not None
    assert (cover.media_type, cover.data) == ("image/jpeg", JPEG)


def test_of_several_pictures_the_order_of_names_decides(song: Path) -> None:
    found = []
    for name in ("album.jpg", "front.jpg", "folder.jpg", "cover.png", "cover.jpg"):
        put(song.parent, **{name: JPEG + name.encode()})
        cover = FILES.folder_cover(song.parent)
        found.append(cover and cover.data)
    assert found == [
        JPEG + name for name in (b"album.jpg", b"front.jpg", b"folder.jpg", b"cover.png", b"cover.jpg")
    ]


def test_what_is_no_picture_is_passed_over(song: Path) -> None:
    put(song.parent, cover_jpg=b"<script>", cover_png=b"", folder_jpg=PNG)
    cover = FILES.folder_cover(song.parent)
    assert cover is not None
    assert cover.media_type == "image/png"


@pytest.mark.parametrize(
    "make", [lambda path: path.mkdir(), os.mkfifo, lambda path: path.symlink_to("x.png")]
)
def test_neither_links_nor_anything_but_files_are_covers(make: Callable[[Path], None], song: Path) -> None:
    put(song.parent, x_png=PNG)
    make(song.with_name("cover.png"))
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - descriptors, not files
    assert FILES.folder_cover(song.parent) is None
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208 - the same


def test_no_link_to_a_folder_is_followed(song: Path) -> None:
    put(song.parent, cover_png=PNG)
    link = song.parent.with_name("link")
    link.symlink_to(song.parent)
    assert FILES.folder_cover(link) is None
    assert FILES.folder_cover(song.parent / "none") is None


def test_a_huge_picture_is_none(song: Path) -> None:
    put(song.parent, cover_png=PNG)
    os.truncate(song.with_name("cover.png"), (32 << 20) + 1)
    assert FILES.folder_cover(song.parent) is None


@pytest.mark.parametrize("call", ["open", "scandir", "stat"])
@pytest.mark.parametrize("number", PASSING)
def test_a_cover_beside_a_file_on_a_disk_that_fails_is_unavailable(
    number: int, call: str, song: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(song.parent, cover_png=PNG)

    def fail(*_arguments: Any, **_options: Any) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(os, call, fail)
        with pytest.raises(FileUnavailableError):
            FILES.folder_cover(song.parent)
    assert FILES.folder_cover(song.parent) is not None
