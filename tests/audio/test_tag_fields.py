"""What fields mean, in ID3v2 and in Vorbis comments; the names are those that Picard writes."""

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio.sounds import id3v2
from soundalike.audio.tags import read_tags
from soundalike.domain.tags import ExternalIdKind, Gains, Tags

SOUND = b"\xff\xfb\x90\x00".ljust(417, b"\0") * 4
ONE, TWO, THREE = (f"{number:08x}-0000-4000-8000-000000000000" for number in (1, 2, 3))


def frame(name: bytes, text: str) -> tuple[bytes, bytes]:
    return name, b"\3" + text.encode()


def custom(name: str, text: str) -> tuple[bytes, bytes]:
    return b"TXXX", b"\3" + name.encode() + b"\0" + text.encode()


def id3(*frames: tuple[bytes, bytes]) -> Tags:
    return read_tags(io.BytesIO(id3v2(*frames) + SOUND))


def flac(*comments: str) -> Tags:
    fields = [comment.encode() for comment in comments]
    body = struct.pack("<II", 0, len(fields))
    body += b"".join(struct.pack("<I", len(field)) + field for field in fields)
    info = b"\0" + (34).to_bytes(3, "big") + bytes(34)
    return read_tags(io.BytesIO(b"fLaC" + info + b"\x84" + len(body).to_bytes(3, "big") + body + SOUND))


@pytest.mark.parametrize(
    "tags",
    [
        id3(
            frame(b"TIT2", "Song"), frame(b"TPE1", "A\0B"), frame(b"TPE2", "C"), frame(b"TALB", "Album"),
            frame(b"TCON", "Rock\0Pop; Jazz"), frame(b"TRCK", "3/12"), frame(b"TPOS", "2/3"),
            frame(b"TDOR", "1973-03-01"), frame(b"TCMP", "1"), frame(b"TSRC", "GB-AYE-73-00001"),
            custom("replaygain_track_gain", "-7.25 dB"), custom("REPLAYGAIN_ALBUM_PEAK", "0.98"),
            (b"UFID", b"http://musicbrainz.org\0" + ONE.encode()),
            custom("MusicBrainz Album Id", TWO), custom("MusicBrainz Artist Id", f"{THREE}/{ONE}"),
        ),
        flac(
            "TITLE=Song", "artist=A", "ARTIST=B", "ALBUMARTIST=C", "ALBUM=Album", "GENRE=Rock",
            "GENRE=Pop; Jazz", "TRACKNUMBER=3", "DISCNUMBER=02/3", "ORIGINALDATE=1973-03-01",
            "COMPILATION=1", "ISRC=gbaye7300001", "REPLAYGAIN_TRACK_GAIN=-7.25 dB",
            "REPLAYGAIN_ALBUM_PEAK=0.98", f"MUSICBRAINZ_TRACKID={ONE.upper()}",
            f"MUSICBRAINZ_ALBUMID={TWO}", f"MUSICBRAINZ_ARTISTID={THREE}", f"MUSICBRAINZ_ARTISTID={ONE}",
        ),
    ],
)  # fmt: skip
def test_both_dialects_say_the_same(tags: Tags) -> None:
    assert (tags.title, tags.artists, tags.album_artist, tags.album) == ("Song", ("A", "B"), "C", "Album")
    assert tags.genres == ("Rock", "Pop", "Jazz")
    assert (tags.track_number, tags.disc_number, tags.is_compilation) == (3, 2, True)
    assert tags.original_date == "1973-03-01"
    assert tags.gains == Gains(track_db=-7.25, album_peak=0.98)
    assert tags.ids(ExternalIdKind.ISRC) == ("GBAYE7300001",)
    assert tags.ids(ExternalIdKind.RECORDING) == (ONE,)
    assert tags.ids(ExternalIdKind.ALBUM) == (TWO,)
    assert tags.ids(ExternalIdKind.ARTIST) == (THREE, ONE)


def test_artists_beside_their_credit_take_its_place() -> None:
    assert flac("ARTIST=A feat. B", "ARTISTS=A", "ARTISTS=B").artists == ("A", "B")
    assert flac("ARTIST=Earth, Wind & Fire").artists == ("Earth, Wind & Fire",)
    assert flac("ARTIST=AB", "ARTIST=A", "ARTIST=C").artists == ("AB", "A", "C")


def test_only_genres_split_at_a_semicolon() -> None:
    tags = flac("TITLE=a;b", "ARTIST=a;b", "GENRE=a;b;;a")
    assert (tags.title, tags.artists, tags.genres) == ("a;b", ("a;b",), ("a", "b"))


