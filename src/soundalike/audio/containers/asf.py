"""ASF (Windows Media): objects with a GUID and a length, one of which has the sound."""

from typing import BinaryIO

from soundalike.audio.containers.spans import Span, claimed_span, read_at, size_of
from soundalike.audio.containers.tagged import untagged_span

_DATA = bytes.fromhex("3626b2758e66cf11a6d900aa0062ce6c")
_HEAD_BYTES = 24
_MOST_OBJECTS = 10_000


def data_spans(file: BinaryIO) -> list[Span]:
    """Return the content of the data object; nothing if there is none."""
    size, offset = size_of(file), untagged_span(file).start
    for _ in range(_MOST_OBJECTS):
        head = read_at(file, offset, _HEAD_BYTES)
        claimed = int.from_bytes(head[16:], "little")
        if len(head) < _HEAD_BYTES or claimed < _HEAD_BYTES:
            break
        content = claimed_span(offset + _HEAD_BYTES, claimed - _HEAD_BYTES, size)
        if head.startswith(_DATA):
            return [content]
        offset = content.stop
    return []
