"""A file of which no more than a bound is read: tags may lie about their size."""

import io
import os
from typing import BinaryIO

MOST_BYTES = 64 << 20
_LEAST_BYTES = 256  # that a read counts as: what is read in small pieces takes time rather than memory


class LimitedReader(io.RawIOBase):
    """A file, or a file from some byte on, that raises an error once too much of it is read.

    It keeps the first error of the disk, which a parser may take for damage or for the end of the file.
    """

    def __init__(self, file: BinaryIO, most_bytes: int = MOST_BYTES, *, start: int = 0) -> None:
        """Start at the beginning, which is byte `start` of the file."""
        super().__init__()
        self._file, self._left, self._start = file, most_bytes, start
        self.error: OSError | None = None
        file.seek(start)

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def seekable(self) -> bool:
        """Return that it can be moved in."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Read up to `size` bytes.

        Raises
        ------
        ValueError
            If more than `most_bytes` were read in total.
        """
        try:
            data = self._file.read(self._left + 1 if size < 0 else min(size, self._left + 1))
        except OSError as error:
            self.error = self.error or error
            raise
        self._left -= max(len(data), _LEAST_BYTES)
        if self._left < 0:
            msg = "too large for a tag"
            raise ValueError(msg)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move; this does not count."""
        at = self._file.seek(offset + self._start if whence == os.SEEK_SET else offset, whence)
        return at - self._start

    def tell(self) -> int:
        """Return the position."""
        return self._file.tell() - self._start
