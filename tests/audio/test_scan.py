"""What a scan finds, in which order, and what it says of links, FIFOs and folders that stay shut."""

import errno
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audio.disks import PASSING
from soundalike.audio.scan import LocalFileScanner
from soundalike.domain.errors import RootMissingError
from soundalike.domain.files import FileProblem, FoundFile, ProblemReason, Root
from soundalike.domain.ports.audio import Scanned
from soundalike.domain.types import RootName


def scan(directory: Path, *roots: Root) -> list[Scanned]:
    return list(LocalFileScanner().scan(directory, roots or (Root(RootName("m"), directory),)))


def paths(directory: Path, *roots: Root) -> list[bytes]:
    return [item.location.path for item in scan(directory, *roots) if isinstance(item, FoundFile)]


def problems(directory: Path) -> dict[bytes, ProblemReason]:
    return {item.location.path: item.reason for item in scan(directory) if isinstance(item, FileProblem)}


def make(path: Path, content: bytes = b"x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_audio_is_found_by_its_ending_in_order_of_bytes(tmp_path: Path) -> None:
    names = [
        "b/2.MP3",
        "b/10.flac",
        "a.Opus",
        "Z.wav",
        "c.m4a",
        "old.wma",
        "notes.txt",
        "cover.jpg",
        "mp3",
        "é.ogg",
    ]
    for name in names:
        make(tmp_path / name)
    expected = [b"Z.wav", b"a.Opus", b"b/10.flac", b"b/2.MP3", b"c.m4a", b"old.wma", "é.ogg".encode()]
    assert paths(tmp_path) == expected
    assert problems(tmp_path) == {}


def test_a_found_file_has_its_stamp_and_its_real_path(tmp_path: Path) -> None:
    file = make(tmp_path / "a.mp3", b"12345")
    (found,) = scan(tmp_path)
    assert isinstance(found, FoundFile)
    assert (found.stamp.size_bytes, found.stamp.mtime_ns) == (5, file.stat().st_mtime_ns)
    assert found.tags_stamp == str(file.stat().st_ctime_ns)
    assert (found.real_path, found.is_linked) == (file.resolve(), False)


def test_hidden_files_and_folders_are_skipped(tmp_path: Path) -> None:
    for name in ("._a.mp3", ".Trash/b.mp3", ".c.mp3", "d.mp3"):
        make(tmp_path / name)
    assert paths(tmp_path) == [b"d.mp3"]


def test_names_that_are_no_utf8_survive(tmp_path: Path) -> None:
    name = b"\xff\xfe caf\xe9\n.mp3"
    (Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))).write_bytes(b"x")
    (found,) = scan(tmp_path)
    assert isinstance(found, FoundFile)
    assert found.location.path == name
    assert found.real_path.read_bytes() == b"x"


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(
    name=st.binary(min_size=1, max_size=80).filter(lambda n: not set(n) & {0, 47} and not n.startswith(b"."))
)
def test_any_name_that_the_disk_allows_is_a_location(name: bytes, tmp_path: Path) -> None:
    file = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name + b".mp3"))
    file.write_bytes(b"x")
    assert paths(tmp_path) == [name + b".mp3"]
    file.unlink()


# Links


def test_links_are_followed_out_of_the_folder_too(tmp_path: Path) -> None:
    music, elsewhere = tmp_path / "music", tmp_path / "elsewhere"
    make(elsewhere / "album" / "a.mp3")
    make(music / "real.mp3")
    (music / "album").symlink_to(elsewhere / "album")
    (music / "one.mp3").symlink_to("real.mp3")
    (music / "two.mp3").symlink_to(music / "one.mp3")
    found = {bytes(item.location.path): item for item in scan(music) if isinstance(item, FoundFile)}
    assert {path: item.is_linked for path, item in found.items()} == {
        b"album/a.mp3": True,
        b"one.mp3": True,
        b"real.mp3": False,
        b"two.mp3": True,
    }
    assert found[b"album/a.mp3"].real_path == (elsewhere / "album" / "a.mp3").resolve()
    assert found[b"two.mp3"].real_path == (music / "real.mp3").resolve()


