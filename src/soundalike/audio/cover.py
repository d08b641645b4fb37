"""The picture in a track's tags; only its first bytes decide what it is."""

from typing import BinaryIO

from soundalike.audio.errors import is_passing
from soundalike.audio.tags import read_tinytag
from soundalike.domain.ports.audio import Cover

MOST_BYTES = 32 << 20


def read_cover(file: BinaryIO) -> Cover | None:
    """Return the embedded picture, the front cover first; None if a browser may show none.

    Raises
    ------
    OSError
        If the disk does not give the file at the moment.
    """
    try:
        images = read_tinytag(file, has_images=True).images.as_dict()
    except Exception as error:  # hostile tags make a parser raise anything; then there is no cover
        if is_passing(error):
            raise
        return None
    for image in (picture for pictures in images.values() for picture in pictures):
        media_type = picture_type(image.data or b"")
        if media_type is not None and len(image.data) <= MOST_BYTES:
            return Cover(media_type, bytes(image.data))
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
