"""One of each bad file among good ones: the good are recommended, each bad one is reported."""

import ctypes
import json
import os
import socket
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from journeys.program import RATE, Program, get, write_tune

ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, PR_CAPBSET_DROP = 1, 2, 24


def _tone(seconds: float, amplitude: float = 0.3) -> np.ndarray:
    time_s = np.arange(int(seconds * RATE)) / RATE
    return (amplitude * np.sin(2 * np.pi * 440 * time_s)).astype(np.float32)


def _float_wav(path: Path, wave: np.ndarray) -> None:
    soundfile.write(path, wave, RATE, subtype="FLOAT")


def _cut(path: Path, share: float, *, seconds: float) -> None:
    soundfile.write(path, _tone(seconds), RATE)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])


def _wave_with_codec(path: Path, codec: int) -> None:
    header = struct.pack("<HHIIHH", codec, 1, 8000, 1000, 32, 1)
    data = bytes(4000)
    body = (
        b"WAVEfmt " + struct.pack("<I", len(header)) + header + b"data" + struct.pack("<I", len(data)) + data
    )
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)


def _infinite(path: Path) -> None:
    _float_wav(path, np.append(_tone(4), np.inf))


def _loop(path: Path) -> None:
    path.symlink_to(path.name)


def _dangle(path: Path) -> None:
    path.symlink_to("nowhere.mp3")


def _socket(path: Path) -> None:
    # Bound from inside the folder: a socket's path may be no longer than 107 bytes.
    here = Path.cwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(here)


HEARD_5_S = range(5011)

BAD: dict[str, tuple[str, Callable[[Path], object], range]] = {
    # name: reason, how it is made, how many ms may have been heard
    "empty.mp3": ("empty", lambda p: p.write_bytes(b""), range(1)),
    "text.mp3": ("not audio", lambda p: p.write_text("<html>404</html>" * 100), range(1)),
    "picture.flac": ("not audio", lambda p: p.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(2000)), range(1)),
    "codec.wav": ("unsupported codec", lambda p: _wave_with_codec(p, 0x0900), range(1)),
    "old.ofr": ("unsupported codec", lambda p: p.write_bytes(b"OFR " + bytes(4000)), range(1)),
    "zeros.wma": ("not audio", lambda p: p.write_bytes(ASF + bytes(4000)), range(1)),
    "short.wav": ("shorter than 1 s", lambda p: soundfile.write(p, _tone(0.5), RATE), range(490, 511)),
    "silent.flac": ("silent", lambda p: soundfile.write(p, _tone(5, 0), RATE), range(4990, 5011)),
    "nan.wav": ("not finite or absurd samples", lambda p: _float_wav(p, _tone(5) * np.nan), HEARD_5_S),
    "inf.wav": ("not finite or absurd samples", _infinite, HEARD_5_S),
    "loud.wav": ("not finite or absurd samples", lambda p: _float_wav(p, _tone(5, 130)), HEARD_5_S),
    "stub.flac": ("header longer than the audio", lambda p: _cut(p, 0.05, seconds=20), range(3000)),
    "stub.wav": ("header longer than the audio", lambda p: _cut(p, 0.1, seconds=20), range(1990, 2011)),
    "pipe.mp3": ("not a regular file", os.mkfifo, range(1)),
    "socket.mp3": ("not a regular file", _socket, range(1)),
    "loop.mp3": ("a link that loops or dangles", _loop, range(1)),
    "dangling.mp3": ("a link that loops or dangles", _dangle, range(1)),
    "around": ("a link that loops or dangles", lambda p: p.symlink_to("."), range(1)),
}  # fmt: skip


@pytest.fixture
def music(tmp_path: Path) -> Path:
    folder = tmp_path / "music"
    for number in range(4):
        write_tune(folder / f"good {number}.ogg", seed=number)
    for name, (_, make, _) in BAD.items():
        make(folder / name)
    _cut(folder / "half.wav", 0.5, seconds=20)
    return folder


def test_each_bad_file_has_its_reason_and_the_good_ones_are_recommended(music: Path, tmp_path: Path) -> None:
    program = Program(tmp_path / "data")
    report = program.json("extract", music)
    problems = {Path(problem["path"]).name: problem for problem in report["problems"]}
    half = problems.pop("half.wav")
    assert (half["reason"], half["is_used"]) == ("header longer than the audio", True)
    assert half["heard_ms"] == pytest.approx(10_000, abs=10)
    assert {name: problem["reason"] for name, problem in problems.items()} == {
        name: reason for name, (reason, _, _) in BAD.items()
    }
    for name, (_, _, heard) in BAD.items():
        assert problems[name]["heard_ms"] in heard, name
    assert not any(problem["is_used"] for problem in problems.values())
    assert report["counts"]["not audio"] == 3

    program.json("build", "--engine", "local")
    found = program.json("similar", "good 1")
    titles = {neighbour["track"]["title"] for neighbour in found["neighbours"]}
    assert titles == {"good 0", "good 2", "good 3", "half"}


def test_the_run_ends_with_a_table_of_reasons_and_exit_0(music: Path, tmp_path: Path) -> None:
    result = Program(tmp_path / "data").run("extract", music)
    assert result.returncode == 0
    for reason in {reason for reason, _, _ in BAD.values()}:
        assert reason in result.stdout


def test_a_second_run_reports_the_same(music: Path, tmp_path: Path) -> None:
    program = Program(tmp_path / "data")
    first = program.json("extract", music)
    second = program.json("extract", music)
    assert second["problems"] == first["problems"]
    assert second["added"] == 0


def _forgo_root_s_rights() -> None:
    """Make the program that starts here obey file permissions, though it stays root."""
    libc = ctypes.CDLL(None, use_errno=True)
    for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
        if libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0):
            raise OSError(ctypes.get_errno(), "prctl")


def test_what_may_not_be_read_is_unreadable(tmp_path: Path) -> None:
    write_tune(tmp_path / "music" / "good.ogg", seed=1)
    write_tune(tmp_path / "music" / "secret.ogg", seed=2).chmod(0)
    write_tune(tmp_path / "music" / "locked" / "inside.ogg", seed=3)
    (tmp_path / "music" / "locked").chmod(0)
    program = Program(tmp_path / "data")
    preparing = _forgo_root_s_rights if os.geteuid() == 0 else None
    result = program.run("extract", tmp_path / "music", "--json", preexec_fn=preparing)
    (tmp_path / "music" / "locked").chmod(0o700)
    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout)
    unreadable = {Path(p["path"]).name for p in report["problems"] if p["reason"] == "unreadable"}
    assert (report["added"], unreadable) == (1, {"secret.ogg", "locked"})


def test_a_folder_of_nothing_but_bad_files_still_serves(tmp_path: Path) -> None:
    (tmp_path / "music").mkdir()
    (tmp_path / "music" / "empty.mp3").touch()
    program = Program(tmp_path / "data")
    with program.serving("up", tmp_path / "music", "--engine", "local") as address:
        assert get(f"{address}/api/tracks")["total"] == 0
