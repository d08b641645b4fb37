"""Every format is analysed, and every file that cannot be has a reason."""

import os
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audio.sounds import (
    FILE_RATE,
    analyse,
    analysed,
    cut,
    edit,
    failure_of,
    found,
    id3v1,
    id3v2,
    let_all_pass,
    music,
    noise,
    sine,
    write,
    write_av,
)
from soundalike.audio.containers.mpeg import mpeg_frame
from soundalike.audio.formats import AUDIO_SUFFIXES
from soundalike.domain.files import Analysis, AnalysisFailure, ProblemReason

FORMATS = {
    "song.mp3": ({}, "audio/mpeg"),
    "song.flac": ({}, "audio/flac"),
    "song.ogg": ({}, "audio/ogg"),
    "song.opus": ({"format": "OGG", "subtype": "OPUS"}, "audio/ogg; codecs=opus"),
    "oggflac.oga": ({"format": "OGG", "subtype": "VORBIS"}, "audio/ogg"),
    "song.wav": ({}, "audio/wav"),
    "u8.wav": ({"subtype": "PCM_U8"}, "audio/wav"),
    "s24.wav": ({"subtype": "PCM_24"}, "audio/wav"),
    "s32.wav": ({"subtype": "PCM_32"}, "audio/wav"),
    "float.wav": ({"subtype": "FLOAT"}, "audio/wav"),
    "extensible.wav": ({"format": "WAVEX"}, "audio/wav"),
    "rf64.wav": ({"format": "RF64"}, "audio/wav"),
    "wave64.w64": ({"format": "W64"}, "audio/x-w64"),
    "song.aiff": ({}, "audio/aiff"),
    "float.aifc": ({"format": "AIFF", "subtype": "FLOAT"}, "audio/aiff"),
    "song.caf": ({}, "audio/x-caf"),
    "song.au": ({}, "audio/basic"),
}


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
    _assert_alike(heard, reference)


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
    _assert_alike(heard, reference)


def test_without_pyav_the_failure_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_av(tmp_path / "song.m4a", 2, codec="aac", form="ipod")
    monkeypatch.setitem(sys.modules, "av", None)
    refused = failure_of(path)
    assert refused.reason is ProblemReason.UNSUPPORTED_CODEC
    assert "pip install 'soundalike[aac]'" in refused.detail


def test_content_counts_not_the_name(tmp_path: Path) -> None:
    flac = write(tmp_path / "song.flac", music(2))
    assert analysed(flac.rename(tmp_path / "song.mp3")).media_type == "audio/flac"


# Which part of a track is heard


@pytest.mark.parametrize("name", ["long.wav", "long.mp3", "long.ogg", "long.flac", "long.m4a"])
def test_of_a_long_track_the_middle_30_s_are_analysed(name: str, tmp_path: Path) -> None:
    rate = FILE_RATE
    outside, inside = sine(300, 10, rate=rate), sine(3_000, 30, rate=rate)
    samples = np.concatenate([outside, inside, outside])
    path = _aac_of(tmp_path / name, samples) if name.endswith("m4a") else write(tmp_path / name, samples)
    heard = analysed(path)
    assert abs(heard.duration_ms - 50_000) <= 60
    assert heard.analysed_ms == 30_000
    assert heard.vectors is not None
    zcr = heard.vectors.whole[21]
    assert zcr == pytest.approx(2 * 3_000 / 22_050, rel=0.02)


def test_a_short_track_is_analysed_completely(tmp_path: Path) -> None:
    heard = analysed(write(tmp_path / "short.wav", music(7.5)))
    assert (heard.analysed_ms, heard.duration_ms) == (7_500, 7_500)


def test_known_audio_gets_its_hash_and_tags_but_no_vectors(tmp_path: Path) -> None:
    path = write(tmp_path / "song.mp3", music(3))
    heard = analysed(path)
    again = analyse(path, frozenset({heard.audio_hash}))
    assert isinstance(again, Analysis)
    assert again.vectors is None
    assert (again.audio_hash, again.duration_ms, again.analysed_ms) == (heard.audio_hash, 3_000, 3_000)


# MP3 in the wild


def test_an_mp3_without_a_length_header_is_decoded_to_its_end(tmp_path: Path) -> None:
    # Variable bit rate: silence costs little, so a length guessed from the first frame is far off.
    samples = np.concatenate([noise(2, rate=FILE_RATE), sine(440, 20, rate=FILE_RATE)])
    path = write(tmp_path / "vbr.mp3", samples, bitrate_mode="VARIABLE", compression_level=0.5)
    heard = analysed(edit(path, _without_first_frame))
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
    heard = analysed(edit(path, lambda data: id3v2() + between.join([_without_first_frame(data)] * 3)))
    assert heard.duration_ms == pytest.approx(12_000, abs=300)
    assert not heard.is_truncated


def test_an_mp3_with_junk_inside_is_decoded_up_to_there_and_marked(tmp_path: Path) -> None:
    junk = np.random.default_rng(0).bytes(100_000)
    path = write(tmp_path / "song.mp3", music(5))
    heard = analysed(edit(path, lambda data: junk.join([_without_first_frame(data)] * 2)))
    assert heard.duration_ms == pytest.approx(5_000, abs=200)
    assert heard.is_truncated


@pytest.mark.parametrize("claim", [0, 0xFFFF_FFFF, 0x7FFF_F000])
def test_a_streamed_wav_without_a_length_is_used_unmarked(claim: int, tmp_path: Path) -> None:
    path = write(tmp_path / "s.wav", music(2))
    heard = analysed(edit(path, lambda data: _claim(data, b"data", claim)))
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


