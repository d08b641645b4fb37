"""An ID3v2 tag says the same however it was written: by the standards, and as real programs do."""

import io

import pytest

from audio.tagging.writers import (
    COMPRESSED,
    ENCRYPTED,
    EXTENDED,
    FRAME_UNSYNCHRONISED,
    GROUPED,
    HAS_LENGTH,
    JPEG,
    SOUND,
    UNSYNCHRONISED,
    extended23,
    extended24,
    frame22,
    frame23,
    frame24,
    picture,
    tag,
    text,
    unsynchronise,
)
from soundalike.audio.cover import read_cover
from soundalike.audio.tags import read_tags
from soundalike.domain.tags import Tags

LONG = "Långsam " * 40
TITLES = frame23(b"TIT2", text("Während", 1)), frame23(b"TPE1", text("Łódź", 1))


def tags_of(tag_bytes: bytes) -> Tags:
    return read_tags(io.BytesIO(tag_bytes + SOUND))


def cover_of(tag_bytes: bytes) -> bytes | None:
    cover = read_cover(io.BytesIO(tag_bytes + SOUND))
    return None if cover is None else cover.data


@pytest.mark.parametrize(
    "tag_bytes",
    [
        pytest.param(tag(3, b"".join(TITLES)), id="as it is"),
        pytest.param(tag(3, unsynchronise(b"".join(TITLES)), flags=UNSYNCHRONISED), id="unsynchronised"),
        pytest.param(tag(3, b"".join(TITLES), flags=UNSYNCHRONISED), id="said to be unsynchronised"),
        pytest.param(tag(3, extended23() + b"".join(TITLES), flags=EXTENDED), id="extended header"),
        pytest.param(tag(3, extended23(crc=1 << 30) + b"".join(TITLES), flags=EXTENDED), id="with its CRC"),
        pytest.param(tag(3, b"".join(TITLES), flags=EXTENDED), id="said to have an extended header"),
        pytest.param(
            tag(
                3,
                unsynchronise(extended23(crc=0xFFE0FF00) + b"".join(TITLES)),
                flags=UNSYNCHRONISED | EXTENDED,
            ),
            id="both",
        ),
        pytest.param(tag(3, b"".join(TITLES) + bytes(500)), id="padding"),
        pytest.param(
            tag(3, TITLES[0] + frame23(b"TXXX", b"\0a\0" + b"b" * 300) + TITLES[1]), id="a long frame"
        ),
        pytest.param(
            tag(3, frame23(b"TIT2", text("Während", 1), is_compressed=True) + TITLES[1]), id="compressed"
        ),
        pytest.param(
            tag(3, frame23(b"TIT2", text("Während", 1), is_compressed=True, group=9) + TITLES[1]),
            id="compressed, in a group",
        ),
        pytest.param(
            tag(2, frame22(b"TT2", text("Während", 1)) + frame22(b"TP1", text("Łódź", 1))), id="version 2.2"
        ),
        pytest.param(
            tag(
                2,
                unsynchronise(frame22(b"TT2", text("Während", 1)) + frame22(b"TP1", text("Łódź", 1))),
                flags=UNSYNCHRONISED,
            ),
            id="version 2.2, unsynchronised",
        ),
        pytest.param(
            tag(3, frame23(b"TT2\0", text("Während", 1)) + frame23(b"TP1 ", text("Łódź", 1))),
            id="names of version 2.2 in 2.3",
        ),
        pytest.param(
            tag(
                4,
                frame24(b"TIT2", unsynchronise(text("Während", 1))) + frame24(b"TPE1", text("Łódź")),
                flags=UNSYNCHRONISED,
            ),
            id="version 2.4, unsynchronised by the word of the tag alone",
        ),
        *(
            pytest.param(
                tag(
                    4,
                    head
                    + frame24(b"TXXX", text("a\0" + LONG), flags=flags)
                    + frame24(b"TIT2", text("Während", encoding), flags=flags)
                    + frame24(b"TPE1", text("Łódź", encoding), flags=flags),
                    flags=tag_flags,
                ),
                id=f"version 2.4 {tag_flags:02x} {flags:02x} {encoding}",
            )
            for encoding in (1, 2, 3)
            for head, tag_flags, flags in (
                (b"", 0, 0),
                (b"", 0, HAS_LENGTH),
                (b"", 0, GROUPED | HAS_LENGTH),
                (b"", 0, COMPRESSED | HAS_LENGTH),
                (b"", 0, COMPRESSED),
                (b"", 0, GROUPED | COMPRESSED | HAS_LENGTH),
                (b"", 0, FRAME_UNSYNCHRONISED),
                (b"", UNSYNCHRONISED, FRAME_UNSYNCHRONISED | HAS_LENGTH),
                (b"", UNSYNCHRONISED, FRAME_UNSYNCHRONISED | COMPRESSED | HAS_LENGTH),
                (b"", UNSYNCHRONISED, 0),
                (extended24(), EXTENDED, 0),
                (extended24(crc=1 << 31), EXTENDED, HAS_LENGTH),
                (b"", EXTENDED, 0),
            )
        ),
    ],
)
def test_what_was_done_to_a_tag_is_undone(tag_bytes: bytes) -> None:
    tags = tags_of(tag_bytes)
    assert (tags.title, tags.artists) == ("Während", ("Łódź",))


