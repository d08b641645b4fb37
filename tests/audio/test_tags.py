"""Tags are text from strangers: what comes out is short, plain, or nothing."""

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio.sounds import apev2, id3v1, id3v2
from soundalike.audio.cover import picture_type, read_cover
from soundalike.audio.tagging.limited import LimitedReader
from soundalike.audio.tags import read_tags
from soundalike.domain.ports.audio import Cover
from soundalike.domain.tags import Tags

SOUND = b"\xff\xfb\x90\x00".ljust(417, b"\0") * 4
PNG = b"\x89PNG\r\n\x1a\n" + bytes(50)
JPEG = b"\xff\xd8\xff\xe0" + bytes(50)


def tagged(*frames: tuple[bytes, bytes]) -> io.BytesIO:
    return io.BytesIO(id3v2(*frames) + SOUND)


def latin(text: str) -> bytes:
    return b"\0" + text.encode("latin-1")


def utf16(text: str) -> bytes:
    return b"\1" + text.encode("utf-16")


def picture(data: bytes, kind: int, mime: bytes = b"image/png") -> tuple[bytes, bytes]:
    return b"APIC", b"\0" + mime + b"\0" + bytes([kind]) + b"\0" + data


def test_five_fields_are_read() -> None:
    file = tagged(
        (b"TIT2", utf16("Jóga")), (b"TPE1", latin("Björk")), (b"TALB", utf16("同名")),
        (b"TCON", latin("(17)")), (b"TYER", latin("1997")),
    )  # fmt: skip
    assert read_tags(file) == Tags(
        title="Jóga", artists=("Björk",), album="同名", genres=("Rock",), year=1997
    )


def test_id3v1_is_read_where_there_is_nothing_better() -> None:
    assert read_tags(io.BytesIO(SOUND + id3v1(b"Old"))).title == "Old"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  spaced \t out\n", "spaced out"),
        ("nul\0byte\x07bell", "nulbytebell"),
        ("   ", None),
        ("\0\0", None),
        ("x" * 5_000, "x" * 1_000),
        ("\ud83d\ude00", "😀"),
    ],
)
def test_text_is_plain_and_short(text: str, expected: str | None) -> None:
    data = b"\1\xff\xfe" + text.encode("utf-16-le", "surrogatepass")
    title = read_tags(tagged((b"TIT2", data))).title
    # tinytag takes a NUL as the border of a second value, of which the first is the title.
    assert title in ({expected, "nul"} if "\0" in text else {expected})


@pytest.mark.parametrize(
    ("text", "year"),
    [
        ("2019-05-01", 2019),
        ("19999", None),
        ("0000", None),
        ("c1984", 1984),
        ("'99", None),
        ("", None),
        ("0999", 999),
    ],
)
def test_a_year_is_a_number_of_four_digits(text: str, year: int | None) -> None:
    assert read_tags(tagged((b"TYER", latin(text)))).year == year


def test_a_broken_tag_is_no_tag() -> None:
    broken = b"ID3\x03\x00\x00\x7f\x7f\x7f\x7fTIT2\xff\xff\xff\xff\0\0" + bytes(100)
    assert read_tags(io.BytesIO(broken)) == Tags()


def test_a_tag_that_claims_to_be_too_large_is_not_read() -> None:
    with pytest.raises(ValueError, match="too large"):
        LimitedReader(io.BytesIO(bytes(100)), most_bytes=99).read(1 << 40)


@given(
    st.binary(max_size=3_000),
    st.sampled_from([b"", b"ID3\3\0\0\0\0\7\x70", b"fLaC", b"OggS", b"RIFF", b"\0\0\0\x20ftyp"]),
)
def test_any_bytes_give_tags_and_cover_or_none(data: bytes, head: bytes) -> None:
    file = io.BytesIO(head + data)
    for text in (read_tags(file).title, read_tags(file).artist):
        assert text is None or (0 < len(text) <= 1_000 and text.isprintable())
    read_cover(file)


def test_the_front_cover_comes_first_and_its_type_from_its_bytes() -> None:
    assert read_cover(tagged(picture(PNG, 4), picture(JPEG, 3, b"image/png"))) == Cover("image/jpeg", JPEG)


def test_a_picture_that_no_browser_should_get_is_skipped() -> None:
    svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    assert read_cover(tagged(picture(svg, 3))) is None
    assert read_cover(tagged(picture(svg, 3), picture(PNG, 4))) == Cover("image/png", PNG)
    assert read_cover(io.BytesIO(SOUND)) is None


def test_a_flac_picture_is_found() -> None:
    body = struct.pack(">II", 3, 10) + b"image/jpeg" + struct.pack(">IIIIII", 0, 1, 1, 24, 0, len(PNG)) + PNG
    info = b"\0" + (34).to_bytes(3, "big") + bytes(34)
    file = io.BytesIO(b"fLaC" + info + b"\x86" + len(body).to_bytes(3, "big") + body + SOUND)
    assert read_cover(file) == Cover("image/png", PNG)


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (JPEG, "image/jpeg"), (PNG, "image/png"), (b"GIF89a..", "image/gif"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        (b"", None), (b"RIFF\0\0\0\0WAVE", None), (b"<html>", None), (b"BM", None),
    ],
)  # fmt: skip
def test_picture_types(data: bytes, media_type: str | None) -> None:
    assert picture_type(data) == media_type


def test_ape_tags_do_not_hide_the_others() -> None:
    assert read_tags(io.BytesIO(id3v2((b"TIT2", latin("Front"))) + SOUND + apev2())).title == "Front"
