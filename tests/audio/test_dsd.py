"""DSF and DFF: their own ID3v2 tag is read as any other, and makes no other track of them."""

import io
import struct
from collections.abc import Callable
from pathlib import Path

import mutagen.dsdiff
import mutagen.dsf
import mutagen.id3
import pytest

from audio.sounds import analysed
from audio.tagging.writers import JPEG, frame23, frame24, tag, text, unsynchronise
from soundalike.audio.cover import read_cover
from soundalike.audio.formats import Container, sniff
from soundalike.audio.hashing import audio_hash
from soundalike.audio.tags import read_tags

Make = Callable[..., bytes]
RATE, CHANNELS = 2_822_400, 2
TITLE = "Während ÿÿ Łódź"
UNSYNCHRONISED = tag(
    3,
    unsynchronise(
        frame23(b"TIT2", text(TITLE, 1))
        + frame23(b"TPE1", text("Anna", 0))
        + frame23(b"APIC", b"\0image/jpeg\0\3\0" + JPEG)
    ),
    flags=0x80,
)
SEVERAL = tag(4, frame24(b"TIT2", text(TITLE, 3)) + frame24(b"TPE1", b"\3Anna\0Ben"))


def sound(seconds: float) -> bytes:
    return b"\x69\x96" * (int(RATE * seconds) // 8 * CHANNELS // 2 // 4_096 * 4_096)


def dsf(id3: bytes = b"", *, seconds: float = 0.1) -> bytes:
    data = sound(seconds)
    form = b"fmt " + struct.pack(
        "<QIIIIIIQII", 52, 1, 0, 2, CHANNELS, RATE, 1, len(data) * 8 // CHANNELS, 4_096, 0
    )
    body = form + b"data" + struct.pack("<Q", 12 + len(data)) + data
    size = 28 + len(body)
    return b"DSD " + struct.pack("<QQQ", 28, size + len(id3), size if id3 else 0) + body + id3


def dff(id3: bytes = b"", *, seconds: float = 0.1) -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return name + struct.pack(">Q", len(body)) + body + bytes(len(body) % 2)

    properties = chunk(b"FS  ", struct.pack(">I", RATE))
    properties += chunk(b"CHNL", struct.pack(">H", CHANNELS) + b"SLFTSRGT")
    properties += chunk(b"CMPR", b"DSD \x0enot compressed")
    body = chunk(b"FVER", b"\1\5\0\0") + chunk(b"PROP", b"SND " + properties) + chunk(b"DSD ", sound(seconds))
    return chunk(b"FRM8", b"DSD " + body + (chunk(b"ID3 ", id3) if id3 else b""))


@pytest.mark.parametrize("make", [dsf, dff])
class TestTags:
    def test_unsynchronised_text_and_pictures_are_whole(self, make: Make) -> None:
        tags = read_tags(io.BytesIO(make(UNSYNCHRONISED)))
        assert (tags.title, tags.artists) == (TITLE, ("Anna",))
        cover = read_cover(io.BytesIO(make(UNSYNCHRONISED)))
        assert cover is not None
        assert cover.data == JPEG

    def test_several_values_stay_several(self, make: Make) -> None:
        tags = read_tags(io.BytesIO(make(SEVERAL)))
        assert (tags.title, tags.artists) == (TITLE, ("Anna", "Ben"))

    @pytest.mark.parametrize("size", [0, 27, 2**63, 2**64 - 1])
    def test_places_outside_the_file_are_no_error(self, make: Make, size: int) -> None:
        data = make(SEVERAL)
        order, at = ("<", 20) if make is dsf else (">", data.index(b"ID3 ") + 4)
        read_tags(io.BytesIO(data[:at] + struct.pack(f"{order}Q", size) + data[at + 8 :]))


def hashed(data: bytes) -> str:
    file = io.BytesIO(data)
    assert sniff(file) is not None
    return audio_hash(file, Container.FOREIGN)


@pytest.mark.parametrize("make", [dsf, dff])
def test_a_tag_makes_no_other_track(make: Make) -> None:
    assert hashed(make(SEVERAL)) == hashed(make(UNSYNCHRONISED)) == hashed(make())
    assert hashed(make(SEVERAL)) != hashed(make(SEVERAL, seconds=0.2))


@pytest.mark.parametrize(("name", "make"), [("a.dsf", dsf), ("a.dff", dff)])
def test_nor_does_one_that_mutagen_writes(name: str, make: Make, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(make(seconds=2))
    before = analysed(path).audio_hash
    file = (mutagen.dsf.DSF if name == "a.dsf" else mutagen.dsdiff.DSDIFF)(path)
    file.add_tags()
    file.tags.add(mutagen.id3.TIT2(encoding=3, text=[TITLE]))
    file.save()
    heard = analysed(path)
    assert (heard.tags.title, heard.audio_hash) == (TITLE, before)
