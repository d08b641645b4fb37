"""Reading tags, which are untrusted text, safely."""

import io
import os
from typing import BinaryIO, cast

from tinytag import TinyTag

from soundalike.audio.errors import is_passing
from soundalike.audio.tag_fields import tags_of
from soundalike.domain.tags import Tags

MOST_BYTES = 64 << 20


def read_tinytag(file: BinaryIO, *, has_images: bool) -> TinyTag:
    """Read a file's tags from its start, in bounded memory; raises any error of the parser, or the disk's."""
    limited = LimitedReader(file)
    try:
        # It has all methods that tinytag calls.
        return TinyTag.get(file_obj=cast("BinaryIO", limited), tags=True, duration=False, image=has_images)
    finally:
        if limited.error is not None:
            raise limited.error


def read_tags(file: BinaryIO) -> Tags:
    """Read a file's tags; empty tags if they cannot be read, since the audio may still be good.

    Raises
    ------
    OSError
        If the disk does not give the file at the moment: it may have tags.
    """
    try:
        return tags_of(read_tinytag(file, has_images=False))
    except Exception as error:  # hostile tags make a parser raise anything; the audio is still used
        if is_passing(error):
            raise
        return Tags()


class LimitedReader(io.RawIOBase):
    """A file that raises an error once too much of it is read: tags may lie about their size.

    It keeps the first error of the disk, which tinytag may take for damage or for the end of the file.
    """

    def __init__(self, file: BinaryIO, most_bytes: int = MOST_BYTES) -> None:
        """Start at the beginning."""
        super().__init__()
        self._file, self._left = file, most_bytes
        self.error: OSError | None = None
        file.seek(0)

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
        self._left -= len(data)
        if self._left < 0:
            msg = "too large for a tag"
            raise ValueError(msg)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move; this does not count."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return the position."""
        return self._file.tell()
