"""Recycle bins, snapshots and what ``.soundalikeignore`` files name are left out of a scan."""

import os
import time
from pathlib import Path

import pytest

from audio.test_scan import make, paths, problems, scan
from soundalike.audio.ignore import MOST_BYTES, MOST_PATTERNS
from soundalike.domain.files import FileProblem, LeftOut, LeftOutReason, ProblemReason, Root
from soundalike.domain.types import RootName

ALL = ["a.mp3", "b.wav", "sub/a.mp3", "sub/b.wav", "sub/live/a.mp3"]
BIN, IGNORED = LeftOutReason.BIN, LeftOutReason.IGNORED


def left_out(directory: Path, *roots: Root) -> dict[bytes, LeftOutReason]:
    found = (item for item in scan(directory, *roots) if isinstance(item, LeftOut))
    return {item.location.path: item.reason for item in found}


def ignore(folder: Path, *lines: str, ending: str = "\n") -> None:
    make(folder / ".soundalikeignore", ending.join(lines).encode("utf-8", "surrogateescape"))


@pytest.mark.parametrize(
    "name",
    [
        "#recycle", "#Recycle", "$RECYCLE.BIN", "$Recycle.Bin", "RECYCLER", "@Recycle", "#snapshot",
        "~snapshot", "@eaDir", "lost+found", "System Volume Information", "@Recently-Snapshot",
        "Network Trash Folder",
    ],
)  # fmt: skip
def test_bins_and_snapshots_are_left_out_wherever_they_are(name: str, tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "albums"):
        make(folder / name / "deep" / "a.mp3")
        make(folder / "b.mp3")
    assert paths(tmp_path) == [b"albums/b.mp3", b"b.mp3"]
    assert left_out(tmp_path) == {f"albums/{name}".encode(): BIN, name.encode(): BIN}
    root = Root(RootName("m"), tmp_path)
    assert left_out(tmp_path / name / "deep", root) == {f"{name}/deep".encode(): BIN}


@pytest.mark.parametrize("name", [".Trash-1000", ".zfs", ".snapshots", ".snapshot", ".Trashes"])
def test_hidden_ones_are_not_even_mentioned(name: str, tmp_path: Path) -> None:
    make(tmp_path / name / "a.mp3")
    assert scan(tmp_path) == []


@pytest.mark.parametrize(
    "name", ["...And Justice for All", ".5 The Gray Chapter", ".38 Special", ". .", "..a"]
)
def test_music_may_be_called_with_a_dot_in_front(name: str, tmp_path: Path) -> None:
    make(tmp_path / name / "a.mp3")
    make(tmp_path / f"{name}.mp3")
    assert set(paths(tmp_path)) == {f"{name}/a.mp3".encode(), f"{name}.mp3".encode()}


def test_what_is_being_copied_is_not_listed(tmp_path: Path) -> None:
    make(tmp_path / ".01 - Song.mp3.Xy12Ab").write_bytes(b"RIFF\0\0\0\0WAVE")
    assert scan(tmp_path) == []


@pytest.mark.parametrize("name", ["Recycled", "Trash", "Lost + Found", "Snapshot", "#1 Hits", "$ign", "@"])
def test_music_in_folders_that_are_called_nearly_so_is_found(name: str, tmp_path: Path) -> None:
    make(tmp_path / name / "a.mp3")
    assert paths(tmp_path) == [f"{name}/a.mp3".encode()]


def test_a_file_may_be_called_like_a_bin(tmp_path: Path) -> None:
    make(tmp_path / "@Recycle.mp3")
    assert paths(tmp_path) == [b"@Recycle.mp3"]


