"""A stereo mix, echo, reverb, and the final loudness and peak."""

import numpy as np

from soundalike.demo.instruments import SAMPLE_RATE_HZ, draw_lines, samples
from soundalike.domain.types import FloatArray

PEAK = 10 ** (-1 / 20)
"""-1 dBFS: no sample exceeds it before encoding."""

_TARGET_RMS = 10 ** (-18 / 20)
_KNEE = 0.7
_ROOM_STEP = 4  # a room has no high frequencies: a quarter of the sample rate is enough
_TINY = 1e-9


class Mix:
    """Two channels that notes are placed on.

    Attributes
    ----------
    sound : FloatArray, shape (2, samples)
        Left and right.
    """

    def __init__(self, duration_s: float) -> None:
        """Start with silence."""
        self.sound: FloatArray = np.zeros((2, samples(duration_s)), dtype=np.float32)

    def place(self, sound: FloatArray, at_s: float, *, level: float = 1.0, pan: float = 0.0) -> None:
        """Add a mono sound; `pan` is -1 (left) to 1 (right) at equal power; it is cut off at the end."""
        first = max(0, round(at_s * SAMPLE_RATE_HZ))
        fitting = sound[: max(0, self.sound.shape[1] - first)]
        angle = (pan + 1) * np.pi / 4
        for channel, gain in zip(self.sound, (np.cos(angle), np.sin(angle)), strict=True):
            channel[first : first + fitting.size] += np.float32(level * gain) * fitting


def echo(sound: FloatArray, *, delay_s: float, feedback: float, times: int = 3) -> FloatArray:
    """Add repeats that swap sides and fade.

    Parameters
    ----------
    sound : FloatArray, shape (2, samples)
        A mix.
    delay_s : float
        Between repeats.
    feedback : float
        Level of each repeat relative to the one before.
    times : int
        How many repeats.
    """
    result = sound.copy()
    gain = np.float32(1.0)
    for repeat in range(1, times + 1):
        late = samples(delay_s * repeat)
        gain *= np.float32(feedback)
        if late < sound.shape[1]:
            source = sound[::-1] if repeat % 2 else sound
            result[:, late:] += gain * source[:, :-late]
    return result


def reverb(
    sound: FloatArray, rng: np.random.Generator, *, seconds: float, wet: float, damping_hz: float = 4_000.0
) -> FloatArray:
    """Add a room: convolution with noise that falls by 60 dB in `seconds`, darker above `damping_hz`.

    Parameters
    ----------
    sound : FloatArray, shape (2, samples)
        A mix.
    rng : numpy.random.Generator
        Draws the noise.
    seconds : float
        Time in which the noise falls by 60 dB.
    wet : float
        Level of the room.
    damping_hz : float
        Darker above.
    """
    from scipy import fft  # noqa: PLC0415 - takes half a second, so only for synthesis

    frames = sound.shape[1] // _ROOM_STEP
    count = samples(seconds) // _ROOM_STEP
    size = fft.next_fast_len(frames + count, real=True)
    hz = fft.rfftfreq(size, _ROOM_STEP / SAMPLE_RATE_HZ).astype(np.float32)
    tilt = (hz / (hz + 120)) / (1 + (hz / damping_hz) ** 2)  # less bass and treble
    thinned = sound[:, : frames * _ROOM_STEP].reshape(2, frames, _ROOM_STEP).mean(axis=(0, 2))
    dry = fft.rfft(thinned, size) * tilt
    fall = np.exp(-6.9 * np.arange(count, dtype=np.float32) / count)
    gain = np.float32(wet * _rms(sound))
    result = sound.copy()
    for side in range(2):
        room = fft.rfft(fall * rng.standard_normal(count, dtype=np.float32), size)
        tail = fft.irfft(dry * room, size)[: frames + 1]
        result[side] += draw_lines(tail * (gain / _rms(tail)), _ROOM_STEP, sound.shape[1])
    return result


def sway(sound: FloatArray, *, hz: float, depth: float) -> FloatArray:
    """Move the sound from side to side, `hz` times a second (an electric piano's tremolo)."""
    turn = np.arange(sound.shape[1], dtype=np.float32) * np.float32(2 * np.pi * hz / SAMPLE_RATE_HZ)
    lean = np.float32(depth) * np.sin(turn)
    gains: FloatArray = np.stack([1 + lean, 1 - lean])
    return sound * gains


def finish(sound: FloatArray, *, fade_in_s: float, fade_out_s: float) -> FloatArray:
    """Give a mix faded ends, no offset, a peak of -1 dBFS, and about the same loudness as any other.

    Peaks are rounded by a hyperbolic tangent, which hardly changes what is far below them.

    Parameters
    ----------
    sound : FloatArray, shape (2, samples)
        A mix.
    fade_in_s, fade_out_s : float
        Lengths of the fades.
    """
    final: FloatArray = sound - sound.mean(axis=1, keepdims=True)
    for seconds, part in ((fade_in_s, final), (fade_out_s, final[:, ::-1])):
        count = min(samples(seconds), sound.shape[1])
        part[:, :count] *= np.sin(np.linspace(0, np.pi / 2, count, dtype=np.float32)) ** 2
    final *= np.float32(_TARGET_RMS / _KNEE / _rms(final))
    np.tanh(final, out=final)
    final *= np.float32(PEAK / max(final.max(), -final.min(), _TINY))
    return final


def _rms(sound: FloatArray) -> float:
    flat = sound.reshape(-1)
    return float(np.sqrt(np.vdot(flat, flat) / flat.size)) + _TINY
