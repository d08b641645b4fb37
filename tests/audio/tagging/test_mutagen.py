"""What mutagen writes is read as it was meant, and what others write as mutagen reads it.

It is under the GPL: nothing but tests may import it.
"""

import io
from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from mutagen import aiff, apev2, flac, id3, mp4, oggopus, oggvorbis, wave

from audio.sounds import music, write_av
from audio.tagging.writers import (
    COMPRESSED,
    EXTENDED,
    FRAME_UNSYNCHRONISED,
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
    unsynchronise,
)
from soundalike.audio.cover import read_cover
from soundalike.audio.tagging.id3_genres import GENRES
from soundalike.audio.tags import read_tags
from soundalike.domain.tags import Tags

# Letters, digits, marks of punctuation and symbols: what is kept as it is, and separates no values.
WORDS = st.text(
    st.characters(categories=("L", "N", "P", "S"), exclude_characters="\ufffd;/()=\\"),
    min_size=1,
    max_size=20,
).filter(lambda word: not word.isdecimal() and word not in {"RX", "CR"})
LATIN_WORDS = st.text(st.characters(codec="latin-1", categories=["L"]), min_size=1, max_size=20).filter(
    lambda word: not _is_utf8(word.encode("latin-1"))
)


unhurried = settings(deadline=None)  # a loaded machine is no failure


def _is_utf8(data: bytes) -> bool:
    try:
        return not data.decode().isascii()
    except UnicodeDecodeError:
        return False


TAGS = st.fixed_dictionaries(
    {
        "title": WORDS,
        "artists": st.lists(WORDS, min_size=1, max_size=3, unique=True),
        "album": WORDS,
        "album_artist": WORDS,
        "genres": st.lists(
            WORDS.filter(lambda word: word not in GENRES), min_size=1, max_size=3, unique=True
        ),
        "year": st.integers(1, 9_999),
        "track_number": st.integers(1, 999),
        "disc_number": st.integers(1, 99),
        "lyrics": WORDS,
    }
)
"""What every dialect can say."""


def meant(values: Mapping[str, Any]) -> Tags:
    """Return the tags; artists whose names are in the first one's are taken for its parts, as in a credit."""
    first, *others = values["artists"]
    is_credit = len(others) > 1 and all(name in first for name in others)
    lists = {"artists": tuple(others if is_credit else values["artists"]), "genres": tuple(values["genres"])}
    return Tags(**{**values, **lists})


def read(data: bytes) -> Tags:
    return read_tags(io.BytesIO(data))


@cache
def sound(form: str, subtype: str | None = None) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, music(0.2, rate=48_000), 48_000, format=form, subtype=subtype)
    return file.getvalue()


