"""FLAC: STREAMINFO, other metadata blocks, frames."""

from typing import BinaryIO

from soundalike.audio.containers.spans import Span, claimed_span, read_at
from soundalike.audio.containers.tagged import untagged_span

_MOST_BLOCKS = 10_000


def flac_spans(file: BinaryIO) -> list[Span]:
    """Return STREAMINFO and the frames; nothing if it is not a FLAC stream."""
    whole = untagged_span(file)
    if read_at(file, whole.start, 4) != b"fLaC":
        return []
    spans: list[Span] = []
    offset = whole.start + 4
    for _ in range(_MOST_BLOCKS):
        header = read_at(file, offset, 4)
        if len(header) < 4:  # noqa: PLR2004 - cut inside the metadata
            return spans
        block = claimed_span(offset + 4, int.from_bytes(header[1:], "big"), whole.stop)
        if header[0] & 0x7F == 0:
            spans.append(block)
        offset = block.stop
        if header[0] & 0x80:
            break
    return [*spans, Span(offset, whole.stop)]


def bits_per_sample(file: BinaryIO) -> int | None:
    """Return how many bits a sample has by STREAMINFO; None if there is none."""
    info = next(iter(flac_spans(file)), None)
    data = read_at(file, info.start, 14) if info is not None else b""
    return ((data[12] & 1) << 4 | data[13] >> 4) + 1 if len(data) == 14 else None  # noqa: PLR2004 - a part of STREAMINFO
