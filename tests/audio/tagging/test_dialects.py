"""Tags other than ID3v2: APE, ID3v1, Vorbis comments, chunks; and which goes before which."""

import base64
import io
import struct

import pytest

from audio.sounds import riff_chunk
from audio.tagging.writers import (
    JPEG,
    SOUND,
    aiff,
    ape,
    comments,
    flac,
    flac_picture,
    frame23,
    frame24,
    id3v1,
    info,
    rf64,
    tag,
    text,
    wav,
)
from soundalike.audio.containers.spans import Span
from soundalike.audio.containers.tagged import untagged_span
from soundalike.audio.cover import read_cover
from soundalike.audio.tags import read_tags
from soundalike.domain.tags import ExternalIdKind, Gains, Tags

UUID = "00000001-0000-4000-8000-000000000000"
FORM = riff_chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, 8_000, 16_000, 2, 16))
DATA = riff_chunk(b"data", bytes(100))
ID3 = tag(3, frame23(b"TIT2", text("From ID3", 1)))


def read(data: bytes) -> Tags:
    return read_tags(io.BytesIO(data))


def cover_of(data: bytes) -> bytes | None:
    cover = read_cover(io.BytesIO(data))
    return None if cover is None else cover.data


def ogg(*packets: bytes, serial: int = 1, most_segments: int = 255) -> bytes:
    """Pages of packets: https://www.rfc-editor.org/rfc/rfc3533 (readers of tags compare no checksum)."""
    segments = [
        piece
        for packet in packets
        for piece in (packet[at : at + 255] for at in range(0, len(packet) // 255 * 255 + 1, 255))
    ]
    pages = [segments[at : at + most_segments] for at in range(0, len(segments), most_segments)]
    return b"".join(
        b"OggS\0\0"
        + struct.pack("<qIIIB", 0, serial, number, 0, len(page))
        + bytes(map(len, page))
        + b"".join(page)
        for number, page in enumerate(pages)
    )


class TestApe:
    ITEMS = (
        ("Title", "Öffnung".encode(), 0),
        ("ARTIST", b"Anna\0Ben", 0),
        ("Album", b"Trees", 0),
        ("Album Artist", b"Anna", 0),
        ("Year", b"20030501", 0),
        ("Genre", b"Ambient", 0),
        ("Track", b"3/12", 0),
        ("Disc", b"2/2", 0),
        ("Compilation", b"1", 0),
        ("REPLAYGAIN_TRACK_GAIN", b"-7.25 dB", 0),
        ("MUSICBRAINZ_ALBUMID", UUID.encode(), 0),
        ("Lyrics", b"One\ntwo", 0),
        ("Cover Art (Back)", b"back.jpg\0" + JPEG[:20], 1),
        ("Cover Art (Front)", b"front.jpg\0" + JPEG, 1),
    )

    @pytest.mark.parametrize(
        "data",
        [
            pytest.param(SOUND + ape(*ITEMS), id="header and footer"),
            pytest.param(SOUND + ape(*ITEMS, has_header=False), id="footer"),
            pytest.param(SOUND + ape(*ITEMS) + id3v1(b"Old", b"Old"), id="before ID3v1"),
            pytest.param(ape(*ITEMS) + SOUND, id="in front"),
        ],
    )
    def test_every_field_is_read(self, data: bytes) -> None:
        tags = read(data)
        assert (tags.title, tags.artists, tags.album) == ("Öffnung", ("Anna", "Ben"), "Trees")
        assert (tags.album_artist, tags.year, tags.genres) == ("Anna", 2003, ("Ambient",))
        assert (tags.track_number, tags.disc_number, tags.is_compilation) == (3, 2, True)
        assert (tags.gains, tags.lyrics) == (Gains(track_db=-7.25), "One\ntwo")
        assert tags.ids(ExternalIdKind.ALBUM) == (UUID,)
        assert cover_of(data) == JPEG

    def test_version_1_has_text_of_one_byte_for_a_character(self) -> None:
        data = ape(("Title", b"Gr\xfc\xdfe", 0), has_header=False, version=1_000)
        assert read(SOUND + data).title == "Grüße"

    @pytest.mark.parametrize("size", [0, 31, 1 << 31, (1 << 32) - 1])
    def test_a_size_may_be_anything(self, size: int) -> None:
        data = SOUND + ape(*self.ITEMS, has_header=False)
        at = data.rindex(b"APETAGEX") + 12
        read(data[:at] + struct.pack("<I", size) + data[at + 4 :])

    def test_one_of_131_bytes_is_not_taken_for_id3v1(self) -> None:
        data = ape(("Title", b"T" * 53, 0))
        assert len(data) == 131
        assert read(SOUND + data) == Tags(title="T" * 53)
        assert read(SOUND + data + id3v1(b"", b"Anna")).artists == ("Anna",)
        assert untagged_span(io.BytesIO(SOUND + data)) == Span(0, len(SOUND))


class TestId3v1:
    def test_every_field_is_read(self) -> None:
        assert read(SOUND + id3v1(b"Title", b"Artist", b"Album  ", track=5, genre=191)) == Tags(
            title="Title", artists=("Artist",), album="Album", year=1999, track_number=5, genres=("Psybient",)
        )

    @pytest.mark.parametrize(
        ("title", "expected"),
        [
            (b"Gr\xfc\xdfe", "Grüße"),
            ("Grüße".encode(), "Grüße"),
            (("ü" + "x" * 27 + "ü").encode()[:30], "ü" + "x" * 27),
            (b"Caf\xe9", "Café"),
            (b"\x93Hi\x94", "“Hi”"),
            (b"\x81\x8d", None),
            (b"Title\0rubbish", "Title"),
        ],
    )
    def test_text_is_read_whatever_it_is_encoded_in(self, title: bytes, expected: str | None) -> None:
        assert read(SOUND + id3v1(title)).title == expected


class TestVorbis:
    FIELDS = (
        b"TITLE=Gr\xfc\xdfe", b"artist=Anna", b"Artist=Ben", b"YEAR=2003", b"GENRE=Folk", b"GENRE=Jazz",
        b"TRACKNUMBER=3/12", b"DISC NUMBER=2", b"UNSYNCEDLYRICS=One\r\ntwo", b"no equals sign",
    )  # fmt: skip
    PACKET = comments(FIELDS)

    @pytest.mark.parametrize(
        "data",
        [
            pytest.param(flac((4, PACKET)) + SOUND, id="FLAC"),
            pytest.param(
                tag(3, frame23(b"TALB", text("x"))) + flac((4, PACKET)) + SOUND, id="FLAC behind ID3"
            ),
            pytest.param(ogg(b"\x01vorbis" + bytes(23), b"\x03vorbis" + PACKET + b"\1"), id="Vorbis"),
            pytest.param(ogg(b"OpusHead" + bytes(11), b"OpusTags" + PACKET), id="Opus"),
            pytest.param(ogg(b"Speex   " + bytes(72), PACKET), id="Speex"),
            pytest.param(ogg(b"\x7fFLAC\1\0\0\1fLaC" + bytes(38), b"\x84\0\0\0" + PACKET), id="Ogg FLAC"),
            pytest.param(
                ogg(b"\x80theora" + bytes(35), b"\x81theora" + bytes(9))
                + ogg(b"OpusHead" + bytes(11), b"OpusTags" + PACKET, serial=2),
                id="beside a film",
            ),
            pytest.param(
                ogg(b"OpusHead" + bytes(11), b"OpusTags" + PACKET, most_segments=1), id="over many pages"
            ),
            pytest.param(
                ogg(b"OpusHead" + bytes(11), b"OpusTags" + PACKET)
                + ogg(b"OpusHead" + bytes(11), b"OpusTags" + comments([b"TITLE=Second"]), serial=2),
                id="a chain",
            ),
        ],
    )
    def test_every_field_is_read(self, data: bytes) -> None:
        tags = read(data)
        assert (tags.title, tags.artists, tags.year) == ("Grüße", ("Anna", "Ben"), 2003)
        assert (tags.genres, tags.track_number, tags.disc_number) == (("Folk", "Jazz"), 3, 2)
        assert tags.lyrics == "One\ntwo"

    def test_a_date_goes_before_a_year(self) -> None:
        assert read(flac((4, comments([b"YEAR=1999", b"DATE=20190501"])))).year == 2019
        assert read(flac((4, comments([b"YEAR=1999", b"DATE=unknown"])))).year == 1999

    @pytest.mark.parametrize(
        "data",
        [
            flac((6, flac_picture(JPEG[:30], 4)), (6, flac_picture(JPEG)), (4, PACKET)),
            flac((4, comments([b"METADATA_BLOCK_PICTURE=" + base64.b64encode(flac_picture(JPEG))]))),
            ogg(
                b"OpusHead" + bytes(11),
                b"OpusTags" + comments([b"coverart=" + base64.b64encode(JPEG), b"COVERART=?"]),
            ),
        ],
    )
    def test_pictures_are_read(self, data: bytes) -> None:
        assert cover_of(data) == JPEG

    def test_blocks_that_are_longer_than_they_say_do_not_hide_the_next(self) -> None:
        whole = flac((4, self.PACKET), (6, flac_picture(JPEG)))
        short = whole.replace(len(self.PACKET).to_bytes(3, "big"), bytes([0, 0, 9]), 1)
        assert (read(short).title, cover_of(short)) == ("Grüße", JPEG)

    @pytest.mark.parametrize("count", [0, 1, 2, 1 << 31, (1 << 32) - 1])
    def test_a_number_of_comments_may_be_anything(self, count: int) -> None:
        packet = struct.pack("<I", 0) + struct.pack("<I", count) + struct.pack("<I", 7) + b"TITLE=a"
        assert read(flac((4, packet))).title == ("a" if count else None)


class TestChunks:
    INFO = info(
        (b"INAM", b"Gr\xfc\xdfe\0"), (b"IART", b"Anna"), (b"IPRD", b"Album\0"), (b"ICRD", b"20030501"),
        (b"IGNR", b"Folk"), (b"ITRK", b"7"),
    )  # fmt: skip

    @pytest.mark.parametrize(
        "data",
        [
            pytest.param(wav(FORM, INFO, DATA), id="before the samples"),
            pytest.param(wav(FORM, DATA, INFO), id="behind them"),
            pytest.param(rf64(INFO, b""), id="RF64"),
            pytest.param(rf64(b"", INFO), id="RF64, behind the samples"),
            pytest.param(rf64(b"", INFO, head=b"BW64"), id="BW64"),
        ],
    )
    def test_info_is_read(self, data: bytes) -> None:
        assert read(data) == Tags(
            title="Grüße", artists=("Anna",), album="Album", year=2003, genres=("Folk",), track_number=7
        )

    def test_info_in_the_other_order_of_bytes_is_read(self) -> None:
        chunk = info((b"INAM", b"Title"), (b"IART", b"Anna"), order=">")
        assert read(wav(chunk, head=b"RIFX")) == Tags(title="Title", artists=("Anna",))

    def test_chunks_without_padding_are_read(self) -> None:
        odd = b"data" + struct.pack("<I", 99) + bytes(99)
        for data in (odd, odd + b"\0"):
            assert read(wav(FORM, data, self.INFO)).artists == ("Anna",)

    def test_fields_without_padding_are_read(self) -> None:
        fields = b"INFOINAM\5\0\0\0TitleIART\4\0\0\0Anna"
        assert read(wav(riff_chunk(b"LIST", fields))) == Tags(title="Title", artists=("Anna",))

    @pytest.mark.parametrize("name", [b"id3 ", b"ID3 "])
    def test_id3_goes_before_info(self, name: bytes) -> None:
        for parts in ((self.INFO, riff_chunk(name, ID3)), (riff_chunk(name, ID3), self.INFO)):
            tags = read(wav(FORM, *parts, DATA))
            assert (tags.title, tags.artists) == ("From ID3", ("Anna",))
        assert read(rf64(self.INFO, riff_chunk(name, ID3))).title == "From ID3"

    def test_aiff_has_a_name_an_author_or_id3(self) -> None:
        name, author = (
            riff_chunk(*one, order=">") for one in ((b"NAME", b"Gr\xfc\xdfe"), (b"AUTH", b"Anna"))
        )
        assert read(aiff(name, author)) == Tags(title="Grüße", artists=("Anna",))
        both = read(aiff(name, author, riff_chunk(b"ID3 ", ID3, order=">")))
        assert (both.title, both.artists) == ("From ID3", ("Anna",))

    def test_a_cover_is_in_id3(self) -> None:
        tagged = tag(3, frame23(b"APIC", b"\0image/jpeg\0\3\0" + JPEG))
        assert cover_of(wav(FORM, riff_chunk(b"id3 ", tagged), DATA)) == JPEG


class TestPrecedence:
    APE = ape(("Title", b"From APE", 0), ("Album", b"From APE", 0))
    V1 = id3v1(b"From ID3v1", b"From ID3v1", b"From ID3v1")

    def test_id3v2_goes_before_ape_before_id3v1(self) -> None:
        tags = read(ID3 + SOUND + self.APE + self.V1)
        assert (tags.title, tags.album, tags.artists) == ("From ID3", "From APE", ("From ID3v1",))

    def test_values_of_two_tags_do_not_add_up(self) -> None:
        front = tag(4, frame24(b"TPE1", text("Anna")) + frame24(b"TCON", text("Folk")))
        tags = read(front + SOUND + ape(("Artist", b"ANNA & Ben", 0), ("Genre", b"Pop", 0)))
        assert (tags.artists, tags.genres) == (("Anna",), ("Folk",))

    def test_an_artist_behind_goes_before_an_album_artist_in_front(self) -> None:
        front = tag(4, frame24(b"TPE2", text("Various")))
        assert read(front + SOUND + ape(("Artist", b"Anna", 0))).artists == ("Anna",)

    def test_comments_go_before_id3_in_flac(self) -> None:
        tags = read(ID3 + flac((4, comments([b"TITLE=Own"]))) + SOUND)
        assert tags.title == "Own"
        assert read(ID3 + flac((4, comments([b"ALBUM=Own"]))) + SOUND) == Tags(title="From ID3", album="Own")

    def test_id3v2_may_stand_behind_the_sound(self) -> None:
        for is_plain in (False, True):
            frames = frame24(b"TXXX", text("a\0" + "b" * 300), is_plain=is_plain)
            frames += frame24(b"TIT2", text("Behind"), is_plain=is_plain)
            head = tag(4, frames)[3:10].replace(b"\4\0\0", b"\4\0\x10")
            whole = b"ID3" + head + frames + b"3DI" + head
            assert read(SOUND + whole).title == read(SOUND + whole + self.V1).title == "Behind"
            assert read(whole + SOUND).title == "Behind"
            assert read(SOUND + self.APE + whole).title == read(SOUND + whole + self.APE).title == "Behind"