def test_links_that_dangle_or_loop_are_named(tmp_path: Path) -> None:
    for name, target in {
        "dangling.mp3": "nowhere.mp3",
        "album": "nowhere",
        "notes.txt": "nowhere.txt",
        "self.mp3": "self.mp3",
        "there.txt": "back.txt",
        "back.txt": "there.txt",
        "deep/up": "..",
        "deep/here": ".",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).symlink_to(target)
    make(tmp_path / "deep" / "a.mp3")
    looping = [b"self.mp3", b"there.txt", b"back.txt", b"deep/up", b"deep/here"]
    dangling = [b"dangling.mp3", b"album"]
    assert problems(tmp_path) == dict.fromkeys([*looping, *dangling], ProblemReason.BROKEN_LINK)
    assert paths(tmp_path) == [b"deep/a.mp3"]


def test_folders_that_link_to_each_other_end_the_scan(tmp_path: Path) -> None:
    make(tmp_path / "a" / "1.mp3")
    make(tmp_path / "b" / "2.mp3")
    (tmp_path / "a" / "to_b").symlink_to("../b")
    (tmp_path / "b" / "to_a").symlink_to("../a")
    assert paths(tmp_path) == [b"a/1.mp3", b"a/to_b/2.mp3", b"b/2.mp3", b"b/to_a/1.mp3"]
    assert problems(tmp_path) == dict.fromkeys([b"a/to_b/to_a", b"b/to_a/to_b"], ProblemReason.BROKEN_LINK)


# Not files


def test_a_special_file_is_reported_if_its_name_ends_like_audio(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp3")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "null.wav").symlink_to("/dev/null")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(tmp_path / "s.ogg"))  # a socket's path may not be long
        assert problems(tmp_path) == dict.fromkeys(
            [b"pipe.mp3", b"null.wav", b"s.ogg"], ProblemReason.NOT_REGULAR
        )
    assert paths(tmp_path) == []


def test_a_folder_may_be_called_like_audio(tmp_path: Path) -> None:
    make(tmp_path / "live.mp3" / "a.mp3")
    assert paths(tmp_path) == [b"live.mp3/a.mp3"]


def test_a_folder_that_cannot_be_listed_is_a_problem_at_its_own_place(shared: Path) -> None:
    make(shared / "shut" / "a.mp3")
    make(shared / "open" / "b.mp3")
    (shared / "shut").chmod(0)
    script = (
        "import os, sys; from pathlib import Path\n"
        "from soundalike.audio.scan import LocalFileScanner; from soundalike.domain.files import Root\n"
        "os.getuid() or os.setuid(65534)\n"
        "top = Path(sys.argv[1])\n"
        "for item in LocalFileScanner().scan(top, [Root('m', top)]):\n"
        "    print(item.location.path.decode(), getattr(item, 'reason', 'found'))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", script, str(shared)], capture_output=True, text=True, check=True
    )
    (shared / "shut").chmod(0o700)
    assert run.stdout.splitlines() == ["open/b.mp3 found", "shut unreadable"]


# Disks that fail