@pytest.mark.parametrize(
    ("lines", "kept"),
    [
        (["*.wav"], ["a.mp3", "sub/a.mp3", "sub/live/a.mp3"]),
        (["sub/"], ["a.mp3", "b.wav"]),
        (["/a.mp3"], ["b.wav", "sub/a.mp3", "sub/b.wav", "sub/live/a.mp3"]),
        (["a.mp3", "!/sub/a.mp3"], ["b.wav", "sub/a.mp3", "sub/b.wav"]),
        (["live"], ["a.mp3", "b.wav", "sub/a.mp3", "sub/b.wav"]),
        (["sub/**/a.mp3"], ["a.mp3", "b.wav", "sub/b.wav"]),
        (["*", "!*/", "!*.wav"], ["b.wav", "sub/b.wav"]),
        (["[ab].mp3", "\\!x", "# a.mp3", ""], ["b.wav", "sub/b.wav"]),
        (["[z-a]", "[", "a[", "!", "\\", "//"], ALL),
        (["sub/**", "!sub/a.mp3"], ["a.mp3", "b.wav", "sub/a.mp3"]),
        (["**/live/*", "sub/*.wav"], ["a.mp3", "b.wav", "sub/a.mp3"]),
        (["s*b/l*v*e/*"], ["a.mp3", "b.wav", "sub/a.mp3", "sub/b.wav"]),
        (["*/"], ["a.mp3", "b.wav"]),
        (["sub", "!sub"], ALL),
        (["sub", "!sub/a.mp3"], ["a.mp3", "b.wav"]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_patterns_are_those_of_gitignore(
    lines: list[str], kept: list[str], ending: str, tmp_path: Path
) -> None:
    for name in ALL:
        make(tmp_path / name)
    ignore(tmp_path, *lines, ending=ending)
    assert paths(tmp_path) == [name.encode() for name in kept]
    assert problems(tmp_path) == {}


def test_a_deeper_file_counts_more_and_for_its_own_folder(tmp_path: Path) -> None:
    for name in ("a.wav", "keep/a.wav", "keep/deep/a.wav", "other/a.wav"):
        make(tmp_path / name)
    ignore(tmp_path, "*.wav")
    ignore(tmp_path / "keep", "!*.wav", "/deep/a.wav")
    assert paths(tmp_path) == [b"keep/a.wav"]
    assert left_out(tmp_path) == dict.fromkeys([b"a.wav", b"keep/deep/a.wav", b"other/a.wav"], IGNORED)


def test_what_is_ignored_is_so_where_a_scan_begins_below_it(tmp_path: Path) -> None:
    make(tmp_path / "a" / "b" / "c.mp3")
    make(tmp_path / "a" / "d" / "e.wav")
    ignore(tmp_path, "/a/b", "*.wav")
    outer, inner = Root(RootName("outer"), tmp_path), Root(RootName("inner"), tmp_path / "a")
    assert left_out(tmp_path / "a" / "b", outer) == {b"a/b": IGNORED}
    assert left_out(tmp_path / "a" / "b", outer, inner) == {b"b": IGNORED}
    assert left_out(tmp_path / "a", outer, inner) == {b"b": IGNORED, b"d/e.wav": IGNORED}


def test_any_name_can_be_written(tmp_path: Path) -> None:
    name = os.fsdecode("é".encode() + b"\xff.mp3")
    make(tmp_path / name)
    make(tmp_path / "ü.mp3")
    ignore(tmp_path, "\ufeff" + name)
    assert paths(tmp_path) == ["ü.mp3".encode()]


def test_what_is_ignored_is_no_problem_either(tmp_path: Path) -> None:
    (tmp_path / "dangling.mp3").symlink_to("nowhere")
    ignore(tmp_path, "dangling.mp3")
    assert problems(tmp_path) == {}


# Ignore files that cannot be used


def unusable(folder: Path, kind: str) -> str:
    file = folder / ".soundalikeignore"
    if kind == "fifo":
        os.mkfifo(file)
        return "is not a regular file"
    if kind == "dangling":
        file.symlink_to("nowhere")
        return "cannot be read"
    if kind == "device":
        file.symlink_to("/dev/zero")
        return "is not a regular file"
    if kind == "large":
        make(file, b"#" * (MOST_BYTES + 1))
        return "larger than"
    if kind == "deep":
        ignore(folder, "a/**/b/**/c/**/d")
        return "times"
    ignore(folder, *map(str, range(MOST_PATTERNS + 1)))
    return "more than"


@pytest.mark.parametrize("kind", ["fifo", "dangling", "device", "large", "many", "deep"])
def test_a_folder_whose_ignore_file_cannot_be_used_is_unknown(kind: str, tmp_path: Path) -> None:
    make(tmp_path / "album" / "disc" / "a.mp3")
    make(tmp_path / "other" / "b.mp3")
    said = unusable(tmp_path / "album", kind)
    assert paths(tmp_path) == [b"other/b.mp3"]
    (problem,) = (item for item in scan(tmp_path) if isinstance(item, FileProblem))
    assert (problem.location.path, problem.reason) == (b"album", ProblemReason.UNREADABLE)
    assert said in problem.detail
    (below,) = scan(tmp_path / "album" / "disc", Root(RootName("m"), tmp_path))
    assert isinstance(below, FileProblem)
    assert (below.location.path, below.reason) == (b"album/disc", ProblemReason.UNREADABLE)


def test_hostile_patterns_take_little_time(tmp_path: Path) -> None:
    for number in range(10):
        make(tmp_path / f"{'a' * 240}{number}.mp3")
    ignore(tmp_path, *("*a" * stars + "b" for stars in range(2, 202)))
    before = time.process_time()
    assert len(paths(tmp_path)) == 10
    assert time.process_time() - before < 20