@pytest.fixture(scope="module")
def sounds_of_libraries(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("sounds")
    return {"mp4": write_av(folder / "a.m4a", 0.2, codec="aac", form="ipod").read_bytes()}


def id3_frames(values: Mapping[str, Any], encoding: int) -> list[Any]:
    frames = id3.Frames
    texts = {
        "TIT2": [values["title"]],
        "TPE1": values["artists"],
        "TALB": [values["album"]],
        "TPE2": [values["album_artist"]],
        "TCON": values["genres"],
        "TDRC": [f"{values['year']:04}"],
        "TRCK": [f"{values['track_number']}/999"],
        "TPOS": [f"{values['disc_number']}"],
    }
    listed = [frames[name](encoding=encoding, text=text) for name, text in texts.items()]
    return [*listed, frames["USLT"](encoding=encoding, lang="eng", desc="x", text=values["lyrics"])]


def id3_tag(frames: list[Any], version: int) -> bytes:
    written, file = id3.ID3(), io.BytesIO()
    for frame in frames:
        written.add(frame)
    if version == 3:
        written.update_to_v23()
    written.save(file, v2_version=version, v23_sep=None)
    return file.getvalue()


@unhurried
@given(values=TAGS, encoding=st.sampled_from([1, 2, 3]))
def test_id3v2_4(values: Mapping[str, Any], encoding: int) -> None:
    assert read(id3_tag(id3_frames(values, encoding), 4) + SOUND) == meant(values)


@unhurried
@given(values=TAGS)
def test_id3v2_3(values: Mapping[str, Any]) -> None:
    assert read(id3_tag(id3_frames(values, 1), 3) + SOUND) == meant(values)


@unhurried
@given(values=TAGS)
def test_apev2(values: Mapping[str, Any]) -> None:
    written, file = apev2.APEv2(), io.BytesIO(SOUND)
    single = {"Title": "title", "Album": "album", "Album Artist": "album_artist", "Lyrics": "lyrics"}
    for name, ours in single.items():
        written[name] = values[ours]
    written["Artist"], written["Genre"] = values["artists"], values["genres"]
    written["Year"], written["Track"] = f"{values['year']:04}", f"{values['track_number']}/999"
    written["Disc"] = str(values["disc_number"])
    written.save(file)
    assert read(file.getvalue()) == meant(values)


@pytest.mark.parametrize(
    ("form", "subtype", "kind"),
    [
        ("FLAC", None, flac.FLAC),
        ("OGG", "VORBIS", oggvorbis.OggVorbis),
        ("OGG", "OPUS", oggopus.OggOpus),
    ],
)
@unhurried
@given(values=TAGS)
def test_vorbis_comments(form: str, subtype: str | None, kind: Any, values: Mapping[str, Any]) -> None:
    file = io.BytesIO(sound(form, subtype))
    written = kind(file)
    single = {"title": "title", "album": "album", "albumartist": "album_artist", "lyrics": "lyrics"}
    for name, ours in single.items():
        written[name] = values[ours]
    written["artist"], written["genre"] = values["artists"], values["genres"]
    written["date"], written["tracknumber"] = f"{values['year']:04}", str(values["track_number"])
    written["discnumber"] = f"{values['disc_number']}/99"
    file.seek(0)
    written.save(file)
    assert read(file.getvalue()) == meant(values)


@unhurried
@given(values=TAGS)
def test_mp4(values: Mapping[str, Any], sounds_of_libraries: dict[str, bytes]) -> None:
    file = io.BytesIO(sounds_of_libraries["mp4"])
    written = mp4.MP4(file)
    single = {"\xa9nam": "title", "\xa9alb": "album", "aART": "album_artist", "\xa9lyr": "lyrics"}
    for name, ours in single.items():
        written[name] = values[ours]
    written["\xa9ART"], written["\xa9gen"] = values["artists"], values["genres"]
    written["\xa9day"] = f"{values['year']:04}-05-01"
    written["trkn"], written["disk"] = [(values["track_number"], 0)], [(values["disc_number"], 99)]
    file.seek(0)
    written.save(file)
    assert read(file.getvalue()) == meant(values)


@pytest.mark.parametrize(("form", "kind"), [("WAV", wave.WAVE), ("AIFF", aiff.AIFF)])
@unhurried
@given(values=TAGS)
def test_id3_in_chunks(form: str, kind: Any, values: Mapping[str, Any]) -> None:
    file = io.BytesIO(sound(form))
    written = kind(file)
    written.add_tags()
    for frame in id3_frames(values, 3):
        written.tags.add(frame)
    file.seek(0)
    written.save(file)
    assert read(file.getvalue()) == meant(values)


def theirs(data: bytes) -> tuple[str, list[str], str, list[str]]:
    found = id3.ID3(io.BytesIO(data), translate=False)
    title, artists, album, genres = (found[name] for name in ("TIT2", "TPE1", "TALB", "TCON"))
    return str(title), list(artists.text), str(album), list(genres.genres)


def frames_of(values: Mapping[str, Any], codec: str, encoding: int) -> list[tuple[bytes, bytes]]:
    texts = {
        b"TIT2": values["title"],
        b"TPE1": "\0".join(values["artists"]),
        b"TALB": values["album"],
        b"TCON": "".join(f"({number})" for number in values["numbers"]) + values["refined"],
        b"TXXX": f"long\0{'x' * 300}",
    }
    return [(name, bytes([encoding]) + value.encode(codec)) for name, value in texts.items()]


DIALECT = st.fixed_dictionaries(
    {
        "title": LATIN_WORDS,
        "artists": st.lists(LATIN_WORDS, min_size=1, max_size=2, unique=True),
        "album": LATIN_WORDS,
        "numbers": st.lists(st.integers(0, 191), min_size=1, max_size=3, unique=True),
        "refined": st.just("") | LATIN_WORDS.filter(lambda word: word not in GENRES),
    }
)
ENCODINGS = st.sampled_from([("latin-1", 0), ("utf-16", 1), ("utf-8", 3)])


@unhurried
@given(values=DIALECT, encoding=ENCODINGS, data=st.data())
def test_every_dialect_of_id3v2_is_read_as_mutagen_does(
    values: Mapping[str, Any], encoding: tuple[str, int], data: st.DataObject
) -> None:
    version = data.draw(st.sampled_from([2, 3, 4]))
    listed = frames_of(values, *encoding)
    flags = 0
    if version == 2:
        short = {b"TIT2": b"TT2", b"TPE1": b"TP1", b"TALB": b"TAL", b"TCON": b"TCO", b"TXXX": b"TXX"}
        body = b"".join(frame22(short[name], content) for name, content in listed)
    elif version == 3:
        body = b"".join(
            frame23(name, content, is_compressed=data.draw(st.booleans())) for name, content in listed
        )
        if data.draw(st.booleans()):
            flags, body = EXTENDED, extended23(crc=data.draw(st.none() | st.integers(0, 2**32 - 1))) + body
    else:
        # mutagen knows no groups, nor compressed frames of which no length is written.
        kinds = [
            0,
            HAS_LENGTH,
            FRAME_UNSYNCHRONISED,
            FRAME_UNSYNCHRONISED | HAS_LENGTH,
            COMPRESSED | HAS_LENGTH,
        ]
        frame_flags = data.draw(st.sampled_from(kinds))
        is_plain = data.draw(st.booleans())
        body = b"".join(
            frame24(name, content, flags=frame_flags, is_plain=is_plain) for name, content in listed
        )
        if data.draw(st.booleans()):
            flags, body = EXTENDED, extended24(crc=data.draw(st.none() | st.integers(0, 2**32 - 1))) + body
    if version < 4 and data.draw(st.booleans()):
        flags, body = flags | UNSYNCHRONISED, unsynchronise(body)
    tagged = tag(version, body + bytes(data.draw(st.sampled_from([0, 1, 64]))), flags=flags) + SOUND
    tags = read(tagged)
    title, artists, album, genres = theirs(tagged)
    assert (tags.title, list(tags.artists), tags.album, list(tags.genres)) == (
        title, artists, album, list(dict.fromkeys(genres)),
    )  # fmt: skip
    assert (title, artists, album) == (values["title"], values["artists"], values["album"])


@unhurried
@given(values=st.binary(min_size=20, max_size=2_000))
def test_pictures_of_unsynchronised_tags_are_mutagens(values: bytes) -> None:
    image = JPEG[:4] + values
    tagged = tag(3, unsynchronise(frame23(b"APIC", picture(image))), flags=UNSYNCHRONISED) + SOUND
    cover = read_cover(io.BytesIO(tagged))
    assert cover is not None
    assert cover.data == id3.ID3(io.BytesIO(tagged)).getall("APIC")[0].data == image


def test_the_numbered_genres_are_the_same() -> None:
    assert list(GENRES) == list(id3.TCON.GENRES)
