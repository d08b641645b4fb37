"""From a source to its excerpt: 22,050 Hz mono of the middle 30 s, in bounded memory."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from soundalike.audio.errors import UnusableAudioError
from soundalike.audio.features import RATE
from soundalike.audio.sources import Source
from soundalike.domain.files import ProblemReason
from soundalike.domain.types import DurationMs, FloatArray

EXCERPT_S = 30
MOST_AMPLITUDE = 4.0
LEAST_PEAK = 1e-4
LEAST_MS = 1_000
LEAST_TRUNCATED_MS = 3_000
TOLERANCE_MS = 200  # encoders' delay and padding, and a last block that is lost with its end
_FEW_CHANNELS = 8


@dataclass(frozen=True, slots=True)
class Extent:
    """How long a track really is.

    Parameters
    ----------
    frames : int
        Of sound that can be decoded.
    is_truncated : bool
        The header promised more.
    """

    frames: int
    is_truncated: bool


@dataclass(frozen=True, slots=True)
class Excerpt:
    """What is heard of a track.

    Parameters
    ----------
    signal : FloatArray, shape (samples,)
        Mono, 22,050 Hz, finite.
    analysed_ms, duration_ms : DurationMs
        Length of the excerpt, and of the whole track.
    is_truncated : bool
        The header promised more than there is.
    """

    signal: FloatArray
    analysed_ms: DurationMs
    duration_ms: DurationMs
    is_truncated: bool


def measure(source: Source) -> Extent:
    """Find out how long a track is without believing its header: try its end, else count.

    The end is cheap to reach in all formats; only where nothing sounds there, or the length is
    unknown, is the whole decoded and counted, block by block.
    """
    claimed = source.frames
    if claimed is not None and _reaches(source, claimed):
        frames = claimed
    else:
        frames = sum(len(block) for block in source.blocks(0))
    return Extent(frames, _falls_short(source, frames))


def hear(source: Source) -> Excerpt:
    """Decode the excerpt of a track: all of a short one, the middle 30 s of a longer one.

    Raises
    ------
    UnusableAudioError
        If there is too little, or it is absurd or silent.
    """
    limit = EXCERPT_S * source.rate
    claimed = source.frames
    is_short = claimed is not None and claimed <= limit
    extent = Extent(claimed or 0, is_truncated=False) if is_short else measure(source)
    signal, heard = _read(source, extent.frames, limit)
    if not is_short and heard < min(limit, extent.frames) - _tolerance(source):
        # A hole between start and end: hear what can be reached from the start.
        extent = Extent(sum(len(block) for block in source.blocks(0)), is_truncated=True)
        signal, heard = _read(source, extent.frames, limit)
    if is_short:
        extent = Extent(heard, _falls_short(source, heard))
    excerpt = Excerpt(signal, _ms(heard, source), _ms(max(extent.frames, heard), source), extent.is_truncated)
    _check(excerpt)
    return excerpt


def _check(excerpt: Excerpt) -> None:
    if excerpt.is_truncated and excerpt.analysed_ms < LEAST_TRUNCATED_MS:
        raise UnusableAudioError(ProblemReason.HEADER_TOO_LONG, "cut short or damaged", excerpt.analysed_ms)
    if excerpt.analysed_ms < LEAST_MS:
        raise UnusableAudioError(ProblemReason.TOO_SHORT, "", excerpt.analysed_ms)
    if np.abs(excerpt.signal).max(initial=0) < LEAST_PEAK:
        raise UnusableAudioError(ProblemReason.SILENT, "", excerpt.analysed_ms)


def _reaches(source: Source, frames: int) -> bool:
    """Tell whether the last second of the claimed length is there."""
    start = max(0, frames - source.rate)
    reached = start
    for block in source.blocks(start):
        reached += len(block)
        if reached >= frames:
            return True
    return reached > start and reached >= frames - _tolerance(source)


def _falls_short(source: Source, frames: int) -> bool:
    promised = source.promised_frames
    return promised is not None and frames < promised - _tolerance(source)


def _tolerance(source: Source) -> int:
    return source.rate * TOLERANCE_MS // 1_000


def _read(source: Source, frames: int, limit: int) -> tuple[FloatArray, int]:
    """Return the middle of a track at 22,050 Hz, and how many of its own frames that was."""
    to_rate, pieces, heard = _resampler(source.rate), [], 0
    for block in source.blocks(max(0, (frames - limit) // 2)):
        kept = block[: limit - heard]
        heard += len(kept)
        _require_sane(kept, _ms(heard, source))
        pieces.append(to_rate(_mono(kept), heard == limit))
        if heard == limit:
            break
    else:
        pieces.append(to_rate(np.empty(0, np.float32), True))  # noqa: FBT003 - soxr's own order
    return np.concatenate(pieces), heard


def _resampler(rate: int) -> Callable[[FloatArray, bool], FloatArray]:
    """Return a function from (block, is it the last) to that block at 22,050 Hz."""
    if rate == RATE:
        return lambda block, _is_last: block
    import soxr  # noqa: PLC0415 - workers alone pay for it

    try:
        stream = soxr.ResampleStream(rate, RATE, 1, dtype="float32", quality="HQ")
    except (ValueError, RuntimeError) as error:
        msg = f"a sample rate of {rate} Hz"
        raise UnusableAudioError(ProblemReason.UNSUPPORTED_CODEC, msg) from error
    return lambda block, is_last: stream.resample_chunk(block, last=is_last)


def _mono(block: FloatArray) -> FloatArray:
    """Mean of the channels; adding a few columns is faster than NumPy's mean over rows."""
    channels = block.shape[1]
    if channels > _FEW_CHANNELS:
        return np.asarray(block.mean(axis=1), dtype=np.float32)
    mono = np.array(block[:, 0])
    for channel in range(1, channels):
        mono += block[:, channel]
    mono *= np.float32(1 / channels)
    return mono


def _require_sane(block: FloatArray, analysed_ms: DurationMs) -> None:
    if not block.size:
        return
    peak = max(float(block.max()), -float(block.min()))
    if not peak <= MOST_AMPLITUDE:  # also where it is NaN
        what = f"a sample of amplitude {peak:.3g}"
        raise UnusableAudioError(ProblemReason.ABSURD_SAMPLES, what, analysed_ms)


def _ms(frames: int, source: Source) -> DurationMs:
    return DurationMs(frames * 1_000 // max(1, source.rate))
