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

    @property
    def size(self) -> int:
        """How many bytes it has."""
        return self.stop - self.start


@dataclass(frozen=True, slots=True)
class Piece:
    """What one decoder reads: a span of the file, with bytes in front where a header is repaired."""

    prefix: bytes
    span: Span


def claimed_span(start: int, claimed_bytes: int, stop: int) -> Span:
    """Return the bytes of a part as far as there are any: every length that a file claims passes here.

    A claim may be anything from 0 to 2**64 - 1, more than a file can have or a seek can take.

    Parameters
    ----------
    start, claimed_bytes : int
        Where the part begins, and how many bytes the file says it has.
    stop : int
        Where what contains it ends.
    """
    start = max(0, min(start, stop))
    return Span(start, max(start, min(start + claimed_bytes, stop)))


def size_of(file: BinaryIO) -> int:
    """Return the file's length in bytes."""
    return file.seek(0, os.SEEK_END)


def read_at(file: BinaryIO, offset: int, count: int) -> bytes:
    """Read up to `count` bytes at `offset`: fewer at the file's end, none outside it.

    An offset that was computed from a claimed length has to come from `claimed_span`.

    Parameters
    ----------
    file : BinaryIO
        Any file.
    offset, count : int
        In bytes.
    """
    if offset < 0 or count < 1:
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
