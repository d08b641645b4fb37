"""Drums and bass: broken beats, a growling bass and short chords with an echo."""

from functools import cache

import numpy as np

from soundalike.demo import drums, score
from soundalike.demo.effects import Mix, echo, reverb
from soundalike.demo.instruments import decay, edges, frequency, play_table, saw_table, sine
from soundalike.demo.score import Sketch, Song
from soundalike.domain.types import FloatArray

_SCALES = (score.MINOR, score.DORIAN, score.MINOR, score.MIXOLYDIAN)
# Sixteenths of a bar on which (kick, snare) fall.
_BEATS = (
    ((0, 10), (4, 12)),
    ((0, 6, 10), (4, 12, 15)),
    ((0, 2, 10, 11), (4, 7, 9, 12)),
    ((0, 7, 10), (4, 12)),
    ((0, 3, 8, 14), (4, 12, 13)),
)
_SIXTEENTHS = 16
_GHOST_LEVEL = 0.22


def arrange(sketch: Sketch) -> FloatArray:
    """Arrange one track, shape (2, samples)."""
    song = score.plan_song(sketch, tempo_bpm=(120, 176), scales=_SCALES, bars_per_chord=2)
    kit, low, stabs = (Mix(sketch.duration_s) for _ in range(3))
    _drum(song, sketch, kit)
    _growl(song, sketch, low)
    _stab(song, sketch, stabs)
    chords = echo(stabs.sound, delay_s=song.beat_s * 0.75, feedback=0.45)
    room = reverb(chords, sketch.rng, seconds=1.5, wet=0.4)
    return kit.sound + low.sound + room


def _drum(song: Song, sketch: Sketch, kit: Mix) -> None:
    """Play the beat, thinner in the first bars, with a fill before every fourth barline."""
    kick = drums.kick(low_hz=sketch.between(44, 56))
    snare = drums.snare(sketch.rng, tone_hz=sketch.between(170, 230), snap=0.55 + 0.3 * sketch.brightness)
    closed, opened = drums.hat(sketch.rng), drums.hat(sketch.rng, length_s=0.3)
    kicks, snares = _BEATS[sketch.variant % len(_BEATS)]
    hats = score.spread_evenly(8 + 3 * (sketch.variant % 3), _SIXTEENTHS)
    for bar in range(song.bars):
        is_fill, is_opening = bar % 4 == 3, song.arc(bar) < 0.1  # noqa: PLR2004 - fourth bar, first tenth
        for step in range(_SIXTEENTHS):
            at_s = song.at(bar, step / 4)
            if step in kicks and not is_opening:
                kit.place(kick, at_s, level=0.8)
            if step in snares or (is_fill and step > 12):  # noqa: PLR2004 - the last beat
                kit.place(snare, at_s, level=0.85 if step in {4, 12} else 0.4, pan=0.05)
            elif sketch.rng.random() < 0.1:  # noqa: PLR2004 - one step in ten
                kit.place(snare, at_s, level=_GHOST_LEVEL, pan=-0.1)
            if step in hats:
                level = (0.6 if step % 4 == 2 else 0.38) * sketch.between(0.7, 1.1)  # noqa: PLR2004 - off the beat
                kit.place(closed, at_s, level=level, pan=0.3)
        kit.place(opened, song.at(bar, 3.5), level=0.3, pan=-0.3)


def _growl(song: Song, sketch: Sketch, low: Mix) -> None:
    """Play the roots in a syncopated rhythm: a sine beneath, two beating saws above."""
    steps = score.spread_evenly(3 + sketch.variant % 4, _SIXTEENTHS, shift=sketch.variant % 2)
    cutoff_hz = 150 * 5**sketch.brightness
    beating = sketch.between(1.004, 1.012)
    length_s = song.beat_s * 0.9

    @cache
    def bass(pitch: int) -> FloatArray:
        hz = frequency(pitch)
        table = saw_table(hz, cutoff_hz=cutoff_hz)
        saws = play_table(table, hz, length_s) + play_table(table, hz * beating, length_s)
        shape = edges(length_s, attack_s=0.006, release_s=0.06)
        return (np.float32(0.7) * sine(hz, length_s) + np.float32(0.25) * saws) * shape

    for bar in range(1, song.bars):
        root = song.bass(bar, low=33)
        for i, step in enumerate(steps):
            is_leap = i == len(steps) - 1 and bar % 2 == 1
            low.place(bass(root + (12 if is_leap else 0)), song.at(bar, step / 4), level=0.36)


def _stab(song: Song, sketch: Sketch, stabs: Mix) -> None:
    """Play short chords off the beat once the drums have begun."""
    steps = [(3, 6, 14), (2, 10), (6, 11), (0, 3, 6)][sketch.variant % 4]
    cutoff_hz = 500 * 6**sketch.brightness
    half_life_s = sketch.between(0.05, 0.14)
    for bar in range(min(2, song.bars - 1), song.bars):
        for i, pitch in enumerate(song.chord(bar, low=57, size=4)):
            hz = frequency(pitch)
            saw = play_table(saw_table(hz, cutoff_hz=cutoff_hz), hz, 0.6) * decay(
                0.6, half_life_s=half_life_s
            )
            for step in steps:
                pan = float(np.clip(-0.5 + 0.33 * i, -1, 1))
                stabs.place(saw, song.at(bar, step / 4), level=0.22, pan=pan)
