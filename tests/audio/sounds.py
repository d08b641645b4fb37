"""Sounds with known properties, and files made of them."""

import os
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from soundalike.audio.analyse import analyse_file
from soundalike.audio.features.extractor import Extractor
from soundalike.audio.features.frames import RATE
from soundalike.audio.features.timbre import Timbre
from soundalike.domain.files import Analysis, AnalysisFailure, FileStamp, FoundFile, Location
from soundalike.domain.ports.audio import KnownAudio
from soundalike.domain.types import FloatArray, RelativePath, RootName

FILE_RATE = 44_100
# By codec: how its samples are laid out, their rate, and the channels.
AV_FORMATS = {
    "aac": ("fltp", FILE_RATE, "stereo"),
    "alac": ("s16p", FILE_RATE, "stereo"),
    "flac": ("s16", FILE_RATE, "stereo"),
    "wavpack": ("s16p", FILE_RATE, "stereo"),
    "wmav2": ("fltp", FILE_RATE, "stereo"),
    "tta": ("s16", FILE_RATE, "stereo"),
    "ac3": ("fltp", FILE_RATE, "stereo"),
    "libopus": ("flt", 48_000, "stereo"),
    "libmp3lame": ("fltp", FILE_RATE, "stereo"),
    "amr_nb": ("s16", 8_000, "mono"),
}


def sine(hertz: float, seconds: float, *, rate: int = RATE, amplitude: float = 0.5) -> FloatArray:
    phase = 2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate
    return np.asarray(amplitude * np.sin(phase), dtype=np.float32)


def noise(seconds: float, *, rate: int = RATE, amplitude: float = 0.1, seed: int = 0) -> FloatArray:
    generator = np.random.default_rng(seed)
    return np.asarray(amplitude * generator.standard_normal(int(seconds * rate)), dtype=np.float32)


def music(seconds: float, *, rate: int = FILE_RATE) -> FloatArray:
    """A tone, its octave swelling over time, and a little noise; stereo."""
    tone = sine(440, seconds, rate=rate, amplitude=0.3)
    swell = sine(880, seconds, rate=rate, amplitude=0.2) * np.linspace(0, 1, len(tone), dtype=np.float32)
    left = tone + swell + noise(seconds, rate=rate, amplitude=0.02)
    return np.stack([left, tone], axis=1)


def write(path: Path, samples: FloatArray, *, rate: int = FILE_RATE, **options: Any) -> Path:
    """Write in pieces: libsndfile's Ogg encoders overflow their stack on long ones."""
    channels = 1 if samples.ndim == 1 else samples.shape[1]
    with soundfile.SoundFile(path, "w", rate, channels, **options) as file:
        for start in range(0, len(samples), 4_096):
            file.write(samples[start : start + 4_096])
    return path


def write_av(path: Path, seconds: float, *, codec: str, form: str | None = None) -> Path:
    """Write one of `AV_FORMATS` through PyAV."""
    import av  # noqa: PLC0415 - an extra

    sample_format, rate, layout = AV_FORMATS[codec]
    sound = music(seconds, rate=rate).T[: 1 if layout == "mono" else 2]
    with av.open(str(path), "w", format=form) as container:
        stream: Any = container.add_stream(codec, rate=rate, layout=layout)
        if codec == "wmav2":
            stream.bit_rate = 128_000  # it has no default of its own
        to_format = av.AudioResampler(format=sample_format, layout=layout, rate=rate)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound), format="fltp", layout=layout)
        frame.sample_rate = rate
        fifo = av.AudioFifo()
        for converted in to_format.resample(frame):
            fifo.write(converted)
        stream.codec_context.open(strict=False)
        size = stream.codec_context.frame_size or 1_024
        while (piece := fifo.read(size) or fifo.read(size, partial=True)) is not None:
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return path


def found(path: Path) -> FoundFile:
    status = os.stat(path)  # noqa: PTH116 - follows links, as a scan does
    return FoundFile(
        location=Location(RootName("music"), RelativePath(os.fsencode(path.name))),
        real_path=path.resolve(),
        is_linked=False,
        stamp=FileStamp(status.st_size, status.st_mtime_ns),
    )


def analyse(
    path: Path, *, extractors: Sequence[Extractor] = (Timbre(),), known: KnownAudio | None = None
) -> Analysis | AnalysisFailure:
    return analyse_file(found(path), extractors, known or {})


def analysed(path: Path) -> Analysis:
    result = analyse(path)
    assert isinstance(result, Analysis), result
    return result


def failure_of(path: Path) -> AnalysisFailure:
    result = analyse(path)
    assert isinstance(result, AnalysisFailure), result
    return result


def cut(path: Path, fraction: float) -> Path:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * fraction)])
    return path


def edit(path: Path, change: Callable[[bytes], bytes]) -> Path:
    path.write_bytes(change(path.read_bytes()))
    return path


def id3v2(*frames: tuple[bytes, bytes], padding: int = 0) -> bytes:
    """An ID3v2.3 tag; text frames are given with their encoding byte."""
    body = b"".join(name + struct.pack(">IH", len(data), 0) + data for name, data in frames) + bytes(padding)
    size = len(body)
    return b"ID3\x03\x00\x00" + bytes((size >> shift) & 0x7F for shift in (21, 14, 7, 0)) + body


def id3v1(title: bytes = b"Title") -> bytes:
    return (b"TAG" + title).ljust(128, b"\0")


def apev2(item: bytes = b"Title") -> bytes:
    body = struct.pack("<II", len(item), 0) + b"Title\0" + item

    def frame(flags: int) -> bytes:
        return b"APETAGEX" + struct.pack("<IIII", 2_000, len(body) + 32, 1, flags) + bytes(8)

    return frame(0xA000_0000) + body + frame(0x8000_0000)


def riff_chunk(name: bytes, body: bytes, *, order: str = "<") -> bytes:
    return name + struct.pack(f"{order}I", len(body)) + body + bytes(len(body) % 2)
