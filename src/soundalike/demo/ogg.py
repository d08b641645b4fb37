"""Ogg Vorbis: replacing the comment packet and renumbering the pages.

The page format is at https://xiph.org/ogg/doc/framing.html; the three header packets of Vorbis are
at https://xiph.org/vorbis/doc/Vorbis_I_spec.html (section 4.2).
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from soundalike.demo.tags import TrackTags
from soundalike.demo.vorbis import comments, picture_comment

_HEADER = struct.Struct("<4sBBqIIIB")
_CRC_AT = 22
_IS_CONTINUED = 0x01
_NO_PACKET_ENDS_HERE = -1
_SEGMENT_BYTES = 255
_SEGMENTS_PER_PAGE = 255
_COMMENT_START = b"\x03vorbis"
_FRAMING_BIT = b"\x01"
_HEADER_PACKETS = 2
_REVERSED_BITS = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


@dataclass(frozen=True, slots=True)
class _Page:
    """One page: flags, granule position, lacing values and data."""

    flags: int
    granule: int
    lacing: bytes
    body: bytes


def tag_ogg(ogg: bytes, tags: TrackTags, *, serial: int) -> bytes:
    """Replace the comments of an Ogg Vorbis stream, and its serial number.

    Parameters
    ----------
    ogg : bytes
        One Vorbis stream and nothing else.
    tags : TrackTags
        The new comments.
    serial : int
        The stream's number, 0 to 2**32 - 1; encoders choose one at random, so the files of every run would
        differ.

    Raises
    ------
    ValueError
        If the bytes are not an Ogg Vorbis stream.
    """
    pages = list(_pages(ogg))
    first, *rest = pages
    header_pages = _count_header_pages(rest)
    old_comment, setup = _packets(rest[:header_pages])
    if not old_comment.startswith(_COMMENT_START):
        msg = "the second packet of the stream is not a Vorbis comment"
        raise ValueError(msg)
    comment = _COMMENT_START + comments(tags, picture_comment(tags.cover)) + _FRAMING_BIT
    renewed = [first, *_paginate((comment, setup)), *rest[header_pages:]]
    return b"".join(_write(page, serial=serial, number=number) for number, page in enumerate(renewed))


def _pages(ogg: bytes) -> Iterator[_Page]:
    at = 0
    while at < len(ogg) or at == 0:
        if ogg[at : at + 4] != b"OggS" or len(ogg) < at + _HEADER.size:
            msg = f"not an Ogg page at byte {at}"
            raise ValueError(msg)
        _, _, flags, granule, _, _, _, segments = _HEADER.unpack_from(ogg, at)
        body_at = at + _HEADER.size + segments
        lacing = ogg[at + _HEADER.size : body_at]
        at = body_at + sum(lacing)
        yield _Page(flags, granule, lacing, ogg[body_at:at])


def _count_header_pages(pages: list[_Page]) -> int:
    ended = 0
    for count, page in enumerate(pages, start=1):
        ended += sum(size < _SEGMENT_BYTES for size in page.lacing)
        if ended == _HEADER_PACKETS:
            return count
    msg = "the stream ends before its Vorbis headers do"
    raise ValueError(msg)


def _packets(pages: list[_Page]) -> Iterator[bytes]:
    packet = b""
    for page in pages:
        at = 0
        for size in page.lacing:
            packet += page.body[at : at + size]
            at += size
            if size < _SEGMENT_BYTES:
                yield packet
                packet = b""


def _paginate(packets: tuple[bytes, ...]) -> Iterator[_Page]:
    """Divide header packets into full pages."""
    lacing = b"".join(bytes([_SEGMENT_BYTES]) * (len(p) // 255) + bytes([len(p) % 255]) for p in packets)
    body = b"".join(packets)
    at, is_continued = 0, False
    for first in range(0, len(lacing), _SEGMENTS_PER_PAGE):
        part = lacing[first : first + _SEGMENTS_PER_PAGE]
        granule = 0 if min(part) < _SEGMENT_BYTES else _NO_PACKET_ENDS_HERE
        yield _Page(_IS_CONTINUED if is_continued else 0, granule, part, body[at : at + sum(part)])
        at += sum(part)
        is_continued = part[-1] == _SEGMENT_BYTES


def _write(page: _Page, *, serial: int, number: int) -> bytes:
    header = _HEADER.pack(b"OggS", 0, page.flags, page.granule, serial, number, 0, len(page.lacing))
    raw = header + page.lacing + page.body
    return raw[:_CRC_AT] + struct.pack("<I", _crc(raw)) + raw[_CRC_AT + 4 :]


def _crc(raw: bytes) -> int:
    """Return Ogg's CRC: zlib's polynomial with reversed bits, starting from and ending with zero."""
    reflected = zlib.crc32(raw.translate(_REVERSED_BITS), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{reflected:032b}"[::-1], 2)
