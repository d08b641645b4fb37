"""Composition: scales, progressions, bars and motifs. Times in seconds, pitches as MIDI numbers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

MAJOR = (0, 2, 4, 5, 7, 9, 11)
MINOR = (0, 2, 3, 5, 7, 8, 10)
DORIAN = (0, 2, 3, 5, 7, 9, 10)
LYDIAN = (0, 2, 4, 6, 7, 9, 11)
MIXOLYDIAN = (0, 2, 4, 5, 7, 9, 10)

# Roots of the chords as degrees of the scale; each can be repeated.
BRIGHT_PROGRESSIONS = ((0, 4, 5, 3), (0, 3, 5, 4), (0, 5, 3, 4), (0, 2, 3, 4), (3, 0, 4, 5))
DARK_PROGRESSIONS = ((0, 5, 2, 6), (0, 3, 5, 4), (0, 6, 5, 6), (0, 2, 6, 3), (5, 6, 0, 0))

_NOTES_PER_OCTAVE = 12
_DEGREES_PER_OCTAVE = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Sketch:
    """What makes one track of an artist differ from another.

    Parameters
    ----------
    rng : numpy.random.Generator
        The track's random numbers.
    duration_s : float
        Length of the track.
    pace, brightness : float
        Position in its artist's range, 0 to 1; an artist's tracks are spread over both.
    tonic : int
        Pitch class of the key, 0 (C) to 11.
    variant : int
        Number among the artist's tracks; arrangements choose instruments by it.
    """

    rng: np.random.Generator
    duration_s: float
    pace: float
    brightness: float
    tonic: int
    variant: int

    def between(self, low: float, high: float) -> float:
        """Return a uniform number in [low, high)."""
        return float(self.rng.uniform(low, high))


@dataclass(frozen=True, slots=True, kw_only=True)
class Song:
    """Key, metre and chords.

    Parameters
    ----------
    tonic : int
        MIDI number of degree 0, in the octave from middle C (60 to 71).
    scale : tuple of int
        Seven semitones above the tonic.
    beat_s : float
        Length of a beat.
    beats_per_bar : int
        3 or 4.
    roots : tuple of int
        Degree of each bar's chord; the last bar is the tonic's.
    """

    tonic: int
    scale: tuple[int, ...]
    beat_s: float
    beats_per_bar: int
    roots: tuple[int, ...]

    @property
    def bars(self) -> int:
        """Count the bars."""
        return len(self.roots)

    def at(self, bar: int, beat: float = 0.0) -> float:
        """Return the time of a beat of a bar."""
        return (bar * self.beats_per_bar + beat) * self.beat_s

    def arc(self, bar: int) -> float:
        """Return how far through the song a bar starts, 0 to 1: layers enter and leave by it."""
        return bar / max(self.bars, 1)

    def pitch(self, degree: int, octave: int = 0) -> int:
        """Return the MIDI number of a degree of the scale, which may be negative or above 6."""
        up, step = divmod(degree, _DEGREES_PER_OCTAVE)
        return self.tonic + self.scale[step] + _NOTES_PER_OCTAVE * (up + octave)

    def chord(self, bar: int, *, low: int, size: int = 3) -> list[int]:
        """Return a bar's chord in thirds, folded into the octave from `low` so that voices move little."""
        pitches = (self.pitch(self.roots[bar] + 2 * i) for i in range(size))
        return sorted(low + (pitch - low) % _NOTES_PER_OCTAVE for pitch in pitches)

    def above_root(self, bar: int, degree: int, octave: int = 0) -> int:
        """Return the pitch `degree` steps above a bar's root, which is within a fifth of the tonic."""
        root = self.roots[bar]
        nearest = root - _DEGREES_PER_OCTAVE if root > _DEGREES_PER_OCTAVE // 2 else root
        return self.pitch(nearest + degree, octave)

    def bass(self, bar: int, *, low: int) -> int:
        """Return a bar's root in the octave from `low`."""
        return low + (self.pitch(self.roots[bar]) - low) % _NOTES_PER_OCTAVE


def plan_song(
    sketch: Sketch,
    *,
    tempo_bpm: tuple[float, float],
    scales: Sequence[tuple[int, ...]],
    beats_per_bar: int = 4,
    bars_per_chord: int = 1,
) -> Song:
    """Choose key, tempo and progression, and fill the track's length with whole bars.

    Parameters
    ----------
    sketch : Sketch
        Of the track.
    tempo_bpm : tuple of float
        Slowest and fastest tempo.
    scales : sequence of tuple of int
        To choose from.
    beats_per_bar : int
        3 or 4.
    bars_per_chord : int
        How long each chord is.
    """
    slow, fast = tempo_bpm
    beat_s = 60 / (slow + (fast - slow) * sketch.pace)
    scale = scales[sketch.variant % len(scales)]
    is_dark = scale[2] == MINOR[2]
    progressions = DARK_PROGRESSIONS if is_dark else BRIGHT_PROGRESSIONS
    progression = progressions[int(sketch.rng.integers(len(progressions)))]
    bars = max(1, int(sketch.duration_s / (beat_s * beats_per_bar)))
    roots = [progression[bar // bars_per_chord % len(progression)] for bar in range(bars - 1)]
    return Song(
        tonic=60 + sketch.tonic,
        scale=scale,
        beat_s=beat_s,
        beats_per_bar=beats_per_bar,
        roots=(*roots, 0),
    )


def spread_evenly(pulses: int, steps: int, *, shift: int = 0) -> list[int]:
    """Return the steps on which `pulses` strokes fall when spread as evenly as possible (Euclid's rhythm)."""
    return sorted((step + shift) % steps for step in range(steps) if step * pulses % steps < pulses)


@dataclass(frozen=True, slots=True)
class Motif:
    """A short tune: (step in the bar, degrees above the chord's root) pairs over `steps` steps a bar."""

    notes: tuple[tuple[int, int], ...]
    steps: int

    def beats(self, song: Song) -> Iterator[tuple[float, int, float]]:
        """Yield (beat, degree above the root, length in beats) of each note."""
        per_step = song.beats_per_bar / self.steps
        ends = [*(step for step, _ in self.notes[1:]), self.steps]
        for (step, degree), end in zip(self.notes, ends, strict=True):
            yield step * per_step, degree, (end - step) * per_step


def invent_motif(rng: np.random.Generator, *, steps: int, pulses: int) -> Motif:
    """Walk over a chord: its own notes on strong beats, notes between them on weak beats."""
    shift = int(rng.choice([0, 0, 1, 2]))
    notes: list[tuple[int, int]] = []
    degree = int(rng.choice([0, 2, 4]))
    for step in spread_evenly(pulses, steps, shift=shift):
        degree += int(rng.choice([-2, -1, 1, 2, 3]))
        degree = min(max(degree, -2), 8)
        is_strong = step % max(1, steps // 4) == 0
        notes.append((step, degree - degree % 2 if is_strong else degree))
    return Motif(tuple(notes), steps)


def answer(motif: Motif, rng: np.random.Generator) -> Motif:
    """Return the motif with another ending, as an answer to it."""
    kept = max(1, len(motif.notes) - 2)
    tail = tuple((step, int(rng.choice([0, 2, 4]))) for step, _ in motif.notes[kept:])
    return Motif(motif.notes[:kept] + tail, motif.steps)
