"""MP3s whose frames say no bit rate, or are not all there."""

import io
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from audio.joining import decoded, headless, joined, mp3
from audio.sounds import analysed, id3v1, id3v2, music, noise, write
from soundalike.audio.containers.mpeg import find_free, mpeg_frame
from soundalike.audio.containers.spans import Span
from soundalike.audio.recognise import has_audio

# The free format


def free(folder: Path, seconds: float, *, rate: int) -> bytes:
    """An MP3 whose frames say no bit rate."""
    options = {"bitrate_mode": "CONSTANT", "compression_level": 0.5}
    data = bytearray(write(folder / "part.mp3", music(seconds, rate=rate), rate=rate, **options).read_bytes())
    frame = mpeg_frame(bytes(data[:4]))
    assert frame is not None
    at = start = frame.length_bytes  # behind the header that counts the frames
    while (frame := mpeg_frame(bytes(data[at : at + 4]))) is not None:
        data[at + 2] &= 0x0F
        at += frame.length_bytes
    return bytes(data[start:at])


@pytest.mark.parametrize("rate", [48_000, 44_100, 22_050])
def test_the_free_format_is_decoded_whole(rate: int, tmp_path: Path) -> None:
    sound, path = free(tmp_path, 6, rate=rate), tmp_path / "a.unknown"
    heard = joined(path, id3v2((b"TIT2", b"\0Free")), bytes(300), sound, id3v1())
    assert heard.duration_ms == pytest.approx(6_000, abs=120)
    assert (heard.media_type, heard.tags.title) == ("audio/mpeg", "Free")
    assert heard.audio_hash == joined(path, sound).audio_hash
    assert has_audio(os.fsencode(path))


def test_headers_that_only_look_like_the_free_format_are_none() -> None:
    for data in (b"\xff\xfb\0\0" * 20_000, (b"\xff\xfb\0\0" + bytes(90)) * 3, bytes(range(256)) * 99):
        assert find_free(io.BytesIO(data), Span(0, len(data))) is None


# Holes


def holed(data: bytes, *, filler: Callable[[int], bytes], size: int, start: float = 0.5) -> bytes:
    """Return a file of which a part is overwritten, as where a disk could not be read."""
    at = int(len(data) * start)
    return data[:at] + filler(size) + data[at + size :]


@pytest.mark.parametrize("make", [mp3, headless], ids=["Xing", "headless"])
@pytest.mark.parametrize(
    ("filler", "size", "start"),
    [
        (bytes, 4_000, 0.2),
        (bytes, 40_000, 0.5),
        (lambda size: noise(9, seed=4).tobytes()[:size], 9_000, 0.8),
    ],
    ids=["zeros", "more zeros", "junk"],
)
def test_an_mp3_is_decoded_behind_a_hole(
    make: Callable[[Path, float], bytes],
    filler: Callable[[int], bytes],
    size: int,
    start: float,
    tmp_path: Path,
) -> None:
    whole = make(tmp_path, 12)
    path = tmp_path / "a.mp3"
    path.write_bytes(holed(whole, filler=filler, size=size, start=start))
    assert analysed(path).duration_ms == pytest.approx(12_000 * (1 - size / len(whole)), abs=150)


def test_an_mp3_may_have_several_holes(tmp_path: Path) -> None:
    whole = mp3(tmp_path, 12)
    data = holed(holed(whole, filler=bytes, size=5_000, start=0.3), filler=bytes, size=5_000, start=0.6)
    path = tmp_path / "a.mp3"
    path.write_bytes(data)
    heard = analysed(path)
    assert heard.is_truncated
    assert heard.duration_ms == pytest.approx(12_000 * (1 - 10_000 / len(whole)), abs=250)


def test_what_is_behind_a_hole_sounds_as_before(tmp_path: Path) -> None:
    whole = headless(tmp_path, 6)
    path = tmp_path / "a.mp3"
    path.write_bytes(whole)
    sound = decoded(path)[-90_000:]
    path.write_bytes(holed(whole, filler=bytes, size=5_000))
    np.testing.assert_allclose(decoded(path)[-90_000:], sound, atol=1e-4)
