"""How long a file is at most, by its head: what a CUE sheet says is checked with it before a file is split.

Nothing is decoded, and a few reads have to do, since every scan asks for each image again.
"""

from typing import BinaryIO, Literal

from soundalike.audio.containers import mp4, riff
from soundalike.audio.containers.mpeg import find_chain, find_stream, length_header, mpeg_frame
from soundalike.audio.containers.spans import Span, read_at
from soundalike.audio.containers.tagged import untagged_span

_HEAD_BYTES = 64
_UNKNOWN = 0xFFFF_FFFF
_MPEG_PLACES, _MPEG_SEARCH_BYTES = 16, 8_192
# Of WavPack, by the number in a block's flags.
_WAVPACK_RATES = (
    *(6_000, 8_000, 9_600, 11_025, 12_000, 16_000, 22_050, 24_000),
    *(32_000, 44_100, 48_000, 64_000, 88_200, 96_000, 192_000),
)


def longest_s(file: BinaryIO) -> float | None:
    """Return how many seconds of sound a file has at most; None where its head does not say it.

    A file that is cut is as long as its head promises.
    """
    start = untagged_span(file).start
    head = read_at(file, start, _HEAD_BYTES)
    if head[4:8] == b"ftyp":
        return _of_mp4(file)
    match head[:4]:
        case b"RIFF" | b"RIFX" | b"RF64" | b"BW64":
            return _of_wav(file, "big" if head[:4] == b"RIFX" else "little")
        case b"FORM":
            return _of_aiff(file)
        case b"fLaC" | b"wvpk" | b"MAC " | b"TTA1":
            return _over(*_samples_and_rate(file, start, head))
        case _:
            return _of_mpeg(file)


def _samples_and_rate(file: BinaryIO, start: int, head: bytes) -> tuple[int, int]:
    """Read the head of FLAC, WavPack, True Audio, or Monkey's Audio since version 3.98."""
    match head[:4]:
        case b"fLaC":
            return _big(head[21:26]) & 0xF_FFFF_FFFF, _big(head[18:21]) >> 4
        case b"wvpk":
            rate = (_little(head[24:28]) >> 23) & 15
            return _little(head[12:16]), _WAVPACK_RATES[rate] if rate < len(_WAVPACK_RATES) else 0
        case b"TTA1":
            return _little(head[14:18]), _little(head[10:14])
    if _little(head[4:6]) < 3_980:  # noqa: PLR2004 - the format's own number
        return 0, 0
    described = read_at(file, start + _little(head[8:12]), 24)
    per_frame, in_last, frames = (_little(described[at : at + 4]) for at in (4, 8, 12))
    return (frames - 1) * per_frame + in_last if frames else 0, _little(described[20:24])


def _of_wav(file: BinaryIO, order: Literal["big", "little"]) -> float | None:
    bytes_per_s = 0
    for chunk in riff.chunks(file):
        if chunk.name == b"fmt ":
            bytes_per_s = int.from_bytes(read_at(file, chunk.span.start + 8, 4), order)
        elif chunk.name == b"data":
            return _over(chunk.claimed_bytes, bytes_per_s)
    return None


def _of_aiff(file: BinaryIO) -> float | None:
    for chunk in riff.chunks(file):
        if chunk.name == b"COMM":
            described = read_at(file, chunk.span.start, 18)
            exponent = (_big(described[8:10]) & 0x7FFF) - 16_383  # of an 80-bit number, as IEEE 754 has them
            rate = _big(described[10:18]) >> 63 - exponent if 0 <= exponent < 63 else 0  # noqa: PLR2004 - bits
            return _over(riff.claimed_frames(file) or 0, rate)
    return None


def _of_mp4(file: BinaryIO) -> float | None:
    for box in mp4.boxes(file):
        if box.name == b"moov":
            head = read_at(file, box.span.start, 48)
            if head[4:8] != b"mvhd":
                return None
            if head[8:9] == b"\1":  # its numbers have 64 bits
                return _over(_big(head[32:40]), _big(head[28:32]))
            return _over(_big(head[24:28]), _big(head[20:24]))
    return None


def _of_mpeg(file: BinaryIO) -> float | None:
    """Take the length that a header says if no other file is joined, else the lowest of some bit rates."""
    stream = find_stream(file, mpeg_frame)
    if stream is None:
        return None
    first = mpeg_frame(read_at(file, stream.start, 4))
    header = length_header(file, stream.start)
    said = 0.0
    if header is not None and first is not None and header.frames:
        said = header.frames * first.samples / first.rate
        if header.size_bytes and stream.size <= header.size_bytes * 1.1:
            return said
    rates = [rate for at in range(_MPEG_PLACES) if (rate := _bytes_per_s(file, stream, at))]
    return max(said, stream.size / min(rates)) if rates else None


def _bytes_per_s(file: BinaryIO, stream: Span, at: int) -> float | None:
    rest = Span(stream.start + stream.size * at // _MPEG_PLACES, stream.stop)
    found = find_chain(file, rest, mpeg_frame, _MPEG_SEARCH_BYTES)
    # The first may be a header, which is shorter or longer than those behind it.
    first = mpeg_frame(read_at(file, found.start, 4)) if found is not None else None
    second = mpeg_frame(read_at(file, found.start + first.length_bytes, 4)) if found and first else None
    return second.length_bytes * second.rate / second.samples if second else None


def _over(count: int, per_s: int) -> float | None:
    """Return a length in seconds; None if it is not known."""
    return count / per_s if per_s and 0 < count != _UNKNOWN else None


def _big(data: bytes) -> int:
    return int.from_bytes(data, "big")


def _little(data: bytes) -> int:
    return int.from_bytes(data, "little")
