"""Ogg: packets, cut into segments and arranged on pages; several streams may follow each other (a chain)."""

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import BinaryIO

from soundalike.audio.containers.spans import CHUNK_BYTES, Span, read_at, size_of

_PAGE_HEADER_BYTES = 27
_MOST_STREAMS = 64
_HEAD_BYTES = 16
_MOST_LINKS = 1_000
_MOST_TRIES = 10_000  # places that look like the beginning of a link; more are an attack
_MOST_FIRST_TRIES = 100
_OTHER_ORDER = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_FIRST_PAGE = re.compile(rb"OggS\0[\x02\x03\x06\x07]")  # the flag "begins a stream" is 2
_MARKS = {b"\x01vorbis": "vorbis", b"OpusHead": "opus", b"\x7fFLAC": "flac", b"Speex   ": "speex"}


@dataclass(slots=True)
class _Stream:
    """How far the packets of one logical stream have been read."""

    packet_number: int = 0
    packet_bytes: int = 0
    head: bytes = field(default=b"")
    is_flac: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """One page: the number of its stream, where its content begins, and the lengths of its segments."""

    serial: int
    start: int
    lacing: bytes

    @property
    def span(self) -> Span:
        """Its content, as far as it is claimed."""
        return Span(self.start, self.start + sum(self.lacing))


def ogg_codec(file: BinaryIO, start: int = 0) -> str | None:
    """Return the codec of the first audio stream: vorbis, opus, flac or another name."""
    found = audio_stream(file, Span(start, size_of(file)))
    return found[0] if found else None


def audio_stream(file: BinaryIO, link: Span) -> tuple[str, int] | None:
    """Return codec and number of a link's first audio stream; None if it has no stream."""
    other = None
    for page in pages(file, link, most=8):
        first = read_at(file, page.start, page.lacing[0]) if page.lacing else b""
        for mark, codec in _MARKS.items():
            if first.startswith(mark):
                return codec, page.serial
        other = other or ("unknown", page.serial)
    return other


def first_page(file: BinaryIO, span: Span) -> int | None:
    """Return where the first whole page is that begins a stream, behind junk; None if there is none.

    Parameters
    ----------
    file : BinaryIO
        Any file.
    span : Span
        Where to look.
    """
    data = read_at(file, span.start, span.size)
    for match in islice(_FIRST_PAGE.finditer(data), _MOST_FIRST_TRIES):
        at = span.start + match.start()
        page = _page(file, at)
        if page is not None and _is_intact(file, at, page.span.stop):
            return at
    return None


def links(file: BinaryIO) -> list[Span]:
    """Return the span of each link of a chain, from its first pages on; of a file that is none, one span."""
    size = size_of(file)
    starts = [0] if _page(file, 0) else []
    end = 0
    for at in islice(_find(file, size), _MOST_TRIES):
        page = _page(file, at)
        if page is None or not _is_intact(file, at, page.span.stop):
            continue
        if at not in {0, end} and len(starts) < _MOST_LINKS:
            starts.append(at)
        end = page.span.stop
    starts = starts or [0]
    return [Span(*each) for each in zip(starts, [*starts[1:], size], strict=True)]


def _find(file: BinaryIO, size: int) -> Iterator[int]:
    """Yield where pages that begin a stream may be, behind junk too."""
    for base in range(0, size, CHUNK_BYTES):
        for match in _FIRST_PAGE.finditer(read_at(file, base, CHUNK_BYTES + 5)):
            if match.start() < CHUNK_BYTES:
                yield base + match.start()


def _is_intact(file: BinaryIO, start: int, stop: int) -> bool:
    """Return whether a page has its checksum, a CRC-32 (polynomial 04C11DB7) of it with the sum as 0.

    zlib's takes the bits of each byte, and of the sum, in the other order, and begins and ends with all set.
    """
    data = read_at(file, start, stop - start).translate(_OTHER_ORDER)
    total = zlib.crc32(data[:22] + bytes(4) + data[26:], 0xFFFF_FFFF) ^ 0xFFFF_FFFF
    return total == int.from_bytes(data[22:26], "big")


def sound_pieces(file: BinaryIO) -> Iterator[bytes]:
    """Yield the payload of every packet but the tags', each followed by its length.

    Independent of how packets are arranged on pages, which a longer tag changes.
    """
    for link in links(file):
        yield from _sound_of(file, link)


def _sound_of(file: BinaryIO, link: Span) -> Iterator[bytes]:
    streams: dict[int, _Stream] = {}
    for page in pages(file, link):
        if page.serial not in streams and len(streams) >= _MOST_STREAMS:
            continue
        stream = streams.setdefault(page.serial, _Stream())
        for segment in _segments(file, page):
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


def _segments(file: BinaryIO, page: Page) -> Iterator[bytes]:
    body, at = read_at(file, page.start, page.span.size), 0
    for length in page.lacing:
        yield body[at : at + length]
        at += length


def _is_tags(stream: _Stream) -> bool:
    if stream.head.startswith((b"\x03vorbis", b"OpusTags")):
        return True
    # In FLAC's mapping every packet after the first that is not a frame (0xFF) is metadata.
    return stream.is_flac and stream.packet_number > 0 and not stream.head.startswith(b"\xff")


def pages(file: BinaryIO, span: Span, most: int | None = None) -> Iterator[Page]:
    """Yield the pages of a span until they end.

    Parameters
    ----------
    file : BinaryIO
        Any file.
    span : Span
        Begins with a page.
    most : int or None
        How many pages at most.
    """
    offset, count = span.start, 0
    while offset < span.stop and (most is None or count < most):
        page = _page(file, offset)
        if page is None:
            return
        offset, count = page.span.stop, count + 1
        yield page


def _page(file: BinaryIO, offset: int) -> Page | None:
    header = read_at(file, offset, _PAGE_HEADER_BYTES + 255)
    if len(header) < _PAGE_HEADER_BYTES or not header.startswith(b"OggS"):
        return None
    lacing = header[_PAGE_HEADER_BYTES : _PAGE_HEADER_BYTES + header[26]]
    start = offset + _PAGE_HEADER_BYTES + len(lacing)
    return Page(int.from_bytes(header[14:18], "little"), start, lacing)
