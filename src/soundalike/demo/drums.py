"""Drums: each function returns one stroke, mono float32, about -1 to 1 at its loudest."""

import numpy as np

from soundalike.demo.instruments import SAMPLE_RATE_HZ, decay, noise, samples, sine
from soundalike.domain.types import FloatArray


def kick(*, low_hz: float = 48.0, length_s: float = 0.35) -> FloatArray:
    """Return a bass drum: a sine that falls to `low_hz`, and a click."""
    time_s = np.arange(samples(length_s)) / SAMPLE_RATE_HZ
    turns = low_hz * time_s + 4.5 * (1 - np.exp(-time_s / 0.035))
    body = np.sin(2 * np.pi * turns).astype(np.float32)
    return body * decay(length_s, half_life_s=0.07, attack_s=0.001)


def snare(rng: np.random.Generator, *, tone_hz: float = 190.0, snap: float = 0.7) -> FloatArray:
    """Return a snare drum; `snap` is the share of the wires."""
    wires = _thin(noise(0.22, rng)) * decay(0.22, half_life_s=0.045)
    skin = sine(tone_hz, 0.22) * decay(0.22, half_life_s=0.03)
    return snap * wires + (1 - snap) * skin


def hat(rng: np.random.Generator, *, length_s: float = 0.06) -> FloatArray:
    """Return a hi-hat, closed when short and open when long."""
    return (
        0.6 * _thin(_thin(noise(length_s, rng))) * decay(length_s, half_life_s=length_s / 5, attack_s=0.0005)
    )


def shaker(rng: np.random.Generator, *, length_s: float = 0.12) -> FloatArray:
    """Return a shaker or a brush: noise that swells before it falls."""
    return (
        0.5 * _thin(noise(length_s, rng)) * decay(length_s, half_life_s=length_s / 4, attack_s=length_s / 2)
    )


def crunch(rng: np.random.Generator, *, length_s: float, hold_samples: int) -> FloatArray:
    """Return the noise of an old sound chip: each random value held for a while."""
    count = samples(length_s)
    values = rng.choice(np.array([-1, 1], dtype=np.float32), count // hold_samples + 1)
    held = np.repeat(values, hold_samples)[:count]
    return held * decay(length_s, half_life_s=length_s / 5, attack_s=0.0005)


def _thin(sound: FloatArray) -> FloatArray:
    """Remove low frequencies: the difference of neighbouring samples."""
    return np.diff(sound, prepend=np.float32(0))
