"""CUE sheets as programs write them, and as nobody should."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soundalike.audio.cue import MOST_BYTES, SheetError, SheetFile, read_sheet, tags_with_sheet
from soundalike.domain.files import Part
from soundalike.domain.tags import ExternalId, ExternalIdKind, Gains, Tags

IMAGE = """\
REM GENRE "Progressive Rock"
REM DATE 1973-03-01
REM DISCID 9F0A1B0C
REM DISCNUMBER 2
REM COMMENT "ExactAudioCopy v1.3"
REM REPLAYGAIN_ALBUM_GAIN -6.50 dB
REM REPLAYGAIN_ALBUM_PEAK 0.988
PERFORMER "Die Größten"
TITLE "The "Best" Of"
CATALOG 0724382975229
FILE "CDImage.wav" WAVE
  TRACK 01 AUDIO
    TITLE "Öne"
    ISRC GBAYE7300001
    REM REPLAYGAIN_TRACK_GAIN -7.25 dB
    FLAGS DCP
    INDEX 01 00:00:00
  TRACK 02 AUDIO
    TITLE Two Words
    PERFORMER "Guest"
    REM GENRE Pop
    PREGAP 00:02:00
    INDEX 00 03:00:00
    INDEX 01 03:02:37
  TRACK 03 AUDIO
    INDEX 00 06:58:00
    INDEX 01 07:00:74
    INDEX 02 08:00:00
