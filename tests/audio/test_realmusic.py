"""Real clips: each is analysed, and its numbers are librosa's."""

from pathlib import Path

import librosa
import numpy as np
import pytest
import soundfile

from audio.sounds import analysed
from soundalike.audio.features.frames import RATE
from soundalike.audio.features.timbre import Timbre
from soundalike.audio.pool import ProcessAnalyser
from soundalike.audio.scan import LocalFileScanner
from soundalike.domain.files import Analysis, FoundFile, Root
from soundalike.domain.types import RootName

pytestmark = pytest.mark.realmusic


def test_every_clip_is_analysed_completely_and_with_its_tags(real_music: Path) -> None:
    found = LocalFileScanner().scan(real_music, [Root(RootName("music"), real_music)])
    files = [item for item in found if isinstance(item, FoundFile)]
    results = list(ProcessAnalyser().analyse(files, sets=[Timbre().schema], known={}))
    assert len(results) == len(files) > 0
    for _, heard in results:
        assert isinstance(heard, Analysis)
        assert abs(heard.analysed_ms - 30_000) <= 50
        assert not heard.is_truncated
        assert heard.tags.title
    assert len({heard.audio_hash for _, heard in results if isinstance(heard, Analysis)}) == len(files)


@pytest.mark.parametrize("number", [1000, 1033, 1066])
def test_a_clips_numbers_are_librosas(number: int, real_music: Path) -> None:
    path = real_music / "audio" / "001" / f"{number:06}.mp3"
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    signal = librosa.resample(samples.mean(axis=1), orig_sr=rate, target_sr=RATE, res_type="soxr_hq")
    frames = np.vstack(
        [
            librosa.feature.mfcc(y=signal, sr=RATE, n_mfcc=20),
            librosa.feature.spectral_centroid(y=signal),
            librosa.feature.zero_crossing_rate(y=signal),
        ]
    ).astype(np.float64)
    theirs = np.concatenate([frames.mean(axis=1), np.log(frames.var(axis=1) + 1e-10)])
    np.testing.assert_allclose(Timbre().extract(signal, 0).summary, theirs, rtol=1e-3, atol=1e-3)
    (heard,) = analysed(path).vectors
    np.testing.assert_allclose(heard.summary, theirs, rtol=1e-3, atol=2e-3)  # streamed, not whole, resampling
