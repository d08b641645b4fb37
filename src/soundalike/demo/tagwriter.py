"""Adding tags to encoded audio, in three formats."""

from enum import StrEnum

from soundalike.demo.id3 import tag_mp3
from soundalike.demo.ogg import tag_ogg
from soundalike.demo.tags import TrackTags
from soundalike.demo.vorbis import tag_flac


class DemoFormat(StrEnum):
    """The formats of the demo library; each value is the file's extension."""

    MP3 = "mp3"
    FLAC = "flac"
    OGG = "ogg"


def tag(audio: bytes, tags: TrackTags, *, container: DemoFormat, serial: int = 0) -> bytes:
    """Return `audio` with these tags; decoded, it has the same samples.

    Raises
    ------
    ValueError
        If `audio` is not of this container, or a tag is too large for the format.
    """
    match container:
        case DemoFormat.MP3:
            return tag_mp3(audio, tags)
        case DemoFormat.FLAC:
            return tag_flac(audio, tags)
        case DemoFormat.OGG:
            return tag_ogg(audio, tags, serial=serial)
