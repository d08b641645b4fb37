"""The demo library's sound: in shape, in tune, and each artist recognisable by ear - or by numbers."""

import io

import librosa
import numpy as np
import pytest
import soundfile

from soundalike.demo import score
from soundalike.demo.catalogue import demo_tracks
from soundalike.demo.effects import Mix, finish, reverb
from soundalike.demo.instruments import (
    SAMPLE_RATE_HZ,
    bell,
    electric_piano,
    frequency,
    play_table,
    pluck,
    pulse_table,
    saw_table,
)
from soundalike.demo.score import Sketch
from soundalike.demo.studio import Recording, encode, perform
from soundalike.demo.tags import Picture
from soundalike.demo.tagwriter import DemoFormat
from soundalike.domain.types import FloatArray

EXCERPT_S = 7.0
NO_COVER = Picture(png=b"", width_px=0, height_px=0)


@pytest.fixture(scope="module")
def performances() -> list[FloatArray]:
    seeds = np.random.SeedSequence(1).spawn(len(demo_tracks()))
    return [perform(Recording(*pair, NO_COVER, EXCERPT_S)) for pair in zip(demo_tracks(), seeds, strict=True)]


def test_every_track_peaks_at_one_decibel_below_full_scale(performances: list[FloatArray]) -> None:
    peaks = [np.abs(sound).max() for sound in performances]
    np.testing.assert_allclose(peaks, 10 ** (-1 / 20), rtol=1e-4)


def test_every_track_is_much_as_loud_as_the_others_and_without_offset(performances: list[FloatArray]) -> None:
    for track, sound in zip(demo_tracks(), performances, strict=True):
        rms_db = 20 * np.log10(np.sqrt(np.mean(sound**2)))
        assert -20 < rms_db < -9, track.title
        assert np.abs(sound.mean(axis=1)).max() < 0.005, track.title


def test_every_track_is_stereo_and_fades_out(performances: list[FloatArray]) -> None:
    for track, sound in zip(demo_tracks(), performances, strict=True):
        assert sound.shape == (2, round(EXCERPT_S * SAMPLE_RATE_HZ))
        assert 0.05 < np.corrcoef(*sound).min() < 0.999, track.title
        assert np.abs(sound[:, -100:]).max() < 0.01, track.title


@pytest.mark.parametrize("container", list(DemoFormat))
def test_no_codec_takes_a_wave_with_corners_beyond_full_scale(container: DemoFormat) -> None:
    square = np.sign(np.sin(np.arange(44_100) * 0.05)).astype(np.float32) * np.float32(0.99)
    sound, _ = soundfile.read(io.BytesIO(encode(np.stack([square, -square]), container)), dtype="float32")
    assert 0.5 < np.abs(sound).max() <= 1


def timbre(sound: FloatArray) -> FloatArray:
    mono = np.mean(sound[:, ::2], axis=0)  # aliases are the same for all
    frames = np.vstack(
        [
            librosa.feature.mfcc(y=mono, sr=22_050, n_mfcc=20),
            librosa.feature.spectral_centroid(y=mono, sr=22_050),
            librosa.feature.zero_crossing_rate(mono),
        ]
    )
    return np.concatenate([frames.mean(axis=1), np.log(frames.var(axis=1) + 1e-10)]).astype(np.float32)


def test_an_artists_tracks_are_near_each_other_and_all_differ(performances: list[FloatArray]) -> None:
    vectors = np.array([timbre(sound) for sound in performances])
    standardised = (vectors - vectors.mean(axis=0)) / vectors.std(axis=0)
    distances = np.linalg.norm(standardised[:, None] - standardised[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    artists = np.array([track.artist.name for track in demo_tracks()])
    nearest = artists[np.argsort(distances, axis=1)[:, :5]]
    assert np.mean(nearest == artists[:, None]) > 0.8
    assert distances.min() > 1.0


@pytest.mark.parametrize("length_s", [0.05, 0.4, 2.0])
def test_a_track_of_any_length_can_be_played(length_s: float) -> None:
    for track in demo_tracks()[::3]:
        sound = perform(Recording(track, np.random.SeedSequence(3), NO_COVER, length_s))
        assert sound.shape == (2, round(length_s * SAMPLE_RATE_HZ))
        assert np.isfinite(sound).all()
        assert np.abs(sound).max() <= 10 ** (-1 / 20) * 1.0001


@pytest.mark.parametrize("pitch", [40, 52, 61, 69, 76, 88])
def test_a_plucked_string_is_in_tune(pitch: int) -> None:
    hz = frequency(pitch)
    sound = pluck(hz, 2.0, rng=np.random.default_rng(1), brightness=0.5, ring_s=4.0)
    assert abs(1200 * np.log2(heard_hz(sound, near_hz=hz) / hz)) < 6  # cents


@pytest.mark.parametrize("pitch", [45, 69, 84])
def test_tables_and_frequency_modulation_are_in_tune(pitch: int) -> None:
    hz = frequency(pitch)
    for sound in (
        play_table(saw_table(hz, cutoff_hz=1_000), hz, 1.0),
        play_table(pulse_table(hz, duty=0.25), hz, 1.0),
        electric_piano(hz, 1.0, bite=1.0),
        bell(hz, 1.0, ratio=2.0, index=0.5),
    ):
        assert abs(1200 * np.log2(heard_hz(sound, near_hz=hz) / hz)) < 3  # cents


def heard_hz(sound: FloatArray, *, near_hz: float) -> float:
    """Return the strongest frequency within a tone and a half, by a zero-padded spectrum."""
    size = 1 << 20
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(sound.size), size))
    hz = np.fft.rfftfreq(size, 1 / SAMPLE_RATE_HZ)
    spectrum[(hz < near_hz / 1.19) | (hz > near_hz * 1.19)] = 0
    return float(hz[spectrum.argmax()])


