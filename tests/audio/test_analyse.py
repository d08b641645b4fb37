"""Every format is analysed, whatever its headers say."""

import struct
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from audio.edited import FORMATS, aac_of, assert_alike, set_claim, without_first_frame
from audio.grains import Grains
from audio.sounds import (
    FILE_RATE,
    analyse,
    analysed,
    edit,
    failure_of,
    id3v1,
    id3v2,
    music,
    noise,
    sine,
    write,
    write_av,
)
from soundalike.audio.containers.mpeg import mpeg_frame
from soundalike.audio.decoders.sndfile import SndfileDecoder
from soundalike.audio.features.extractor import Window
from soundalike.audio.features.timbre import Timbre
from soundalike.domain.files import Analysis, ProblemReason
from soundalike.domain.types import AudioHash, FloatArray

TIMBRE = Timbre().schema


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    return analysed(
        write(tmp_path_factory.mktemp("reference") / "song.wav", music(4, rate=48_000), rate=48_000)
    )


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_gives_the_same_analysis(name: str, tmp_path: Path, reference: Analysis) -> None:
    options, media_type = FORMATS[name]
    heard = analysed(write(tmp_path / name, music(4, rate=48_000), rate=48_000, **options))
    assert heard.media_type == media_type
    assert abs(heard.duration_ms - 4_000) <= 60
    assert not heard.is_truncated
    assert_alike(heard, reference)


@pytest.mark.parametrize(
    ("name", "codec", "form", "media_type"),
    [
        ("song.m4a", "aac", "ipod", "audio/mp4"),
        ("song.mp4", "aac", "mp4", "audio/mp4"),
        ("lossless.m4a", "alac", "ipod", "audio/mp4; codecs=alac"),
        ("song.aac", "aac", "adts", "audio/aac"),
    ],
)
def test_aac_and_alac_are_decoded_by_pyav(
    name: str, codec: str, form: str, media_type: str, tmp_path: Path, reference: Analysis
) -> None:
    heard = analysed(write_av(tmp_path / name, 4, codec=codec, form=form))
    assert heard.media_type == media_type
    assert abs(heard.duration_ms - 4_000) <= 100
    assert not heard.is_truncated
    assert_alike(heard, reference)


def test_without_pyav_the_failure_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_av(tmp_path / "song.m4a", 2, codec="aac", form="ipod")
    monkeypatch.setitem(sys.modules, "av", None)
    refused = failure_of(path)
    assert refused.reason is ProblemReason.UNSUPPORTED_CODEC
    assert "pip install 'soundalike[codecs]'" in refused.detail


def test_content_counts_not_the_name(tmp_path: Path) -> None:
    flac = write(tmp_path / "song.flac", music(2))
    assert analysed(flac.rename(tmp_path / "song.mp3")).media_type == "audio/flac"


# Which part of a track is heard


@pytest.mark.parametrize("name", ["long.wav", "long.mp3", "long.ogg", "long.flac", "long.m4a"])
def test_of_a_long_track_the_middle_30_s_are_analysed(name: str, tmp_path: Path) -> None:
    rate = FILE_RATE
    outside, inside = sine(300, 10, rate=rate), sine(3_000, 30, rate=rate)
    samples = np.concatenate([outside, inside, outside])
    path = aac_of(tmp_path / name, samples) if name.endswith("m4a") else write(tmp_path / name, samples)
    heard = analysed(path)
    assert abs(heard.duration_ms - 50_000) <= 60
    assert heard.analysed_ms == 30_000
    zcr = heard.vectors[0].summary[21]
    assert zcr == pytest.approx(2 * 3_000 / 22_050, rel=0.02)


def test_a_short_track_is_analysed_completely(tmp_path: Path) -> None:
    heard = analysed(write(tmp_path / "short.wav", music(7.5)))
    assert (heard.analysed_ms, heard.duration_ms) == (7_500, 7_500)


