"""Tags of any content are read back as written, and the sound beneath them stays the same."""

import base64
import io
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import soundfile
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tinytag import TinyTag

from soundalike.demo.studio import encode
from soundalike.demo.tags import Picture, TrackTags
from soundalike.demo.tagwriter import DemoFormat, tag
from soundalike.demo.vorbis import picture_block

PAGE_BYTES = 255 * 255
COVER = Picture(png=b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4, width_px=7, height_px=9)
TAGS = TrackTags(
    title="🚀 金魚の夢",
    artist="Ólafía Brún",
    album="A = B; \\C",
    genre="Drum and Bass",
    year=1998,
    number=3,
    number_of=7,
    cover=COVER,
)
CONTAINERS = pytest.mark.parametrize("container", list(DemoFormat))


@cache
def audio(container: DemoFormat) -> bytes:
    beats = np.random.default_rng(5).normal(0, 0.1, (2, 30_000))
    return encode(beats.astype(np.float32), container)


def decoded(file: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    samples, _ = soundfile.read(io.BytesIO(file), dtype="float32", always_2d=True)
    return np.asarray(samples)


def read(file: bytes) -> TinyTag:
    return TinyTag.get(filename=None, file_obj=io.BytesIO(file), image=True)


@CONTAINERS
def test_every_tag_is_read_back(container: DemoFormat) -> None:
    found = read(tag(audio(container), TAGS, container=container))
    assert (found.title, found.artist, found.album) == (TAGS.title, TAGS.artist, TAGS.album)
    assert (found.genre, found.year) == ("Drum and Bass", "1998")
    assert (found.track, found.track_total) == (3, 7)


@CONTAINERS
def test_the_cover_is_read_back(container: DemoFormat) -> None:
    cover = read(tag(audio(container), TAGS, container=container)).images.front_cover
    assert cover is not None
    assert (cover.data, cover.mime_type) == (COVER.png, "image/png")


@CONTAINERS
@settings(deadline=None)  # a loaded machine is no failure
@example(text="a\0b\ud800🐟")
@given(text=st.text(st.characters(), max_size=300) | st.integers(0, 70_000).map("é".__mul__))
def test_a_tag_may_have_any_text(container: DemoFormat, text: str) -> None:
    tagged = tag(audio(container), replace(TAGS, title=text, artist=text), container=container)
    kept = text.replace("\0", " ").encode("utf-8", "replace").decode()
    assert (read(tagged).title or "") == kept
    assert (read(tagged).artist or "") == kept
    assert read(tagged).album == TAGS.album


@CONTAINERS
@settings(deadline=None)  # a loaded machine is no failure
@given(
    size=st.integers(0, 3 * PAGE_BYTES)
    | st.builds(
        # Base64 writes three bytes as four; the rest of the packet takes some hundred bytes.
        lambda pages, offset: max(0, (pages * PAGE_BYTES + offset) * 3 // 4),
        st.integers(0, 3),
        st.integers(-600, 600),
    )
)
def test_a_cover_of_any_size_changes_no_sample(container: DemoFormat, size: int) -> None:
    cover = replace(COVER, png=bytes(size))
    tagged = tag(audio(container), replace(TAGS, cover=cover), container=container)
    np.testing.assert_array_equal(decoded(tagged), decoded(audio(container)))
    image = read(tagged).images.front_cover
    assert (b"" if image is None else image.data) == cover.png


@pytest.mark.parametrize("size", range(PAGE_BYTES - 3, PAGE_BYTES + 4))
def test_an_ogg_comment_packet_may_end_on_either_side_of_a_page(size: int) -> None:
    bare = len(_comment_packet(_titled("")))
    tagged = _titled("x" * (size - bare - len("TITLE=") - 4))
    assert len(_comment_packet(tagged)) == size
    np.testing.assert_array_equal(decoded(tagged), decoded(audio(DemoFormat.OGG)))


def test_ogg_pages_are_numbered_without_a_gap_and_have_the_given_serial_number() -> None:
    tagged = tag(audio(DemoFormat.OGG), TAGS, container=DemoFormat.OGG, serial=0xCAFE)
    pages = _ogg_pages(tagged)
    assert [number for number, _ in pages] == list(range(len(pages)))
    assert {serial for _, serial in pages} == {0xCAFE}


def test_a_changed_byte_in_an_ogg_page_is_noticed_by_its_checksum() -> None:
    tagged = bytearray(tag(audio(DemoFormat.OGG), TAGS, container=DemoFormat.OGG))
    tagged[-1] ^= 0xFF  # in the last page, which a decoder drops when its CRC does not fit
    assert len(decoded(bytes(tagged))) < len(decoded(audio(DemoFormat.OGG)))


def test_tagging_twice_leaves_one_set_of_tags() -> None:
    for container in (DemoFormat.FLAC, DemoFormat.OGG):
        once = tag(audio(container), replace(TAGS, title="before"), container=container)
        assert tag(once, TAGS, container=container) == tag(audio(container), TAGS, container=container)


def test_a_second_id3_tag_is_refused() -> None:
    tagged = tag(audio(DemoFormat.MP3), TAGS, container=DemoFormat.MP3)
    with pytest.raises(ValueError, match="already"):
        tag(tagged, TAGS, container=DemoFormat.MP3)


@pytest.mark.parametrize("container", [DemoFormat.FLAC, DemoFormat.OGG])
@pytest.mark.parametrize("content", [b"", b"RIFF", b"OggS" + bytes(40), bytes(2_000)])
def test_another_format_is_rejected(container: DemoFormat, content: bytes) -> None:
    with pytest.raises(ValueError, match=r"not a|before|no Vorbis"):
        tag(content, TAGS, container=container)


def test_a_cover_that_is_too_large_for_a_flac_block_is_rejected() -> None:
    huge = replace(TAGS, cover=replace(COVER, png=bytes(1 << 24)))
    with pytest.raises(ValueError, match="too many for a FLAC block"):
        tag(audio(DemoFormat.FLAC), huge, container=DemoFormat.FLAC)


def test_the_ogg_picture_is_a_flac_picture_block_in_base64() -> None:
    packet = _comment_packet(tag(audio(DemoFormat.OGG), TAGS, container=DemoFormat.OGG))
    assert b"METADATA_BLOCK_PICTURE=" + base64.b64encode(picture_block(COVER)) in packet


def _titled(title: str) -> bytes:
    return tag(audio(DemoFormat.OGG), replace(TAGS, title=title), container=DemoFormat.OGG)


def _ogg_pages(ogg: bytes) -> list[tuple[int, int]]:
    """Return (number, serial) of each page, walking by the lengths that the pages state."""
    found, at = [], 0
    while at < len(ogg):
        assert ogg[at : at + 4] == b"OggS"
        serial, number = (int.from_bytes(ogg[at + i : at + i + 4], "little") for i in (14, 18))
        found.append((number, serial))
        segments = ogg[at + 26]
        at += 27 + segments + sum(ogg[at + 27 : at + 27 + segments])
    return found


def _comment_packet(ogg: bytes) -> bytes:
    """Return the second packet, read from the pages by hand."""
    packets: list[bytes] = []
    packet, at = b"", 0
    while len(packets) < 2:
        segments = ogg[at + 26]
        body_at = at + 27 + segments
        for size in ogg[at + 27 : body_at]:
            packet += ogg[body_at : body_at + size]
            body_at += size
            if size < 255:
                packets.append(packet)
                packet = b""
        at = body_at
    return packets[1]
