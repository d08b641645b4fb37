"""Timbre against librosa, which it must equal, and against theory, which both must."""

from functools import cache

import librosa
import numpy as np
import pytest

from audio.sounds import noise, sine
from soundalike.audio.features.frames import RATE
from soundalike.audio.features.timbre import Timbre, frame_features, summarise
from soundalike.domain.types import FloatArray

TIMBRE = Timbre()
MFCC, CENTROID, ZCR = slice(0, 20), 20, 21

SIGNALS = {
    "noise": noise(3),
    "a sine": sine(440, 2),
    "noise after silence": np.concatenate([np.zeros(RATE, np.float32), noise(1.5)]),
    "an impulse": np.eye(1, RATE, RATE // 3, dtype=np.float32)[0],
    "digital silence": np.zeros(RATE, np.float32),
    "loud square": np.sign(sine(110, 1.3)),
    "an odd length": noise(1.0)[: RATE - 77],
    "a second": noise(1.0),
}


def by_name(vector: FloatArray) -> dict[str, float]:
    return dict(zip(TIMBRE.schema.features, vector.tolist(), strict=True))


def heard(signal: FloatArray) -> dict[str, float]:
    return by_name(TIMBRE.extract(signal, 0).summary)


@cache
def of_librosa(name: str) -> FloatArray:
    signal = SIGNALS[name]
    frames = np.vstack(
        [
            librosa.feature.mfcc(y=signal, sr=RATE, n_mfcc=20),
            librosa.feature.spectral_centroid(y=signal),
            librosa.feature.zero_crossing_rate(y=signal),
        ]
    ).astype(np.float64)
    return np.concatenate([frames.mean(axis=1), np.log(frames.var(axis=1) + 1e-10)])


@cache
def of_timbre(name: str) -> FloatArray:
    return TIMBRE.extract(SIGNALS[name], 0).summary


@pytest.mark.parametrize("name", SIGNALS)
@pytest.mark.parametrize("feature", TIMBRE.schema.features)
def test_each_number_equals_librosas(name: str, feature: str) -> None:
    row = TIMBRE.schema.features.index(feature)
    ours, theirs = of_timbre(name)[row], of_librosa(name)[row]
    if feature.endswith("_log_var") and theirs < np.log(1e-7):
        # A variance that is nothing but rounding: its logarithm says no more than "none".
        assert ours < np.log(1e-6)
    else:
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("name", SIGNALS)
def test_frames_equal_librosas(name: str) -> None:
    signal = SIGNALS[name]
    frames = frame_features(signal)
    np.testing.assert_allclose(frames[MFCC], librosa.feature.mfcc(y=signal, n_mfcc=20), rtol=1e-3, atol=1e-3)
    centroid = librosa.feature.spectral_centroid(y=signal)[0]
    np.testing.assert_allclose(frames[CENTROID], centroid, rtol=1e-3, atol=1e-3)
    np.testing.assert_array_equal(frames[ZCR], librosa.feature.zero_crossing_rate(y=signal)[0])


@pytest.mark.parametrize("hertz", [220, 1_000, 4_400])
def test_a_sines_centroid_is_its_frequency(hertz: int) -> None:
    inner = frame_features(sine(hertz, 3))[CENTROID, 4:-4]
    np.testing.assert_allclose(inner, hertz, rtol=0.02)


@pytest.mark.parametrize("hertz", [100, 440, 3_000])
def test_a_sine_crosses_zero_twice_a_period(hertz: int) -> None:
    assert heard(sine(hertz, 5))["zcr_mean"] == pytest.approx(2 * hertz / RATE, rel=0.02)


def test_white_noise_has_its_centroid_in_the_middle() -> None:
    assert heard(noise(5))["centroid_mean"] == pytest.approx(RATE / 4, rel=0.02)


def test_silence_is_finite_and_still() -> None:
    numbers = heard(np.zeros(RATE, np.float32))
    assert numbers["centroid_mean"] == 0
    assert numbers["zcr_mean"] == 0
    assert numbers["zcr_log_var"] == pytest.approx(np.log(1e-10))
    # 128 bands of -100 dB through an orthonormal cosine transform.
    assert numbers["mfcc_1_mean"] == pytest.approx(-100 * np.sqrt(128), rel=1e-4)


def test_loudness_moves_the_first_mfcc_alone() -> None:
    quiet, loud = (
        heard(noise(2)),
        heard(noise(2) * 2),
    )
    assert loud["mfcc_1_mean"] - quiet["mfcc_1_mean"] == pytest.approx(
        20 * np.log10(2) * np.sqrt(128), rel=1e-3
    )
    others = [name for name in quiet if name != "mfcc_1_mean"]
    np.testing.assert_allclose([loud[n] for n in others], [quiet[n] for n in others], rtol=1e-3, atol=1e-3)


def test_the_schema_names_44_numbers_in_three_groups() -> None:
    schema = TIMBRE.schema
    assert (schema.key, len(schema)) == ("timbre-v1", 44)
    assert schema.features[:2] == ("mfcc_1_mean", "mfcc_2_mean")
    assert schema.features[20:23] == ("centroid_mean", "zcr_mean", "mfcc_1_log_var")
    assert schema.features[-1] == "zcr_log_var"
    assert set(schema.groups) == {"mfcc", "centroid", "zcr"}
    assert schema.fingerprint == "ff27a5bda67122182c65f3bb720e6e70"  # as stores have it from before


def test_halves_describe_their_own_half() -> None:
    signal = np.concatenate([sine(500, 5), sine(2_000, 5)])
    vectors = TIMBRE.extract(signal, 0)
    first, second = vectors.parts
    assert by_name(first)["zcr_mean"] == pytest.approx(1_000 / RATE, rel=0.03)
    assert by_name(second)["zcr_mean"] == pytest.approx(4_000 / RATE, rel=0.03)
    np.testing.assert_array_equal(vectors.summary, summarise(frame_features(signal)))


def test_patches_lie_where_the_signal_does() -> None:
    patches = TIMBRE.extract(noise(10), 7_000).patches
    assert [(one.role, one.start_ms, one.length_ms) for one in patches] == [
        ("whole", 7_000, 10_000),
        ("half", 7_000, 5_000),
        ("half", 12_000, 5_000),
    ]


def test_a_half_is_near_the_vector_of_its_own_samples() -> None:
    signal = noise(10)
    half = TIMBRE.extract(signal, 0).parts[0]
    np.testing.assert_allclose(half, TIMBRE.extract(signal[: 5 * RATE], 0).summary, rtol=0.02, atol=0.2)


@pytest.mark.parametrize("samples", [1, 100, 2_047, 2_048, 2_049])
def test_even_the_shortest_signal_gives_finite_numbers(samples: int) -> None:
    assert np.isfinite(TIMBRE.extract(noise(1)[:samples], 0).values).all()
