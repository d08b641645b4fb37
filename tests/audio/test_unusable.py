"""Files that are cut, damaged or not audio have a reason, and never crash."""

import os
import struct
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audio.edited import analyse_in_a_process, index_first
from audio.sounds import (
    AV_FORMATS,
    FILE_RATE,
    analyse,
    analysed,
    cut,
    edit,
    failure_of,
    found,
    id3v1,
    id3v2,
    music,
    write,
    write_av,
)
from soundalike.audio.formats import AUDIO_SUFFIXES
from soundalike.domain.files import Analysis, AnalysisFailure, ProblemReason

# Headers that promise more


@pytest.mark.parametrize(
    "name", ["song.mp3", "song.flac", "song.wav", "song.aiff", "song.w64", "song.caf", "song.au"]
)
@pytest.mark.parametrize("seconds", [10, 50])
def test_a_file_cut_in_half_is_used_and_marked(name: str, seconds: int, tmp_path: Path) -> None:
    heard = analysed(cut(write(tmp_path / name, music(seconds)), 0.5))
    assert heard.is_truncated
    assert seconds * 420 <= heard.duration_ms <= seconds * 510
    assert heard.analysed_ms == min(heard.duration_ms, 30_000)


@pytest.mark.parametrize(
    ("codec", "form"), [("ac3", "wav"), ("wmav2", "wav"), ("adpcm_ima_qt", "aiff"), ("adpcm_ima_wav", "w64")]
)
def test_so_is_one_of_a_rare_codec(
    codec: str, form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("adpcm_ima_qt", "adpcm_ima_wav"):
        monkeypatch.setitem(AV_FORMATS, name, ("s16p", 44_100, "stereo"))
    path = write_av(tmp_path / "song", 10, codec=codec, form=form)
    assert not analysed(path).is_truncated
    heard = analysed(cut(path, 0.6))
    assert heard.is_truncated
    assert heard.duration_ms == pytest.approx(6_000, abs=300)


@pytest.mark.parametrize(
    ("magic", "at"), [(b"caff", 64), (b".snd", 8), (b"riff", 120)], ids=["CAF", "AU", "Wave64"]
)
@pytest.mark.parametrize("stated", [b"\0" * 8, b"\xff" * 8, b"\x7f" * 8])
def test_no_length_that_a_head_states_breaks_anything(
    magic: bytes, at: int, stated: bytes, tmp_path: Path
) -> None:
    names = {b"caff": "a.caf", b".snd": "a.au", b"riff": "a.w64"}
    path = write(tmp_path / names[magic], music(4))
    edit(path, lambda data: data[:at] + stated + data[at + 8 :])
    analyse(path)


@pytest.mark.parametrize("name", ["song.mp3", "song.flac", "song.wav", "song.aiff"])
def test_a_file_cut_below_3_s_is_not_used(name: str, tmp_path: Path) -> None:
    refused = failure_of(cut(write(tmp_path / name, music(4)), 0.5))
    assert refused.reason is ProblemReason.HEADER_TOO_LONG
    assert 1_500 <= refused.analysed_ms <= 2_100


@pytest.mark.parametrize(("name", "kept_bytes"), [("a.wav", 44), ("a.aiff", 60), ("a.flac", 2_000)])
def test_a_header_without_audio_still_makes_a_promise(name: str, kept_bytes: int, tmp_path: Path) -> None:
    path = edit(write(tmp_path / name, music(4)), lambda data: data[:kept_bytes])
    assert failure_of(path) == AnalysisFailure(
        reason=ProblemReason.HEADER_TOO_LONG, detail="cut short or damaged"
    )


def test_an_m4a_cut_in_half_is_marked(tmp_path: Path) -> None:
    path = write_av(tmp_path / "song.m4a", 10, codec="aac", form="ipod")
    heard = analysed(cut(index_first(path), 0.6))
    assert heard.is_truncated
    assert 3_000 <= heard.duration_ms <= 7_000


def test_an_m4a_cut_before_its_index_is_not_decoded(tmp_path: Path) -> None:
    refused = failure_of(cut(write_av(tmp_path / "song.m4a", 4, codec="aac", form="ipod"), 0.5))
    assert refused.reason is ProblemReason.HEADER_TOO_LONG


@pytest.mark.parametrize(("seconds", "at"), [(20, 0.5), (40, 0.25), (40, 0.5), (40, 0.8)])
def test_garbage_in_an_mp3_is_marked_and_the_rest_used(seconds: int, at: float, tmp_path: Path) -> None:
    path = write(tmp_path / "song.mp3", music(seconds))
    whole = path.read_bytes()
    start = int(len(whole) * at)
    path.write_bytes(whole[:start] + bytes(20_000) + whole[start + 20_000 :])
    heard = analysed(path)
    assert heard.is_truncated
    assert heard.duration_ms == pytest.approx(seconds * 1_000 * (1 - 20_000 / len(whole)), abs=150)


# Files that cannot be used


def test_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "a.mp3").touch()
    assert failure_of(tmp_path / "a.mp3") == AnalysisFailure(reason=ProblemReason.EMPTY)