def test_tables_have_no_frequencies_that_alias() -> None:
    table = pulse_table(4_000.0, duty=0.125)
    spectrum = np.abs(np.fft.rfft(table))
    harmonics = np.flatnonzero(spectrum > 1e-3 * spectrum.max())
    assert harmonics.max() * 4_000 < SAMPLE_RATE_HZ / 2


def test_panning_keeps_the_power() -> None:
    for pan in (-1.0, -0.3, 0.0, 0.6, 1.0):
        mix = Mix(0.01)
        mix.place(np.ones(100, dtype=np.float32), 0.0, pan=pan)
        np.testing.assert_allclose((mix.sound**2).sum(axis=0)[:100], 1.0, rtol=1e-5)


def test_what_is_placed_beyond_the_end_is_cut_off() -> None:
    mix = Mix(0.01)
    mix.place(np.ones(10_000, dtype=np.float32), 0.005)
    mix.place(np.ones(10, dtype=np.float32), 7.0)
    assert mix.sound.shape == (2, 441)


def test_reverb_outlasts_the_sound_and_fades() -> None:
    mix = Mix(3.0)
    mix.place(np.hanning(2_000).astype(np.float32), 0.0)
    tail = reverb(mix.sound, np.random.default_rng(0), seconds=1.0, wet=0.5)
    early, late, gone = (np.sqrt(np.mean(tail[:, a : a + 4_410] ** 2)) for a in (8_820, 30_000, 80_000))
    assert early > 5 * late > 0
    assert gone < 1e-3 * early


def test_silence_stays_silence() -> None:
    silence = np.zeros((2, 1_000), dtype=np.float32)
    assert not finish(silence, fade_in_s=0.01, fade_out_s=0.01).any()


def test_chords_stay_in_key_and_within_an_octave() -> None:
    for variant in range(8):
        song = score.plan_song(sketch(variant), tempo_bpm=(60, 120), scales=(score.DORIAN, score.LYDIAN))
        in_key = {(song.tonic + step) % 12 for step in song.scale}
        for bar in range(song.bars):
            chord = song.chord(bar, low=50, size=4)
            assert {pitch % 12 for pitch in chord} <= in_key
            assert chord == sorted(chord)
            assert 50 <= chord[0] < chord[-1] < 62


def test_a_song_fills_its_time_with_whole_bars_and_ends_on_the_tonic() -> None:
    song = score.plan_song(sketch(0), tempo_bpm=(120, 120), scales=(score.MAJOR,), beats_per_bar=4)
    assert song.bars == 15  # two seconds a bar
    assert song.roots[-1] == 0
    assert song.at(14, 2) == pytest.approx(29.0)


@pytest.mark.parametrize(
    ("pulses", "steps", "expected"),
    [(3, 8, [0, 3, 6]), (5, 8, [0, 2, 4, 5, 7]), (4, 16, [0, 4, 8, 12]), (1, 4, [0])],
)
def test_strokes_are_spread_evenly(pulses: int, steps: int, expected: list[int]) -> None:
    assert score.spread_evenly(pulses, steps) == expected


def test_a_motif_fills_its_bar_from_its_first_note() -> None:
    for seed in range(20):
        song = score.plan_song(sketch(0), tempo_bpm=(100, 100), scales=(score.MAJOR,))
        rng = np.random.default_rng(seed)
        motif = score.invent_motif(rng, steps=8, pulses=5)
        for tune in (motif, score.answer(motif, rng)):
            notes = list(tune.beats(song))
            assert notes[0][0] + sum(length for *_, length in notes) == pytest.approx(4.0)


def sketch(variant: int) -> Sketch:
    rng = np.random.default_rng(variant)
    return Sketch(rng=rng, duration_s=30.0, pace=0.5, brightness=0.5, tonic=variant % 12, variant=variant)