@pytest.mark.parametrize(
    "tag_bytes",
    [
        tag(3, frame23(b"APIC", picture(JPEG, description="Bild ÿ")) + TITLES[0]),
        tag(3, unsynchronise(frame23(b"APIC", picture(JPEG)) + TITLES[0]), flags=UNSYNCHRONISED),
        tag(3, frame23(b"APIC", picture(JPEG), is_compressed=True) + TITLES[0]),
        tag(2, unsynchronise(frame22(b"PIC", b"\0JPG\3\0" + JPEG)), flags=UNSYNCHRONISED),
        tag(
            4, frame24(b"APIC", picture(JPEG), flags=FRAME_UNSYNCHRONISED | HAS_LENGTH), flags=UNSYNCHRONISED
        ),
        tag(4, frame24(b"APIC", picture(JPEG), is_plain=True) + frame24(b"TIT2", text("a"))),
    ],
)
def test_pictures_come_out_byte_for_byte(tag_bytes: bytes) -> None:
    assert cover_of(tag_bytes) == JPEG


@pytest.mark.parametrize("length", [1, 127, 128, 200, 255, 256, 16_383, 16_384, 70_000])
def test_sizes_of_itunes_are_believed_only_where_the_standards_are_wrong(length: int) -> None:
    for is_plain in (False, True):
        frames = (
            frame24(b"TXXX", text("a\0" + "b" * length), is_plain=is_plain),
            frame24(b"TIT2", text("Title"), is_plain=is_plain),
            frame24(b"TALB", text("Album"), is_plain=is_plain),
        )
        tags = tags_of(tag(4, b"".join(frames) + bytes(20)))
        assert (tags.title, tags.album) == ("Title", "Album")


def test_sizes_of_version_2_4_in_a_tag_of_2_3() -> None:
    frames = frame24(b"TXXX", text("a\0" + "b" * 300)) + frame24(b"TIT2", text("Title"))
    assert tags_of(tag(3, frames)).title == "Title"


def test_a_frame_that_looks_like_padding_halfway_is_not_its_end() -> None:
    # By a reading of seven bits the first frame would end in zeros.
    frames = frame24(b"TXXX", text("a\0") + bytes(128 + 40), is_plain=True) + frame24(b"TIT2", text("Title"))
    assert tags_of(tag(4, frames)).title == "Title"


def test_an_encrypted_frame_is_left_out() -> None:
    tags = tags_of(tag(4, frame24(b"TIT2", b"secret", flags=ENCRYPTED) + frame24(b"TALB", text("Album"))))
    assert (tags.title, tags.album) == (None, "Album")


