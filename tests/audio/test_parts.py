"""A part of a file is analysed as if it were a file of its own."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from audio.sounds import FILE_RATE, analysed, found, music, write
from soundalike.audio.analyse import WholeHashes, analyse_file
from soundalike.audio.decoders.part import PartDecoder
from soundalike.audio.features.timbre import Timbre
from soundalike.audio.observed import Activity
from soundalike.domain.files import Analysis, AnalysisFailure, Part, ProblemReason, StoredAudio
from soundalike.domain.types import AudioHash, DurationMs


def analyse_part(path: Path, part: Part) -> Analysis | AnalysisFailure:
    return analyse_file(replace(found(path), part=part), (Timbre(),), {})


@pytest.mark.parametrize(
    ("part", "first_s", "last_s"),
    [
        (Part(0, 5 * FILE_RATE, FILE_RATE), 0, 5),
        (Part(5 * 75, 9 * 75, 75), 5, 9),
        (Part(9 * FILE_RATE, None, FILE_RATE), 9, 12),
    ],
)
def test_a_part_has_the_features_of_its_own_sound(
    tmp_path: Path, part: Part, first_s: int, last_s: int
) -> None:
    sound = music(12)
    image = write(tmp_path / "image.flac", sound)
    alone = analysed(write(tmp_path / "alone.flac", sound[first_s * FILE_RATE : last_s * FILE_RATE]))
    result = analyse_part(image, part)
    assert isinstance(result, Analysis)
    assert result.duration_ms == alone.duration_ms == (last_s - first_s) * 1000
    assert not result.is_truncated
    assert np.array_equal(result.vectors[0].values, alone.vectors[0].values)


def test_parts_have_hashes_of_their_own(tmp_path: Path) -> None:
    image = write(tmp_path / "image.flac", music(12))
    parts = [Part(0, 5 * 75, 75), Part(5 * 75, 9 * 75, 75), Part(9 * 75, None, 75)]
    results = [analyse_part(image, part) for part in parts]
    hashes = {result.audio_hash for result in results if isinstance(result, Analysis)}
    assert len(hashes | {analysed(image).audio_hash}) == 4


def test_a_file_is_hashed_once_for_all_its_parts(tmp_path: Path) -> None:
    first, second = (write(tmp_path / name, music(12)) for name in ("image.wav", "other.wav"))
    read: list[int] = []
    hashes: WholeHashes = {}
    for path, part in ((first, Part(0, 75, 75)), (first, Part(75, 150, 75)), (second, Part(0, 75, 75))):
        activity = Activity()
        file = replace(found(path), part=part)
        result = analyse_file(file, (Timbre(),), {}, activity=activity, hashes=hashes)
        alone = analyse_part(path, part)
        assert isinstance(result, Analysis)
        assert isinstance(alone, Analysis)
        assert result.audio_hash == alone.audio_hash
        read.append(activity.read_bytes)
    size = first.stat().st_size
    assert read[0] > size
    assert read[1] < size / 2
    assert read[2] > size


@pytest.mark.parametrize(
    "part", [Part(20 * 75, 30 * 75, 75), Part(20 * 75, None, 75), Part(11 * 75 + 60, None, 75)]
)
def test_a_part_beyond_the_end_is_too_short(tmp_path: Path, part: Part) -> None:
    image = write(tmp_path / "image.flac", music(12))
    result = analyse_part(image, part)
    assert isinstance(result, AnalysisFailure)
    assert result.reason in {ProblemReason.TOO_SHORT, ProblemReason.HEADER_TOO_LONG}


def test_a_part_that_ends_beyond_the_end_is_cut_short(tmp_path: Path) -> None:
    result = analyse_part(write(tmp_path / "image.flac", music(12)), Part(5 * 75, 20 * 75, 75))
    assert isinstance(result, Analysis)
    assert (result.duration_ms, result.is_truncated) == (7_000, True)


class Counting:
    """A decoder of numbered frames, in blocks of 7."""

    def __init__(self, frames: int, *, knows: bool = True) -> None:
        self.rate, self._all = 10, np.arange(frames, dtype=np.float32)[:, None]
        self.frames = self.promised_frames = frames if knows else None

    def blocks(self, start: int):  # type: ignore[no-untyped-def] # noqa: ANN201 - as `Decoder` says
        for first in range(start, len(self._all), 7):
            yield self._all[first : first + 7]


@pytest.mark.parametrize("knows", [True, False])
@pytest.mark.parametrize(("start", "end"), [(0, 7), (3, 20), (10, None), (14, 15), (30, 40)])
def test_blocks_are_cut_at_the_bounds(start: int, end: int | None, knows: bool) -> None:  # noqa: FBT001 - a parameter
    decoder = PartDecoder(Counting(25, knows=knows), Part(start, end, 10))
    for skipped in (0, 1, 8):
        numbers = [int(number) for block in decoder.blocks(skipped) for number in block[:, 0]]
        assert numbers == list(range(25))[start:end][skipped:]
    if knows:
        assert decoder.frames == len(range(25)[start:end])


def test_of_stored_audio_only_tags_are_read(tmp_path: Path) -> None:
    path = write(tmp_path / "a.flac", music(2))
    stored = StoredAudio(AudioHash("known"), "audio/flac", DurationMs(1234))
    result = analyse_file(replace(found(path), stored=stored), (Timbre(),), {})
    assert isinstance(result, Analysis)
    assert (result.audio_hash, result.duration_ms, result.vectors) == ("known", 1234, ())