def test_known_audio_gets_its_hash_and_tags_but_no_vectors(tmp_path: Path) -> None:
    path = write(tmp_path / "song.mp3", music(3))
    heard = analysed(path)
    again = analyse(path, known={TIMBRE.key: frozenset({heard.audio_hash})})
    assert isinstance(again, Analysis)
    assert again.vectors == ()
    assert (again.audio_hash, again.duration_ms, again.analysed_ms) == (heard.audio_hash, 3_000, 3_000)


# Several feature sets


@pytest.mark.parametrize("name", FORMATS)
def test_each_set_gets_what_it_would_get_alone(name: str, tmp_path: Path) -> None:
    path = write(tmp_path / name, music(40, rate=48_000), rate=48_000, **FORMATS[name][0])
    grains, all_of_it = Grains(), Grains(rate=8_000, window=Window.TRACK)
    alone = [analyse(path, extractors=[one]) for one in (Timbre(), grains, all_of_it)]
    together = analyse(path, extractors=[Timbre(), grains, all_of_it])
    assert isinstance(together, Analysis)
    for one, of_all in zip(alone, together.vectors, strict=True):
        assert isinstance(one, Analysis)
        assert one.vectors[0].values.tobytes() == of_all.values.tobytes()
        assert one.vectors[0].patches == of_all.patches
        assert one.duration_ms == together.duration_ms
    assert together.analysed_ms == 30_000


def test_only_the_sets_that_are_missing_are_computed(tmp_path: Path) -> None:
    path = write(tmp_path / "song.flac", music(3))
    known = {TIMBRE.key: frozenset({analysed(path).audio_hash}), "grains-v0": frozenset[AudioHash]()}
    heard = analyse(path, extractors=[Timbre(), Grains()], known=known)
    assert isinstance(heard, Analysis)
    assert [one.schema.key for one in heard.vectors] == ["grains-v1"]


def test_a_file_is_decoded_once_for_sets_of_different_rates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "song.flac", music(3))
    starts: list[int] = []
    blocks = SndfileDecoder.blocks

    def counted(self: SndfileDecoder, start: int) -> Iterator[FloatArray]:
        starts.append(start)
        yield from blocks(self, start)

    monkeypatch.setattr(SndfileDecoder, "blocks", counted)
    analyse(path, extractors=[Timbre(), Grains(), Grains(rate=8_000)])
    assert starts == [0]


def test_patches_say_where_in_the_track_they_are(tmp_path: Path) -> None:
    path = write(tmp_path / "song.flac", music(50))
    heard = analyse(path, extractors=[Timbre(), Grains(), Grains(window=Window.TRACK)])
    assert isinstance(heard, Analysis)
    timbre, excerpt, track = (one.patches for one in heard.vectors)
    assert (timbre[0].start_ms, timbre[0].length_ms) == (10_000, 30_000)
    assert (excerpt[0].start_ms, excerpt[0].length_ms) == (10_000, 750)
    assert (excerpt[-1].start_ms, excerpt[-1].length_ms) == (39_250, 750)
    assert (track[0].start_ms, track[-1].start_ms + track[-1].length_ms) == (0, 50_000)


def test_a_signal_at_another_rate_is_the_same_sound(tmp_path: Path) -> None:
    path = write(tmp_path / "song.wav", sine(1_000, 5, rate=FILE_RATE))
    heard = analyse(path, extractors=[Grains()])
    assert isinstance(heard, Analysis)
    # 64 bands of 125 Hz each, up to 8 kHz: 1,000 Hz is where the eighth ends.
    assert set(heard.vectors[0].parts[1:-1].argmax(axis=1).tolist()) <= {7, 8}


# MP3 in the wild


