"""A file with other bytes in front, for headers that have to be repaired."""

import io
import os
from typing import Any, BinaryIO


class Spliced(io.RawIOBase):
    """A read-only file: some bytes, then another file from an offset on."""

    def __init__(self, prefix: bytes, file: BinaryIO, offset: int) -> None:
        """Start at the beginning."""
        super().__init__()
        self._prefix, self._file, self._offset = prefix, file, offset
        self._size = len(prefix) + max(0, file.seek(0, os.SEEK_END) - offset)
        self._position = 0

    def seekable(self) -> bool:
        """Yes."""
        return True

    def readable(self) -> bool:
        """Yes."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move, never before the start."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - any writable buffer
        """Read into a buffer; returns 0 at the end."""
        view = memoryview(buffer).cast("B")
        if self._position < len(self._prefix):
            data = self._prefix[self._position : self._position + len(view)]
        else:
            self._file.seek(self._offset + self._position - len(self._prefix))
            data = self._file.read(len(view))
        view[: len(data)] = data
        self._position += len(data)
        return len(data)
