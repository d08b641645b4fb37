"""Electric piano: seventh chords with a swing, a vibraphone above, a bass and brushes below."""

from functools import cache

from soundalike.demo import drums, score
from soundalike.demo.effects import Mix, reverb, sway
from soundalike.demo.instruments import bell, decay, electric_piano, frequency, play_table, saw_table
from soundalike.demo.score import Sketch, Song
from soundalike.domain.types import FloatArray

_SCALES = (score.MAJOR, score.DORIAN, score.MIXOLYDIAN, score.LYDIAN, score.MINOR)
# (beat, length in beats) of each chord in a bar; halves of beats are swung.
_COMPING = (
    ((0.0, 1.4), (1.5, 2.2)),
    ((0.0, 3.4),),
    ((0.5, 1.0), (2.0, 0.6), (3.5, 0.5)),
    ((0.0, 0.9), (2.5, 1.3)),
)


def arrange(sketch: Sketch) -> FloatArray:
    """Arrange one track, shape (2, samples)."""
    song = score.plan_song(sketch, tempo_bpm=(68, 132), scales=_SCALES)
    swing = sketch.between(0.02, 0.16)
    piano, band = Mix(sketch.duration_s), Mix(sketch.duration_s)
    _comp(song, sketch, piano, swing)
    _sing(song, sketch, band, swing)
    _walk(song, sketch, band)
    if sketch.variant % 3 != 2:  # noqa: PLR2004 - every third track has no drums
        _brush(song, sketch, band, swing)
    moved = sway(piano.sound, hz=sketch.between(2.5, 5.5), depth=0.35)
    return reverb(moved + band.sound, sketch.rng, seconds=1.2, wet=0.2)


def _comp(song: Song, sketch: Sketch, piano: Mix, swing: float) -> None:
    """Play seventh chords in a rhythm that changes every other bar."""
    bite = 0.5 + 1.6 * sketch.brightness

    @cache
    def key(pitch: int, length_s: float) -> FloatArray:
        return electric_piano(frequency(pitch), length_s, bite=bite)

    for bar in range(song.bars):
        rhythm = (
            _COMPING[(sketch.variant + bar // 2 % 2) % len(_COMPING)]
            if bar < song.bars - 1
            else ((0.0, 3.9),)
        )
        for beat, beats in rhythm:
            at_s = song.at(bar, _swung(beat, swing))
            for i, pitch in enumerate(song.chord(bar, low=53, size=4)):
                level = 0.2 * sketch.between(0.8, 1.1)
                late_s = sketch.between(0, 0.012)
                piano.place(key(pitch, beats * song.beat_s), at_s + late_s, level=level, pan=-0.3 + 0.2 * i)


def _sing(song: Song, sketch: Sketch, band: Mix, swing: float) -> None:
    """Let a vibraphone play in phrases of three bars and rest for the fourth."""
    asking = score.invent_motif(sketch.rng, steps=8, pulses=3 + sketch.variant % 3)
    replying = score.answer(asking, sketch.rng)
    ratio = (4.0, 3.0, 2.0)[sketch.variant % 3]
    for bar in range(2, song.bars - 1):
        if bar % 4 == 1:
            continue
        for beat, degree, _ in (replying if bar % 2 else asking).beats(song):
            hz = frequency(song.above_root(bar, degree))
            sound = bell(hz, 2.2, ratio=ratio, index=0.25 + 0.5 * sketch.brightness)
            level = 0.28 * sketch.between(0.75, 1.1)
            band.place(sound, song.at(bar, _swung(beat, swing)), level=level, pan=0.35)


def _walk(song: Song, sketch: Sketch, band: Mix) -> None:
    """Walk in quarters through each chord towards the next, or hold two halves."""
    is_walking = sketch.variant % 2 == 0
    offsets = (0, 2, 4, 5) if is_walking else (0, 4)
    for bar in range(1, song.bars):
        beats = song.beats_per_bar / len(offsets)
        for i, offset in enumerate(offsets if bar < song.bars - 1 else (0,)):
            pitch = song.pitch(song.roots[bar] + offset, -2)
            hz = frequency(pitch - 12 if pitch > 50 else pitch)  # noqa: PLR2004 - above D3 it is too high for a bass
            length_s = beats * song.beat_s
            sound = play_table(saw_table(hz, cutoff_hz=180), hz, length_s) * decay(length_s, half_life_s=0.35)
            band.place(sound, song.at(bar, i * beats), level=0.42)


def _brush(song: Song, sketch: Sketch, band: Mix, swing: float) -> None:
    """Brush every beat, with a ride's skip before the second and fourth."""
    brush = drums.shaker(sketch.rng, length_s=0.16)
    ride = drums.hat(sketch.rng, length_s=0.12)
    for bar in range(1, song.bars):
        for beat in range(song.beats_per_bar):
            band.place(brush, song.at(bar, beat), level=0.2 if beat % 2 else 0.1, pan=-0.2)
            band.place(ride, song.at(bar, beat), level=0.1, pan=0.25)
            if beat % 2:
                band.place(ride, song.at(bar, _swung(beat + 0.5, swing)), level=0.07, pan=0.25)


def _swung(beat: float, swing: float) -> float:
    """Delay what falls between beats by `swing` beats."""
    return beat + swing if beat % 1 else beat
