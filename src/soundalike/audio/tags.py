"""Reading tags, which are untrusted text, safely."""

import io
import os
from typing import BinaryIO, cast

from tinytag import TinyTag

from soundalike.audio.tag_fields import tags_of
from soundalike.domain.tags import Tags

MOST_BYTES = 64 << 20


def read_tinytag(file: BinaryIO, *, has_images: bool) -> TinyTag:
    """Read a file's tags from its start, in bounded memory; raises any error of the parser."""
    rationed = cast("BinaryIO", LimitedReader(file))  # it has all methods that tinytag calls
    return TinyTag.get(file_obj=rationed, tags=True, duration=False, image=has_images)


def read_tags(file: BinaryIO) -> Tags:
    """Read a file's tags; empty tags if they cannot be read, since the audio may still be good."""
    try:
        return tags_of(read_tinytag(file, has_images=False))
    except Exception:  # noqa: BLE001 - hostile tags make a parser raise anything; the audio is still used
        return Tags()


class LimitedReader(io.RawIOBase):
    """A file that raises an error once too much of it is read: tags may lie about their size."""

    def __init__(self, file: BinaryIO, most_bytes: int = MOST_BYTES) -> None:
        """Start at the beginning."""
        super().__init__()
        self._file, self._left = file, most_bytes
        file.seek(0)

    def read(self, size: int = -1) -> bytes:
        """Read up to `size` bytes.

        Raises
        ------
        ValueError
            If more than `most_bytes` were read in total.
        """
        data = self._file.read(self._left + 1 if size < 0 else min(size, self._left + 1))
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
