"""Tags that libraries read: tinytag ASF, PyAV what is left."""

from collections.abc import Mapping
from typing import Any, BinaryIO, cast

from tinytag import TinyTag

from soundalike.audio.tagging.source import FRONT_COVER, Picture, TagSource
from soundalike.audio.tagging.text import decode_bytes

_FIELDS = ("title", "artist", "album", "albumartist", "genre", "year", "track", "disc")
_MOST_PROBED_BYTES = 1 << 20


def read_by_tinytag(file: BinaryIO, *, wants_pictures: bool) -> TagSource:
    """Read the tags of an ASF file; raises any error of the parser, or the disk's.

    Parameters
    ----------
    file : BinaryIO
        Any file.
    wants_pictures : bool
        Whether pictures are read too.
    """
    found = TinyTag.get(file_obj=file, tags=True, duration=False, image=wants_pictures)
    source, own = TagSource(), cast("Mapping[str, object]", vars(found))
    for name in _FIELDS:
        if isinstance(value := own.get(name), str | int):
            source.add(name, str(value))
    for name, values in found.other.items():
        source.add(name, *values)
    for name, pictures in found.images.as_dict().items():
        kind = FRONT_COVER if name == "front_cover" else 0
        source.pictures.extend(Picture(kind, bytes(one.data or b"")) for one in pictures)
    return source


def read_by_pyav(file: BinaryIO, demuxer: str) -> TagSource:
    """Read the tags that FFmpeg finds, without pictures; nothing if PyAV is not installed.

    Parameters
    ----------
    file : BinaryIO
        Any file.
    demuxer : str
        FFmpeg's name of its container.
    """
    source = TagSource()
    try:
        import av  # noqa: PLC0415 - an extra
    except ImportError:
        return source
    file.seek(0)
    options = {"probesize": str(_MOST_PROBED_BYTES), "analyzeduration": "0"}
    try:
        container: Any = av.open(
            file, mode="r", format=demuxer, metadata_errors="surrogateescape", container_options=options
        )
    except (av.FFmpegError, ValueError):  # among them one like the disk's, of a file that ends too early
        return source
    with container:
        for metadata in (container.metadata, *(stream.metadata for stream in container.streams.audio[:1])):
            for name, value in metadata.items():
                source.add(name, decode_bytes(value.encode("utf-8", "surrogateescape")))
    return source
