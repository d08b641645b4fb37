"""A file as decoders see it: a piece of it, or the FLAC stream that an Ogg file has in its pages."""

import io
import os
from abc import abstractmethod
from array import array
from bisect import bisect_right
from collections.abc import Iterable
from typing import Any, BinaryIO

from soundalike.audio.containers.spans import Piece, Span, read_at


class _ReadOnly(io.RawIOBase):
    """A read-only file of a known size.

    Its methods raise nothing, since decoders call them from C: a place that a damaged file names is moved
    into the file, and a disk that fails ends it. Whoever opened the file knows of that (`observed_file`).
    """

    def __init__(self, size: int) -> None:
        """Start at the beginning."""
        super().__init__()
        self._size, self._position = size, 0

    @abstractmethod
    def _read_at(self, position: int, count: int) -> bytes:
        """Return at least one byte, before the end."""

    def seekable(self) -> bool:
        """Yes."""
        return True

    def readable(self) -> bool:
        """Yes."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move, never before the start or behind the end."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        self._position = min(max(0, base + offset), self._size)
        return self._position

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - any writable buffer
        """Read into a buffer; returns 0 at the end."""
        view = memoryview(buffer).cast("B")
        try:
            data = self._read_at(self._position, len(view)) if self._position < self._size else b""
        except OSError:
            return 0
        view[: len(data)] = data
        self._position += len(data)
        return len(data)


class Spliced(_ReadOnly):
    """Some bytes, then a span of another file."""

    def __init__(self, piece: Piece, file: BinaryIO) -> None:
        """Start at the beginning."""
        super().__init__(len(piece.prefix) + piece.span.size)
        self._piece, self._file = piece, file

    def _read_at(self, position: int, count: int) -> bytes:
        prefix, span = self._piece.prefix, self._piece.span
        if position < len(prefix):
            return prefix[position : position + count]
        offset = span.start + position - len(prefix)
        return read_at(self._file, offset, min(count, span.stop - offset))


class Joined(_ReadOnly):
    """Spans of another file, one after another; eight bytes of memory for each, twice."""

    def __init__(self, spans: Iterable[Span], file: BinaryIO) -> None:
        """Start at the beginning."""
        self._file = file
        self._starts, self._offsets = array("Q"), array("Q")
        size = 0
        for span in spans:
            if span.size > 0:
                self._starts.append(size)
                self._offsets.append(span.start)
                size += span.size
        super().__init__(size)

    def _read_at(self, position: int, count: int) -> bytes:
        at = bisect_right(self._starts, position) - 1
        stop = self._starts[at + 1] if at + 1 < len(self._starts) else self._size
        offset = self._offsets[at] + position - self._starts[at]
        return read_at(self._file, offset, min(count, stop - position))
