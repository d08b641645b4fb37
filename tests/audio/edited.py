"""Files that are edited, and checks of their analysis."""

import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from audio.sounds import (
    FILE_RATE,
)
from soundalike.domain.files import Analysis

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


def assert_alike(heard: Analysis, reference: Analysis) -> None:
    # Lossy codecs and 8 bits change the quiet bands; the centroid hardly moves.
    assert heard.vectors[0].summary[20] == pytest.approx(reference.vectors[0].summary[20], rel=0.1)


def without_first_frame(data: bytes) -> bytes:
    start = data.index(b"\xff\xfb", 10)
    assert data[:start].count(b"Xing") == 1
    return data[start:]


def set_claim(data: bytes, chunk: bytes, claim: int) -> bytes:
    at = data.index(chunk) + 4
    return data[:at] + struct.pack("<I", claim) + data[at + 4 :]


def index_first(path: Path) -> Path:
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


def aac_of(path: Path, samples: "np.ndarray[tuple[int], np.dtype[np.float32]]") -> Path:
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


def analyse_in_a_process(path: Path, *, as_nobody: bool = False) -> str:
    """Listen in a process of its own, not root's if asked (root may read anything); return the reason."""
    script = (
        "import os, sys; from pathlib import Path\n"
        "from soundalike.audio.analyse import analyse_file\n"
        "from soundalike.audio.features.timbre import Timbre\n"
        "from soundalike.domain.files import FileStamp, FoundFile, Analysis, Location\n"
        "found = FoundFile(location=Location('r', b''), real_path=Path(sys.argv[1]), is_linked=False,\n"
        "                  stamp=FileStamp(0, 0))\n"
        "if sys.argv[2] == 'True' and os.getuid() == 0: import soundfile, soxr, scipy.fft; os.setuid(65534)\n"
        "heard = analyse_file(found, [Timbre()], {})\n"
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
