"""DSF and DFF (DSD audio), which have an ID3v2 tag of their own at the end or in a chunk.

Sony's "DSF File Format Specification"; Philips' "DSDIFF", with the chunk that programs added to it.
"""

from collections.abc import Iterator
from typing import BinaryIO

from soundalike.audio.containers.spans import Span, claimed_span, read_at, size_of

MARKS = (b"DSD ", b"FRM8")
_DSF_HEAD_BYTES, _DFF_HEAD_BYTES, _CHUNK_HEAD_BYTES = 28, 16, 12
_MOST_CHUNKS = 10_000


def tag_spans(file: BinaryIO) -> list[Span]:
    """Return where the ID3v2 tags of a DSF or DFF file are; nothing of any other file."""
    head = read_at(file, 0, _DSF_HEAD_BYTES)
    if head.startswith(b"FRM8"):
        return [content for name, _, content in _chunks(file) if name == b"ID3 "]
    start = int.from_bytes(head[20:], "little") if head.startswith(b"DSD ") else 0
    span = claimed_span(start, size_of(file), size_of(file))
    is_tag = start >= _DSF_HEAD_BYTES and read_at(file, span.start, 3) == b"ID3"
    return [span] if is_tag else []


def untagged(file: BinaryIO) -> tuple[bytes, list[Span]] | None:
    """Return head and rest of what a DSF or DFF file was before it was tagged; None if it is not."""
    tags = tag_spans(file)
    if not tags:
        return None
    if read_at(file, 0, 4) == b"DSD ":
        stop = tags[0].start
        return read_at(file, 0, 12) + stop.to_bytes(8, "little") + bytes(8), [Span(_DSF_HEAD_BYTES, stop)]
    chunks = list(_chunks(file))
    left = [whole for name, whole, _ in chunks if name != b"ID3 "]
    size = int.from_bytes(read_at(file, 4, 8), "big") - sum(
        whole.size for name, whole, _ in chunks if name == b"ID3 "
    )
    return b"FRM8" + max(0, size).to_bytes(8, "big") + read_at(file, 12, 4), left


def _chunks(file: BinaryIO) -> Iterator[tuple[bytes, Span, Span]]:
    """Yield name, whole and content of each chunk of a DFF file."""
    size, offset = size_of(file), _DFF_HEAD_BYTES
    for _ in range(_MOST_CHUNKS):
        head = read_at(file, offset, _CHUNK_HEAD_BYTES)
        if len(head) < _CHUNK_HEAD_BYTES:
            return
        claimed = int.from_bytes(head[4:], "big")
        content = claimed_span(offset + _CHUNK_HEAD_BYTES, claimed, size)
        stop = min(content.stop + claimed % 2, size)
        yield head[:4], Span(offset, stop), content
        offset = stop
