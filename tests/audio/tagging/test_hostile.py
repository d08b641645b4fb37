"""Tags may be anything: they give plain text or nothing, in bounded time and memory, and raise nothing."""

import errno
import io
import os
import struct
import tracemalloc
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audio.sounds import riff_chunk, write_av
from audio.tagging.writers import (
    COMPRESSED,
    EXTENDED,
    FRAME_UNSYNCHRONISED,
    HAS_LENGTH,
    JPEG,
    SOUND,
    UNSYNCHRONISED,
    aiff,
    ape,
    comments,
    extended24,
    flac,
    flac_picture,
    frame22,
    frame23,
    frame24,
    id3v1,
    info,
    picture,
    rf64,
    tag,
    text,
    unsynchronise,
    wav,
)
from soundalike.audio.cover import read_cover
from soundalike.audio.tagging.limited import LimitedReader
from soundalike.audio.tags import read_tags

FRAMES_23 = (
    frame23(b"TIT2", text("Während", 1)) + frame23(b"APIC", picture(JPEG)) + frame23(b"TCON", b"\0(4)x")
)
FRAMES_24 = b"".join(
    frame24(name, data, flags=flags)
    for flags in (0, HAS_LENGTH | FRAME_UNSYNCHRONISED, HAS_LENGTH | COMPRESSED)
    for name, data in (
        (b"TIT2", text("Während", 1)),
        (b"TXXX", text("replaygain_track_gain\0-7 dB")),
        (b"USLT", b"\3eng\0One\ntwo"),
        (b"UFID", b"http://musicbrainz.org\0" + b"0" * 36),
        (b"APIC", picture(JPEG)),
    )
)
COMMENTS = comments([b"TITLE=Gr\xfc\xdfe", b"ARTIST=a", b"ARTIST=b", b"DATE=20190501", b"LYRICS=one\ntwo"])
APE = ape(("Title", b"Title", 0), ("Artist", b"a\0b", 0), ("Cover Art (Front)", b"a.jpg\0" + JPEG, 1))
INFO = info((b"INAM", b"Gr\xfc\xdfe"), (b"IART", b"Anna"))

FILES: Mapping[str, bytes] = {
    "2.2": tag(2, unsynchronise(frame22(b"TT2", text("Während", 1))), flags=UNSYNCHRONISED) + SOUND,
    "2.3": tag(3, unsynchronise(FRAMES_23), flags=UNSYNCHRONISED) + SOUND,
    "2.4": tag(4, extended24(crc=5) + FRAMES_24, flags=EXTENDED) + SOUND,
    "ape": tag(3, FRAMES_23) + SOUND + APE + id3v1(b"Old", b"Old"),
    "flac": flac((4, COMMENTS), (6, flac_picture(JPEG))) + SOUND,
    "ogg": b"".join(
        b"OggS\0\0" + struct.pack("<qIII", 0, 1, 0, 0) + bytes([1, len(packet)]) + packet
        for packet in (b"OpusHead" + bytes(11), b"OpusTags" + COMMENTS)
    ),
    "wav": wav(INFO, riff_chunk(b"id3 ", tag(3, FRAMES_23)), riff_chunk(b"data", bytes(20))),
    "rf64": rf64(INFO, riff_chunk(b"id3 ", tag(3, FRAMES_23))),
    "aiff": aiff(riff_chunk(b"NAME", b"Name", order=">"), riff_chunk(b"ID3 ", tag(3, FRAMES_23), order=">")),
    "caf": b"caff\0\1\0\0desc" + bytes(60) + b"info" + bytes(40),
}
UNREADABLE = {*map(chr, range(32)), *map(chr, range(0x7F, 0xA0)), "\ufffd"}
NAMES = (*FILES, "mp4", "mka", "asf")
CHANGES = st.lists(
    st.tuples(st.sampled_from(["set", "cut", "insert", "double"]), st.floats(0, 1), st.binary(max_size=9)),
    min_size=1,
    max_size=6,
)


class Files(dict[str, bytes]):
    """Files that are not printed where a test fails."""

    __repr__ = object.__repr__


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, bytes]:
    folder = tmp_path_factory.mktemp("files")
    made = {
        "mp4": write_av(folder / "a.m4a", 0.1, codec="aac", form="ipod"),
        "mka": write_av(folder / "a.mka", 0.1, codec="flac", form="matroska"),
        "asf": write_av(folder / "a.wma", 0.1, codec="flac", form="asf"),
    }
    return Files(FILES, **{name: path.read_bytes() for name, path in made.items()})


class Counting(io.BytesIO):
    """A file that counts what is read of it."""

    count = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.count += len(data) + 1
        return data


def check(data: bytes) -> None:
    file = Counting(data)
    tags = read_tags(file)
    # Each reader goes over its part of the file, some of them two or three times.
    assert file.count <= 20 * len(data) + 200_000
    for one in (tags.title, tags.album, tags.album_artist, *tags.artists, *tags.genres):
        assert one is None or (0 < len(one) <= 1_000 and not UNREADABLE & set(one))
    assert tags.lyrics is None or (0 < len(tags.lyrics) <= 10_000 and "\ufffd" not in tags.lyrics)
    assert len(tags.artists) <= 100
    assert len(tags.genres) <= 100
    read_cover(file)


@pytest.mark.parametrize("name", NAMES)
@settings(deadline=None)  # a loaded machine is no failure
@given(changes=CHANGES)
def test_a_damaged_tag_gives_plain_text_or_nothing(
    name: str, changes: list[tuple[str, float, bytes]], files: Mapping[str, bytes]
) -> None:
    data = files[name]
    for kind, where, piece in changes:
        at = int(where * len(data))
        match kind:
            case "set":
                data = data[:at] + piece + data[at + len(piece) :]
            case "cut":
                data = data[:at] + data[at + 7 * len(piece) :]
            case "insert":
                data = data[:at] + piece + data[at:]
            case _:
                data = data[: at + 20 * len(piece)] + data[at:]
    check(data)