@pytest.mark.parametrize(
    "content",
    [
        b"<html><body>404 not found</body></html>" * 100,
        b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(5_000),
        b"PK\x03\x04" + bytes(range(256)) * 40,
        b"plain words\n" * 1_000,
        bytes(100_000),
        b"\xff" * 10_000,
        id3v2((b"TIT2", b"\0only a tag"), padding=500),
        id3v1(),
        b"RIFF\x24\x00\x00\x00WAVE",
        b"fLaC",
        b"OggS",
        b"x",
    ],
    ids=lambda content: repr(content[:12]),
)
def test_what_is_not_audio(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.mp3").write_bytes(content)
    refused = failure_of(tmp_path / "a.mp3")
    assert (refused.reason, refused.analysed_ms) == (ProblemReason.NOT_AUDIO, 0)


def test_a_codec_that_nothing_here_decodes(tmp_path: Path) -> None:
    (tmp_path / "a.ofr").write_bytes(b"OFR " + bytes(5_000))
    assert failure_of(tmp_path / "a.ofr").reason is ProblemReason.UNSUPPORTED_CODEC


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("a.wma", bytes.fromhex("3026b2758e66cf11")),
        ("a.ape", b"MAC \x96\x0f"),
        ("a.wv", b"wvpk"),
        ("a.dsf", b"DSD "),
        ("a.mka", bytes.fromhex("1a45dfa3")),
    ],
)
def test_a_damaged_file_of_a_codec_that_pyav_decodes(
    name: str, head: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / name).write_bytes(head + bytes(5_000))
    refused = failure_of(tmp_path / name)
    assert refused.reason in {ProblemReason.NOT_AUDIO, ProblemReason.UNSUPPORTED_CODEC}
    monkeypatch.setitem(sys.modules, "av", None)
    without = failure_of(tmp_path / name)
    assert without.reason is ProblemReason.UNSUPPORTED_CODEC
    assert "damaged" not in without.detail


def test_a_wav_with_a_codec_that_nothing_here_decodes(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", music(2))
    edit(path, lambda data: data[:20] + struct.pack("<H", 0xEEEE) + data[22:])
    assert failure_of(path).reason is ProblemReason.UNSUPPORTED_CODEC


def test_less_than_a_second_says_how_much_was_decoded(tmp_path: Path) -> None:
    refused = failure_of(write(tmp_path / "a.wav", music(0.4)))
    assert (refused.reason, refused.analysed_ms) == (ProblemReason.TOO_SHORT, 400)
    assert failure_of(write(tmp_path / "none.wav", music(0))).reason is ProblemReason.TOO_SHORT
    assert analysed(write(tmp_path / "enough.wav", music(1.0))).analysed_ms == 1_000


@pytest.mark.parametrize("name", ["a.wav", "a.mp3", "a.flac"])
def test_silence(name: str, tmp_path: Path) -> None:
    refused = failure_of(write(tmp_path / name, music(3) * np.float32(1e-5)))
    assert (refused.reason, refused.analysed_ms) == (ProblemReason.SILENT, 3_000)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 4.5, -130.0])
def test_absurd_samples(value: float, tmp_path: Path) -> None:
    samples = music(3)
    samples[FILE_RATE, 1] = value
    refused = failure_of(write(tmp_path / "a.wav", samples, subtype="FLOAT"))
    assert refused.reason is ProblemReason.ABSURD_SAMPLES
    assert 0 < refused.analysed_ms <= 3_000


def test_samples_slightly_over_full_scale_are_used(tmp_path: Path) -> None:
    assert analysed(write(tmp_path / "a.wav", music(2) * 4, subtype="FLOAT")).analysed_ms == 2_000


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    scanned = found(write(tmp_path / "a.wav", music(1)))
    scanned.real_path.unlink()
    os.mkfifo(scanned.real_path)
    refused = analyse_in_a_process(scanned.real_path)
    assert refused == "not a regular file"


def test_a_file_that_may_not_be_read(shared: Path) -> None:
    path = write(shared / "a.wav", music(1))
    assert analyse_in_a_process(path, as_nobody=True) == "heard"
    path.chmod(0)
    assert analyse_in_a_process(path, as_nobody=True) == "unreadable"


def test_a_file_that_was_removed_since_the_scan(tmp_path: Path) -> None:
    scanned = found(write(tmp_path / "a.wav", music(1)))
    scanned.real_path.unlink()
    assert analyse_in_a_process(scanned.real_path) == "unreadable"


# Whatever the bytes


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    suffix=st.sampled_from(sorted(AUDIO_SUFFIXES)),
    head=st.sampled_from(
        [
            b"",
            b"fLaC",
            b"OggS\0\2",
            b"RIFF\xff\xff\xff\xffWAVEfmt ",
            b"FORM\0\0\1\0AIFFCOMM",
            b"\xff\xfb\x90\x00",
            b"ID3\3\0\0\0\0\1\0",
            b"\0\0\0\x18ftypM4A ",
            b"\xff\xf1\x50\x80",
            b"caff\0\1\0\0",
            b"riff\x2e\x91\xcf\x11",
        ]
    ),
    body=st.binary(max_size=2_000),
)
def test_random_bytes_never_crash(suffix: bytes, head: bytes, body: bytes, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix.decode()}"
    path.write_bytes(head + body)
    assert isinstance(analyse(path), Analysis | AnalysisFailure)


@pytest.fixture(scope="module")
def whole_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("whole")
    names = ("a.mp3", "a.flac", "a.ogg", "a.wav", "a.aiff")
    files = {name: write(folder / name, music(1.5)).read_bytes() for name in names}
    return files | {"a.m4a": write_av(folder / "a.m4a", 1.5, codec="aac", form="ipod").read_bytes()}


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damage_anywhere_never_crashes(
    data: st.DataObject, whole_files: dict[str, bytes], tmp_path: Path
) -> None:
    name = data.draw(st.sampled_from(sorted(whole_files)))
    whole = whole_files[name]
    start = data.draw(st.integers(0, len(whole) - 1) | st.integers(0, 200))
    damage = data.draw(st.binary(min_size=1, max_size=64))
    path = tmp_path / name
    path.write_bytes(whole[:start] + damage + whole[start + len(damage) :])
    assert isinstance(analyse(path), Analysis | AnalysisFailure)
