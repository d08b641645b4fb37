"""A file as decoders see it: from an offset on, with other bytes in front where a header is repaired."""

import io
import os
from typing import Any, BinaryIO

from soundalike.audio.containers.spans import read_at, size_of


class Spliced(io.RawIOBase):
    """A read-only file: some bytes, then another file from an offset on.

    Its methods raise nothing, since decoders call them from C: a place that a damaged file names is moved
    into the file, and a disk that fails ends it. Whoever opened the file knows of that (`observed_file`).
    """

    def __init__(self, prefix: bytes, file: BinaryIO, offset: int) -> None:
        """Start at the beginning."""
        super().__init__()
        self._prefix, self._file, self._offset = prefix, file, offset
        self._size = len(prefix) + max(0, size_of(file) - offset)
        self._position = 0

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
        if self._position < len(self._prefix):
            data = self._prefix[self._position : self._position + len(view)]
        else:
            try:
                data = read_at(self._file, self._offset + self._position - len(self._prefix), len(view))
            except OSError:
                return 0
        view[: len(data)] = data
        self._position += len(data)
        return len(data)
