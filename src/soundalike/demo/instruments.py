"""Instruments: each function returns one note, mono float32, about -1 to 1 at its loudest."""

from functools import lru_cache

import numpy as np

from soundalike.domain.types import FloatArray

SAMPLE_RATE_HZ = 44_100

_TABLE_BITS = 12
_NYQUIST_MARGIN_HZ = 17_000.0


def frequency(pitch: float) -> float:
    """Return the frequency in Hz of a MIDI number, A4 = 69 = 440 Hz."""
    return float(440.0 * 2.0 ** ((pitch - 69) / 12))


def samples(seconds: float) -> int:
    """Count the samples of a duration, at least one."""
    return max(1, round(seconds * SAMPLE_RATE_HZ))


@lru_cache(maxsize=32)
def decay(length_s: float, *, half_life_s: float, attack_s: float = 0.002) -> FloatArray:
    """Return an envelope that rises at once and halves every `half_life_s`, silent at its end."""
    time_s = np.arange(samples(length_s), dtype=np.float32) / SAMPLE_RATE_HZ
    shape = edges(length_s, attack_s=attack_s, release_s=min(0.05, length_s / 4))
    envelope: FloatArray = np.exp2(-time_s / np.float32(half_life_s)) * shape
    envelope.setflags(write=False)
    return envelope


@lru_cache(maxsize=32)
def edges(length_s: float, *, attack_s: float, release_s: float) -> FloatArray:
    """Return an envelope of ones with a raised-cosine start and end."""
    envelope = np.ones(samples(length_s), dtype=np.float32)
    for seconds, part in ((attack_s, envelope), (release_s, envelope[::-1])):
        count = min(samples(seconds), envelope.size)
        part[:count] *= 0.5 - 0.5 * np.cos(np.linspace(0, np.pi, count, dtype=np.float32))
    envelope.setflags(write=False)
    return envelope


def draw_lines(points: FloatArray, step: int, count: int) -> FloatArray:
    """Join points `step` samples apart by straight lines, the last one held; `count` samples in all."""
    ramp = np.linspace(0, 1, step, endpoint=False, dtype=np.float32)
    rises = np.diff(points, append=points[-1:])
    return (points[:, None] + rises[:, None] * ramp).reshape(-1)[:count]


def saw_table(hz: float, *, cutoff_hz: float) -> FloatArray:
    """Return one period of a sawtooth through a gentle low pass, free of aliases at `hz`."""
    numbers = _harmonic_numbers(hz)
    return _table((1 / numbers) / (1 + (numbers * hz / cutoff_hz) ** 2))


def pulse_table(hz: float, *, duty: float) -> FloatArray:
    """Return one period of a pulse wave, free of aliases at `hz`; `duty` 0.5 is a square."""
    numbers = _harmonic_numbers(hz)
    return _table(np.asarray(np.sin(np.pi * numbers * duty) / numbers, dtype=np.float32))


def triangle_table(hz: float) -> FloatArray:
    """Return one period of a triangle wave, free of aliases at `hz`."""
    numbers = _harmonic_numbers(hz)
    return _table(np.asarray(np.sin(np.pi * numbers / 2) / numbers**2, dtype=np.float32))


def play_table(table: FloatArray, hz: float, length_s: float, *, phase: float = 0.0) -> FloatArray:
    """Run through a one-period table `hz` times a second from `phase` (0 to 1)."""
    step = np.uint32(round(hz / SAMPLE_RATE_HZ * 2**32) % 2**32)
    turns = np.arange(samples(length_s), dtype=np.uint32) * step + np.uint32(int(phase % 1 * 2**32))
    return table.take(turns >> np.uint32(32 - _TABLE_BITS))


def sine(hz: float, length_s: float, *, phase: float = 0.0) -> FloatArray:
    """Return a sine wave."""
    return play_table(_table(np.ones(1, dtype=np.float32)), hz, length_s, phase=phase)


