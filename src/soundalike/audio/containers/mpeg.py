"""MPEG audio (MP1, MP2, MP3) and ADTS: frames, one after another."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

from soundalike.audio.containers.spans import CHUNK_BYTES, Span, read_at
from soundalike.audio.containers.tagged import untagged_span

SEARCH_BYTES = 1 << 16
LENGTH_HEADER_BYTES = 64
_FAR_SEARCH_BYTES = 16 << 20
_WINDOW_BYTES = CHUNK_BYTES
_MOST_TRIES = 200_000  # places that look like a header; more are an attack
_CHAIN = 3  # frames that must follow each other in a stream
_FAR_CHAIN = 4
_HEADER_BYTES = 7
# Eleven set bits; a third byte of 0xF. is an invalid bit or sample rate. Fast over runs of 0xFF.
_LIKE_A_HEADER = re.compile(rb"\xff(?=[\xe0-\xff][^\xf0-\xff])")
_ADTS_LEAST_BYTES = 7
# Of layer III in the free format: MPEG-1, 2 and 2.5, at no reserved rate.
_FREE = re.compile(rb"\xff[\xe2\xe3\xf2\xf3\xfa\xfb][\x00-\x0b].", re.DOTALL)
_LEAST_FREE_BYTES, _MOST_FREE_BYTES = 48, 4_096
_MOST_FREE_TRIES = 1_000

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
    """Read an MPEG audio frame header, or None; of the free format, which has no length, see `find_free`."""
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
    """Return the span of frames between tags, padding and junk, or None.

    MPEG audio is also looked for far behind its tag, whose size may be too small for the picture in it; there
    more frames have to follow each other. Last, frames of the free format are.

    Parameters
    ----------
    file : BinaryIO
        Any file.
    parse : callable
        Reads a frame header.
    """
    span = untagged_span(file)
    near = find_chain(file, span, parse, SEARCH_BYTES)
    if near is not None or parse is not mpeg_frame:
        return near
    far = Span(span.start + SEARCH_BYTES, span.stop)
    found = find_chain(file, far, parse, _FAR_SEARCH_BYTES, links=_FAR_CHAIN) if far.size > 0 else None
    return found or find_free(file, span)


def find_free(file: BinaryIO, span: Span) -> Span | None:
    """Return the rest of a span from the first frames of layer III in the free format, or None.

    Their headers say no bit rate: their length is the distance at which headers like the first follow.

    Parameters
    ----------
    file : BinaryIO
        Any file.
    span : Span
        Where to look: near its start.
    """
    data = read_at(file, span.start, min(span.size, SEARCH_BYTES + _FAR_CHAIN * _MOST_FREE_BYTES))
    for match in islice(_FREE.finditer(data, 0, SEARCH_BYTES), _MOST_FREE_TRIES):
        at, like = match.start(), _like(match[0])
        following = like.search(data, at + 4, at + _MOST_FREE_BYTES)
        if following is None or following.start() - at < _LEAST_FREE_BYTES:
            continue
        length = following.start() - at - _padding(match[0])
        next_at = following.start()
        for _ in range(_FAR_CHAIN - 2):
            next_at += length + _padding(data[next_at : next_at + 4])
            if not like.match(data, next_at):
                break
        else:
            return Span(span.start + at, span.stop)
    return None


def _like(header: bytes) -> re.Pattern[bytes]:
    """Return what finds headers of the same stream: padding and the kind of joint stereo may differ."""
    padded = re.escape(bytes([header[2] & 0xFD])) + re.escape(bytes([header[2] | 2]))
    modes = b"".join(re.escape(bytes([header[3] & 0xCF | mode << 4])) for mode in range(4))
    return re.compile(re.escape(header[:2]) + b"[" + padded + b"][" + modes + b"]", re.DOTALL)


def _padding(header: bytes) -> int:
    return header[2] >> 1 & 1 if len(header) > 2 else 0  # noqa: PLR2004 - the format's own bits


def find_chain(
    file: BinaryIO, span: Span, parse: FrameParser, search_bytes: int, *, links: int = _CHAIN
) -> Span | None:
    """Return the rest of a span from the first frames that follow each other, or None.

    Parameters
    ----------
    file : BinaryIO
        Any file.
    span : Span
        Where to look.
    parse : callable
        Reads a frame header.
    search_bytes : int
        How far from the span's start the first frame may be.
    links : int
        How many frames must follow each other, unless they end with the span.
    """
    tries = _MOST_TRIES
    last = min(span.start + search_bytes, span.stop)
    for base in range(span.start, last, _WINDOW_BYTES):
        window = read_at(file, base, min(_WINDOW_BYTES, last - base) + 2)
        for match in _LIKE_A_HEADER.finditer(window):
            tries -= 1
            if not tries:
                return None
            found = Span(base + match.start(), span.stop)
            head = window[match.start() : match.start() + _HEADER_BYTES]
            if len(head) == _HEADER_BYTES and parse(head) is None:
                continue
            if is_chain(file, found, parse, links):
                return found
    return None


def is_chain(file: BinaryIO, span: Span, parse: FrameParser, links: int) -> bool:
    """Return whether so many frames follow each other from the span's start, or to its end.

    Parameters
    ----------
    file : BinaryIO
        Any file.
    span : Span
        Where the first begins.
    parse : callable
        Reads a frame header.
    links : int
        How many.
    """
    offset, kind = span.start, None
    for _ in range(links):
        frame = parse(read_at(file, offset, _HEADER_BYTES))
        if frame is None or (kind is not None and frame.kind != kind):
            return False
        offset, kind = offset + frame.length_bytes, frame.kind
        if offset == span.stop and links <= _CHAIN:
            return True
    return True


@dataclass(frozen=True, slots=True)
class LengthHeader:
    """What the first frame says about those that follow, if it is such a header: frames, bytes of all.

    Parameters
    ----------
    frames : int
        Without itself.
    size_bytes : int or None
        With itself.
    is_xing : bool
        Whether it is in the form that decoders know (Xing, Info), not VBRI.
    is_constant : bool
        Whether it says that all frames have one bit rate (Info).
    """

    frames: int
    size_bytes: int | None
    is_xing: bool
    is_constant: bool = False


def is_length_header(head: bytes, frame: Frame) -> bool:
    """Return whether a frame's first `LENGTH_HEADER_BYTES` mark it as a Xing, Info or VBRI header."""
    at = 4 + frame.side_bytes
    return head[at : at + 4] in {b"Xing", b"Info"} or head[36:40] == b"VBRI"


