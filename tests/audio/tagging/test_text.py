"""Text of tags is what its writer meant, in each encoding that ID3v2, APE and Vorbis comments have."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audio.tagging.writers import SOUND, ape, comments, flac, frame22, frame23, frame24, id3v1, tag, text
from soundalike.audio.tags import read_tags

KANJI = st.text(st.characters(codec="shift_jis", min_codepoint=0x4E00, max_codepoint=0x9FFF), min_size=1)
BOM = "\ufeff"


def title_of(data: bytes) -> str | None:
    return read_tags(io.BytesIO(tag(4, frame24(b"TIT2", data)) + SOUND)).title


def artists_of(data: bytes) -> tuple[str, ...]:
    return read_tags(io.BytesIO(tag(4, frame24(b"TPE1", data)) + SOUND)).artists


# The bytes of these are printable ASCII: 木村 is "g(gQ".
@pytest.mark.parametrize("name", ["東", "木村", "杉本", "本木", "森", "東京", "中島みゆき"])
@pytest.mark.parametrize("end", ["", "\0"])
@pytest.mark.parametrize(("encoding", "codec"), [(2, "utf-16-be"), (1, "utf-16-le")])
def test_utf_16_without_a_mark_is_read(name: str, end: str, encoding: int, codec: str) -> None:
    assert artists_of(bytes([encoding]) + (name + end).encode(codec)) == (name,)


@settings(deadline=None)  # a loaded machine is no failure
@given(name=KANJI, end=st.sampled_from(["", "\0"]))
def test_utf_16_is_never_taken_for_text_of_one_byte(name: str, end: str) -> None:
    # In the other order many a single one is a letter, as 一 is N.
    for prefix, codec in ((b"\2", "utf-16-be"), (b"\1", "utf-16-le"), (b"\1", "utf-16")):
        assert title_of(prefix + (name + end).encode(codec)) == name


@pytest.mark.parametrize(
    ("data", "title"),
    [
        (b"\1Love", "Love"),
        (b"\1Wish You Were Here", "Wish You Were Here"),
        (b"\1abc\0", "abc"),
        (b"\1abcd\0", "abcd"),
        (b"\2Plain", "Plain"),
        (b"\2Gr\xc3\xbc\xc3\x9fe", "Grüße"),
        (b"\1\x1f\x04@\x04!", "Пр"),
        (b"\1\0N\0o", "No"),
    ],
)
def test_text_of_one_byte_that_is_said_to_be_utf_16_is_read(data: bytes, title: str) -> None:
    assert title_of(data) == title


@pytest.mark.parametrize(
    ("data", "artists"),
    [
        (b"\3M\xc3\xb6we\0Stra\xdfe", ("Möwe", "Straße")),
        (b"\3M\xc3\xb6w\xc3\0B\xc3\xb6", ("Möw", "Bö")),
        (b"\0M\xc3\xb6we\0Stra\xdfe", ("Möwe", "Straße")),
        (b"Anna\0Stra\xdfe\0M\xc3\xb6we", ("Anna", "Straße", "Möwe")),
    ],
)
def test_each_of_several_values_is_decoded_for_itself(data: bytes, artists: tuple[str, ...]) -> None:
    assert artists_of(data) == artists
    if data[0] == 3:
        assert read_tags(io.BytesIO(SOUND + ape(("Artist", data[1:], 0)))).artists == artists


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(tag(3, frame23(b"TIT2", text(f"{BOM}12"))), id="UTF-8"),
        pytest.param(tag(3, frame23(b"TIT2", b"\0\xef\xbb\xbf12")), id="UTF-8, said to be ISO-8859-1"),
        pytest.param(tag(3, frame23(b"TIT2", b"\1\xff\xfe\xff\xfe1\x002\0")), id="UTF-16, twice"),
        pytest.param(tag(3, frame23(b"TIT2", text(f"{BOM}1{BOM}2", 1))), id="within"),
        pytest.param(tag(2, frame22(b"TT2", b"\1\xfe\xff\xfe\xff\0001\0002")), id="the other order, twice"),
        pytest.param(flac((4, comments([b"TITLE=\xef\xbb\xbf12"]))), id="Vorbis"),
        pytest.param(ape(("Title", b"\xef\xbb\xbf12", 0)), id="APE"),
    ],
)
def test_a_byte_order_mark_is_no_part_of_a_title(data: bytes) -> None:
    assert read_tags(io.BytesIO(data + SOUND)).title == "12"


def test_nor_is_it_one_of_a_number_a_date_a_genre_or_the_name_of_a_field() -> None:
    frames = ((b"TRCK", "3/12"), (b"TDOR", "1973-05"), (b"TCON", "(17)"), (b"TXXX", "ALBUMARTIST\0Anna"))
    for encoding in (1, 3):
        marked = (frame24(name, text(BOM + value, encoding)) for name, value in frames)
        tags = read_tags(io.BytesIO(tag(4, b"".join(marked)) + SOUND))
        assert (tags.track_number, tags.original_date, tags.genres) == (3, "1973-05", ("Rock",))
        assert tags.album_artist == "Anna"


def test_text_of_fixed_length_that_ends_within_a_character_loses_it() -> None:
    title, artist = ("a" * 28 + "ü").encode(), "a" * 27 + "üü"
    tags = read_tags(io.BytesIO(SOUND + id3v1(title, artist.encode()[:30])))
    assert (tags.title, tags.artists) == ("a" * 28 + "ü", ("a" * 27 + "ü",))