def pluck(
    hz: float, length_s: float, *, rng: np.random.Generator, brightness: float, ring_s: float
) -> FloatArray:
    """Return a plucked string by Karplus and Strong, a period at a time, then tuned by reading it faster.

    Parameters
    ----------
    hz, length_s : float
        Pitch and length.
    rng : numpy.random.Generator
        Shapes the pluck.
    brightness : float
        0 (a thumb) to 1 (a plectrum on steel).
    ring_s : float
        Time in which the note falls by 60 dB.
    """
    blend = 0.5 - 0.35 * brightness
    period = max(4, int(SAMPLE_RATE_HZ / hz - blend))
    speed = hz * (period + blend) / SAMPLE_RATE_HZ
    rows = int(samples(length_s) * speed / period) + 2
    loss = 10 ** (-3 / (ring_s * hz))
    string = np.zeros((rows, period + 1), dtype=np.float32)  # column 0 is the sample before the row
    string[0, 1:] = _pluck_shape(period, rng, brightness)
    for row in range(1, rows):
        before = string[row - 1]
        string[row, 0] = before[-1]
        string[row, 1:] = loss * ((1 - blend) * before[1:] + blend * before[:-1])
    raw = string[:, 1:].reshape(-1)
    read_at = np.arange(samples(length_s)) * speed
    tuned = np.interp(read_at, np.arange(raw.size), raw).astype(np.float32)
    sound: FloatArray = tuned * edges(length_s, attack_s=0.001, release_s=min(0.08, length_s / 3))
    return sound


def electric_piano(hz: float, length_s: float, *, bite: float) -> FloatArray:
    """Return a struck tine by frequency modulation: a mellow body and a short bright ping."""
    turn = _turns(hz, length_s)
    body: FloatArray = np.sin(turn + 1.4 * bite * decay(length_s, half_life_s=0.25) * np.sin(turn))
    ping: FloatArray = np.sin(turn + bite * decay(length_s, half_life_s=0.03) * np.sin(14 * turn))
    return (np.float32(0.8) * body + np.float32(0.2) * ping) * decay(length_s, half_life_s=0.6 + 40 / hz)


def bell(hz: float, length_s: float, *, ratio: float, index: float) -> FloatArray:
    """Return a bell by frequency modulation; a `ratio` that is not a whole number makes it clang."""
    turn = _turns(hz, length_s)
    strike = index * decay(length_s, half_life_s=length_s / 8)
    rung: FloatArray = np.sin(turn + strike * np.sin(ratio * turn))
    return rung * decay(length_s, half_life_s=length_s / 6)


def noise(length_s: float, rng: np.random.Generator) -> FloatArray:
    """Return white noise, mostly from -1 to 1."""
    return np.float32(0.3) * rng.standard_normal(samples(length_s), dtype=np.float32)


def band_noise(length_s: float, rng: np.random.Generator, *, centre_hz: float, octaves: float) -> FloatArray:
    """Return noise around a frequency, in a band that is a bell of `octaves` width on a log axis.

    It can be looped without a click. RMS 0.3.

    Parameters
    ----------
    length_s : float
        Length.
    rng : numpy.random.Generator
        Draws the noise.
    centre_hz : float
        The frequency.
    octaves : float
        Width of the band.
    """
    from scipy import fft  # noqa: PLC0415 - takes half a second, so only for synthesis

    size = samples(length_s)
    spectrum = fft.rfft(rng.standard_normal(size, dtype=np.float32))
    hz = np.maximum(np.arange(spectrum.size, dtype=np.float32) * (SAMPLE_RATE_HZ / size), 1.0)
    spectrum *= np.exp(-0.5 * (np.log2(hz / centre_hz) / octaves) ** 2) / np.sqrt(hz)
    spectrum[0] = 0
    shaped = np.asarray(fft.irfft(spectrum, size), dtype=np.float32)
    return shaped * np.float32(0.3 / np.sqrt(np.mean(shaped**2)))


def _harmonic_numbers(hz: float) -> FloatArray:
    return np.arange(1, max(2, int(_NYQUIST_MARGIN_HZ / hz)), dtype=np.float32)


def _table(amplitudes: FloatArray) -> FloatArray:
    size = 1 << _TABLE_BITS
    spectrum = np.zeros(size // 2 + 1, dtype=np.complex128)
    count = min(amplitudes.size, spectrum.size - 1)
    spectrum[1 : count + 1] = -0.5j * size * amplitudes[:count]
    wave = np.fft.irfft(spectrum, size)
    return np.asarray(wave / np.abs(wave).max(), dtype=np.float32)


def _pluck_shape(period: int, rng: np.random.Generator, brightness: float) -> FloatArray:
    spectrum = np.fft.rfft(rng.uniform(-1, 1, period))
    number = np.arange(spectrum.size)
    spectrum *= np.exp(-number / (3 + 60 * brightness**2)) * (0.3 + np.abs(np.sin(np.pi * number * 0.18)))
    spectrum[0] = 0
    shape = np.fft.irfft(spectrum, period)
    return np.asarray(shape / (np.abs(shape).max() + 1e-9), dtype=np.float32)


def _turns(hz: float, length_s: float) -> FloatArray:
    cycles = np.arange(samples(length_s)) * (hz / SAMPLE_RATE_HZ)
    return np.asarray(2 * np.pi * cycles, dtype=np.float32)