def test_a_tag_that_says_too_little_of_its_size_is_read_whole() -> None:
    body = TITLES[0] + frame23(b"APIC", picture(JPEG))
    short = tag(3, body, size=len(TITLES[0]) + 50)
    assert (tags_of(short).title, cover_of(short)) == ("Während", JPEG)
    first = frame23(b"APIC", picture(JPEG))
    assert cover_of(tag(3, first, size=100)) == JPEG


ALBUM = frame23(b"TALB", b"\0" + b"x" * 299)
COVER = frame23(b"APIC", picture(JPEG * 100))
MANY = b"".join(frame23(b"TXXX", b"\0%d\0" % number + b"v" * number) for number in range(200))


@pytest.mark.parametrize(
    ("version", "frames"),
    [
        (3, (ALBUM, *TITLES)),
        (3, (ALBUM, COVER, *TITLES)),
        (3, (ALBUM, COVER, COVER, MANY, *TITLES)),
        (3, (*TITLES, MANY, ALBUM)),
        (
            2,
            (
                frame22(b"TAL", b"\0" + b"x" * 299),
                frame22(b"TT2", TITLES[0][10:]),
                frame22(b"TP1", b"\1\xff\xfeA\x01\xf3\0d\0z\1"),
            ),
        ),
        (
            4,
            (
                frame24(b"TALB", b"\0" + b"x" * 299),
                frame24(b"TIT2", text("Während")),
                frame24(b"TPE1", text("Łódź")),
            ),
        ),
    ],
    ids=["text", "a cover in the middle", "many", "ends in text", "version 2.2", "version 2.4"],
)
@pytest.mark.parametrize(
    "behind", [b"", bytes(2_000), frame23(b"TIT2", b"")], ids=["sound", "padding", "empty"]
)
def test_frames_go_on_behind_the_size_that_a_tag_says(
    version: int, frames: tuple[bytes, ...], behind: bytes
) -> None:
    body = b"".join(frames)
    # At and within heads and contents of frames, or a number that is not synchsafe.
    for size in (0, 1, 5, len(frames[0]), len(frames[0]) + 7, len(body) // 2, len(body) - 3, len(body)):
        tags = tags_of(tag(version, body, size=size) + behind)
        assert (tags.title, tags.album) == ("Während", "x" * 299), size
    plain = b"ID3" + bytes([version, 0, 0]) + len(body).to_bytes(4, "big") + body + behind
    assert (tags_of(plain).title, tags_of(plain).album) == ("Während", "x" * 299)


def test_frames_that_go_on_may_be_unsynchronised() -> None:
    body = unsynchronise(b"".join((ALBUM, COVER, *TITLES)))
    tags = tags_of(tag(3, body, flags=UNSYNCHRONISED, size=400))
    assert (tags.title, tags.album) == ("Während", "x" * 299)


def test_what_follows_a_tag_that_says_too_little_is_read_too() -> None:
    second = tag(3, frame23(b"TPE1", text("Anna")))
    tags = tags_of(tag(3, ALBUM + TITLES[0], size=100) + second)
    assert (tags.title, tags.artists, tags.album) == ("Während", ("Anna",), "x" * 299)


def test_the_sound_behind_a_tag_is_none_of_its_frames() -> None:
    for sound in (b"RIFF\x24\x08\0\0WAVEfmt ", b"FORM\0\0\1\0AIFFCOMM", b"MAC \x96\x0f\0\0\x34\0\0\0"):
        assert tags_of(tag(3, TITLES[0]) + sound + bytes(500)) == Tags(title="Während")


@pytest.mark.parametrize("name", [b"abcd", b"tit2", b"0000", b"Txxx"])
def test_frames_of_names_that_no_standard_has_are_passed_over(name: bytes) -> None:
    odd = frame23(name, b"\0other")
    for frames in (odd + TITLES[0], odd + odd + TITLES[0], TITLES[1] + odd + TITLES[0] + bytes(9)):
        assert tags_of(tag(3, frames)).title == "Während"
    assert tags_of(tag(2, frame22(b"abc", b"?") + frame22(b"TT2", TITLES[0][10:]))).title == "Während"
    assert tags_of(tag(4, frame24(name, text("?" * 200)) + frame24(b"TIT2", text("a")))).title == "a"


def test_a_frame_that_claims_more_than_there_is_leaves_the_others() -> None:
    broken = TITLES[0] + b"TALB\x7f\xff\xff\xff\0\0\0Album"
    assert tags_of(tag(3, broken)) == Tags(title="Während")


def test_a_second_tag_says_what_the_first_does_not() -> None:
    second = frame23(b"TIT2", text("Other")) + frame23(b"TALB", text("Album"))
    tags = tags_of(tag(3, TITLES[0]) + tag(3, second))
    assert (tags.title, tags.album) == ("Während", "Album")


@pytest.mark.parametrize(
    ("data", "title"),
    [
        (b"\3Gr\xfc\xdfe", "Grüße"),
        (b"\3Gr\xc3\xbc\xc3\x9fe", "Grüße"),
        (b"\0Gr\xfc\xdfe", "Grüße"),
        (b"\0Gr\xc3\xbc\xc3\x9fe", "Grüße"),
        (b"\0\x93Hi\x94 \x80", "“Hi” €"),
        (b"\0a\x81b", "ab"),
        (b"\0\xff\xfeG\0r\0\xfc\0", "Grü"),
        (b"\1\xfe\xff\0G\0r\0\xfc", "Grü"),
        (b"\1G\0r\0\xfc\0", "Grü"),
        (b"\1\0G\0r\0\xfc", "Grü"),
        (b"\1Plain", "Plain"),
        (b"\1\xff\xfeG\0r\0\xfc\0x", "Grü"),
        (b"\2\0G\0r\0\xfc", "Grü"),
        (b"\2\xff\xfeG\0r\0\xfc\0", "Grü"),
        (b"\1\xff\xfe\0\xd8a\0", "a"),
        (b"No encoding", "No encoding"),
        (b"\3a\xef\xbf\xbdb", "ab"),
        (b"\3", None),
    ],
)
def test_text_is_read_whatever_its_encoding_is_said_to_be(data: bytes, title: str | None) -> None:
    assert tags_of(tag(3, frame23(b"TIT2", data))).title == title


@pytest.mark.parametrize(
    ("value", "genres"),
    [
        ("17", ("Rock",)),
        ("(17)", ("Rock",)),
        ("(4)Eurodisco", ("Disco", "Eurodisco")),
        ("(51)(39)", ("Techno-Industrial", "Noise")),
        ("(55)((I think...)", ("Dream", "(I think...)")),
        ("(RX)", ("Remix",)),
        ("CR", ("Cover",)),
        ("(4)(CR)Live", ("Disco", "Cover", "Live")),
        ("(17)Rock", ("Rock",)),
        ("21\0Eurodisco", ("Ska", "Eurodisco")),
        ("191", ("Psybient",)),
        ("(192)", ()),
        ("(17)/(18)", ("Rock", "Techno")),
        (" 17 ", ("Rock",)),
        ("255", ()),
        ("1979", ("1979",)),
        ("Drum (and) Bass", ("Drum (and) Bass",)),
    ],
)
def test_genres_are_names(value: str, genres: tuple[str, ...]) -> None:
    assert tags_of(tag(3, frame23(b"TCON", text(value, 0)))).genres == genres


@pytest.mark.parametrize(
    ("frames", "artists"),
    [
        (frame23(b"TPE1", text("Anna/Ben", 0)), ("Anna", "Ben")),
        (frame23(b"TPE1", text("Anna / Ben", 0)), ("Anna", "Ben")),
        (frame23(b"TPE1", text("AC/DC", 0)), ("AC/DC",)),
        (
            frame23(b"TPE1", text("AC/DC", 0))
            + frame23(b"TXXX", text(f"MusicBrainz Artist Id\0{'0' * 8}-0000-4000-8000-{'0' * 12}", 0)),
            ("AC/DC",),
        ),
        (
            frame23(b"TPE1", text("Love/Hate", 0))
            + frame23(b"TXXX", text(f"MusicBrainz Artist Id\0{'0' * 8}-0000-4000-8000-{'0' * 12}", 0)),
            ("Love/Hate",),
        ),
        (
            frame23(b"TPE1", text("Anna with Ben", 0)) + frame23(b"TXXX", text("Artists\0Anna/Ben", 0)),
            ("Anna", "Ben"),
        ),
    ],
)
def test_artists_of_version_2_3_are_separated_by_a_slash(frames: bytes, artists: tuple[str, ...]) -> None:
    assert tags_of(tag(3, frames)).artists == artists


def test_so_they_are_in_version_2_2() -> None:
    for written, artists in (("Anna/Ben Birch", ("Anna", "Ben Birch")), ("AC/DC", ("AC/DC",))):
        assert tags_of(tag(2, frame22(b"TP1", text(written, 0)))).artists == artists


@pytest.mark.parametrize("is_first", [True, False])
def test_fields_of_ones_own_only_say_what_no_frame_does(is_first: bool) -> None:  # noqa: FBT001 - a parameter
    frames = frame23(b"TIT2", text("Title")) + frame23(b"TPE1", text("Anna")) + frame23(b"TCON", text("Folk"))
    own = b"".join(frame23(b"TXXX", text(f"{name}\0Other")) for name in ("title", "ARTIST", "genre", "ALBUM"))
    tags = tags_of(tag(3, own + frames if is_first else frames + own))
    assert (tags.title, tags.artists, tags.genres) == ("Title", ("Anna",), ("Folk",))
    assert tags.album == "Other"


def test_a_title_behind_many_fields_is_read() -> None:
    many = b"".join(frame23(b"TXXX", b"\0%d\0x" % number) for number in range(1_100))
    assert tags_of(tag(3, many + TITLES[0])).title == "Während"


def test_a_slash_separates_nothing_else() -> None:
    slashes = frame23(b"TIT2", text("Rise/Fall", 0)) + frame23(b"TCON", text("Folk/Rock", 0))
    tags = tags_of(tag(3, slashes))
    assert (tags.title, tags.genres) == ("Rise/Fall", ("Folk/Rock",))
    assert tags_of(tag(4, frame24(b"TPE1", text("Anna/Ben")))).artists == ("Anna/Ben",)


def test_values_in_utf_16_may_each_have_a_mark() -> None:
    values = b"\1" + "Anna\0".encode("utf-16-le") + b"\xfe\xff" + "Ben\0".encode("utf-16-be")
    for data in (b"\1\xff\xfe" + values[1:], text("Anna\0Ben", 1), text("Anna\0Ben\0", 2)):
        assert tags_of(tag(4, frame24(b"TPE1", data))).artists == ("Anna", "Ben")


@pytest.mark.parametrize("encoding", [0, 1, 2, 3])
def test_lyrics_keep_their_lines(encoding: int) -> None:
    data = text("about\0", encoding)[1:] + text("One \r\ntwo\n\nthree\x07 \n", encoding)[1:]
    tags = tags_of(tag(4, frame24(b"USLT", bytes([encoding]) + b"eng" + data)))
    assert tags.lyrics == "One\ntwo\n\nthree"


def test_lyrics_are_cut() -> None:
    tags = tags_of(tag(4, frame24(b"USLT", b"\3eng\0" + b"la la\n" * 10_000)))
    assert tags.lyrics is not None
    assert 9_900 < len(tags.lyrics) <= 10_000


def test_several_lyrics_give_the_first_that_say_anything() -> None:
    first, second = b"\3eng\0", b"\3deu\0Eins"
    assert tags_of(tag(4, frame24(b"USLT", first) + frame24(b"USLT", second))).lyrics == "Eins"


def test_frames_that_inflate_without_end_are_cut() -> None:
    bomb = frame24(b"TXXX", b"\0a\0" + bytes(50 << 20), flags=COMPRESSED | HAS_LENGTH)
    tags = tags_of(tag(4, frame24(b"TIT2", text("Title")) + bomb * 40))
    assert tags.title == "Title"