@pytest.mark.parametrize("name", NAMES)
@settings(deadline=None)  # a loaded machine is no failure
@given(where=st.floats(0, 1))
def test_a_file_may_end_anywhere(name: str, where: float, files: Mapping[str, bytes]) -> None:
    check(files[name][: int(where * len(files[name]))])


@settings(deadline=None)  # a loaded machine is no failure
@given(body=st.binary(max_size=400), version=st.sampled_from([2, 3, 4]), flags=st.integers(0, 255))
def test_any_bytes_in_a_tag_are_no_error(body: bytes, version: int, flags: int) -> None:
    check(tag(version, body, flags=flags) + SOUND)


HEADS: Mapping[str, bytes] = {
    "a tag of 256 MB": b"ID3\4\0\0\x7f\x7f\x7f\x7f" + frame24(b"TIT2", text("Title")),
    "one unsynchronised": b"ID3\3\0\x80\x7f\x7f\x7f\x7f" + frame23(b"TIT2", text("Title")),
    "a frame of 4 GB": b"ID3\3\0\0\x7f\x7f\x7f\x7f"
    + frame23(b"TIT2", text("Title"))
    + b"APIC\xff\xff\xff\xff\0\0",
    "an APE tag of 4 GB": b"APETAGEX" + struct.pack("<IIII", 2_000, 0xFFFF_FFFF, 0xFFFF_FFFF, 1 << 29),
    "many comments": flac((4, bytes(4) + b"\xff" * 4)),
    "many blocks": b"fLaC",
    "a comment of 4 GB": flac((4, bytes(4) + b"\1\0\0\0" + b"\xff" * 4 + b"TITLE=")),
    "a picture of 4 GB": flac((6, bytes(4) + b"\xff" * 4)),
    "LIST of 4 GB": b"RIFF\xff\xff\xff\xffWAVELIST\xff\xff\xff\xffINFO",
    "id3 of 4 GB": b"RIFF\xff\xff\xff\xffWAVEid3 \xff\xff\xff\xffID3\4\0\0\x7f\x7f\x7f\x7f",
    "boxes": b"\0\0\0\x14ftypM4A \0\0\0\0\0\0\0\0\0\0\0\0moov",
}


class Huge(io.BytesIO):
    """A file of 5 GB: some bytes, and zeros; it counts what is read of it."""

    size = 5_000_000_000

    def __init__(self, head: bytes) -> None:
        super().__init__()
        self.head, self.at, self.count, self.calls = head, 0, 0, 0

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        self.at = (0, self.at, self.size)[whence] + offset
        return self.at

    def tell(self) -> int:
        return self.at

    def read(self, size: int | None = -1, /) -> bytes:
        left = max(0, self.size - self.at)
        count = left if size is None or size < 0 else min(size, left)
        assert count <= (64 << 20) + 1
        data = self.head[self.at : self.at + count].ljust(count, b"\0")
        self.at, self.count, self.calls = self.at + count, self.count + count, self.calls + 1
        return data


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
def test_no_length_has_more_read_than_the_bound(head: bytes) -> None:
    file = Huge(head)
    tags = read_tags(file)
    read_cover(file)
    # Twice, and at most what is in front, in the middle, and behind.
    assert file.count <= 2 * 3 * (64 << 20)
    assert file.calls <= 500_000
    assert tags.title in {None, "Title"}


@pytest.mark.parametrize("name", NAMES)
def test_errors_of_the_disk_are_raised(name: str, files: Mapping[str, bytes]) -> None:
    class Failing(io.BytesIO):
        left = 0

        def read(self, size: int | None = -1, /) -> bytes:
            if self.left == 0:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            self.left -= 1
            return super().read(size)

    for reads in range(3):
        file = Failing(files[name])
        file.left = reads
        for read in (read_tags, read_cover):
            with pytest.raises(OSError, match="Input/output"):
                read(file)


def test_a_whole_tag_is_read_from_a_large_file() -> None:
    file = Huge(tag(4, frame24(b"TIT2", text("Title")) + frame24(b"APIC", picture(JPEG))) + SOUND)
    cover = read_cover(file)
    assert (read_tags(file).title, cover and cover.data) == ("Title", JPEG)
    assert file.count < 1 << 20


@pytest.mark.parametrize(("encoding", "values"), [(1, b"\0"), (3, b"a\0"), (1, b"a\0\0\0")])
def test_text_that_inflates_takes_little_memory(encoding: int, values: bytes) -> None:
    inflated = bytes([encoding]) + values * (4_000_000 // len(values))
    data = tag(4, frame24(b"TPE1", inflated, flags=COMPRESSED | HAS_LENGTH) + frame24(b"TIT2", text("Title")))
    file = io.BytesIO(data + SOUND)
    tracemalloc.start()
    try:
        tags = read_tags(file)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (tags.title, peak < 8 << 20) == ("Title", True), f"{peak} bytes"


def test_a_long_text_of_ape_takes_little_memory() -> None:
    file = io.BytesIO(SOUND + ape(("Artist", b"Anna\0" + bytes(4_000_000), 0), ("Title", b"Title", 0)))
    tracemalloc.start()
    try:
        tags = read_tags(file)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (tags.title, tags.artists, peak < 20 << 20) == ("Title", ("Anna",), True), f"{peak} bytes"


def test_many_small_reads_have_a_bound_too() -> None:
    reader = LimitedReader(io.BytesIO(bytes(100_000)), 64 << 10)
    with pytest.raises(ValueError, match="too large"):
        all(reader.read(1) for _ in range(257))
