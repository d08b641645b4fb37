"""MP3s as they are joined, and what is heard of the whole."""

from pathlib import Path

import numpy as np

from audio.edited import without_first_frame
from audio.sounds import FILE_RATE, analysed, music, write
from soundalike.audio.decoders.opening import open_decoder
from soundalike.audio.formats import sniff
from soundalike.domain.files import Analysis
from soundalike.domain.types import FloatArray


def mp3(folder: Path, seconds: float, *, mode: str = "VARIABLE", rate: int = FILE_RATE) -> bytes:
    sound = music(seconds, rate=rate)
    # Without a level libsndfile varies the bit rate all the same.
    level = {"compression_level": 0.5} if mode == "CONSTANT" else {}
    return write(folder / "part.mp3", sound, rate=rate, bitrate_mode=mode, **level).read_bytes()


def headless(folder: Path, seconds: float) -> bytes:
    return without_first_frame(mp3(folder, seconds, mode="VARIABLE"))


def decoded(path: Path) -> FloatArray:
    with path.open("rb") as file:
        sniffed = sniff(file)
        assert sniffed is not None
        return np.concatenate([block.mean(axis=1) for block in open_decoder(file, sniffed).blocks(0)])


def joined(path: Path, *parts: bytes) -> Analysis:
    path.write_bytes(b"".join(parts))
    heard = analysed(path)
    assert not heard.is_truncated
    return heard
