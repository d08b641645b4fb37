"""Reading tags, which are untrusted text, safely."""

import io
import os
import re
import unicodedata
from typing import BinaryIO, cast

from tinytag import TinyTag

from soundalike.domain.tags import Tags

MOST_CHARACTERS = 1_000
MOST_BYTES = 64 << 20
_LAST_YEAR = 9_999
_YEAR = re.compile(r"(?<!\d)\d{4}(?!\d)")


def read_tinytag(file: BinaryIO, *, has_images: bool) -> TinyTag:
    """Read a file's tags from its start, in bounded memory; raises any error of the parser."""
    rationed = cast("BinaryIO", LimitedReader(file))  # it has all methods that tinytag calls
    return TinyTag.get(file_obj=rationed, tags=True, duration=False, image=has_images)


def read_tags(file: BinaryIO) -> Tags:
    """Read a file's tags; empty tags if they cannot be read, since the audio may still be good."""
    try:
        found = read_tinytag(file, has_images=False)
    except Exception:  # noqa: BLE001 - hostile tags make a parser raise anything; the audio is still used
        return Tags()
    artist = _text(found.artist) or _text(found.albumartist)
    genre = _text(found.genre)
    return Tags(
        title=_text(found.title),
        artists=() if artist is None else (artist,),
        album=_text(found.album),
        genres=() if genre is None else (genre,),
        year=_year(_text(found.year)),
    )


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


def _text(value: object) -> str | None:
    """Strip, remove control characters and cut; None if nothing is left."""
    if not isinstance(value, str):
        return None
    kept = "".join(_plain(character) for character in value[: 4 * MOST_CHARACTERS])
    return " ".join(kept.split())[:MOST_CHARACTERS].strip() or None


def _plain(character: str) -> str:
    if character.isspace():
        return " "
    return "" if unicodedata.category(character) in {"Cc", "Cs", "Cn"} else character


def _year(text: str | None) -> int | None:
    """Return the first number of four digits, 1 to 9999."""
    match = _YEAR.search(text or "")
    year = int(match[0]) if match else 0
    return year if 1 <= year <= _LAST_YEAR else None
