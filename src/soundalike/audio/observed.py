"""Reading and decoding as they are observed: what was done so far, and errors that decoders pass over."""

import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from soundalike.audio.decoders.decoder import Decoder
from soundalike.domain.types import FloatArray

OpenFile = Callable[[Path], BinaryIO]

_MOST_READ_BYTES = 1 << 16  # a read that a slow disk, too, ends soon


@dataclass(slots=True)
class Activity:
    """What has been done so far; as long as it changes, nothing hangs.

    Parameters
    ----------
    reads, read_bytes : int
        Reads that were begun, and what they gave.
    frames : int
        Frames that were decoded.
    is_reading : bool
        Whether the disk has been asked and has not answered yet.
    """

    reads: int = 0
    read_bytes: int = 0
    frames: int = 0
    is_reading: bool = False

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Ask the disk for something inside the block."""
        self.reads += 1
        self.is_reading = True
        try:
            yield
        finally:
            self.is_reading = False


@contextmanager
def observed_file(real_path: Path, open_file: OpenFile, activity: Activity) -> Iterator[BinaryIO]:
    """Open a file, and count what is read of it; close it in the end.

    Decoders take a disk that fails for the end of the file, and parsers for damage. So whatever the block
    made of it, the first error of the disk is raised at its end.

    Parameters
    ----------
    real_path : Path
        Absolute and without links.
    open_file : callable
        Opens it.
    activity : Activity
        Counts.

    Raises
    ------
    OSError
        If it cannot be opened, or was not read to the end of what was asked.
    """
    with activity.reading():
        file = open_file(real_path)
    with file:
        raw = _ObservedFile(file, activity)
        try:
            yield cast("BinaryIO", io.BufferedReader(raw))
        finally:
            if raw.error is not None:
                raise raw.error


class _ObservedFile(io.RawIOBase):
    """A file that counts what is read of it, and keeps its first error."""

    def __init__(self, file: BinaryIO, activity: Activity) -> None:
        super().__init__()
        self._file, self._activity = file, activity
        self.error: OSError | None = None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - any writable buffer
        view = memoryview(buffer).cast("B")[:_MOST_READ_BYTES]
        with self._activity.reading():
            try:
                data = self._file.read(len(view))
            except OSError as error:
                self.error = self.error or error
                raise
        view[: len(data)] = data
        self._activity.read_bytes += len(data)
        return len(data)


class ObservedDecoder:
    """Counts the frames that another decoder decodes; a `Decoder`."""

    def __init__(self, decoder: Decoder, activity: Activity) -> None:
        """Count nothing yet."""
        self._decoder, self._activity = decoder, activity
        self.rate = decoder.rate
        self.frames = decoder.frames
        self.promised_frames = decoder.promised_frames

    def blocks(self, start: int) -> Iterator[FloatArray]:
        """Yield blocks; see `Decoder`."""
        for block in self._decoder.blocks(start):
            self._activity.frames += len(block)
            yield block
