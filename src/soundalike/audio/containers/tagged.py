"""Tags that may come before and after any stream: ID3v2, ID3v1, APEv2 and Lyrics3."""

import re
from typing import BinaryIO

from soundalike.audio.containers.spans import Span, claimed_span, read_at, size_of

ID3V2_HEADER_BYTES = 10
ID3V1_BYTES = 128
_NAMED_ID3V1_BYTES = ID3V1_BYTES + 3  # with what may be in front of "TAG" to make it "APETAGEX"
APE_BYTES = 32
LYRICS_SIZE_BYTES = 6
LYRICS_END_BYTES = 9
LYRICS_V1_MOST_BYTES = 5100
_MOST_FRAMES = 1_000
_SYNC = re.compile(rb"\xff[\xe2-\xff][\x10-\xef]")
_FRAME_NAME = re.compile(rb"[A-Z][A-Z0-9]{2}")
_MOST_TAGS = 64  # more in a row are an attack


def untagged_span(file: BinaryIO) -> Span:
    """Return the span between the tags in front and those at the end."""
    size = size_of(file)
    start = _skip_front(file, size)
    behind = tags_behind(file, start)
    return Span(start, behind[-1].start if behind else size)


def tags_behind(file: BinaryIO, start: int) -> list[Span]:
    """Return the spans of the tags at the end, the last one first.

    Parameters
    ----------
    file : BinaryIO
        Any file.
    start : int
        Where they may begin.
    """
    spans: list[Span] = []
    stop = size_of(file)
    for _ in range(_MOST_TAGS):
        before = _strip_one(file, stop)
        if before is None or before < start:
            break
        spans.append(Span(before, stop))
        stop = before
    return spans


def skip_joint(file: BinaryIO, start: int, stop: int) -> int:
    """Return where the tags between two joined files end: those at the end of one and in front of the next.

    Parameters
    ----------
    file : BinaryIO
        Any file.
    start, stop : int
        Where they may begin, and where the file's sound ends.
    """
    end = _skip_front(file, stop, start)
    if read_at(file, end, 3) == b"TAG":
        end = _skip_front(file, stop, claimed_span(end, ID3V1_BYTES, stop).stop)
    return end


def _skip_front(file: BinaryIO, size: int, start: int = 0) -> int:
    for _ in range(_MOST_TAGS):
        header = read_at(file, start, APE_BYTES)
        if header.startswith(b"ID3") and len(header) >= ID3V2_HEADER_BYTES:
            has_footer = bool(header[5] & 0x10)
            claimed = ID3V2_HEADER_BYTES * (2 if has_footer else 1) + _syncsafe(header[6:10])
            claimed = _likely_end(file, header[3], start, start + claimed) - start
        elif header.startswith(b"APETAGEX"):
            claimed = APE_BYTES + int.from_bytes(header[12:16], "little")
        else:
            break
        start = claimed_span(start, claimed, size).stop
    return start


def _likely_end(file: BinaryIO, version: int, start: int, end: int) -> int:
    """Return where an ID3v2 tag ends: where it says, unless its frames end before that, and sound begins.

    A tag that says that it is longer than the file ends with its frames.
    """
    if _SYNC.match(read_at(file, end, 3)):
        return end
    at, name_bytes, head_bytes = start + ID3V2_HEADER_BYTES, *((3, 6) if version == 2 else (4, 10))  # noqa: PLR2004 - the standard's number
    for _ in range(_MOST_FRAMES):
        head = read_at(file, at, head_bytes)
        if at >= end or not _FRAME_NAME.match(head[:name_bytes]):
            break
        four = head[name_bytes : 2 * name_bytes]
        at += head_bytes + (_syncsafe(four) if version > 3 else int.from_bytes(four, "big"))  # noqa: PLR2004 - as above
    is_cut_short = at < end and bool(_SYNC.match(read_at(file, at, 3)))
    return at if is_cut_short or at < size_of(file) < end else end


def _syncsafe(four: bytes) -> int:
    return sum((byte & 0x7F) << (7 * (3 - place)) for place, byte in enumerate(four))


def _strip_one(file: BinaryIO, stop: int) -> int | None:
    """Return where the last tag before `stop` begins, or None if there is none."""
    if is_id3v1(read_at(file, max(0, stop - _NAMED_ID3V1_BYTES), min(stop, _NAMED_ID3V1_BYTES))):
        return stop - ID3V1_BYTES
    ape = read_at(file, stop - APE_BYTES, APE_BYTES)
    if ape.startswith(b"APETAGEX"):
        has_header = bool(ape[23] & 0x80)
        return stop - int.from_bytes(ape[12:16], "little") - (APE_BYTES if has_header else 0)
    id3 = read_at(file, stop - ID3V2_HEADER_BYTES, ID3V2_HEADER_BYTES)
    if id3.startswith(b"3DI"):
        return stop - 2 * ID3V2_HEADER_BYTES - _syncsafe(id3[6:10])
    return _lyrics_start(file, stop)


def is_id3v1(end: bytes) -> bool:
    """Return whether the last 131 bytes, if there are so many, end in an ID3v1 tag, and are no APE tag."""
    return end[-ID3V1_BYTES:].startswith(b"TAG") and not end[-_NAMED_ID3V1_BYTES:].startswith(b"APETAGEX")


def _lyrics_start(file: BinaryIO, stop: int) -> int | None:
    tail = read_at(file, stop - LYRICS_SIZE_BYTES - LYRICS_END_BYTES, LYRICS_SIZE_BYTES + LYRICS_END_BYTES)
    if tail.endswith(b"LYRICS200") and tail[:LYRICS_SIZE_BYTES].isdigit():
        return stop - len(tail) - int(tail[:LYRICS_SIZE_BYTES])
    if tail.endswith(b"LYRICSEND"):
        window_start = max(0, stop - LYRICS_V1_MOST_BYTES)
        at = read_at(file, window_start, stop - window_start).rfind(b"LYRICSBEGIN")
        return None if at < 0 else window_start + at
    return None
