"""MPEG audio as pieces: files that were joined are split again, each with a header that counts its frames.

Decoders believe the first such header, and end there.
"""

from dataclasses import dataclass
from typing import BinaryIO

from soundalike.audio.containers.mpeg import (
    LENGTH_HEADER_BYTES,
    Frame,
    LengthHeader,
    find_chain,
    find_stream,
    is_chain,
    is_length_header,
    length_header,
    made_length_header,
    mpeg_frame,
)
from soundalike.audio.containers.spans import CHUNK_BYTES, Piece, Span, read_at, size_of
from soundalike.audio.containers.tagged import skip_joint

_LEAST_MORE = 8  # frames that must follow those that were counted, to be another file's
_GAP_SEARCH_BYTES = 1 << 20
_MOST_GAPS = 64
_MOST_PIECES = 1_000
_RESYNC_BYTES = 1_024  # of a gap; behind a wider one libsndfile gives up
_TOLERANCE_BYTES = 4_096  # by which a header may be wrong about the length: three frames
_TOLERANCE = 0.02  # by which the mean length of frames of one bit rate may be wrong
_LEAST_KBPS, _MOST_KBPS = 8, 320  # of layer III
_TAGS = (b"ID3", b"TAG", b"APETAGEX", b"LYRICSBEGIN", b"3DI")


@dataclass(slots=True)
class _Found:
    """One of the joined files: where it begins, what its header says, its frames so far."""

    start: int
    header: LengthHeader | None
    frames: int = 0
    is_passed: bool = False
    """Whether it has a few more frames than its header counts."""

    @property
    def left(self) -> int | None:
        """How many frames may follow by its header; None if it says nothing."""
        if self.header is None or not self.header.frames or self.is_passed:
            return None
        return self.header.frames + 1 - self.frames


@dataclass(frozen=True, slots=True)
class _Run:
    """Frames that follow each other without a gap, and why they end."""

    frames: int
    last: int
    stop: int
    is_at_header: bool = False
    is_counted: bool = False


@dataclass(frozen=True, slots=True)
class MpegPiece:
    """A piece of MPEG audio, and how many samples it promises, if decoders do not know that themselves."""

    piece: Piece
    promised_samples: int | None


def mpeg_pieces(file: BinaryIO, *, is_header_believed: bool = True) -> list[MpegPiece]:
    """Return what is to be decoded one after another; one piece of a file that was not joined.

    Parameters
    ----------
    file : BinaryIO
        Any file.
    is_header_believed : bool
        Whether only files whose header is wrong about their length, or that have none, are read through. A
        hole in a file does not change its length.
    """
    stream = find_stream(file, mpeg_frame)
    if stream is None:
        return []
    found = [_Found(stream.start, length_header(file, stream.start))]
    if not (is_header_believed and _is_complete(file, stream, found[0].header)):
        found = _split(file, stream)
    stops = [*(each.start for each in found[1:]), size_of(file)]
    return [_piece(file, each, stop) for each, stop in zip(found, stops, strict=True)]


def _is_complete(file: BinaryIO, stream: Span, header: LengthHeader | None) -> bool:
    if header is None or not header.is_xing or not header.frames or header.size_bytes is None:
        return False
    is_as_long = abs(header.size_bytes - stream.size) <= _TOLERANCE_BYTES
    return is_as_long and _is_likely(file, stream, header)


def _is_likely(file: BinaryIO, stream: Span, header: LengthHeader) -> bool:
    """Whether frames have the length that they have if there are as many as a header counts."""
    first = mpeg_frame(read_at(file, stream.start, 4))
    second = first and mpeg_frame(read_at(file, stream.start + first.length_bytes, 4))
    if first is None or second is None:
        return True
    mean = (stream.size - first.length_bytes) / header.frames
    bytes_per_kbps = second.samples / 8 * 1_000 / second.rate
    if header.is_constant:
        return abs(mean - second.length_bytes) <= 1 + second.length_bytes * _TOLERANCE
    return _LEAST_KBPS * bytes_per_kbps - 1 <= mean <= _MOST_KBPS * bytes_per_kbps + 1