"""


def starts(sheet: SheetFile) -> list[int]:
    return [track.start for track in sheet.tracks]


def test_an_image_has_its_tracks_with_what_is_said_of_them() -> None:
    (image,) = read_sheet(IMAGE.encode())
    assert (image.name, starts(image)) == ("CDImage.wav", [0, 182 * 75 + 37, 420 * 75 + 74])
    first, second, third = (track.tags for track in image.tracks)
    assert first == Tags(
        title="Öne",
        artists=("Die Größten",),
        album='The "Best" Of',
        album_artist="Die Größten",
        genres=("Progressive Rock",),
        year=1973,
        track_number=1,
        disc_number=2,
        gains=Gains(track_db=-7.25, album_db=-6.5, album_peak=0.988),
        external_ids=(ExternalId(ExternalIdKind.ISRC, "GBAYE7300001"),),
    )
    assert (second.title, second.artists, second.genres) == ("Two Words", ("Guest",), ("Pop",))
    assert second.album_artist == "Die Größten"
    assert (third.title, third.track_number) == (None, 3)


def test_each_part_ends_where_the_next_begins_and_the_last_with_the_file() -> None:
    (image,) = read_sheet(IMAGE.encode())
    pieces = image.pieces()
    assert [part for part, _ in pieces] == [
        Part(0, 13_687, 75),
        Part(13_687, 31_574, 75),
        Part(31_574, None, 75),
    ]
    assert [tags.title for _, tags in pieces] == ["Öne", "Two Words", "Track 3"]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be"]
)  # fmt: skip
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends_do_not_matter(encoding: str, newline: str) -> None:
    (image,) = read_sheet(IMAGE.replace("\n", newline).encode(encoding))
    assert image.tracks[0].tags.title == "Öne"
    assert image.tracks[0].tags.album_artist == "Die Größten"


def test_commands_may_be_in_small_letters_and_names_without_quotes() -> None:
    text = "file My Album.flac WAVE\ntrack 1 audio\nindex 1 0:0:0\ntrack 2 AUDIO\nindex 01 120:05:10\n"
    (image,) = read_sheet(text.encode())
    assert (image.name, starts(image)) == ("My Album.flac", [0, 7_205 * 75 + 10])


@pytest.mark.parametrize("gap", ["\t", "  ", " \t "])
def test_words_may_be_apart_by_tabs_or_many_spaces(gap: str) -> None:
    commands = re.compile(r"^ *((?:REM|TRACK|INDEX) \S+|[A-Z]+) ", re.MULTILINE)
    spaced = commands.sub(lambda found: found[0].replace(" ", gap), IMAGE)
    assert read_sheet(spaced.encode()) == read_sheet(IMAGE.encode())
    (unquoted,) = read_sheet(spaced.replace('"CDImage.wav" ', f"CD Image.wav{gap}").encode())
    assert unquoted.name == "CD Image.wav"


def test_each_of_several_files_has_its_tracks() -> None:
    text = (
        'FILE "a.wav" WAVE\nTRACK 01 AUDIO\nINDEX 01 00:00:00\n'
        'TRACK 02 AUDIO\nINDEX 00 03:00:00\nFILE "b.wav" WAVE\nINDEX 01 00:00:00\n'
        'FILE "c.wav" WAVE\nTRACK 03 AUDIO\nINDEX 01 00:00:00\nTRACK 04 AUDIO\nINDEX 01 02:00:00\n'
    )
    files = read_sheet(text.encode())
    assert [(one.name, [track.number for track in one.tracks]) for one in files] == [
        ("a.wav", [1]),
        ("b.wav", [2]),
        ("c.wav", [3, 4]),
    ]
    ((whole, tags),) = files[0].pieces()
    assert (whole, tags.title) == (None, None)


def test_data_tracks_are_none_of_ours() -> None:
    text = (
        "FILE x.bin BINARY\nTRACK 01 MODE1/2352\nINDEX 01 00:00:00\nTRACK 02 AUDIO\nINDEX 01 10:00:00\n"
        "TRACK 03 AUDIO\nINDEX 01 12:00:00"
    )
    (image,) = read_sheet(text.encode())
    assert [track.number for track in image.tracks] == [2, 3]


TWO = "FILE a.wav WAVE\nTRACK 01 AUDIO\nINDEX 01 00:00:00\nTRACK 02 AUDIO\n{}\n"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "no track"),
        (b"hello", "no track"),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "not text"),
        (bytes(range(256)) * 10, "no track"),
        (b"x" * (MOST_BYTES + 1), "larger than"),
        (TWO.format("").encode(), "track 2 has no INDEX 01"),
        (TWO.format("INDEX 01 00:00:00").encode(), "track 2 does not begin after track 1"),
        (TWO.format("INDEX 01 soon").encode(), "no time"),
        (TWO.format("INDEX 01 01:60:00").encode(), "no time"),
        (TWO.format("INDEX 01 01:00:75").encode(), "no time"),
        (TWO.format("INDEX 01 -1:00:00").encode(), "no time"),
        (TWO.format("INDEX 01 99999999999:00:00").encode(), "no time"),
        (b"TRACK 01 AUDIO\nINDEX 01 00:00:00\n", "before FILE"),
        (b"FILE a.wav WAVE\nINDEX 01 00:00:00\n", "before FILE and TRACK"),
        (
            b"FILE a.wav WAVE\n"
            + b"".join(b"TRACK 01 AUDIO\nINDEX 01 %02d:00:00\n" % number for number in range(100)),
            "more than 99 tracks",
        ),
    ],
)
def test_a_broken_sheet_says_how(data: bytes, said: str) -> None:
    with pytest.raises(SheetError, match=said):
        read_sheet(data)


@given(
    st.lists(
        st.one_of(
            st.sampled_from(
                [
                    "TRACK 01 AUDIO", "TRACK 99 AUDIO", "INDEX 01 00:00:00", "INDEX 01 01:00:00", "INDEX",
                    'FILE "x', "FILE", 'TITLE "', "REM", "REM DATE", "REM REPLAYGAIN_TRACK_GAIN 1e9",
                ]
            ),
            st.text(max_size=40),
        ),
        max_size=12,
    ).map("\n".join)
)  # fmt: skip
def test_no_text_does_more_than_be_broken(text: str) -> None:
    try:
        files = read_sheet(text.encode("utf-8", "surrogatepass"))
    except SheetError:
        return
    assert all(one.pieces() for one in files)


@given(st.binary(max_size=300))
def test_no_bytes_do_more_than_be_broken(data: bytes) -> None:
    try:
        read_sheet(data)
    except SheetError:
        return


# What the file says, and what the sheet says


OWN = Tags(
    title="The whole album",
    artists=("Somebody",),
    album="Album",
    genres=("Jazz",),
    track_number=1,
    gains=Gains(track_db=-3.0, album_db=-4.0),
    external_ids=(ExternalId(ExternalIdKind.ISRC, "GBAYE7300001"), ExternalId(ExternalIdKind.ALBUM, "x")),
)


def test_of_a_part_the_sheet_knows_more() -> None:
    merged = tags_with_sheet(OWN, Tags(title="One", artists=("Guest",), track_number=7), is_part=True)
    assert (merged.title, merged.artists, merged.track_number) == ("One", ("Guest",), 7)
    assert (merged.album, merged.genres, merged.gains) == ("Album", ("Jazz",), Gains(album_db=-4.0))
    assert merged.external_ids == (ExternalId(ExternalIdKind.ALBUM, "x"),)


def test_of_a_whole_file_the_sheet_says_what_is_missing() -> None:
    merged = tags_with_sheet(OWN, Tags(title="One", disc_number=2), is_part=False)
    assert (merged.title, merged.disc_number) == ("The whole album", 2)