def length_header(file: BinaryIO, start: int) -> LengthHeader | None:
    """Read the header that counts the frames, if the frame at `start` is one."""
    data = read_at(file, start, 64)
    frame = mpeg_frame(data)
    if frame is None:
        return None
    if data[36:40] == b"VBRI":
        return LengthHeader(
            int.from_bytes(data[50:54], "big"), int.from_bytes(data[46:50], "big"), is_xing=False
        )
    xing = data[4 + frame.side_bytes :][:16]
    if xing[:4] not in {b"Xing", b"Info"} or len(xing) < 16 or not xing[7] & 1:  # noqa: PLR2004 - mark, flags, 2 numbers
        return None
    size_bytes = int.from_bytes(xing[12:16], "big") if xing[7] & 2 else None
    frames, is_constant = int.from_bytes(xing[8:12], "big"), xing.startswith(b"Info")
    return LengthHeader(frames, size_bytes, is_xing=True, is_constant=is_constant)


def made_length_header(file: BinaryIO, start: int, frames: int) -> bytes:
    """Make the Xing frame that a stream lacks, so that a decoder need not guess its length.

    libsndfile guesses from the first frame's bit rate, and stops there even if more follows.

    Parameters
    ----------
    file : BinaryIO
        Of MPEG audio.
    start : int
        Where its first frame is.
    frames : int
        How many it has.
    """
    first = read_at(file, start, 4)
    frame = mpeg_frame(first)
    if frame is None:
        return b""
    body = bytes(frame.side_bytes) + b"Xing" + (1).to_bytes(4, "big") + frames.to_bytes(4, "big")
    return (first + body).ljust(frame.length_bytes, b"\0")