class FailingDisk:
    """Makes everything below some paths fail, as a mount does whose server is gone."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.errors: dict[bytes, int] = {}
        self._list = os.scandir
        monkeypatch.setattr(os, "scandir", self._scandir)

    def _ask(self, path: bytes) -> None:
        for place, number in self.errors.items():
            if path == place or path.startswith(place + b"/"):
                raise OSError(number, os.strerror(number))

    @contextmanager
    def _scandir(self, path: bytes) -> Iterator[Iterator[Any]]:
        self._ask(path)
        with self._list(path) as listing:
            yield (FailingEntry(entry, self._ask) for entry in listing)


class FailingEntry:
    """An entry of a folder whose type is known from the folder, and nothing else without the disk."""

    def __init__(self, entry: "os.DirEntry[bytes]", ask: Callable[[bytes], None]) -> None:
        self._entry, self._ask = entry, ask
        self.name, self.path, self.is_symlink = entry.name, entry.path, entry.is_symlink

    def is_dir(self) -> bool:
        if self._entry.is_symlink():
            self._ask(self.path)
        return self._entry.is_dir()

    def stat(self) -> os.stat_result:
        self._ask(self.path)
        return self._entry.stat()


@pytest.mark.parametrize("number", PASSING)
@pytest.mark.parametrize("name", ["album", "Vol. 1", "feat. X.mp3"])
@pytest.mark.parametrize("is_link", [False, True])
def test_a_folder_on_a_disk_that_fails_is_unreadable_whatever_its_name(
    number: int, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_link: bool
) -> None:
    make(tmp_path / "good" / "b.mp3")
    folder = tmp_path / name
    make((tmp_path / ".disk" if is_link else folder) / "a.mp3")
    if is_link:
        folder.symlink_to(".disk")
    disk = FailingDisk(monkeypatch)
    disk.errors[os.fsencode(folder)] = number
    assert problems(tmp_path) == {name.encode(): ProblemReason.UNREADABLE}
    assert paths(tmp_path) == [b"good/b.mp3"]


def test_a_folder_that_fails_while_it_is_listed_is_unreadable_as_a_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "abc":
        make(tmp_path / "album" / f"{name}.mp3")
    list_folder = os.scandir

    @contextmanager
    def fail_after_one(path: bytes) -> Iterator[Iterator["os.DirEntry[bytes]"]]:
        def entries() -> Iterator["os.DirEntry[bytes]"]:
            with list_folder(path) as listing:
                yield next(listing)
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))

        yield entries()

    monkeypatch.setattr(os, "scandir", fail_after_one)
    assert problems(tmp_path / "album") == {b"": ProblemReason.UNREADABLE}
    assert paths(tmp_path / "album") == []


def test_what_cannot_be_music_is_not_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("notes.txt", "cover.jpg"):
        make(tmp_path / name)
    FailingDisk(monkeypatch).errors[os.fsencode(tmp_path) + b"/notes.txt"] = errno.EIO
    assert problems(tmp_path) == {}


@pytest.mark.parametrize("name", ["missing", "file.mp3"])
def test_a_root_that_is_not_there_is_an_error_at_once(name: str, tmp_path: Path) -> None:
    make(tmp_path / "file.mp3")
    with pytest.raises(RootMissingError, match=name):
        LocalFileScanner().scan(tmp_path / name, [Root(RootName("m"), tmp_path)])


# Roots


def test_a_location_is_relative_to_the_innermost_root(tmp_path: Path) -> None:
    outer, inner = Root(RootName("outer"), tmp_path), Root(RootName("inner"), tmp_path / "b")
    for name in ("a.mp3", "b/c.mp3", "b/d/e.mp3", "bb/f.mp3"):
        make(tmp_path / name)
    found = [(item.location.root, item.location.path) for item in scan(tmp_path, outer, inner)]
    assert found == [("outer", b"a.mp3"), ("inner", b"c.mp3"), ("inner", b"d/e.mp3"), ("outer", b"bb/f.mp3")]
    assert [item.location.path for item in scan(tmp_path / "b" / "d", outer, inner)] == [b"d/e.mp3"]


def test_a_root_reached_through_a_link_is_the_same_root(tmp_path: Path) -> None:
    make(tmp_path / "disk" / "rock" / "a.mp3")
    (tmp_path / "Music").symlink_to("disk")
    for location in (tmp_path / "disk", tmp_path / "Music"):
        for directory in (tmp_path / "disk" / "rock", tmp_path / "Music" / "rock"):
            (found,) = scan(directory, Root(RootName("m"), location))
            assert isinstance(found, FoundFile)
            assert (found.location.path, found.is_linked) == (b"rock/a.mp3", False)


def test_a_folder_without_a_root_is_the_callers_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no root"):
        LocalFileScanner().scan(tmp_path, [Root(RootName("m"), tmp_path / "other")])
