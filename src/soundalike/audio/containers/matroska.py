"""Matroska and WebM (RFC 9559): elements in elements, with the sound in clusters."""

from collections.abc import Iterator
from typing import BinaryIO

from soundalike.audio.containers.spans import Span, claimed_span, read_at, size_of
from soundalike.audio.containers.tagged import untagged_span

_SEGMENT, _CLUSTER = 0x18538067, 0x1F43B675
_MOST_ELEMENTS = 100_000
_MOST_BYTES_OF_ID, _MOST_BYTES_OF_SIZE = 4, 8


def cluster_spans(file: BinaryIO) -> list[Span]:
    """Return the content of every cluster; one of unknown length, as in a live recording, goes to the end."""
    spans: list[Span] = []
    for name, segment in _elements(file, Span(untagged_span(file).start, size_of(file))):
        if name == _SEGMENT:
            spans += [span for inner, span in _elements(file, segment) if inner == _CLUSTER]
    return spans


def _elements(file: BinaryIO, span: Span) -> Iterator[tuple[int, Span]]:
    """Yield id and content of the elements of a span."""
    offset = span.start
    for _ in range(_MOST_ELEMENTS):
        head = read_at(file, offset, min(_MOST_BYTES_OF_ID + _MOST_BYTES_OF_SIZE, span.stop - offset))
        id_bytes = _width(head, _MOST_BYTES_OF_ID)
        size_bytes = _width(head[id_bytes:], _MOST_BYTES_OF_SIZE)
        if not id_bytes or not size_bytes or len(head) < id_bytes + size_bytes:
            return
        name = int.from_bytes(head[:id_bytes], "big")
        mask = (1 << 7 * size_bytes) - 1
        claimed = int.from_bytes(head[id_bytes : id_bytes + size_bytes], "big") & mask
        start = offset + id_bytes + size_bytes
        content = claimed_span(start, span.stop if claimed == mask else claimed, span.stop)
        yield name, content
        offset = content.stop


def _width(head: bytes, most: int) -> int:
    """Return how many bytes a number has, by the place of its first set bit; 0 if it is none."""
    width = 9 - head[0].bit_length() if head else 0
    return width if width <= most else 0
