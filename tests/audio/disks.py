"""Files on disks that are slow, or that fail."""

import errno
import io
import os
import time
from pathlib import Path
from typing import BinaryIO, cast

DRIP_S = 0.04
STUCK_AFTER_BYTES = 100_000
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


class SlowFile(io.BytesIO):
    """A file on a disk that gives so many bytes a second, by a clock that a test reads.

    Parameters
    ----------
    data : bytes
        Its content.
    bytes_per_s : float
        How fast the disk is.
    """

    def __init__(self, data: bytes, *, bytes_per_s: float) -> None:
        super().__init__(data)
        self._bytes_per_s = bytes_per_s
        self.now_s = 0.0
        self.read_bytes = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.read_bytes += len(data)
        self.now_s += len(data) / self._bytes_per_s
        return data


class DrippingFile(io.FileIO):
    """A file on a disk that takes its time for every read; a worker imports what opens one."""

    def read(self, size: int | None = -1, /) -> bytes:
        time.sleep(DRIP_S)
        return super().read(size) or b""


class StuckFile(io.FileIO):
    """A file on a disk that gives its beginning and then never answers again."""

    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell() > STUCK_AFTER_BYTES:
            time.sleep(3_600)
        return super().read(size) or b""


def open_dripping(real_path: Path) -> BinaryIO:
    return cast("BinaryIO", DrippingFile(real_path))


def open_stuck(real_path: Path) -> BinaryIO:
    return cast("BinaryIO", StuckFile(real_path))


def open_never(real_path: Path) -> BinaryIO:
    """Wait for ever, as a mount does whose server is gone."""
    time.sleep(3_600)
    return real_path.open("rb")