def test_without_an_artist_the_album_artist_stands_in() -> None:
    assert flac("ALBUMARTIST=A").artists == ("A",)


@pytest.mark.parametrize(
    ("comment", "date"),
    [
        ("ORIGINALDATE=1973", "1973"),
        ("ORIGINALDATE=1973-13-01", "1973"),
        ("ORIGINALYEAR=1973", "1973"),
        ("ORIGINALDATE=1973-03-01T10:00", "1973-03-01"),
        ("ORIGINALDATE=0000-00-00", None),
        ("ORIGINALDATE=soon", None),
    ],
)
def test_an_original_date_is_as_exact_as_it_is_given(comment: str, date: str | None) -> None:
    assert flac(comment).original_date == date


@pytest.mark.parametrize("text", ["0", "-1", "A1", "", "1000000"])
def test_what_is_no_number_of_a_track_is_none(text: str) -> None:
    assert id3(frame(b"TRCK", text)).track_number is None


@pytest.mark.parametrize("text", ["nan", "inf dB", "1e400", "-7,5,1 dB", "9" * 5_000, "", "999 dB"])
def test_what_is_no_gain_is_none(text: str) -> None:
    assert flac(f"REPLAYGAIN_TRACK_GAIN={text}", "R128_TRACK_GAIN=1e9").gains == Gains()


def test_gains_of_opus_are_in_256ths() -> None:
    assert flac("R128_TRACK_GAIN=-1024", "R128_ALBUM_GAIN=+256").gains == Gains(
        r128_track=-1024, r128_album=256
    )


@pytest.mark.parametrize("text", ["\u200b\u2060", "\ufeff", " \u0301", "\u202e\u202c"])
def test_a_name_that_cannot_be_seen_is_none(text: str) -> None:
    tags = flac(f"TITLE={text}", f"ARTIST={text}", f"GENRE={text}")
    assert (tags.title, tags.artists, tags.genres) == (None, (), ())


def test_signs_that_join_others_are_kept() -> None:
    title = "\U0001f469\u200d\U0001f3a4 e\u0301"
    assert flac(f"TITLE={title}").title == title


def test_many_values_are_cut() -> None:
    tags = flac(*(f"GENRE={number}" for number in range(1_000)), f"ARTIST={'x' * 10_000}")
    assert len(tags.genres) == 100
    assert len(tags.artists[0]) == 1_000


@given(
    st.lists(
        st.tuples(st.sampled_from(["GENRE", "TRACKNUMBER", "ISRC", "MUSICBRAINZ_TRACKID"]), st.text()),
        max_size=5,
    )
)
def test_any_text_gives_plain_tags(comments: list[tuple[str, str]]) -> None:
    encodable = [f"{name}={text}".encode("utf-8", "replace").decode() for name, text in comments]
    tags = flac(*encodable)
    assert all(genre == genre.strip() and 0 < len(genre) <= 1_000 for genre in tags.genres)
    assert not any(set(genre) & set("\0\n\x07;") for genre in tags.genres)
    assert tags.track_number is None or 1 <= tags.track_number <= 99_999


# Of Unicode 15, 15.1, 16 and 17.
@pytest.mark.parametrize("title", ["Love 🩷", "🫨", "Hi 🫩", "\U0002ebf0\U0002ebf1", "\U000323b0"])
def test_characters_that_python_does_not_know_yet_are_kept(title: str) -> None:
    assert flac(f"TITLE={title}", f"LYRICS={title}") == Tags(title=title, lyrics=title)


@pytest.mark.parametrize("title", ["\ufffe", "\ufdd0\ufdef", "\U0001ffff", "\U000e0002", "\U0010ffff"])
def test_what_is_no_character_and_cannot_be_seen_is_no_title(title: str) -> None:
    assert flac(f"TITLE={title}") == Tags()


def test_a_year_may_have_a_month_without_a_dash() -> None:
    assert [flac(f"DATE={date}").year for date in ("201905", "201913", "2019052")] == [2019, None, None]
    assert id3(frame(b"TDRC", "201905")).year == 2019


@pytest.mark.parametrize("written", ["-6.5 dB", "-6,5 dB", "\N{MINUS SIGN}6.5", "-6.5"])
def test_a_gain_may_be_written_as_people_write_numbers(written: str) -> None:
    assert flac(f"REPLAYGAIN_TRACK_GAIN={written}").gains == Gains(track_db=-6.5)


@pytest.mark.parametrize("written", ["1", "true", "TRUE", "Yes", "yes"])
def test_a_compilation_may_be_called_one_in_words(written: str) -> None:
    assert flac(f"COMPILATION={written}").is_compilation
    assert not flac("COMPILATION=no").is_compilation
