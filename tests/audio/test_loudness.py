"""What is heard of a track whose middle is silent, or whose channels cancel."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from audio.sounds import FILE_RATE, analysed, failure_of, music, noise, sine, write
from soundalike.audio import loudness
from soundalike.audio.decoders.decoder import Decoder
from soundalike.audio.excerpt import Excerpt, read_excerpt
from soundalike.audio.features.extractor import Window
from soundalike.audio.loudness import loudest_stretch
from soundalike.domain.files import ProblemReason
from soundalike.domain.types import FloatArray

RATE = 1_000


class Played:
    """A decoder of samples in memory, in blocks of odd lengths."""

    rate = RATE

    def __init__(self, samples: FloatArray) -> None:
        self._samples = samples if samples.ndim == 2 else samples[:, None]
        self.frames: int | None = len(samples)
        self.promised_frames = self.frames
        self.passes = 0

    def blocks(self, start: int) -> Iterator[FloatArray]:
        self.passes += start == 0
        for at in range(start, len(self._samples), 777):
            yield self._samples[at : at + 777]


def quiet(seconds: float, *, dbfs: float = -200.0) -> FloatArray:
    """Noise of some power."""
    return noise(seconds, rate=RATE, amplitude=10 ** (dbfs / 20), seed=7)


def loud(seconds: float, *, amplitude: float = 0.3) -> FloatArray:
    return sine(50, seconds, rate=RATE, amplitude=amplitude)


def excerpt_of(*pieces: FloatArray) -> Excerpt:
    decoder: Decoder = Played(np.concatenate(pieces))
    return read_excerpt(decoder, Window.EXCERPT, [RATE])


# A middle that is silent


@pytest.mark.parametrize(
    ("before_s", "silence_s", "after_s", "start_s"),
    [
        (40, 70, 10, 10),  # all sound before it that fits, as near to the middle as it can be
        (10, 60, 40, 70),
        (10, 60, 0, 0),
        (0, 60, 10, 40),
        (35, 100, 35, 5),  # as far from the middle: the earlier
    ],
)
def test_the_loudest_30_s_nearest_to_a_silent_middle_are_taken(
    before_s: int, silence_s: int, after_s: int, start_s: int
) -> None:
    heard = excerpt_of(loud(before_s), quiet(silence_s), loud(after_s))
    assert heard.start_ms == pytest.approx(start_s * 1_000, abs=1_000)
    assert heard.analysed_ms == 30_000
    assert heard.duration_ms == (before_s + silence_s + after_s) * 1_000


def test_the_louder_side_is_taken_although_the_other_is_nearer() -> None:
    heard = excerpt_of(loud(30), quiet(100), loud(35, amplitude=0.1))
    assert heard.start_ms == pytest.approx(0, abs=1_000)


@pytest.mark.parametrize("at_s", [0, 5, 77])
def test_three_seconds_of_sound_anywhere_are_found(at_s: int) -> None:
    heard = excerpt_of(quiet(at_s), loud(3), quiet(97 - at_s))
    assert np.abs(heard.signals[RATE]).max() > 0.2
    assert np.square(heard.signals[RATE]).sum() == pytest.approx(np.square(loud(3)).sum(), rel=0.01)


@pytest.mark.parametrize(("dbfs", "is_moved"), [(-61.0, True), (-59.0, False)])
def test_a_middle_below_minus_60_dbfs_is_silent(dbfs: float, *, is_moved: bool) -> None:
    heard = excerpt_of(loud(40), quiet(70, dbfs=dbfs), loud(10))
    assert (heard.start_ms != 45_000) == is_moved


def test_a_track_that_is_as_quiet_everywhere_is_analysed_in_its_middle() -> None:
    heard = excerpt_of(loud(101, amplitude=5e-4))
    assert heard.start_ms == 35_500


def test_absurd_samples_elsewhere_draw_nobody_there() -> None:
    broken = np.concatenate([loud(40), quiet(70), loud(40)])
    broken[120 * RATE : 120 * RATE + 3] = [np.nan, np.inf, 1e30]
    assert excerpt_of(broken).start_ms == pytest.approx(10_000, abs=1_000)


def test_a_track_that_is_silent_everywhere_is_named(tmp_path: Path) -> None:
    refused = failure_of(write(tmp_path / "a.flac", np.zeros((40 * FILE_RATE, 2), np.float32)))
    assert (refused.reason, refused.analysed_ms) == (ProblemReason.SILENT, 30_000)
    assert refused.listed is not None
    assert (refused.listed.duration_ms, refused.listed.vectors) == (40_000, ())
    assert refused.listed.media_type == "audio/flac"


def test_the_sound_is_found_in_one_pass_and_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loudness, "_MOST_STEPS", 50)
    decoder = Played(np.concatenate([loud(40), quiet(70), loud(10)]))
    start, frames = loudest_stretch(decoder, 30 * RATE, near=45 * RATE)
    assert decoder.passes == 1
    assert frames == 120 * RATE
    assert start == pytest.approx(10 * RATE, abs=4 * RATE)  # steps are longer


@pytest.mark.parametrize("name", ["a.mp3", "a.flac", "a.ogg"])
def test_a_file_with_a_hidden_track_is_heard(name: str, tmp_path: Path) -> None:
    silence = np.zeros((60 * FILE_RATE, 2), np.float32)
    heard = analysed(write(tmp_path / name, np.concatenate([music(6), silence, music(4)])))
    assert heard.duration_ms == pytest.approx(70_000, abs=50)
    assert not heard.is_truncated


# Channels that cancel


def spread(*channels: float) -> FloatArray:
    """Music in channels of these amplitudes."""
    return np.stack([loud(35) * np.float32(each) for each in channels], axis=1)


def unlike(*amplitudes: float) -> FloatArray:
    """Noises that have nothing to do with each other."""
    noises = [
        noise(35, rate=RATE, amplitude=each, seed=number) if each else np.zeros(35 * RATE, np.float32)
        for number, each in enumerate(amplitudes)
    ]
    return np.stack(noises, axis=1)


@pytest.mark.parametrize(
    ("channels", "heard"),
    [((1, -1), 0), ((0.9, -1), 1), ((1, -1, 1, -1), 0), ((1, -0.7), 0), ((0, 1, -1, 0), 1)],
)
def test_of_channels_that_cancel_the_loudest_is_taken(channels: tuple[float, ...], heard: int) -> None:
    samples = spread(*channels)
    signal = excerpt_of(samples).signals[RATE]
    middle = slice(2_500, 32_500)
    np.testing.assert_array_equal(signal, samples[middle, heard])


@pytest.mark.parametrize(
    "samples",
    [
        spread(1, 1),
        spread(1, 0),
        spread(1, -0.5),
        unlike(0.1, 0.1),
        unlike(0.1, 0.1, 0, 0.1, 0.1, 0.1),  # 5.1 with a silent centre
        unlike(0, 0, 0.1, 0, 0, 0),  # and with nothing else
        spread(1),
    ],
    ids=["both", "one silent", "half cancelled", "stereo", "no centre", "centre alone", "mono"],
)
def test_other_channels_are_mixed(samples: FloatArray) -> None:
    signal = excerpt_of(samples).signals[RATE]
    np.testing.assert_allclose(signal, samples[2_500:32_500].mean(axis=1), atol=1e-6)


def test_a_hidden_track_whose_channels_cancel_is_heard() -> None:
    hidden = np.stack([loud(10), -loud(10)], axis=1)
    heard = excerpt_of(np.zeros((70 * RATE, 2), np.float32), hidden)
    assert np.abs(heard.signals[RATE]).max() == pytest.approx(0.3, abs=0.01)


@pytest.mark.parametrize("name", ["a.mp3", "a.ogg", "a.wav"])
def test_a_file_whose_right_channel_is_inverted_sounds_like_its_left(name: str, tmp_path: Path) -> None:
    left = music(8)[:, 0]
    inverted = analysed(write(tmp_path / name, np.stack([left, -left], axis=1)))
    alone = analysed(write(tmp_path / f"left-{name}", left))
    np.testing.assert_allclose(inverted.vectors[0].summary, alone.vectors[0].summary, rtol=0.1, atol=1)
