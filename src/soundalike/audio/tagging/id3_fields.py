"""What the frames of ID3v2, and the fields of ID3v1, say."""

import re
from collections.abc import Iterator

from soundalike.audio.tagging import id3v2
from soundalike.audio.tagging.id3_genres import GENRES
from soundalike.audio.tagging.source import MUSICBRAINZ_ID, Picture, TagSource
from soundalike.audio.tagging.text import MOST_TEXT_BYTES, decode_bytes, decode_id3, decode_values

V1_BYTES = 128

_FIELDS = {
    "TIT2": "title", "TT2": "title",
    "TPE1": "artist", "TP1": "artist",
    "TPE2": "albumartist", "TP2": "albumartist",
    "TALB": "album", "TAL": "album",
    "TCON": "genre", "TCO": "genre",
    "TRCK": "track", "TRK": "track",
    "TPOS": "disc", "TPA": "disc",
    "TDRC": "date", "TYER": "year", "TYE": "year",
    "TDOR": "originaldate", "TORY": "originalyear", "TOR": "originalyear",
    "TCMP": "compilation", "TCP": "compilation",
    "TSRC": "isrc", "TRC": "isrc",
}  # fmt: skip
_V23 = 3
_SHORTEST_NAME = 3

_GENRE_IDS = re.compile(r"[\s/;]*\((\d{1,3}|RX|CR)\)")
_SPECIAL_GENRES = {"RX": "Remix", "CR": "Cover"}


def read_id3v2(tag: bytes, *, wants_pictures: bool) -> TagSource:
    """Read a tag.

    Parameters
    ----------
    tag : bytes
        From its header on.
    wants_pictures : bool
        Whether its pictures are read too.
    """
    source, users_own = TagSource(), TagSource()
    for frame in id3v2.read_frames(tag, wants_pictures=wants_pictures):
        if frame.name in {"APIC", "PIC"}:
            if (picture := _picture(frame)) is not None:
                source.pictures.append(picture)
        elif frame.data:
            _add_text(users_own if frame.name in {"TXXX", "TXX"} else source, frame)
    source.fill(users_own)
    if tag[3] <= _V23:
        count = len(MUSICBRAINZ_ID.findall("/".join(source.values("musicbrainzartistid"))))
        for name in ("artist", "artists"):
            source.split(name, lambda value: _artists(value, count))
    source.split("genre", _genres)
    return source


def _add_text(source: TagSource, frame: id3v2.Frame) -> None:
    if frame.name in {"UFID", "UFI"}:
        source.add("ufid", decode_bytes(frame.data[:MOST_TEXT_BYTES]))
    elif frame.name in {"USLT", "ULT"}:  # encoding, language, description, lyrics
        source.add("lyrics", "\n".join(decode_id3(frame.data[0], frame.data[4:])[1:]))
    elif frame.name in {"TXXX", "TXX"}:
        name, *values = _values(frame.data)
        source.add(name, *values)
    elif frame.name.startswith("T"):
        source.add(_FIELDS.get(frame.name, frame.name), *_values(frame.data))


def _values(data: bytes) -> list[str]:
    if data[0] >= ord(" "):  # the byte of the encoding is missing
        return decode_values(data)
    return decode_id3(data[0], data[1:])


def _artists(text: str, count: int) -> list[str]:
    """Return artists of version 2.3, where "/" separates them, but is in names too ("AC/DC").

    Parameters
    ----------
    text : str
        All of them.
    count : int
        How many there are by their ids; 0 if there are none.
    """
    names = [name.strip() for name in text.split("/")]
    are_names = len(names) == count if count else all(len(name) >= _SHORTEST_NAME for name in names)
    return names if are_names else [text]


def _genres(text: str) -> Iterator[str]:
    """Yield the genres of one value: ``17``, ``(17)``, ``(4)Eurodisco``, ``(51)(RX)``, ``((brackets)``."""
    text = text.strip()
    if re.fullmatch(r"\d{1,3}", text, re.ASCII):
        yield from GENRES[int(text) : int(text) + 1]
        return
    at = 0
    while match := _GENRE_IDS.match(text, at):
        at, name = match.end(), match[1]
        if name in _SPECIAL_GENRES:
            yield _SPECIAL_GENRES[name]
        else:
            yield from GENRES[int(name) : int(name) + 1]
    rest = text[at:]
    yield _SPECIAL_GENRES.get(rest, rest.removeprefix("(") if rest.startswith("((") else rest)


def _picture(frame: id3v2.Frame) -> Picture | None:
    """Read a picture: encoding, format, kind, description, and its data."""
    data = frame.data
    format_end = 4 if frame.name == "PIC" else data.find(b"\0", 1) + 1
    if not 1 < format_end < len(data):
        return None
    start = _end_of_text(data, format_end + 1, is_wide=data[0] in {1, 2})
    # Some end a wide description with one zero, or a narrow one with two.
    return Picture(data[format_end], data[start:].lstrip(b"\0"))


def _end_of_text(data: bytes, start: int, *, is_wide: bool) -> int:
    """Return where what follows a text with its final zero begins; its start if it has no end."""
    if not is_wide:
        return data.find(b"\0", start) + 1 or start
    end = data.find(b"\0\0", start)
    while end >= 0 and (end - start) % 2:
        end = data.find(b"\0\0", end + 1)
    return end + 2 if end >= 0 else start


def read_id3v1(tag: bytes) -> TagSource:
    """Read the 128 bytes at a file's end, which begin with "TAG"."""
    source = TagSource()
    for name, start, stop in (("title", 3, 33), ("artist", 33, 63), ("album", 63, 93), ("year", 93, 97)):
        source.add(name, decode_bytes(tag[start:stop].partition(b"\0")[0].rstrip()))
    if tag[125] == 0 and tag[126]:
        source.add("track", str(tag[126]))
    if tag[127] < len(GENRES):
        source.add("genre", GENRES[tag[127]])
    return source
