"""However long a file is, listening to it takes no more memory than a short one."""

import subprocess
import sys
from pathlib import Path

import pytest

from audio.sounds import music, write

LISTEN = """
import resource, sys
from pathlib import Path
from audio.sounds import analyse
from soundalike.domain.files import Analysis
short, long = map(Path, sys.argv[1:])
assert isinstance(analyse(short), Analysis)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
heard = analyse(long)
assert isinstance(heard, Analysis), heard
print(heard.duration_ms, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.parametrize("channels", [1, 8])
def test_an_hour_takes_no_more_than_half_a_minute(channels: int, tmp_path: Path) -> None:
    rate, seconds = 8_000, 3_600
    short = write(tmp_path / "short.wav", music(31))
    long = write(tmp_path / "long.wav", music(1, rate=rate)[:, :1].repeat(channels, axis=1), rate=rate)
    data, frame_bytes = bytearray(long.read_bytes()), 2 * channels
    at = data.index(b"data") + 4
    data[at : at + 4] = (rate * seconds * frame_bytes).to_bytes(4, "little")
    with long.open("wb") as file:  # an hour, nearly all of it a hole in the disk
        file.write(data)
        file.seek(at + 4 + rate * seconds // 2 * frame_bytes)
        file.write(data[at + 4 :])
        file.truncate(at + 4 + rate * seconds * frame_bytes)
    run = subprocess.run(
        [sys.executable, "-c", LISTEN, str(short), str(long)],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(Path(__file__).resolve().parents[1])},
    )
    duration_ms, grown_kib = map(int, run.stdout.split())
    assert duration_ms == seconds * 1_000
    assert grown_kib < 16 * 1_024