def _piece(file: BinaryIO, found: _Found, stop: int) -> MpegPiece:
    span, header = Span(found.start, stop), found.header
    if header is not None and header.is_xing and header.frames:
        return MpegPiece(Piece(b"", span), None)
    frame = mpeg_frame(read_at(file, found.start, 4))
    samples = header.frames * frame.samples if header is not None and frame is not None else None
    return MpegPiece(Piece(made_length_header(file, found.start, found.frames), span), samples)


def _split(file: BinaryIO, stream: Span) -> list[_Found]:
    """Walk over all frames; headers that count them, tags and other rates between them begin another file.

    So does what follows a wide gap: decoders end there.
    """
    found = [_Found(stream.start, length_header(file, stream.start))]
    rest, gaps = stream, 0
    while gaps < _MOST_GAPS and len(found) < _MOST_PIECES:
        run = _count_run(file, rest, found[-1].left)
        found[-1].frames += run.frames
        rest = Span(run.stop, stream.stop)
        is_another = run.is_at_header
        if run.is_counted:
            is_another = is_chain(file, rest, mpeg_frame, _LEAST_MORE)
            found[-1].is_passed = True
        elif not run.is_at_header:
            behind = _behind_gap(file, run, rest)
            if behind is None:
                break
            is_another = _is_joint(file, run.stop, behind.start)
            gaps, rest = gaps + (not is_another), behind
            is_another = is_another or behind.start - run.stop > _RESYNC_BYTES
        if is_another:
            found.append(_Found(rest.start, length_header(file, rest.start)))
    return found


def _count_run(file: BinaryIO, stream: Span, most: int | None) -> _Run:
    """Count frames from the stream's start to the first gap, header or other rate, at most so many."""
    count, last, offset, base, data = 0, stream.start, stream.start, stream.start, b""
    first: Frame | None = None
    while offset + 4 <= stream.stop:
        if offset - base + LENGTH_HEADER_BYTES > len(data):
            base, data = offset, read_at(file, offset, CHUNK_BYTES)
        head = data[offset - base : offset - base + LENGTH_HEADER_BYTES]
        frame = mpeg_frame(head)
        if frame is None:
            break
        first = first or frame
        is_other = (frame.kind, frame.side_bytes) != (first.kind, first.side_bytes)
        is_joint = is_other and is_chain(file, Span(offset, stream.stop), mpeg_frame, _LEAST_MORE)
        if count and (is_joint or is_length_header(head, frame)):
            return _Run(count, last, offset, is_at_header=True)
        if most is not None and count >= most:
            return _Run(count, last, offset, is_counted=True)
        count, last, offset = count + 1, offset, offset + frame.length_bytes
    return _Run(count, last, min(offset, stream.stop))


def _behind_gap(file: BinaryIO, run: _Run, rest: Span) -> Span | None:
    """Return the rest from the next frames on, or None.

    The last frame may be cut, and what it claims belong to the next file already: so a header that is in it
    comes first.
    """
    behind = Span(skip_joint(file, rest.start, rest.stop), rest.stop)
    found = find_chain(file, behind, mpeg_frame, _GAP_SEARCH_BYTES)
    if found is None:
        found = find_chain(file, rest, mpeg_frame, _GAP_SEARCH_BYTES)
    overlap = find_chain(file, Span(run.last + 4, rest.stop), mpeg_frame, rest.start - run.last)
    is_first = overlap is not None and length_header(file, overlap.start) is not None
    return overlap if is_first else found


def _is_joint(file: BinaryIO, gap: int, start: int) -> bool:
    return read_at(file, gap, 16).startswith(_TAGS) or length_header(file, start) is not None
