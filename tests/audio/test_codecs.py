"""What libsndfile cannot decode goes to PyAV; without it, a file says what it needs."""

import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from audio.edited import assert_alike
from audio.sounds import analysed, cut, edit, failure_of, music, write, write_av
from soundalike.domain.files import Analysis, ProblemReason


class Made(NamedTuple):
    """A file to make: codec, FFmpeg's container, and by how many ms its length may differ."""

    name: str
    codec: str
    form: str
    media_type: str
    tolerance_ms: int = 0


FILES = [
    Made("a.webm", "libopus", "webm", "audio/webm; codecs=opus", 10),
    Made("a.weba", "libopus", "webm", "audio/webm; codecs=opus", 10),
    Made("a.mka", "flac", "matroska", "audio/x-matroska; codecs=flac"),
    Made("mp3.mka", "libmp3lame", "matroska", "audio/x-matroska", 60),
    Made("a.wma", "wmav2", "asf", "audio/x-ms-wma", 20),
    Made("a.wv", "wavpack", "wv", "audio/x-wavpack"),
    Made("a.tta", "tta", "tta", "audio/x-tta"),
    Made("a.caf", "alac", "caf", "audio/x-caf", 100),
    Made("a.3gp", "aac", "3gp", "audio/mp4", 100),
    Made("amr.3gp", "amr_nb", "3gp", "audio/3gpp", 60),
    Made("a.amr", "amr_nb", "amr", "audio/amr", 60),
    Made("a.ac3", "ac3", "ac3", "audio/ac3", 60),
    Made("flac.mp4", "flac", "mp4", "audio/mp4; codecs=flac", 10),
    Made("a.mov", "aac", "mov", "audio/mp4", 100),
    Made("a.oga", "flac", "ogg", "audio/ogg; codecs=flac"),
]
# What is before the sound, about.
HEAD_BYTES = {"a.wv": 60, "a.tta": 1_000, "a.mka": 600, "a.wma": 1_000}
LIBSNDFILE_READS = {"a.oga"}


def write_made(folder: Path, made: Made, seconds: float) -> Path:
    return write_av(folder / made.name, seconds, codec=made.codec, form=made.form)


def made_of(name: str) -> Made:
    return next(made for made in FILES if made.name == name)


