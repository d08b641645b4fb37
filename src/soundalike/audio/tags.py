"""Reading tags, which are untrusted text, safely."""

from dataclasses import replace
from typing import BinaryIO

from soundalike.audio.tag_fields import tags_of
from soundalike.audio.tagging.reading import tag_sources
from soundalike.domain.tags import Tags


def read_tags(file: BinaryIO) -> Tags:
    """Read a file's tags; empty tags if they cannot be read, since the audio may still be good.

    Raises
    ------
    OSError
        If the disk does not give the file at the moment: it may have tags.
    """
    tags = Tags()
    for source in tag_sources(file):
        tags = tags.over(tags_of(source))
    if not tags.artists and tags.album_artist is not None:
        return replace(tags, artists=(tags.album_artist,))
    return tags
