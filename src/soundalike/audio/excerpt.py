"""The excerpt of a track that is analysed: its middle as mono at the rates asked for, in bounded memory.

Where the middle is silent, the loudest stretch nearest to it is taken; where channels cancel, one of them.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import numpy as np

from soundalike.audio.decoders.decoder import Decoder
from soundalike.audio.decoders.extent import Extent, extent_of, measure, tolerance
from soundalike.audio.errors import UnusableAudioError
from soundalike.audio.features.extractor import Window
from soundalike.audio.loudness import Loudness, loudest_stretch
from soundalike.domain.files import ProblemReason
from soundalike.domain.types import DurationMs, FloatArray

MOST_AMPLITUDE = 4.0
LEAST_PEAK = 1e-4
LEAST_MS = 1_000
LEAST_TRUNCATED_MS = 3_000
_FEW_CHANNELS = 8


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The part of a track that is analysed.

    Parameters
    ----------
    signals : mapping of int to FloatArray, shape (samples,)
        The excerpt at each rate that was asked for; mono, finite.
    start_ms, analysed_ms, duration_ms : DurationMs
        Where the excerpt begins, its length, and that of the whole track.
    is_truncated : bool
        The header promised more than there is.
    """

    signals: Mapping[int, FloatArray]
    start_ms: DurationMs
    analysed_ms: DurationMs
    duration_ms: DurationMs
    is_truncated: bool


def read_excerpt(decoder: Decoder, window: Window, rates: Collection[int]) -> Excerpt:
    """Decode the excerpt of a track for all rates: all of a short one, the middle of a longer one.

    Parameters
    ----------
    decoder : Decoder
        Of the track.
    window : Window
        How much of the middle.
    rates : collection of int
        In samples per second.

    Raises
    ------
    UnusableAudioError
        If it is too short, has absurd samples or is silent.
    """
    limit = window * decoder.rate
    reading, extent = _middle(decoder, limit, rates)
    if reading.loudness.is_silent and extent.frames > limit:
        start, frames = loudest_stretch(decoder, limit, near=reading.start)
        is_truncated = extent.is_truncated or extent_of(decoder, frames).is_truncated
        extent = Extent(frames, is_truncated)
        if start != reading.start:
            reading = _read(decoder, start, limit, rates)
    channel = reading.loudness.audible_channel
    if channel is not None:
        reading = _read(decoder, reading.start, limit, rates, channel)
    start_ms, analysed_ms, duration_ms = (
        _ms(frames, decoder) for frames in (reading.start, reading.frames, max(extent.frames, reading.frames))
    )
    excerpt = Excerpt(reading.signals, start_ms, analysed_ms, duration_ms, extent.is_truncated)
    _check(excerpt)
    return excerpt


@dataclass(frozen=True, slots=True)
class _Reading:
    """A stretch of a track: its signals by rate, where it is, and how loud it is."""

    signals: Mapping[int, FloatArray]
    start: int
    frames: int
    loudness: Loudness


def _middle(decoder: Decoder, limit: int, rates: Collection[int]) -> tuple[_Reading, Extent]:
    """Read the middle of a track, as long as it really is."""
    claimed = decoder.frames
    is_short = claimed is not None and claimed <= limit
    extent = Extent(claimed or 0, is_truncated=False) if is_short else measure(decoder)
    reading = _read(decoder, max(0, (extent.frames - limit) // 2), limit, rates)
    if is_short:
        extent = extent_of(decoder, reading.frames)
    elif reading.frames < min(limit, extent.frames) - tolerance(decoder):
        # A hole between start and end: use what can be reached from the start.
        extent = Extent(sum(len(block) for block in decoder.blocks(0)), is_truncated=True)
        reading = _read(decoder, max(0, (extent.frames - limit) // 2), limit, rates)
    return reading, extent


def _check(excerpt: Excerpt) -> None:
    if excerpt.is_truncated and excerpt.analysed_ms < LEAST_TRUNCATED_MS:
        raise UnusableAudioError(ProblemReason.HEADER_TOO_LONG, "cut short or damaged", excerpt.analysed_ms)
    if excerpt.analysed_ms < LEAST_MS:
        raise UnusableAudioError(ProblemReason.TOO_SHORT, "", excerpt.analysed_ms)
    if all(np.abs(signal).max(initial=0) < LEAST_PEAK for signal in excerpt.signals.values()):
        raise UnusableAudioError(ProblemReason.SILENT, "", excerpt.analysed_ms)


def _read(
    decoder: Decoder, start: int, limit: int, rates: Collection[int], channel: int | None = None
) -> _Reading:
    """Read at most `limit` frames from `start` on at each rate: the mean of the channels, or one of them."""
    streams = [_resampler(decoder.rate, rate) for rate in rates]
    pieces: list[list[FloatArray]] = [[] for _ in rates]
    loudness, done = Loudness(), 0

    def resample(part: FloatArray, *, is_last: bool) -> None:
        for to_rate, signal in zip(streams, pieces, strict=True):
            signal.append(to_rate(part, is_last))

    for block in decoder.blocks(start):
        part = block[: limit - done]
        done += len(part)
        _require_sane(part, _ms(done, decoder))
        mono = _mono(part) if channel is None else np.array(part[:, min(channel, part.shape[1] - 1)])
        loudness.add(part, mono)
        resample(mono, is_last=done == limit)
        if done == limit:
            break
    else:
        resample(np.empty(0, np.float32), is_last=True)
    signals = {rate: np.concatenate(signal) for rate, signal in zip(rates, pieces, strict=True)}
    return _Reading(signals, start, done, loudness)


def _resampler(own: int, wanted: int) -> Callable[[FloatArray, bool], FloatArray]:
    """Return a function from (block, is it the last) at one rate to that block at another."""
    if own == wanted:
        return lambda block, _is_last: block
    import soxr  # noqa: PLC0415 - only workers load it

    try:
        stream = soxr.ResampleStream(own, wanted, 1, dtype="float32", quality="HQ")
    except (ValueError, RuntimeError) as error:
        msg = f"a sample rate of {own} Hz"
        raise UnusableAudioError(ProblemReason.UNSUPPORTED_CODEC, msg) from error
    return lambda block, is_last: stream.resample_chunk(block, last=is_last)


def _mono(block: FloatArray) -> FloatArray:
    """Return the mean of the channels; adding a few columns is faster than NumPy's mean over rows."""
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
    if not peak <= MOST_AMPLITUDE:  # also if it is NaN
        what = f"a sample of amplitude {peak:.3g}"
        raise UnusableAudioError(ProblemReason.ABSURD_SAMPLES, what, analysed_ms)


def _ms(frames: int, decoder: Decoder) -> DurationMs:
    return DurationMs(frames * 1_000 // max(1, decoder.rate))
