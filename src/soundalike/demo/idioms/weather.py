"""Wind, waves and rain over a drone, with a far-off bell."""

import numpy as np

from soundalike.demo import score
from soundalike.demo.effects import Mix, reverb
from soundalike.demo.instruments import (
    SAMPLE_RATE_HZ,
    band_noise,
    bell,
    decay,
    draw_lines,
    frequency,
    play_table,
    samples,
    saw_table,
)
from soundalike.demo.score import Sketch
from soundalike.domain.types import FloatArray

_LOOP_S = 8.0
_LFO_STEP = 441
_INTERVALS = (0, 7, 12, 19)


def arrange(sketch: Sketch) -> FloatArray:
    """Arrange one track, shape (2, samples)."""
    mix, far = Mix(sketch.duration_s), Mix(sketch.duration_s)
    _drone(sketch, mix)
    _blow(sketch, mix)
    if sketch.variant % 3 == 1:
        _rain(sketch, mix)
    _toll(sketch, far)
    return mix.sound + reverb(far.sound, sketch.rng, seconds=5.0, wet=1.2, damping_hz=2_000)


def _drone(sketch: Sketch, mix: Mix) -> None:
    """Hold root, fifth and octaves, each swelling at its own slow pace."""
    cutoff_hz = 150 * 4**sketch.brightness
    for interval in _INTERVALS[: 2 + sketch.variant % 3]:
        for side in (-1, 1):
            hz = frequency(38 + sketch.tonic % 7 + interval) * (1 + side * sketch.between(0.0005, 0.002))
            table = saw_table(hz, cutoff_hz=cutoff_hz)
            voice = play_table(table, hz, sketch.duration_s, phase=sketch.between(0, 1))
            swell = _lfo(sketch, slow_s=14, fast_s=7, floor=0.35)
            mix.place(voice * swell, 0.0, level=0.12, pan=0.6 * side)


def _blow(sketch: Sketch, mix: Mix) -> None:
    """Let bands of noise rise and fall: low ones like surf, high ones like wind."""
    lowest_hz = 200 * 2**sketch.brightness
    octaves = sketch.between(0.3, 0.5)
    gustiness = 1 - 0.6 * sketch.pace
    for number in range(4):
        centre_hz = lowest_hz * 2.3**number
        level = 0.5 * 0.66**number
        for pan in (-0.8, 0.8):
            loop = band_noise(_LOOP_S, sketch.rng, centre_hz=centre_hz, octaves=octaves)
            wind = np.resize(loop, samples(sketch.duration_s))
            gusts = _lfo(sketch, slow_s=11 * gustiness, fast_s=4 * gustiness, floor=0.1)
            mix.place(wind * gusts, 0.0, level=level, pan=pan)


def _rain(sketch: Sketch, mix: Mix) -> None:
    """Scatter drops, each a short high ping."""
    drops = [
        band_noise(0.03, sketch.rng, centre_hz=hz, octaves=0.15) * decay(0.03, half_life_s=0.004)
        for hz in (1_800, 2_600, 3_700, 5_200)
    ]
    for _ in range(int(sketch.duration_s * 14)):
        drop = drops[int(sketch.rng.integers(len(drops)))][: samples(0.03)]
        at_s = sketch.between(0, sketch.duration_s)
        mix.place(drop, at_s, level=sketch.between(0.04, 0.25), pan=sketch.between(-1, 1))


def _toll(sketch: Sketch, far: Mix) -> None:
    """Ring a bell every few seconds, on notes of the key."""
    at_s = sketch.between(2.0, 5.0)
    scale = (score.MINOR, score.DORIAN, score.LYDIAN)[sketch.variant % 3]
    while at_s < sketch.duration_s - 4:
        pitch = 62 + sketch.tonic % 7 + scale[int(sketch.rng.choice([0, 2, 4, 6]))]
        sound = bell(frequency(pitch), 5.0, ratio=1.414, index=0.5 + 1.5 * sketch.brightness)
        far.place(sound, at_s, level=sketch.between(0.08, 0.16), pan=sketch.between(-0.6, 0.6))
        at_s += sketch.between(3.0, 9.0) * (1.2 - 0.6 * sketch.pace)


def _lfo(sketch: Sketch, *, slow_s: float, fast_s: float, floor: float) -> FloatArray:
    """Return a smooth random wave between `floor` and 1, two sines joined by straight lines."""
    count = samples(sketch.duration_s)
    time_s = np.arange(count // _LFO_STEP + 1, dtype=np.float32) * (_LFO_STEP / SAMPLE_RATE_HZ)
    wave = np.zeros_like(time_s)
    for period_s, share in ((slow_s, 0.6), (fast_s, 0.4)):
        hz = 1 / (period_s * sketch.between(0.8, 1.25))
        wave += np.float32(share) * np.sin(2 * np.pi * (hz * time_s + sketch.between(0, 1)))
    coarse = np.asarray(floor + (1 - floor) * (0.5 + 0.5 * wave) ** 2, dtype=np.float32)
    return draw_lines(coarse, _LFO_STEP, count)
