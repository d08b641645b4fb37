"""Ogg: packets, cut into segments and arranged on pages."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from soundalike.audio.containers.spans import read_at

_PAGE_HEADER_BYTES = 27
_MOST_STREAMS = 64
_HEAD_BYTES = 16


@dataclass(slots=True)
class _Stream:
    """How far the packets of one logical stream have been read."""

    packet_number: int = 0
    packet_bytes: int = 0
    head: bytes = field(default=b"")
    is_flac: bool = False


def ogg_codec(file: BinaryIO) -> str | None:
    """Return the codec of the first audio stream: vorbis, opus, flac or another name."""
    marks = {b"\x01vorbis": "vorbis", b"OpusHead": "opus", b"\x7fFLAC": "flac", b"Speex   ": "speex"}
    other = None
    for _, segments in _pages(file, most=8):
        first = segments[0] if segments else b""
        for mark, codec in marks.items():
            if first.startswith(mark):
                return codec
        other = other or "unknown"
    return other


def sound_pieces(file: BinaryIO) -> Iterator[bytes]:
    """Yield the payload of every packet but the tags', each followed by its length.

    Independent of how packets are arranged on pages, which a longer tag changes.
    """
    streams: dict[int, _Stream] = {}
    for serial, segments in _pages(file):
        if serial not in streams and len(streams) >= _MOST_STREAMS:
            continue
        stream = streams.setdefault(serial, _Stream())
        for segment in segments:
            stream.head = (stream.head + segment[:_HEAD_BYTES])[:_HEAD_BYTES]
            is_sound = not _is_tags(stream)
            stream.packet_bytes += len(segment)
            if is_sound:
                yield segment
            if len(segment) < 255:  # noqa: PLR2004 - a shorter segment ends its packet
                if is_sound:
                    yield stream.packet_bytes.to_bytes(8, "big")
                stream.is_flac = stream.is_flac or stream.head.startswith(b"\x7fFLAC")
                stream.packet_number, stream.packet_bytes, stream.head = stream.packet_number + 1, 0, b""


def _is_tags(stream: _Stream) -> bool:
    if stream.head.startswith((b"\x03vorbis", b"OpusTags")):
        return True
    # In FLAC's mapping every packet after the first that is not a frame (0xFF) is metadata.
    return stream.is_flac and stream.packet_number > 0 and not stream.head.startswith(b"\xff")


def _pages(file: BinaryIO, most: int | None = None) -> Iterator[tuple[int, list[bytes]]]:
    """Yield each page's stream number and segments, until pages end."""
    offset, count = 0, 0
    while most is None or count < most:
        header = read_at(file, offset, _PAGE_HEADER_BYTES + 255)
        if len(header) < _PAGE_HEADER_BYTES or not header.startswith(b"OggS"):
            return
        lacing = header[_PAGE_HEADER_BYTES : _PAGE_HEADER_BYTES + header[26]]
        offset += _PAGE_HEADER_BYTES + len(lacing)
        body = read_at(file, offset, sum(lacing))
        offset += sum(lacing)
        segments, at = [], 0
        for length in lacing:
            segments.append(body[at : at + length])
            at += length
        count += 1
        yield int.from_bytes(header[14:18], "little"), segments
