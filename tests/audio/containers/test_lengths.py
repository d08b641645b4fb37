"""How long a file is at most is seen in its head, and never shorter than it can be played."""

import io
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio.sounds import cut, edit, id3v2, music, write, write_av
from soundalike.audio.containers.lengths import longest_s


def longest_of(path: Path) -> float | None:
    with path.open("rb") as file:
        return longest_s(file)


@pytest.mark.parametrize("name", ["a.flac", "a.wav", "a.aiff", "a.mp3"])
def test_what_libsndfile_writes_is_as_long_as_it_is(name: str, tmp_path: Path) -> None:
    assert longest_of(write(tmp_path / name, music(7))) == pytest.approx(7, abs=0.1)


@pytest.mark.parametrize("name", ["a.flac", "a.mp3"])
def test_a_tag_in_front_is_passed_over(name: str, tmp_path: Path) -> None:
    tag = id3v2((b"TIT2", b"\0one"), padding=3_000)
    path = edit(write(tmp_path / name, music(7)), lambda data: tag + data)
    assert longest_of(path) == pytest.approx(7, abs=0.1)


@pytest.mark.parametrize(
    ("codec", "form"),
    [("wavpack", "wv"), ("tta", "tta"), ("aac", "ipod"), ("alac", "ipod"), ("flac", "flac")],
)
def test_so_is_what_ffmpeg_writes(codec: str, form: str, tmp_path: Path) -> None:
    assert longest_of(write_av(tmp_path / "a", 7, codec=codec, form=form)) == pytest.approx(7, abs=0.1)


def test_so_is_monkeys_audio(tmp_path: Path) -> None:
    descriptor = b"MAC " + struct.pack("<HHI", 3_990, 0, 52) + bytes(40)
    head = struct.pack("<HHIIIHHI", 2_000, 0, 73_728, 14_364, 5, 16, 2, 44_100)  # APE's `APE_HEADER`
    (tmp_path / "a.ape").write_bytes(descriptor + head + bytes(100))
    assert longest_of(tmp_path / "a.ape") == pytest.approx((4 * 73_728 + 14_364) / 44_100)


@pytest.mark.parametrize("name", ["a.flac", "a.wav", "a.mp3"])
def test_a_file_that_is_cut_is_as_long_as_it_promises(name: str, tmp_path: Path) -> None:
    longest = longest_of(cut(write(tmp_path / name, music(9)), 0.5))
    assert longest is not None
    assert longest > 8.9


def test_joined_files_are_as_long_as_both(tmp_path: Path) -> None:
    path = edit(write(tmp_path / "a.mp3", music(6)), lambda data: data * 2)
    longest = longest_of(path)
    assert longest is not None
    assert longest > 11.9


def test_without_a_header_the_bit_rate_says_it(tmp_path: Path) -> None:
    # libsndfile's files begin with a frame that counts the others
    path = write(tmp_path / "a.mp3", music(20), bitrate_mode="CONSTANT", compression_level=0.5)
    edit(path, lambda data: data[data.index(b"\xff\xfb", 4) :])
    assert longest_of(path) == pytest.approx(20, rel=0.05)


@pytest.mark.parametrize("name", ["a.ogg", "a.opus"])
def test_of_what_has_no_length_in_its_head_it_is_unknown(name: str, tmp_path: Path) -> None:
    options = {"format": "OGG", "subtype": "OPUS" if name == "a.opus" else "VORBIS"}
    assert longest_of(write(tmp_path / name, music(3, rate=48_000), rate=48_000, **options)) is None


@given(
    head=st.sampled_from(
        [
            *(b"", b"fLaC", b"RIFF\xff\xff\xff\xffWAVEfmt ", b"FORM\0\0\1\0AIFFCOMM", b"\xff\xfb\x90\0"),
            *(b"wvpk", b"MAC \x96\x0f", b"TTA1", b"\0\0\0\x18ftypM4A ", b"\0\0\0\x08ftyp\0\0\0\0moov"),
        ]
    ),
    body=st.binary(max_size=300),
)
def test_any_bytes_have_a_length_or_none(head: bytes, body: bytes) -> None:
    longest = longest_s(io.BytesIO(head + body))
    assert longest is None or longest > 0
