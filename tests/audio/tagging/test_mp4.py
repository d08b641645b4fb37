"""iTunes' items in MP4, as Apple's format and real programs have them."""

import io
import struct
from dataclasses import replace

import pytest

from audio.tagging.writers import JPEG
from soundalike.audio.cover import read_cover
from soundalike.audio.tags import read_tags
from soundalike.domain.tags import ExternalIdKind, Tags

ONE, TWO = (f"{number:08x}-0000-4000-8000-000000000000" for number in (1, 2))
HANDLER = b"\0\0\0\x20hdlr" + bytes(8) + b"mdirappl" + bytes(8)


def box(name: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I", 8 + len(body)) + name + body


def value(data: bytes, kind: int = 1) -> bytes:
    return box(b"data", struct.pack(">II", kind, 0), data)


def named(name: str, *values: bytes) -> bytes:
    mean = box(b"mean", bytes(4), b"com.apple.iTunes")
    return box(b"----", mean, box(b"name", bytes(4), name.encode()), *values)


def mp4(*items: bytes, version: bytes = bytes(4), is_in_udta: bool = True) -> bytes:
    meta = box(b"meta", version, HANDLER, box(b"ilst", *items))
    return (
        box(b"ftyp", b"M4A \0\0\0\0")
        + box(b"free")
        + box(b"moov", box(b"mvhd", bytes(100)), box(b"udta", meta) if is_in_udta else meta)
        + box(b"mdat", bytes(100))
    )


def read(*items: bytes) -> Tags:
    return read_tags(io.BytesIO(mp4(*items)))


@pytest.mark.parametrize(
    "title",
    [
        value("Grüße".encode()),
        value("Grüße".encode("cp1252")),
        value("Grüße".encode(), 0),
        value("Grüße".encode("utf-16-be"), 2),
    ],
)
def test_text_is_read_by_its_type_and_what_it_is(title: bytes) -> None:
    assert read(box(b"\xa9nam", title)).title == "Grüße"


def test_an_item_has_several_values_or_comes_several_times() -> None:
    one = read(box(b"\xa9ART", value(b"Anna"), value(b"Ben")))
    several = read(box(b"\xa9ART", value(b"Anna")), box(b"\xa9ART", value(b"Ben")))
    assert one.artists == several.artists == ("Anna", "Ben")


def test_numbers_are_read_however_many_bytes_they_have() -> None:
    for size in (4, 6, 8):
        numbers = struct.pack(">HHHH", 0, 3, 12, 0)[:size]
        tags = read(
            box(b"trkn", value(numbers, 0)), box(b"disk", value(numbers, 0)), box(b"cpil", value(b"\1", 21))
        )
        assert (tags.track_number, tags.disc_number, tags.is_compilation) == (3, 3, True)
    assert read(box(b"trkn", value(b"", 0)), box(b"\xa9nam", value(b"Title"))).title == "Title"


@pytest.mark.parametrize(
    ("number", "genres"), [(0, ()), (1, ("Blues",)), (18, ("Rock",)), (192, ("Psybient",)), (193, ())]
)
def test_numbered_genres_are_counted_from_one(number: int, genres: tuple[str, ...]) -> None:
    assert read(box(b"gnre", value(struct.pack(">H", number), 0))).genres == genres


def test_named_items_are_read() -> None:
    tags = read(
        named("MusicBrainz Artist Id", value(ONE.encode()), value(TWO.encode())),
        named("REPLAYGAIN_TRACK_GAIN", value(b"-3 dB")),
        named("ORIGINALDATE", value(b"1973-03-01")),
    )
    assert tags.ids(ExternalIdKind.ARTIST) == (ONE, TWO)
    assert (tags.gains.track_db, tags.original_date) == (-3.0, "1973-03-01")


@pytest.mark.parametrize(
    "data",
    [
        mp4(box(b"\xa9nam", value(b"Title")), version=b""),
        mp4(box(b"\xa9nam", value(b"Title")), is_in_udta=False),
    ],
)
def test_the_list_is_found_where_quicktime_has_it(data: bytes) -> None:
    assert read_tags(io.BytesIO(data)).title == "Title"


def test_the_picture_is_the_first_one() -> None:
    file = io.BytesIO(mp4(box(b"covr", value(JPEG, 13), value(JPEG[:20], 13))))
    cover = read_cover(file)
    assert cover is not None
    assert cover.data == JPEG


def read_3gp(*boxes: bytes) -> Tags:
    content = box(b"ftyp", b"3gp4\0\0\2\0") + box(b"moov", box(b"mvhd", bytes(100)), box(b"udta", *boxes))
    return read_tags(io.BytesIO(content))


def text_3gp(name: bytes, text: bytes, language: bytes = b"\x15\xc7") -> bytes:
    return box(name, bytes(4), language, text)


@pytest.mark.parametrize(
    ("encoding", "end"), [("utf-8", b"\0"), ("utf-16", b"\0\0"), ("cp1252", b"\0"), ("utf-8", b"")]
)
def test_the_boxes_of_3gp_are_read(encoding: str, end: bytes) -> None:
    # 3GPP TS 26.244, section 8: version and flags, language, text, and of an album the track's number
    number = b"\x07" if end else b""
    tags = read_3gp(
        text_3gp(b"titl", "Stra\u00dfe".encode(encoding) + end),
        text_3gp(b"titl", "Rue".encode(encoding) + end, b"\x1a\x41"),
        text_3gp(b"perf", "M\u00f6we".encode(encoding) + end),
        text_3gp(b"albm", "Gr\u00fc\u00dfe".encode(encoding) + end + number),
        text_3gp(b"gnre", "Pop".encode(encoding) + end),
        box(b"yrrc", bytes(4), (2_003).to_bytes(2, "big")),
    )
    expected = Tags(
        title="Stra\u00dfe", artists=("M\u00f6we",), album="Gr\u00fc\u00dfe", genres=("Pop",), year=2_003
    )
    assert tags == replace(expected, track_number=7 if end else None)


def test_itunes_items_count_more_than_boxes_of_3gp() -> None:
    meta = box(b"meta", bytes(4), HANDLER, box(b"ilst", box(b"\xa9nam", value(b"Item"))))
    tags = read_3gp(text_3gp(b"titl", b"Box\0"), text_3gp(b"perf", b"Anna\0"), meta)
    assert (tags.title, tags.artists) == ("Item", ("Anna",))


@pytest.mark.parametrize("name", [b"titl", b"albm", b"yrrc"])
@pytest.mark.parametrize("size", range(8))
def test_boxes_of_3gp_that_are_cut_say_nothing(name: bytes, size: int) -> None:
    assert read_3gp(box(name, bytes(size))) == Tags()
