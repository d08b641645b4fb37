"""WAV (RIFF, RIFX, RF64, BW64) and AIFF: named chunks with a length before each."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Literal

from soundalike.audio.containers.spans import Piece, Span, claimed_span, read_at, size_of
from soundalike.audio.containers.tagged import untagged_span

_MOST_CHUNKS = 10_000
_NAME = re.compile(rb"[A-Za-z][A-Za-z0-9]{2}[A-Za-z0-9 ]")
# A program that writes to a pipe cannot know the length, and writes one of these (or 0).
_UNKNOWN_FROM = 0x7FFF_0000
_MOST_HEADER_BYTES = 64 << 20  # it is copied into memory


@dataclass(frozen=True, slots=True)
class Chunk:
    """One chunk: its name, its content as far as the file goes, and the length it claims."""

    name: bytes
    span: Span
    claimed_bytes: int

    @property
    def is_cut(self) -> bool:
        """Whether it claims more than the file has."""
        return self.claimed_bytes > self.span.size


def chunks(file: BinaryIO) -> Iterator[Chunk]:
    """Yield the chunks of a WAV or AIFF file, behind a tag."""
    start, size, ds64_data = untagged_span(file).start, size_of(file), 0
    offset = start + 12
    order: Literal["big", "little"] = "big" if read_at(file, start, 4) in {b"FORM", b"RIFX"} else "little"
    for _ in range(_MOST_CHUNKS):
        header = read_at(file, offset, 8)
        if len(header) < 8:  # noqa: PLR2004 - name and length
            return
        name, claimed = header[:4], int.from_bytes(header[4:], order)
        if name == b"ds64":
            ds64_data = int.from_bytes(read_at(file, offset + 16, 8), "little")
        if name == b"data" and claimed == 0xFFFF_FFFF and ds64_data:  # noqa: PLR2004 - RF64: look in ds64
            claimed = ds64_data
        elif name == b"data" and (claimed == 0 or claimed >= _UNKNOWN_FROM):
            claimed = max(0, size - offset - 8)
        span = claimed_span(offset + 8, claimed, size)
        yield Chunk(name, span, claimed)
        # Some write no padding behind an odd length.
        is_padded = claimed % 2 and not _NAME.fullmatch(read_at(file, span.stop, 4))
        offset = span.stop + bool(is_padded)


def sound_spans(file: BinaryIO) -> list[Span]:
    """Return the chunks that describe and contain the audio."""
    return [chunk.span for chunk in chunks(file) if chunk.name in {b"fmt ", b"data", b"COMM", b"SSND"}]


def cut_ratio(file: BinaryIO) -> float:
    """Return how many times longer the audio claims to be than the file is; 1 if it is complete."""
    for chunk in chunks(file):
        if chunk.name in {b"data", b"SSND"} and chunk.is_cut and chunk.claimed_bytes < 1 << 62:
            return chunk.claimed_bytes / max(1, chunk.span.size)
    return 1.0


def claimed_frames(file: BinaryIO) -> int | None:
    """Return the number of sample frames that an AIFF's COMM chunk claims."""
    for chunk in chunks(file):
        if chunk.name == b"COMM":
            frames = int.from_bytes(read_at(file, chunk.span.start + 2, 4), "big")
            return frames if 0 < frames < _UNKNOWN_FROM else None
    return None


def repaired(file: BinaryIO) -> Piece:
    """Return a WAV file with the header that libsndfile needs.

    It believes a claim of 0 bytes, so a data chunk that claims none is open-ended; and it knows BW64 by its
    older name alone, RF64.
    """
    whole = Piece(b"", Span(untagged_span(file).start, size_of(file)))
    if read_at(file, whole.span.start, 4) == b"BW64":
        whole = Piece(b"RF64", Span(whole.span.start + 4, whole.span.stop))
    for chunk in chunks(file):
        if chunk.name == b"data":
            start = chunk.span.start
            is_unclaimed = chunk.claimed_bytes and read_at(file, start - 4, 4) == bytes(4)
            if is_unclaimed and start <= _MOST_HEADER_BYTES:
                head = whole.prefix + read_at(file, whole.span.start, start - 4 - whole.span.start)
                return Piece(head + b"\xff" * 4, Span(start, whole.span.stop))
            break
    return whole
