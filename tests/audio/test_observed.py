"""Slow disks are waited for and hashed last; failing ones are never taken for the end of a file."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audio.disks import PASSING, FailingFile, SlowFile
from audio.sounds import FILE_RATE, analysed, found, id3v2, music, noise, write, write_av
from soundalike.audio.analyse import analyse_file
from soundalike.audio.features.extractor import Window
from soundalike.audio.features.frames import RATE
from soundalike.audio.features.timbre import Timbre
from soundalike.audio.observed import Activity
from soundalike.domain.features import FeatureSchema, FeatureVectors
from soundalike.domain.files import Analysis, AnalysisFailure, ProblemReason
from soundalike.domain.ports.audio import KnownAudio
from soundalike.domain.types import AudioHash, FloatArray

TIMBRE = Timbre().schema


@dataclass
class Asking:
    """Timbre, which notes how much of a file had been read when it got the sound."""

    file: SlowFile
    schema: FeatureSchema = field(default_factory=lambda: TIMBRE)
    rate: int = RATE
    window: Window = Window.EXCERPT
    priority: int = 0
    read_bytes: Sequence[int] = ()

    def extract(self, signal: FloatArray, start_ms: int) -> FeatureVectors:
        self.read_bytes = [*self.read_bytes, self.file.read_bytes]
        return Timbre().extract(signal, start_ms)


@pytest.fixture(scope="module")
def long_wav(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("long") / "long.wav", noise(240, rate=FILE_RATE))


def given_file(file: BinaryIO, _real_path: Path) -> BinaryIO:
    return file


def analyse_slowly(
    path: Path, known: KnownAudio | None = None, *, bytes_per_s: float = 1e9
) -> tuple[SlowFile, Asking, Analysis]:
    file = SlowFile(path.read_bytes(), bytes_per_s=bytes_per_s)
    asking = Asking(file)
    result = analyse_file(found(path), [asking], known or {}, open_file=partial(given_file, file))
    assert isinstance(result, Analysis), result
    return file, asking, result


def test_a_file_that_takes_minutes_shows_progress_all_the_time(long_wav: Path) -> None:
    class Watched(Activity):
        """Notes the time at each sign of life."""

        __slots__ = ()

        def __setattr__(self, name: str, value: int) -> None:
            signs.append(file.now_s)
            super().__setattr__(name, value)

    signs: list[float] = []
    # As 2.7 GB at 20 MB/s.
    file = SlowFile(long_wav.read_bytes(), bytes_per_s=long_wav.stat().st_size / 135)
    result = analyse_file(
        found(long_wav), [Timbre()], {}, activity=Watched(), open_file=partial(given_file, file)
    )
    assert isinstance(result, Analysis)
    assert file.now_s > 120
    assert max(after - before for before, after in pairwise(signs)) < 1


def test_a_new_file_is_heard_before_the_whole_of_it_is_hashed(long_wav: Path) -> None:
    file, asking, result = analyse_slowly(long_wav)
    assert asking.read_bytes[0] < 0.3 * long_wav.stat().st_size
    assert file.read_bytes > long_wav.stat().st_size
    assert result.audio_hash == analysed(long_wav).audio_hash


def test_audio_that_may_be_known_is_hashed_first_and_analysed_once(long_wav: Path) -> None:
    _, _, new = analyse_slowly(long_wav)
    _, asking, same = analyse_slowly(long_wav, {TIMBRE.key: frozenset({new.audio_hash})})
    assert asking.read_bytes == ()
    assert (same.vectors, same.audio_hash) == ((), new.audio_hash)
    _, asking, _ = analyse_slowly(long_wav, {TIMBRE.key: frozenset({AudioHash("of another")})})
    assert len(asking.read_bytes) == 1


def test_what_cannot_be_decoded_is_not_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "a.ofr"
    path.write_bytes(b"OFR " + bytes(20_000_000))
    file = SlowFile(path.read_bytes(), bytes_per_s=1)
    known = {TIMBRE.key: frozenset({AudioHash("of another")})}
    result = analyse_file(found(path), [Timbre()], known, open_file=partial(given_file, file))
    assert isinstance(result, AnalysisFailure)
    assert result.reason is ProblemReason.UNSUPPORTED_CODEC
    assert file.read_bytes < 2_000_000


# Disks that fail


NAMES = ("a.mp3", "a.flac", "a.ogg", "a.wav", "a.aiff", "a.m4a", "a.aac", "a.caf")


@pytest.fixture(scope="module")
def whole_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("whole")
    files = {
        name: write(folder / name, music(5)) for name in NAMES if not name.startswith(("a.m4a", "a.aac"))
    }
    files["a.mp3"].write_bytes(id3v2((b"TIT2", b"\0Title"), padding=9_000) + files["a.mp3"].read_bytes())
    files["a.m4a"] = write_av(folder / "a.m4a", 5, codec="aac", form="ipod")
    files["a.aac"] = write_av(folder / "a.aac", 5, codec="aac", form="adts")
    return files


@pytest.mark.parametrize("is_known", [False, True])
@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 0.999), number=st.sampled_from(PASSING))
def test_a_disk_that_fails_anywhere_says_nothing_of_the_file(
    name: str, place: float, number: int, whole_files: dict[str, Path], *, is_known: bool
) -> None:
    path = whole_files[name]
    data = path.read_bytes()
    known = {TIMBRE.key: frozenset({analysed(path).audio_hash})} if is_known else {}
    file = FailingFile(data, good_bytes=int(place * len(data)), number=number)
    result = analyse_file(found(path), [Timbre()], known, open_file=partial(given_file, file))
    assert result == AnalysisFailure(reason=ProblemReason.UNREADABLE, detail=os.strerror(number))


@pytest.mark.parametrize("name", NAMES)
def test_a_disk_that_gives_everything_changes_nothing(name: str, whole_files: dict[str, Path]) -> None:
    path = whole_files[name]
    data = path.read_bytes()
    file = FailingFile(data, good_bytes=len(data))
    result = analyse_file(found(path), [Timbre()], {}, open_file=partial(given_file, file))
    assert isinstance(result, Analysis)
    assert result.audio_hash == analysed(path).audio_hash
