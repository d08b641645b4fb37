"""Vorbis comments, alone in a packet of Ogg or as blocks of FLAC, and the pictures beside or inside them.

https://xiph.org/vorbis/doc/v-comment.html, https://www.rfc-editor.org/rfc/rfc9639#name-picture
"""

import binascii
import io
from collections.abc import Iterator
from typing import BinaryIO

from soundalike.audio.containers.ogg import pages
from soundalike.audio.containers.spans import Span, read_at, size_of
from soundalike.audio.tagging.source import MOST_VALUES, Picture, TagSource
from soundalike.audio.tagging.text import MOST_TEXT_BYTES, decode_bytes

_MOST_COMMENTS = 100_000
_MOST_BLOCKS = 10_000
_COMMENTS, _PICTURE = 4, 6

_MOST_PAGES = 20_000
_MOST_STREAMS = 16
_SECOND = 2
_FULL_SEGMENT = 255
_LAST = 0x80


def read_flac(file: BinaryIO, *, wants_pictures: bool) -> TagSource:
    """Read the metadata blocks of a FLAC stream.

    Parameters
    ----------
    file : BinaryIO
        A file that begins with the stream.
    wants_pictures : bool
        Whether pictures are read too.
    """
    source, at = TagSource(), 4
    for _ in range(_MOST_BLOCKS):
        head = read_at(file, at, 4)
        if len(head) < 4:  # noqa: PLR2004 - the head of a block
            break
        kind, size = head[0] & 0x7F, int.from_bytes(head[1:], "big")
        start, at = at + 4, at + 4 + size
        # Sizes of these have been written too small; what is inside has its own.
        if kind == _COMMENTS:
            at = max(at, _read_comments(source, file, start, wants_pictures=wants_pictures))
        elif kind == _PICTURE:
            at = max(at, _read_picture(source, file, start, wants_pictures=wants_pictures))
        if head[0] & _LAST:
            break
    return source


def read_ogg(file: BinaryIO, *, wants_pictures: bool) -> TagSource:
    """Read the comments of the first stream that has any; of a chain, that is the first part.

    Parameters
    ----------
    file : BinaryIO
        A file that begins with a page.
    wants_pictures : bool
        Whether pictures are read too.
    """
    source = TagSource()
    for head, packet in _second_packets(file):
        comments = _comments_in(head, packet)
        if comments is not None:
            _read_comments(source, io.BytesIO(comments), 0, wants_pictures=wants_pictures)
            break
    return source


def _comments_in(head: bytes, packet: bytes) -> bytes | None:
    """Return what follows the name of a packet of comments, by the stream's first packet."""
    for first, mark in ((b"\x01vorbis", b"\x03vorbis"), (b"OpusHead", b"OpusTags"), (b"Speex   ", b"")):
        if head.startswith(first) and packet.startswith(mark):
            return packet[len(mark) :]
    is_block = head.startswith(b"\x7fFLAC") and packet[:1] != b"" and packet[0] & 0x7F == _COMMENTS
    return packet[4:] if is_block else None


def _second_packets(file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """Yield the first bytes of each stream, and its second packet: there all codecs have their comments."""
    streams: dict[int, list[bytearray]] = {}
    for page in pages(file, Span(0, size_of(file)), most=_MOST_PAGES):
        if page.serial not in streams and len(streams) >= _MOST_STREAMS:
            continue
        packets = streams.setdefault(page.serial, [bytearray()])
        if len(packets) > _SECOND:
            continue
        body, offset = read_at(file, page.start, page.span.size), 0
        for length in page.lacing:
            packets[-1] += body[offset : offset + length]
            offset += length
            if length < _FULL_SEGMENT:
                packets.append(bytearray())
                if len(packets) > _SECOND:
                    yield bytes(packets[0][:16]), bytes(packets[1])
                    break


def _read_comments(source: TagSource, file: BinaryIO, at: int, *, wants_pictures: bool) -> int:
    """Read a vendor, a number of comments, and those; return where they end."""
    at += 4 + _number(read_at(file, at, 4))
    count, at = _number(read_at(file, at, 4)), at + 4
    for _ in range(min(count, _MOST_COMMENTS)):
        head = read_at(file, at, 4)
        if len(head) < 4:  # noqa: PLR2004 - the size before a comment
            break
        size = _number(head)
        most = size if wants_pictures else min(size, MOST_TEXT_BYTES)
        name, _, value = read_at(file, at + 4, most).partition(b"=")
        at += 4 + size
        field = decode_bytes(name[:MOST_VALUES]).lower()
        if field not in {"metadata_block_picture", "coverart"}:
            source.add(field, decode_bytes(value))
        elif wants_pictures:
            _add_base64(source, field, value)
    return at


def _add_base64(source: TagSource, field: str, value: bytes) -> None:
    try:
        data = binascii.a2b_base64(value)
    except binascii.Error:
        return
    if field == "coverart":  # what was written before there were blocks
        source.pictures.append(Picture(0, data))
    else:
        _read_picture(source, io.BytesIO(data), 0, wants_pictures=True)


def _read_picture(source: TagSource, file: BinaryIO, at: int, *, wants_pictures: bool) -> int:
    """Read a picture: kind, media type, description, four numbers, data; return where it ends."""
    head = read_at(file, at, 8)
    kind, at = int.from_bytes(head[:4], "big"), at + 8 + int.from_bytes(head[4:], "big")
    at += 4 + int.from_bytes(read_at(file, at, 4), "big") + 16
    size, at = int.from_bytes(read_at(file, at, 4), "big"), at + 4
    if wants_pictures:
        source.pictures.append(Picture(kind, read_at(file, at, size)))
    return at + size


def _number(data: bytes) -> int:
    return int.from_bytes(data, "little")
