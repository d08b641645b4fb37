"""The picture in a track's tags; only its first bytes decide what it is."""

from typing import BinaryIO

from soundalike.audio.tagging.reading import tag_sources
from soundalike.audio.tagging.source import FRONT_COVER
from soundalike.domain.ports.audio import Cover

MOST_BYTES = 32 << 20


def read_cover(file: BinaryIO) -> Cover | None:
    """Return the embedded picture, the front cover first; None if a browser may show none.

    Raises
    ------
    OSError
        If the disk does not give the file at the moment.
    """
    pictures = [one for source in tag_sources(file, wants_pictures=True) for one in source.pictures]
    for picture in sorted(pictures, key=lambda one: one.kind != FRONT_COVER):
        media_type = picture_type(picture.data)
        if media_type is not None and len(picture.data) <= MOST_BYTES:
            return Cover(media_type, picture.data)
    return None


def picture_type(data: bytes) -> str | None:
    """Return a picture's media type by its first bytes; None if a browser should not get it."""
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    return "image/webp" if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else None