# Headers that promise more


@pytest.mark.parametrize("name", ["song.mp3", "song.flac", "song.wav", "song.aiff"])
@pytest.mark.parametrize("seconds", [10, 50])
def test_a_file_cut_in_half_is_used_and_marked(name: str, seconds: int, tmp_path: Path) -> None:
    heard = analysed(cut(write(tmp_path / name, music(seconds)), 0.5))
    assert heard.is_truncated
    assert seconds * 420 <= heard.duration_ms <= seconds * 510
    assert heard.analysed_ms == min(heard.duration_ms, 30_000)


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
    heard = analysed(cut(_index_first(path), 0.6))
    assert heard.is_truncated
    assert 3_000 <= heard.duration_ms <= 7_000


def test_an_m4a_cut_before_its_index_is_not_decoded(tmp_path: Path) -> None:
    refused = failure_of(cut(write_av(tmp_path / "song.m4a", 4, codec="aac", form="ipod"), 0.5))
    assert refused.reason is ProblemReason.HEADER_TOO_LONG


@pytest.mark.parametrize(("seconds", "at"), [(20, 0.5), (40, 0.25), (40, 0.5), (40, 0.8)])
def test_garbage_in_an_mp3_is_marked_and_the_rest_used(seconds: int, at: float, tmp_path: Path) -> None:
    def spoil(data: bytes) -> bytes:
        start = int(len(data) * at)
        return data[:start] + bytes(20_000) + data[start + 20_000 :]

    heard = analysed(edit(write(tmp_path / "song.mp3", music(seconds)), spoil))
    assert heard.is_truncated
    assert heard.duration_ms == pytest.approx(seconds * at * 1_000, rel=0.1)


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


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("a.wma", bytes.fromhex("3026b2758e66cf11")),
        ("a.ape", b"MAC \x96\x0f"),
        ("a.wv", b"wvpk"),
        ("a.dsf", b"DSD "),
    ],
)
def test_a_codec_that_nothing_here_decodes(name: str, head: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(head + bytes(5_000))
    assert failure_of(tmp_path / name).reason is ProblemReason.UNSUPPORTED_CODEC


def test_a_wav_with_a_codec_that_nothing_here_decodes(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", music(2))
    edit(path, lambda data: data[:20] + struct.pack("<H", 0x161) + data[22:])
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
    refused = _listen_to(scanned.real_path)
    assert refused == "not a regular file"


def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", music(1))
    let_all_pass(tmp_path)
    assert _listen_to(path, as_nobody=True) == "heard"
    path.chmod(0)
    assert _listen_to(path, as_nobody=True) == "unreadable"


def test_a_file_that_was_removed_since_the_scan(tmp_path: Path) -> None:
    scanned = found(write(tmp_path / "a.wav", music(1)))
    scanned.real_path.unlink()
    assert _listen_to(scanned.real_path) == "unreadable"


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


def _assert_alike(heard: Analysis, reference: Analysis) -> None:
    assert heard.vectors is not None
    assert reference.vectors is not None
    # Lossy codecs and 8 bits change the quiet bands; the centroid hardly moves.
    assert heard.vectors.whole[20] == pytest.approx(reference.vectors.whole[20], rel=0.1)


def _without_first_frame(data: bytes) -> bytes:
    start = data.index(b"\xff\xfb", 10)
    assert data[:start].count(b"Xing") == 1
    return data[start:]


def _claim(data: bytes, chunk: bytes, claim: int) -> bytes:
    at = data.index(chunk) + 4
    return data[:at] + struct.pack("<I", claim) + data[at + 4 :]


def _index_first(path: Path) -> Path:
    """Move an MP4's index before its sound, as a player that streams wants it."""
    import av  # noqa: PLC0415 - an extra

    target = path.with_name("fast.m4a")
    with (
        av.open(str(path)) as source,
        av.open(str(target), "w", format="ipod", options={"movflags": "faststart"}) as sink,
    ):
        stream = sink.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(source.streams.audio[0]):
            if packet.dts is not None:
                packet.stream = stream
                sink.mux(packet)
    return target


def _aac_of(path: Path, samples: "np.ndarray[tuple[int], np.dtype[np.float32]]") -> Path:
    import av  # noqa: PLC0415 - an extra

    with av.open(str(path), "w", format="ipod") as container:
        stream = container.add_stream("aac", rate=FILE_RATE, layout="mono")
        for start in range(0, len(samples), 1_024):
            piece = np.ascontiguousarray(samples[None, start : start + 1_024])
            frame = av.AudioFrame.from_ndarray(piece, format="fltp", layout="mono")
            frame.sample_rate, frame.pts = FILE_RATE, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def _listen_to(path: Path, *, as_nobody: bool = False) -> str:
    """Listen in a process of its own, not root's if asked (root may read anything); return the reason."""
    script = (
        "import os, sys; from pathlib import Path\n"
        "from soundalike.audio.analyse import analyse_file\n"
        "from soundalike.audio.features.timbre import Timbre\n"
        "from soundalike.domain.files import FileStamp, FoundFile, Analysis, Location\n"
        "found = FoundFile(location=Location('r', b''), real_path=Path(sys.argv[1]), is_linked=False,\n"
        "                  stamp=FileStamp(0, 0))\n"
        "if sys.argv[2] == 'True' and os.getuid() == 0: import soundfile, soxr, scipy.fft; os.setuid(65534)\n"
        "heard = analyse_file(found, Timbre())\n"
        "print('heard' if isinstance(heard, Analysis) else heard.reason)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", script, str(path), str(as_nobody)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return run.stdout.strip()