@pytest.fixture
def without_pyav(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    return analysed(write(tmp_path_factory.mktemp("reference") / "a.wav", music(4)))


@pytest.mark.parametrize("made", FILES, ids=lambda made: made.name)
def test_each_codec_is_decoded_at_its_true_length(made: Made, tmp_path: Path, reference: Analysis) -> None:
    heard = analysed(write_made(tmp_path, made, 4))
    assert heard.media_type == made.media_type
    assert heard.duration_ms == pytest.approx(4_000, abs=made.tolerance_ms)
    assert not heard.is_truncated
    if made.codec != "amr_nb":  # which has no sound above 4 kHz
        assert_alike(heard, reference)


@pytest.mark.parametrize("made", FILES, ids=lambda made: made.name)
def test_without_pyav_each_says_what_it_needs(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_made(tmp_path, made, 4)
    monkeypatch.setitem(sys.modules, "av", None)
    if made.name in LIBSNDFILE_READS:
        assert analysed(path).duration_ms == 4_000
        return
    refused = failure_of(path)
    assert refused.reason is ProblemReason.UNSUPPORTED_CODEC
    assert refused.detail.endswith("needs PyAV: pip install 'soundalike[codecs]'")


def flac_of_32_bits(path: Path) -> Path:
    """Verbatim frames of one channel, 4,096 samples each, as the format's description has them."""
    samples = (music(2)[:, 0] * (1 << 30)).astype(">i4")
    rate, size = 44_100, 4_096
    info = size.to_bytes(2, "big") * 2 + bytes(6)
    info += (rate << 44 | 0 << 41 | 31 << 36 | len(samples)).to_bytes(8, "big") + bytes(16)
    frames = []
    for number, start in enumerate(range(0, len(samples) - size, size)):
        head = b"\xff\xf8\xc9\x0e" + bytes([number])  # 4096 samples at 44.1 kHz, one channel, 32 bits
        head += bytes([_crc(head, 8, 0x07)])
        frame = head + b"\x02" + samples[start : start + size].tobytes()  # a verbatim subframe
        frames.append(frame + _crc(frame, 16, 0x8005).to_bytes(2, "big"))
    path.write_bytes(b"fLaC\x80\0\0\x22" + info + b"".join(frames))
    return path


def _crc(data: bytes, bits: int, polynomial: int) -> int:
    total, top = 0, 1 << (bits - 1)
    for byte in data:
        total ^= byte << (bits - 8)
        for _ in range(8):
            total = (total << 1 ^ (polynomial if total & top else 0)) & (2 * top - 1)
    return total


def test_flac_of_32_bits_is_decoded(tmp_path: Path) -> None:
    heard = analysed(flac_of_32_bits(tmp_path / "a.flac"))
    assert heard.media_type == "audio/flac"
    assert heard.duration_ms == pytest.approx(2_000, abs=100)


@pytest.mark.usefixtures("without_pyav")
def test_without_pyav_flac_of_32_bits_is_not_said_to_be_damaged(tmp_path: Path) -> None:
    refused = failure_of(flac_of_32_bits(tmp_path / "a.flac"))
    assert refused.reason is ProblemReason.UNSUPPORTED_CODEC
    assert refused.detail == "32-bit FLAC needs PyAV: pip install 'soundalike[codecs]'"


@pytest.mark.usefixtures("without_pyav")
@pytest.mark.parametrize(
    ("codec", "form", "named"),
    [
        ("alac", "caf", "ALAC in CAF"),
        ("aac", "wav", "AAC in WAV"),
        ("ac3", "wav", "AC-3 in WAV"),
        ("wmav2", "wav", "WMA in WAV"),
        ("aac", "mp4", "AAC"),
        ("libmp3lame", "mp4", "MP3 in MP4"),
        ("alac", "mp4", "ALAC"),
    ],
)
def test_without_pyav_it_is_the_codec_that_is_named(
    codec: str, form: str, named: str, tmp_path: Path
) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.delitem(sys.modules, "av")
        path = write_av(tmp_path / "song", 4, codec=codec, form=form)
    assert failure_of(path).detail == f"{named} needs PyAV: pip install 'soundalike[codecs]'"


@pytest.mark.usefixtures("without_pyav")
@pytest.mark.parametrize(
    ("content", "named"),
    [
        (
            b"RIFF\xff\xff\0\0WAVEfmt \x12\0\0\0\x34\x12" + bytes(16) + b"data\xff\0\0\0",
            "WAV with codec 0x1234",
        ),
        (b"caff\0\1\0\0desc" + bytes(7) + b"\x20" + bytes(8) + b"opus", "OPUS in CAF"),
        (b".snd" + bytes(3) + b"\x18" + b"\xff" * 4 + b"\0\0\0\x17", "AU with encoding 23"),
    ],
    ids=["WAV", "CAF", "AU"],
)
def test_so_is_one_that_only_its_container_names(content: bytes, named: str, tmp_path: Path) -> None:
    path = tmp_path / "song"
    path.write_bytes(content + bytes(300))
    assert failure_of(path).detail == f"{named} needs PyAV: pip install 'soundalike[codecs]'"


@pytest.mark.parametrize(("name", "kept_bytes"), [("a.flac", 12), ("a.ogg", 60)])
@pytest.mark.parametrize("has_pyav", [True, False])
def test_only_what_is_damaged_is_said_to_be(
    name: str, kept_bytes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, has_pyav: bool
) -> None:
    if not has_pyav:
        monkeypatch.setitem(sys.modules, "av", None)
    path = write(tmp_path / name, music(2))
    edit(path, lambda data: data[:kept_bytes] + bytes(len(data) - kept_bytes))
    refused = failure_of(path)
    assert refused.reason is ProblemReason.NOT_AUDIO
    assert refused.detail.endswith("(damaged?)")


@pytest.mark.parametrize("name", ["a.wv", "a.tta", "a.mka", "a.wma"])
def test_a_good_head_before_noise_is_damage(name: str, tmp_path: Path) -> None:
    made = made_of(name)
    head_bytes = HEAD_BYTES[name]

    def spoil(data: bytes) -> bytes:
        return data[:head_bytes] + np.random.default_rng(1).bytes(len(data) - head_bytes)

    path = write_made(tmp_path, made, 4)
    refused = failure_of(edit(path, spoil))
    assert (refused.reason, refused.detail[-10:]) == (ProblemReason.NOT_AUDIO, "(damaged?)")


@pytest.mark.parametrize("kind", [b"drms", b"enca", b"aavd"])
def test_what_is_encrypted_is_not_said_to_be_damaged(kind: bytes, tmp_path: Path) -> None:
    path = write_av(tmp_path / "a.m4a", 4, codec="aac", form="ipod")
    edit(path, lambda data: data.replace(b"mp4a", kind, 1))
    refused = failure_of(path)
    assert refused.reason is ProblemReason.UNSUPPORTED_CODEC
    assert refused.detail == "encrypted MP4 cannot be decoded"


def test_neither_is_encrypted_windows_media_audio(tmp_path: Path) -> None:
    path = write_made(tmp_path, made_of("a.wma"), 4)
    mark = bytes.fromhex("fbb3112223bdd211b4b700a0c955fc6e")
    edit(path, lambda data: data[:30] + mark + (24).to_bytes(8, "little") + data[30:])
    assert failure_of(path).detail == "encrypted Windows Media Audio cannot be decoded"


@pytest.mark.parametrize("name", ["a.mka", "a.wv", "a.webm"])
def test_bad_packets_are_skipped(name: str, tmp_path: Path) -> None:
    path = write_made(tmp_path, made_of(name), 10)

    def spoil(data: bytes) -> bytes:
        at = len(data) // 2
        return data[:at] + np.random.default_rng(1).bytes(20) + data[at + 20 :]

    heard = analysed(edit(path, spoil))
    assert heard.duration_ms == pytest.approx(10_000, abs=800)


@pytest.mark.parametrize("name", ["a.mka", "a.wv", "a.tta"])
def test_a_file_cut_in_half_is_marked(name: str, tmp_path: Path) -> None:
    heard = analysed(cut(write_made(tmp_path, made_of(name), 10), 0.5))
    assert heard.is_truncated
    assert 3_000 <= heard.duration_ms <= 7_000
