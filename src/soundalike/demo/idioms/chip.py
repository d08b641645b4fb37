"""Chiptune: pulse-wave arpeggios and lead, a triangle bass, and drums of held noise."""

from functools import cache

import numpy as np

from soundalike.demo import drums, score
from soundalike.demo.effects import Mix, echo
from soundalike.demo.instruments import (
    SAMPLE_RATE_HZ,
    edges,
    frequency,
    play_table,
    pulse_table,
    triangle_table,
)
from soundalike.demo.score import Sketch, Song
from soundalike.domain.types import FloatArray

_SCALES = (score.MAJOR, score.MINOR, score.MIXOLYDIAN, score.DORIAN)
_DUTIES = (0.5, 0.25, 0.125)
_SIXTEENTHS = 16
_VIBRATO_HZ = 6.0


def arrange(sketch: Sketch) -> FloatArray:
    """Arrange one track, shape (2, samples)."""
    song = score.plan_song(sketch, tempo_bpm=(108, 172), scales=_SCALES)
    mix, lead = Mix(sketch.duration_s), Mix(sketch.duration_s)
    _arpeggiate(song, sketch, mix)
    _walk(song, sketch, mix)
    _clatter(song, sketch, mix)
    _sing(song, sketch, lead)
    return mix.sound + echo(lead.sound, delay_s=song.beat_s / 2, feedback=0.3, times=2)


def _arpeggiate(song: Song, sketch: Sketch, mix: Mix) -> None:
    """Run up and down the chord in sixteenths, as chips with few voices do."""
    duty = _DUTIES[sketch.variant % 3]
    gate = 0.45 + 0.5 * sketch.between(0, 1)
    length_s = song.beat_s / 4 * gate
    low = 60 if sketch.brightness < 0.5 else 67  # noqa: PLR2004 - half of the tracks are higher

    @cache
    def blip(pitch: int) -> FloatArray:
        hz = frequency(pitch)
        shape = edges(length_s, attack_s=0.001, release_s=length_s / 2)
        return play_table(pulse_table(hz, duty=duty), hz, length_s) * shape

    for bar in range(song.bars):
        triad = song.chord(bar, low=low)
        ladder = [*triad, triad[0] + 12, triad[1] + 12, triad[0] + 12, triad[2], triad[1]]
        for step in range(_SIXTEENTHS if bar < song.bars - 1 else 1):
            pan = -0.55 if bar % 2 else 0.55
            mix.place(blip(ladder[step % len(ladder)]), song.at(bar, step / 4), level=0.2, pan=pan)


def _walk(song: Song, sketch: Sketch, mix: Mix) -> None:
    """Play roots, octaves and fifths on a triangle, in eighths."""
    hops = [(0, 12, 0, 12), (0, 0, 12, 7), (0, 7, 12, 7)][sketch.variant % 3]
    length_s = song.beat_s * 0.46
    for bar in range(1, song.bars):
        for eighth in range(8):
            hz = frequency(song.bass(bar, low=36) + hops[eighth % 4])
            sound = play_table(triangle_table(hz), hz, length_s) * edges(
                length_s, attack_s=0.002, release_s=0.02
            )
            mix.place(sound, song.at(bar, eighth / 2), level=0.26)


def _clatter(song: Song, sketch: Sketch, mix: Mix) -> None:
    """Tick on the eighths, with a coarser burst on the second and fourth beat."""
    tick = drums.crunch(sketch.rng, length_s=0.05, hold_samples=2 + int(3 * (1 - sketch.brightness)))
    burst = drums.crunch(sketch.rng, length_s=0.18, hold_samples=6 + 3 * (sketch.variant % 3))
    ticks = score.spread_evenly(4 + 2 * (sketch.variant % 3), _SIXTEENTHS)
    for bar in range(min(2, song.bars - 1), song.bars):
        for step in ticks:
            mix.place(tick, song.at(bar, step / 4), level=0.1, pan=0.1)
        for beat in (1, 3):
            mix.place(burst, song.at(bar, beat), level=0.22)


def _sing(song: Song, sketch: Sketch, lead: Mix) -> None:
    """Play the tune on another pulse width, with vibrato on what is long."""
    duty = _DUTIES[(sketch.variant + 1) % 3]
    asking = score.invent_motif(sketch.rng, steps=8, pulses=4 + sketch.variant % 3)
    replying = score.answer(asking, sketch.rng)
    for bar in range(2, song.bars):
        motif = replying if bar % 2 else asking
        for beat, degree, beats in motif.beats(song):
            pitch = song.above_root(bar, degree, 0 if sketch.variant % 2 else 1)
            sound = _whistle(frequency(pitch), beats * song.beat_s * 0.9, duty)
            lead.place(sound, song.at(bar, beat), level=0.24, pan=-0.15)


def _whistle(hz: float, length_s: float, duty: float) -> FloatArray:
    table = pulse_table(hz, duty=duty)
    time_s = np.arange(max(1, round(length_s * SAMPLE_RATE_HZ))) / SAMPLE_RATE_HZ
    bend = 0.004 * np.clip(time_s - 0.15, 0, 0.2) / 0.2
    wobble = hz * bend / (2 * np.pi * _VIBRATO_HZ) * np.sin(2 * np.pi * _VIBRATO_HZ * time_s)
    turns = (hz * time_s + wobble) % 1
    sound = table.take((turns * table.size).astype(np.int64), mode="wrap")
    return sound * edges(time_s.size / SAMPLE_RATE_HZ, attack_s=0.004, release_s=0.03)
