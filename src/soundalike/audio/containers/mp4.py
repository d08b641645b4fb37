"""MP4: boxes in boxes, with the audio in ``mdat``."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from soundalike.audio.containers.spans import CHUNK_BYTES, Span, claimed_span, read_at, size_of

_MOST_BOXES = 100_000


@dataclass(frozen=True, slots=True)
class Box:
    """One top-level box: its name, its content as far as the file goes, and whether it is cut."""

    name: bytes
    span: Span
    is_cut: bool


def boxes(file: BinaryIO) -> Iterator[Box]:
    """Yield the top-level boxes of the file."""
    size, offset = size_of(file), 0
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
    """Return the name of the first audio track's sample description, such as ``b"mp4a"``; else ``b""``."""
    for box in boxes(file):
        if box.name == b"moov":
            moov = read_at(file, box.span.start, min(box.span.size, 16 * CHUNK_BYTES))
            at = moov.find(b"soun")  # a track's handler comes before its sample description
            at = moov.find(b"stsd", max(0, at))
            return moov[at + 16 : at + 20] if at >= 0 else b""
    return b""
