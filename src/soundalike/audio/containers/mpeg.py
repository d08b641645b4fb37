"""MPEG audio (MP1, MP2, MP3) and ADTS: frames, one after another."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from soundalike.audio.containers.spans import CHUNK_BYTES, Span, read_at
from soundalike.audio.containers.tagged import untagged_span

SEARCH_BYTES = 1 << 16
_GAP_SEARCH_BYTES = 1 << 20
_MOST_GAPS = 64
_CHAIN = 3  # frames that must follow each other in a stream
_HEADER_BYTES = 7
# Eleven set bits; a third byte of 0xF. is an invalid bit or sample rate. Fast over runs of 0xFF.
_LIKE_A_HEADER = re.compile(rb"\xff(?=[\xe0-\xff][^\xf0-\xff])")
_ADTS_LEAST_BYTES = 7

_RATES_MPEG1 = (44_100, 48_000, 32_000)
# kbit/s by (is MPEG-1, layer), index 1 to 14 of the header's bit rate field.
_KBPS = {
    (True, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame's header; `kind` must not change within a stream."""

    length_bytes: int
    samples: int
    rate: int
    kind: tuple[int, ...]
    side_bytes: int = 0


FrameParser = Callable[[bytes], Frame | None]


def mpeg_frame(header: bytes) -> Frame | None:
    """Read an MPEG audio frame header, or None (also for the free format, which is never used)."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:  # noqa: PLR2004 - the format's own bits
        return None
    version, layer = (header[1] >> 3) & 3, 4 - ((header[1] >> 1) & 3)
    kbps_index, rate_index, padding = header[2] >> 4, (header[2] >> 2) & 3, (header[2] >> 1) & 1
    if version == 1 or layer == 4 or kbps_index in {0, 15} or rate_index == 3:  # noqa: PLR2004 - reserved values
        return None
    is_mpeg1, is_mono = version == 3, header[3] >> 6 == 3  # noqa: PLR2004 - the format's own bits
    rate = _RATES_MPEG1[rate_index] >> {3: 0, 2: 1, 0: 2}[version]
    bits = 1000 * _KBPS[is_mpeg1, layer][kbps_index - 1]
    if layer == 1:
        length, samples = (12 * bits // rate + padding) * 4, 384
    else:
        samples = 576 if layer == 3 and not is_mpeg1 else 1152  # noqa: PLR2004 - layer III
        length = samples // 8 * bits // rate + padding
    side = (17 if is_mono else 32) if is_mpeg1 else (9 if is_mono else 17)
    return Frame(length, samples, rate, (version, layer, rate_index), side)


def adts_frame(header: bytes) -> Frame | None:
    """Read an ADTS (AAC) frame header, or None."""
    if len(header) < _HEADER_BYTES or header[0] != 0xFF or header[1] & 0xF6 != 0xF0:  # noqa: PLR2004 - the format's own bits
        return None
    rate_index = (header[2] >> 2) & 0xF
    length = (header[3] & 3) << 11 | header[4] << 3 | header[5] >> 5
    if rate_index > 12 or length <= _ADTS_LEAST_BYTES:  # noqa: PLR2004 - 13 and above are reserved
        return None
    return Frame(length, 1024, 0, (header[1] & 8, rate_index))


def find_stream(file: BinaryIO, parse: FrameParser) -> Span | None:
    """Return the span of frames between tags, padding and a little junk, or None.

    Parameters
    ----------
    file : BinaryIO
        Any file.
    parse : callable
        Reads a frame header.
    """
    return _find_chain(file, untagged_span(file), parse, SEARCH_BYTES)


def _find_chain(file: BinaryIO, span: Span, parse: FrameParser, search_bytes: int) -> Span | None:
    """Return the rest of a span from the first frames that follow each other, or None."""
    window = read_at(file, span.start, min(search_bytes, span.stop - span.start))
    for match in _LIKE_A_HEADER.finditer(window):
        found = Span(span.start + match.start(), span.stop)
        if _is_chain(file, found, parse):
            return found
    return None


def _is_chain(file: BinaryIO, span: Span, parse: FrameParser) -> bool:
    offset, kind = span.start, None
    for _ in range(_CHAIN):
        frame = parse(read_at(file, offset, _HEADER_BYTES))
        if frame is None or (kind is not None and frame.kind != kind):
            return False
        offset, kind = offset + frame.length_bytes, frame.kind
        if offset == span.stop:
            return True
    return True


def has_xing_header(file: BinaryIO, stream: Span) -> bool:
    """Return whether the first frame is a Xing or Info header that counts the frames."""
    data = read_at(file, stream.start, 64)
    frame = mpeg_frame(data)
    if frame is None:
        return False
    xing = data[4 + frame.side_bytes :][:8]
    return xing[:4] in {b"Xing", b"Info"} and len(xing) == 8 and bool(xing[7] & 1)  # noqa: PLR2004 - mark and flags


def vbri_samples(file: BinaryIO, stream: Span) -> int | None:
    """Return how many samples Fraunhofer's VBRI header promises; None if there is none."""
    data = read_at(file, stream.start, 64)
    frame = mpeg_frame(data)
    if frame is None or data[36:40] != b"VBRI":
        return None
    return int.from_bytes(data[50:54], "big") * frame.samples


def count_frames(file: BinaryIO, stream: Span) -> int:
    """Count the frames of a stream, also those after a tag or a little junk inside it."""
    count, rest = 0, stream
    for _ in range(_MOST_GAPS):
        counted, stop = _count_unbroken(file, rest)
        found = _find_chain(file, Span(stop, stream.stop), mpeg_frame, _GAP_SEARCH_BYTES)
        count += counted
        if found is None:
            break
        rest = found
    return count


def _count_unbroken(file: BinaryIO, stream: Span) -> tuple[int, int]:
    """Count the frames that follow each other from the stream's start; return where they end, too."""
    count, offset, base, data = 0, stream.start, stream.start, b""
    while offset + 4 <= stream.stop:
        if offset - base + 4 > len(data):
            base, data = offset, read_at(file, offset, CHUNK_BYTES)
        frame = mpeg_frame(data[offset - base : offset - base + 4])
        if frame is None:
            break
        count, offset = count + 1, offset + frame.length_bytes
    return count, offset


def length_header(file: BinaryIO, stream: Span) -> bytes:
    """Make the Xing frame that a stream lacks, so that a decoder need not guess its length.

    libsndfile guesses from the first frame's bit rate, and stops there even if more follows.

    Parameters
    ----------
    file : BinaryIO
        Of MPEG audio.
    stream : Span
        Its frames.
    """
    first = read_at(file, stream.start, 4)
    frame = mpeg_frame(first)
    if frame is None:
        return b""
    body = bytes(frame.side_bytes) + b"Xing" + (1).to_bytes(4, "big")
    body += count_frames(file, stream).to_bytes(4, "big")
    return (first + body).ljust(frame.length_bytes, b"\0")
