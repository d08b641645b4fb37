"""Audio under any name is found; what cannot be audio by its name is not opened."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio.edited import without_first_frame
from audio.sounds import edit, failure_of, id3v2, music, write, write_av
from soundalike.audio import dependencies, scan
from soundalike.audio.formats import AUDIO_SUFFIXES
from soundalike.audio.recognise import (
    OTHER_SUFFIXES,
    VIDEO_SUFFIXES,
    Kind,
    begins_like_audio,
    has_audio,
    kind_of,
)
from soundalike.audio.scan import LocalFileScanner
from soundalike.domain.files import FoundFile, LeftOut, LeftOutReason, Root
from soundalike.domain.types import RootName

SOUNDS = [
    "a.mp3",
    "a.flac",
    "a.ogg",
    "a.wav",
    "a.aiff",
    "a.w64",
    "a.caf",
    "a.au",
    "a.m4a",
    "a.aac",
    "a.mka",
    "a.wv",
]
BY_PYAV = {
    "a.m4a": ("aac", "ipod"),
    "a.aac": ("aac", "adts"),
    "a.mka": ("flac", "matroska"),
    "a.wv": ("wavpack", "wv"),
}


def make(folder: Path, name: str) -> Path:
    if name in BY_PYAV:
        codec, form = BY_PYAV[name]
        return write_av(folder / name, 1.5, codec=codec, form=form)
    return write(folder / name, music(1.5))


def scanned(folder: Path) -> list[object]:
    return list(LocalFileScanner().scan(folder, [Root(RootName("music"), folder)]))


@pytest.mark.parametrize("name", SOUNDS)
@pytest.mark.parametrize("new", ["song", "song.xyz", "song.mp3~", "song.dat", "song.Mp3_1"])
def test_audio_under_an_unknown_ending_is_found(name: str, new: str, tmp_path: Path) -> None:
    make(tmp_path, name).rename(tmp_path / new)
    (found,) = scanned(tmp_path)
    assert isinstance(found, FoundFile)
    assert found.location.path == new.encode()


@pytest.mark.parametrize(
    "content",
    [
        b"TWIN97012000" + bytes(500),
        b"EA3\1" + bytes(500),
        b"RIFF\0\1\0\0XWMAfmt ",
        b"LA04" + bytes(99),
        b"RKA7" + bytes(99),
        b"ea3\3" + bytes(500),
        b"RIFF\0\1\0\0QLCMfmt ",
    ],
)
def test_what_cannot_be_decoded_is_named(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.unknown").write_bytes(content)
    assert [type(one) for one in scanned(tmp_path)] == [FoundFile]
    assert failure_of(tmp_path / "a.unknown").detail


@pytest.mark.parametrize("junk", [bytes(100), bytes(3_000), b"junk" * 99], ids=["zeros", "more", "junk"])
@pytest.mark.parametrize("name", ["a.mp3", "a.aac"])
def test_frames_behind_junk_are_found(junk: bytes, name: str, tmp_path: Path) -> None:
    path = make(tmp_path, name)
    (tmp_path / "a.unknown").write_bytes(junk + path.read_bytes())
    assert has_audio(os.fsencode(tmp_path / "a.unknown"))


@pytest.mark.parametrize("head", [b"", id3v2((b"TIT2", b"\0Title"), padding=20_000)], ids=["bare", "tagged"])
def test_an_mp3_without_a_header_is_found(head: bytes, tmp_path: Path) -> None:
    edit(write(tmp_path / "a.mp3", music(2)), lambda data: head + without_first_frame(data)).rename(
        tmp_path / "a.unknown"
    )
    assert has_audio(os.fsencode(tmp_path / "a.unknown"))


def test_a_link_to_audio_without_an_ending_is_found(tmp_path: Path) -> None:
    target = write(tmp_path / "a.wav", music(1))
    (tmp_path / "link").symlink_to(target)
    assert [type(each) for each in scanned(tmp_path)] == [FoundFile, FoundFile]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"x",
        b"plain words\n" * 900,
        bytes(9_000),
        b"\xff" * 9_000,
        b"\xff\xfb\x90\0" * 3_000,
        b"\0\0\0\x18ftypheic" + bytes(3_000),
        b"\0\0\0\x18ftypavif" + bytes(3_000),
        b"RIFF\0\0\1\0WEBPVP8 " + bytes(3_000),
        b"RIFF\0\0\1\0AVI LIST" + bytes(3_000),
        b"\x0b\x77" + bytes(3_000),
        b"PK\3\4" + bytes(3_000),
        b"ID3 is a format of tags\n" * 50,
    ],
    ids=lambda content: repr(content[:12]),
)
def test_what_is_not_audio_is_passed_over(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "what").write_bytes(content)
    assert scanned(tmp_path) == []


@given(st.binary(max_size=9_000))
def test_random_bytes_are_not_audio(content: bytes) -> None:
    assert not begins_like_audio(b"\1" + content)


def test_endings_that_are_known_are_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for suffix in (b".jpg", b".PDF", b".m3u", b".part", b".mp3", b".mkv"):
        (tmp_path / f"a{suffix.decode()}").write_bytes(b"RIFF\0\0\0\0WAVE")
    monkeypatch.setattr(scan, "has_audio", lambda path: pytest.fail(f"{path!r} was opened"))
    assert len(scanned(tmp_path)) == 2


@pytest.mark.parametrize(
    ("name", "is_read_again"),
    [("a.caf", True), ("a.au", True), ("a.w64", True), ("caf.xyz", True), ("a.mp3", False), ("a.wav", False)],
)
def test_tags_that_only_pyav_reads_are_read_again_once_it_is_installed(
    name: str,
    is_read_again: bool,  # noqa: FBT001 - a parameter
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write(tmp_path / name, music(1), format="CAF" if name == "caf.xyz" else None)
    stamps = []
    for has_pyav in (False, True):
        monkeypatch.setattr(dependencies, "find_spec", lambda _name, has=has_pyav: has or None)
        stamps += [each.tags_stamp for each in scanned(tmp_path) if isinstance(each, FoundFile)]
    assert len(stamps) == 2
    assert (stamps[0] != stamps[1]) == is_read_again


def test_videos_are_counted_not_listed(tmp_path: Path) -> None:
    for name in ("a.mkv", "b.AVI", "c.mov"):
        (tmp_path / name).write_bytes(b"any")
    found = scanned(tmp_path)
    assert [each.reason for each in found if isinstance(each, LeftOut)] == [LeftOutReason.VIDEO] * 3
    assert len(found) == 3


def test_what_cannot_be_read_or_is_no_file_is_passed_over(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere.xyz")
    assert not has_audio(os.fsencode(tmp_path / "nowhere"))
    assert not any(isinstance(each, FoundFile) for each in scanned(tmp_path))


def test_no_ending_means_two_things() -> None:
    assert not AUDIO_SUFFIXES & VIDEO_SUFFIXES
    assert not (AUDIO_SUFFIXES | VIDEO_SUFFIXES) & OTHER_SUFFIXES
    assert all(suffix == suffix.lower() and suffix.startswith(b".") for suffix in OTHER_SUFFIXES)
    assert [kind_of(name) for name in (b"a.MP3", b"a.mkv", b"a.jpg", b"a", b"a.b.x1")] == [
        Kind.AUDIO,
        Kind.VIDEO,
        Kind.OTHER,
        Kind.UNKNOWN,
        Kind.UNKNOWN,
    ]
