"""Spans of a file, and reading them without trusting any number in it."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

CHUNK_BYTES = 1 << 18


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes ``start`` to ``stop`` of a file."""

    start: int
    stop: int


def size_of(file: BinaryIO) -> int:
    """Return the file's length in bytes."""
    return file.seek(0, os.SEEK_END)


def read_at(file: BinaryIO, offset: int, count: int) -> bytes:
    """Read up to `count` bytes at `offset`: fewer at the file's end, none outside it.

    Parameters
    ----------
    file : BinaryIO
        Any file.
    offset, count : int
        In bytes.
    """
    if offset < 0:
        return b""
    file.seek(offset)
    return file.read(count)


def chunks_of(file: BinaryIO, span: Span) -> Iterator[bytes]:
    """Yield the bytes of a span in pieces of bounded size."""
    offset = span.start
    while offset < span.stop:
        chunk = read_at(file, offset, min(CHUNK_BYTES, span.stop - offset))
        if not chunk:
            return
        offset += len(chunk)
        yield chunk
