"""MP4: boxes in boxes, with the audio in ``mdat``."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from soundalike.audio.containers.spans import CHUNK_BYTES, Span, claimed_span, read_at, size_of
from soundalike.audio.containers.tagged import untagged_span

_MOST_BOXES = 100_000
QUICKTIME_BOXES = {b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot"}
"""With which files begin that are older than the box of the brand."""
_MOST_DESCRIBED = 512  # bytes of a sample description in which its codec is looked for
_AAC = {0x40, 0x66, 0x67, 0x68}
_STREAM, _DECODER = b"\x03", b"\x04"


@dataclass(frozen=True, slots=True)
class Box:
    """One top-level box: its name, its content as far as the file goes, and whether it is cut."""

    name: bytes
    span: Span
    is_cut: bool


def boxes(file: BinaryIO) -> Iterator[Box]:
    """Yield the top-level boxes of the file, behind a tag."""
    size, offset = size_of(file), untagged_span(file).start
    for _ in range(_MOST_BOXES):
        header = read_at(file, offset, 16)
        if len(header) < 8:  # noqa: PLR2004 - length and name
            return
        length, head = int.from_bytes(header[:4], "big"), 8
        if length == 1:
            length, head = int.from_bytes(header[8:16], "big"), 16
        elif length == 0:
            length = size - offset
        if length < head or len(header) < head:
            return
        span = claimed_span(offset + head, length - head, size)
        yield Box(header[4:8], span, is_cut=length - head > span.size)
        offset = span.stop


def media_spans(file: BinaryIO) -> list[Span]:
    """Return the content of every ``mdat``."""
    return [box.span for box in boxes(file) if box.name == b"mdat"]


def is_cut(file: BinaryIO) -> bool:
    """Return whether the file ends before its boxes do."""
    return any(box.is_cut for box in boxes(file))


def sample_description(file: BinaryIO) -> bytes:
    """Return the name of the first audio track's sample description, such as ``b"alac"``; else ``b""``.

    To ``b"mp4a"`` is added which codec that is, if it is not AAC, such as ``b"mp4a.6b"`` for MP3.
    """
    for box in boxes(file):
        if box.name == b"moov":
            moov = read_at(file, box.span.start, min(box.span.size, 16 * CHUNK_BYTES))
            at = moov.find(b"soun")  # a track's handler comes before its sample description
            at = moov.find(b"stsd", max(0, at))
            name = moov[at + 16 : at + 20] if at >= 0 else b""
            kind = _object_type(moov[at : at + _MOST_DESCRIBED]) if name == b"mp4a" else 0
            return name + b".%02x" % kind if kind and kind not in _AAC else name
    return b""


def _object_type(description: bytes) -> int:
    """Return the number of the codec in a sample description's ``esds`` (ISO/IEC 14496-1, 7.2.6); else 0."""
    at = description.find(b"esds")
    if at < 0:
        return 0
    at += 8  # its name, version and flags
    for tag, skipped in ((_STREAM, 3), (_DECODER, 0)):
        if description[at : at + 1] != tag:
            return 0
        at += 1
        while description[at : at + 1] >= b"\x80":  # its length goes on
            at += 1
        at += 1 + skipped
    return int.from_bytes(description[at : at + 1], "big")
