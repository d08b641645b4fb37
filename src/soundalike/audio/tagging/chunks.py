"""Tags in the chunks of WAV (RIFF, RIFX, RF64, BW64) and AIFF.

INFO is of Microsoft's RIFF, RF64 of EBU Tech 3306, BW64 of ITU-R BS.2088, AIFF's NAME and AUTH of Apple's.
"""

from collections.abc import Iterator
from typing import BinaryIO, Literal

from soundalike.audio.containers.riff import chunks
from soundalike.audio.containers.spans import read_at
from soundalike.audio.tagging.id3_fields import read_id3v2
from soundalike.audio.tagging.source import TagSource
from soundalike.audio.tagging.text import decode_bytes

_MOST_TEXT_BYTES = 4 << 20
_FIELDS = {
    b"INAM": "title",
    b"TITL": "title",
    b"IART": "artist",
    b"IPRD": "album",
    b"ICRD": "date",
    b"YEAR": "year",
    b"IGNR": "genre",
    b"ITRK": "track",
    b"IPRT": "track",
    b"TRCK": "track",
    b"NAME": "title",
    b"AUTH": "artist",
}


def read_chunks(file: BinaryIO, *, wants_pictures: bool) -> Iterator[TagSource]:
    """Yield the ID3v2 tag, and then what the format's own chunks say.

    Parameters
    ----------
    file : BinaryIO
        A file that begins with its chunks.
    wants_pictures : bool
        Whether pictures are read too.
    """
    own = TagSource()
    is_wav = read_at(file, 0, 4) != b"FORM"
    for chunk in chunks(file):
        start, size = chunk.span.start, chunk.span.size
        if chunk.name in {b"id3 ", b"ID3 "}:
            tag = read_at(file, start, size)
            if tag.startswith(b"ID3"):
                yield read_id3v2(tag, wants_pictures=wants_pictures)
        elif is_wav and chunk.name == b"LIST" and read_at(file, start, 4) == b"INFO":
            info = read_at(file, start + 4, min(size - 4, _MOST_TEXT_BYTES))
            _read_info(own, info, "big" if read_at(file, 0, 4) == b"RIFX" else "little")
        elif not is_wav and chunk.name in _FIELDS:
            own.add(_FIELDS[chunk.name], _text(read_at(file, start, min(size, _MOST_TEXT_BYTES))))
    yield own


def _read_info(source: TagSource, info: bytes, order: Literal["big", "little"]) -> None:
    at = 0
    while at + 8 <= len(info):
        name, size = info[at : at + 4], int.from_bytes(info[at + 4 : at + 8], order)
        value, at = info[at + 8 : at + 8 + size], at + 8 + size
        at += size % 2 and info[at : at + 1] == b"\0"  # some write no padding
        if name in _FIELDS:
            source.add(_FIELDS[name], _text(value))


def _text(value: bytes) -> str:
    return decode_bytes(value.partition(b"\0")[0])
