"""CAF, AU and Wave64: how long their heads say that the sound is."""

from collections.abc import Iterator
from typing import BinaryIO, Literal

from soundalike.audio.containers.spans import Span, read_at
from soundalike.audio.containers.tagged import untagged_span

_MOST_CHUNKS = 10_000
_UNKNOWN_AU = 0xFFFF_FFFF  # what a program writes that cannot know the length
_MOST_BYTES = 1 << 62  # CAF's unknown length is -1


def cut_ratio(file: BinaryIO) -> float:
    """Return how many times longer the sound is said to be than the file is; 1 if it is complete."""
    span = untagged_span(file)
    for start, stated in _sound(file, span):
        there = span.stop - start
        return stated / there if 0 < there < stated < _MOST_BYTES else 1.0
    return 1.0


def _sound(file: BinaryIO, span: Span) -> Iterator[tuple[int, int]]:
    """Yield where the sound begins, and how many bytes it is said to have."""
    match read_at(file, span.start, 4):
        case b"caff":
            yield from _data(file, Span(span.start + 8, span.stop), name_bytes=4, order="big")
        case b"riff":
            yield from _data(file, Span(span.start + 40, span.stop), name_bytes=16, order="little")
        case b".snd":
            start, stated = (int.from_bytes(read_at(file, span.start + at, 4), "big") for at in (4, 8))
            if stated != _UNKNOWN_AU:
                yield span.start + start, stated


def _data(
    file: BinaryIO, span: Span, *, name_bytes: int, order: Literal["big", "little"]
) -> Iterator[tuple[int, int]]:
    """Yield the chunk `data`; of Wave64 the size of a chunk includes its head, and is rounded up to 8."""
    at, is_wave64 = span.start, order == "little"
    for _ in range(_MOST_CHUNKS):
        head = read_at(file, at, name_bytes + 8)
        if len(head) < name_bytes + 8:
            return
        stated = int.from_bytes(head[name_bytes:], order) - (len(head) if is_wave64 else 0)
        at += len(head)
        if head.startswith(b"data"):
            yield at, stated
            return
        at += stated + (-stated % 8 if is_wave64 else 0)
        if stated < 0 or at > span.stop:
            return
