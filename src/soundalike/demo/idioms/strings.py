"""Plucked strings: a picked guitar, harp or koto under a small tune."""

from collections.abc import Callable
from functools import cache

import numpy as np

from soundalike.demo import score
from soundalike.demo.effects import Mix, reverb
from soundalike.demo.instruments import frequency, pluck
from soundalike.demo.score import Sketch, Song
from soundalike.domain.types import FloatArray

_SCALES = (score.MAJOR, score.DORIAN, score.MIXOLYDIAN, score.MINOR)
_PATTERNS = (
    (0, 2, 1, 3, 2, 1, 3, 2),
    (0, 1, 2, 3, 4, 3, 2, 1),
    (0, 3, 1, 2, 0, 3, 2, 1),
    (0, 2, 3, 2, 1, 2, 4, 2),
)
_String = Callable[[int, float], FloatArray]
_LOW = 50  # the lowest chord note, D3


def arrange(sketch: Sketch) -> FloatArray:
    """Arrange one track, shape (2, samples)."""
    metre = 3 if sketch.variant % 3 == 1 else 4
    song = score.plan_song(sketch, tempo_bpm=(76, 128), scales=_SCALES, beats_per_bar=metre)
    mix = Mix(sketch.duration_s)
    ring_s = sketch.between(2.0, 4.5)
    brightness = 0.25 + 0.6 * sketch.brightness

    @cache
    def string(pitch: int, length_s: float) -> FloatArray:
        hz = frequency(pitch)
        return pluck(hz, length_s, rng=sketch.rng, brightness=brightness, ring_s=ring_s)

    for bar in range(song.bars - 1):
        _pick(song, bar, sketch, mix, string)
        if bar > 0:
            mix.place(string(song.bass(bar, low=38), 2.0), song.at(bar), level=0.5, pan=-0.1)
            mix.place(string(song.bass(bar, low=38) + 7, 1.2), song.at(bar, metre // 2), level=0.3, pan=-0.1)
    _sing(song, sketch, mix, string)
    _strum(song, song.bars - 1, mix, string)
    return reverb(mix.sound, sketch.rng, seconds=sketch.between(0.9, 1.8), wet=0.22)


def _pick(song: Song, bar: int, sketch: Sketch, mix: Mix, string: _String) -> None:
    """Break the bar's chord into eighths, the first of each beat a little stronger."""
    triad = song.chord(bar, low=_LOW)
    chord = [*triad, triad[0] + 12, triad[1] + 12]
    pattern = _PATTERNS[sketch.variant % len(_PATTERNS)]
    for eighth in range(song.beats_per_bar * 2):
        at_s = song.at(bar, eighth / 2) + sketch.between(0.0, 0.012)
        level = (0.34 if eighth % 2 == 0 else 0.24) * sketch.between(0.8, 1.1)
        mix.place(string(chord[pattern[eighth % 8]], 1.6), at_s, level=level, pan=-0.35 + 0.15 * (eighth % 3))


def _sing(song: Song, sketch: Sketch, mix: Mix, string: _String) -> None:
    """Play a tune in two-bar phrases from the third bar on, now and then leaving one out."""
    octave = -1 if sketch.variant % 2 else 0
    steps = song.beats_per_bar * 2
    asking = score.invent_motif(sketch.rng, steps=steps, pulses=max(2, steps // 2 - 1))
    replying = score.answer(asking, sketch.rng)
    for bar in range(2, song.bars - 1):
        if bar % 8 == 7:  # noqa: PLR2004 - the last bar of every eight is a rest
            continue
        motif = replying if bar % 2 else asking
        for beat, degree, _ in motif.beats(song):
            pitch = song.above_root(bar, degree, octave)
            level = 0.5 * sketch.between(0.75, 1.05)
            mix.place(string(pitch, 2.0), song.at(bar, beat) + sketch.between(0, 0.015), level=level, pan=0.3)


def _strum(song: Song, bar: int, mix: Mix, string: _String) -> None:
    chord = [song.bass(bar, low=38), *song.chord(bar, low=_LOW), song.bass(bar, low=_LOW) + 12]
    for i, pitch in enumerate(chord):
        mix.place(
            string(pitch, 4.0), song.at(bar) + 0.035 * i, level=0.42, pan=float(np.linspace(-0.4, 0.4, 5)[i])
        )