def test_an_mp3_without_a_length_header_is_decoded_to_its_end(tmp_path: Path) -> None:
    # Variable bit rate: silence costs little, so a length guessed from the first frame is far off.
    samples = np.concatenate([noise(2, rate=FILE_RATE), sine(440, 20, rate=FILE_RATE)])
    path = write(tmp_path / "vbr.mp3", samples, bitrate_mode="VARIABLE", compression_level=0.5)
    heard = analysed(edit(path, without_first_frame))
    assert abs(heard.duration_ms - 22_000) <= 100
    assert not heard.is_truncated


@pytest.mark.parametrize(
    "junk", [bytes(3_000), b"junk" * 700, id3v2(padding=50) + id3v2(padding=5_000) + bytes(999)]
)
def test_padding_and_junk_before_the_first_frame_are_skipped(junk: bytes, tmp_path: Path) -> None:
    path = write(tmp_path / "song.mp3", music(2))
    assert analysed(edit(path, lambda data: junk + data)).duration_ms == 2_000


@pytest.mark.parametrize("between", [id3v2(padding=5_000), bytes(700), id3v1() + id3v2()])
def test_an_mp3_joined_from_several_is_decoded_to_its_end(between: bytes, tmp_path: Path) -> None:
    path = write(tmp_path / "song.mp3", music(4))
    heard = analysed(edit(path, lambda data: id3v2() + between.join([without_first_frame(data)] * 3)))
    assert heard.duration_ms == pytest.approx(12_000, abs=300)
    assert not heard.is_truncated


def test_an_mp3_with_junk_inside_is_decoded_on_behind_it(tmp_path: Path) -> None:
    junk = np.random.default_rng(0).bytes(100_000)
    path = write(tmp_path / "song.mp3", music(5))
    heard = analysed(edit(path, lambda data: junk.join([without_first_frame(data)] * 2)))
    assert heard.duration_ms == pytest.approx(10_000, abs=250)
    assert not heard.is_truncated  # no header promises more


@pytest.mark.parametrize("claim", [0, 0xFFFF_FFFF, 0x7FFF_F000])
def test_a_streamed_wav_without_a_length_is_used_unmarked(claim: int, tmp_path: Path) -> None:
    path = write(tmp_path / "s.wav", music(2))
    heard = analysed(edit(path, lambda data: set_claim(data, b"data", claim)))
    assert (heard.duration_ms, heard.is_truncated) == (2_000, False)


def test_a_streamed_flac_without_a_length_is_counted(tmp_path: Path) -> None:
    path = write(tmp_path / "s.flac", music(40))
    edit(path, lambda data: data[:21] + bytes([data[21] & 0xF0, 0, 0, 0, 0]) + data[26:])
    heard = analysed(path)
    assert abs(heard.duration_ms - 40_000) <= 100
    assert (heard.analysed_ms, heard.is_truncated) == (30_000, False)


@pytest.mark.parametrize(("promised_s", "is_truncated"), [(5, False), (9, True)])
def test_a_vbri_header_is_a_promise_too(promised_s: int, is_truncated: bool, tmp_path: Path) -> None:  # noqa: FBT001 - a parameter
    def with_vbri(data: bytes) -> bytes:
        first = mpeg_frame(data[:4])
        assert first is not None
        count = struct.pack(">HHHII", 1, 0, 0, len(data), promised_s * FILE_RATE // 1_152)
        header = data[:4] + bytes(32) + b"VBRI" + count
        return header.ljust(first.length_bytes, b"\0") + data[first.length_bytes :]

    path = write(tmp_path / "a.mp3", music(5))
    heard = analysed(edit(path, with_vbri))
    assert abs(heard.duration_ms - 5_000) <= 100
    assert heard.is_truncated is is_truncated


def test_tags_that_are_not_utf8_do_not_stop_pyav(tmp_path: Path) -> None:
    path = write_av(tmp_path / "a.m4a", 2, codec="aac", form="ipod")
    edit(path, lambda data: data.replace(b"Lavf", b"\xff\xfe\xff\xfe"))
    assert analysed(path).media_type == "audio/mp4"
