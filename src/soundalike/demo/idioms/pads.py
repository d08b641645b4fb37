"""Slow pads: detuned saws behind a filter that opens and closes, a deep root, and sparse bells."""

from soundalike.demo import score
from soundalike.demo.effects import Mix, echo, reverb
from soundalike.demo.instruments import bell, edges, frequency, play_table, saw_table, sine
from soundalike.demo.score import Sketch, Song
from soundalike.domain.types import FloatArray

_SCALES = (score.LYDIAN, score.DORIAN, score.MAJOR, score.MINOR)
_RELEASE_S = 2.0


def arrange(sketch: Sketch) -> FloatArray:
    """Arrange one track, shape (2, samples)."""
    song = score.plan_song(sketch, tempo_bpm=(48, 72), scales=_SCALES)
    mix, sparkle = Mix(sketch.duration_s), Mix(sketch.duration_s)
    cutoff_hz = 350 * 5**sketch.brightness
    detune = sketch.between(0.0015, 0.004)
    size = 3 + sketch.variant % 2
    for bar in range(song.bars):
        length_s = song.at(1) + _RELEASE_S
        for i, pitch in enumerate(song.chord(bar, low=52, size=size)):
            for side in (-1, 1):
                hz = frequency(pitch) * (1 + side * detune * (1 + 0.3 * i))
                voice = _swell(sketch, hz, length_s, cutoff_hz)
                mix.place(voice, song.at(bar), level=0.16, pan=0.75 * side)
        root = sine(frequency(song.bass(bar, low=36)), length_s)
        mix.place(root * edges(length_s, attack_s=0.8, release_s=_RELEASE_S), song.at(bar), level=0.28)
    _scatter_bells(song, sketch, sparkle)
    glitter = echo(sparkle.sound, delay_s=song.beat_s * 0.75, feedback=0.5, times=4)
    return reverb(mix.sound + glitter, sketch.rng, seconds=4.0, wet=0.5, damping_hz=2_500)


def _swell(sketch: Sketch, hz: float, length_s: float, cutoff_hz: float) -> FloatArray:
    """Fade from a dark saw to a brighter one and back: a filter sweep at the price of two tables."""
    phase = sketch.between(0, 1)
    dark = play_table(saw_table(hz, cutoff_hz=cutoff_hz * 0.5), hz, length_s, phase=phase)
    bright = play_table(saw_table(hz, cutoff_hz=cutoff_hz * 2), hz, length_s, phase=phase)
    opening = edges(length_s, attack_s=length_s / 2, release_s=length_s / 2)
    return (dark + opening * (bright - dark)) * edges(length_s, attack_s=1.2, release_s=_RELEASE_S)


def _scatter_bells(song: Song, sketch: Sketch, sparkle: Mix) -> None:
    """Let a few high notes of each chord ring, more of them towards the middle."""
    likelihood = 0.15 + 0.25 * (sketch.variant % 3) / 2
    for bar in range(1, song.bars - 1):
        chord = song.chord(bar, low=76, size=4)
        for half_beat in range(song.beats_per_bar * 2):
            if sketch.rng.random() < likelihood:
                hz = frequency(int(sketch.rng.choice(chord)))
                sound = bell(hz, 2.5, ratio=2.0, index=0.6)
                level, pan = sketch.between(0.04, 0.11), sketch.between(-0.8, 0.8)
                sparkle.place(sound, song.at(bar, half_beat / 2), level=level, pan=pan)
