"""Files on disks that are slow, or that fail."""

import errno
import io
import os

PASSING = (
    errno.EIO,
    errno.ESTALE,
    errno.EMFILE,
    errno.ENFILE,
    errno.ENOMEM,
    errno.ETIMEDOUT,
    errno.ENODEV,
    errno.ENOTCONN,
)


class FailingFile(io.BytesIO):
    """A file that cannot be read from some byte on.

    Parameters
    ----------
    data : bytes
        Its content.
    good_bytes : int
        How many of its first bytes can be read.
    number : int
        The error's, as in `errno`.
    """

    def __init__(self, data: bytes, *, good_bytes: int, number: int = errno.EIO) -> None:
        super().__init__(data)
        self._good_bytes, self._number = good_bytes, number

    def read(self, size: int | None = -1, /) -> bytes:
        start = self.tell()
        data = super().read(size)
        if data and start + len(data) > self._good_bytes:
            raise OSError(self._number, os.strerror(self._number))
        return data
