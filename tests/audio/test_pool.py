"""The parent outlives its workers, and no worker outlives its parent."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from multiprocessing import Pipe
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest

from audio.disks import DRIP_S, open_dripping, open_never, open_stuck
from audio.fragile import DEADLY_S, ENDLESS_S, Fragile
from audio.grains import Grains
from audio.sounds import analyse, found, music, write
from soundalike.audio.features.extractor import Extractor
from soundalike.audio.features.timbre import Timbre
from soundalike.audio.observed import Activity
from soundalike.audio.pool import ProcessAnalyser, _Worker
from soundalike.audio.worker import Heartbeat
from soundalike.domain.errors import AudioError, FileUnavailableError
from soundalike.domain.files import Analysis, AnalysisFailure, FoundFile, ProblemReason
from soundalike.domain.ports.audio import Analysed

TIMBRE = Timbre().schema


def analyse_in_processes(
    files: Iterable[FoundFile], *extractors: Extractor
) -> Generator[tuple[FoundFile, Analysed], None, None]:
    return ProcessAnalyser(workers=2, extractors=extractors or None).analyse(files, sets=[TIMBRE], known={})


@pytest.fixture(autouse=True)
def _workers_find_this_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[1]))


@pytest.fixture(scope="module")
def songs(tmp_path_factory: pytest.TempPathFactory) -> list[FoundFile]:
    folder = tmp_path_factory.mktemp("songs")
    return [found(write(folder / f"{i}.wav", music(1.5 + i / 10))) for i in range(6)]


def children() -> set[int]:
    listing = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(os.getpid())],  # noqa: S607 - procps is on every such system
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    return {int(line.split()[0]) for line in listing.splitlines() if "soundalike.audio.worker" in line}


def of(
    results: Iterator[tuple[FoundFile, Analysed]],
) -> dict[str, Analysed]:
    return {file.real_path.name: heard for file, heard in results}


def test_every_file_is_analysed_as_in_one_process(songs: list[FoundFile]) -> None:
    results = of(analyse_in_processes(songs))
    assert len(results) == len(songs)
    for song in songs:
        here, there = analyse(song.real_path), results[song.real_path.name]
        assert isinstance(here, Analysis)
        assert isinstance(there, Analysis)
        assert [one.schema for one in there.vectors] == [TIMBRE]
        np.testing.assert_allclose(there.vectors[0].values, here.vectors[0].values, rtol=1e-5)
        assert there.audio_hash == here.audio_hash
    assert children() == set()


def test_known_audio_gets_no_vectors(songs: list[FoundFile]) -> None:
    first = analyse(songs[0].real_path)
    assert isinstance(first, Analysis)
    known = {TIMBRE.key: frozenset({first.audio_hash})}
    results = of(ProcessAnalyser(workers=1).analyse(songs[:2], sets=[TIMBRE], known=known))
    assert [len(getattr(heard, "vectors", "")) for heard in results.values()] == [0, 1]


def test_there_is_a_pass_for_each_priority() -> None:
    late, early, middle = Grains(priority=2), Timbre(), Grains(priority=1, rate=8_000)
    passes = ProcessAnalyser(extractors=[late, early, middle, Timbre(priority=1)]).passes
    names = [[schema.name for schema in sets] for sets in passes]
    assert names == [["timbre"], ["grains", "timbre"], ["grains"]]


def test_only_the_sets_that_are_asked_for_are_computed(songs: list[FoundFile]) -> None:
    analyser = ProcessAnalyser(workers=1, extractors=[Timbre(), Grains()])
    _, grains = analyser.passes
    for heard in of(analyser.analyse(songs[:2], sets=grains, known={})).values():
        assert isinstance(heard, Analysis)
        assert [one.schema.key for one in heard.vectors] == ["grains-v1"]


def test_no_files_start_no_worker() -> None:
    assert list(analyse_in_processes([])) == []


def test_files_are_taken_only_as_they_are_needed(songs: list[FoundFile]) -> None:
    taken = 0

    def endless() -> Iterator[FoundFile]:
        nonlocal taken
        while True:
            taken += 1
            yield songs[taken % len(songs)]

    results = analyse_in_processes(endless())
    for _ in range(3):
        next(results)
    assert taken <= 3 + 2 * 2
    results.close()
    assert children() == set()


@pytest.mark.parametrize("ends_with", [signal.SIGKILL, signal.SIGSEGV])
def test_a_file_that_kills_its_worker_is_named_and_the_others_continue(
    ends_with: int, songs: list[FoundFile], tmp_path: Path
) -> None:
    deadly = [found(write(tmp_path / f"deadly{i}.wav", music(DEADLY_S))) for i in range(2)]
    files = [songs[0], deadly[0], *songs[1:4], deadly[1], *songs[4:]]
    results = of(analyse_in_processes(files, Fragile(ends_with)))
    crashed = {name: heard for name, heard in results.items() if isinstance(heard, AnalysisFailure)}
    assert set(crashed) == {"deadly0.wav", "deadly1.wav"}
    assert len(results) == len(files)
    for heard in crashed.values():
        assert heard.reason is ProblemReason.CRASHED
        assert signal.Signals(ends_with).name in heard.detail


def test_a_file_that_never_ends_is_given_up(songs: list[FoundFile], tmp_path: Path) -> None:
    endless = found(write(tmp_path / "endless.wav", music(ENDLESS_S)))
    analyser = ProcessAnalyser(workers=1, silence_s=2, extractors=[Fragile()])
    results = of(analyser.analyse([endless, songs[0]], sets=[TIMBRE], known={}))
    given_up = results["endless.wav"]
    assert isinstance(given_up, AnalysisFailure)
    assert given_up.reason is ProblemReason.CRASHED
    assert "did nothing for 2 s" in given_up.detail
    assert isinstance(results["0.wav"], Analysis)


def test_a_slow_disk_is_waited_for_as_long_as_it_gives_something(tmp_path: Path) -> None:
    song = found(write(tmp_path / "slow.wav", music(1.3)))
    silence_s = 10 * DRIP_S
    analyser = ProcessAnalyser(workers=1, silence_s=silence_s, open_file=open_dripping)
    started = time.monotonic()
    (result,) = of(analyser.analyse([song], sets=[TIMBRE], known={})).values()
    assert isinstance(result, Analysis)
    assert time.monotonic() - started > 2 * silence_s


@pytest.mark.parametrize("open_file", [open_stuck, open_never])
def test_a_disk_that_hangs_is_no_crash_of_the_decoder(
    open_file: Callable[[Path], BinaryIO], songs: list[FoundFile]
) -> None:
    analyser = ProcessAnalyser(workers=1, silence_s=0.4, open_file=open_file)
    (result,) = of(analyser.analyse(songs[:1], sets=[TIMBRE], known={})).values()
    assert result == AnalysisFailure(
        reason=ProblemReason.UNREADABLE, detail="its disk did not answer for 0.4 s"
    )
    assert children() == set()


def test_a_disk_that_hangs_at_several_files_ends_the_run(songs: list[FoundFile]) -> None:
    results = ProcessAnalyser(workers=3, silence_s=0.4, open_file=open_never).analyse(
        songs, sets=[TIMBRE], known={}
    )
    with pytest.raises(FileUnavailableError, match=r"3 files in a row.*run the command again"):
        list(results)
    assert children() == set()


def test_a_worker_that_does_not_end_is_not_waited_for() -> None:
    class Uninterruptible(subprocess.Popen[bytes]):
        """A process that waits for a disk inside the kernel, where no signal reaches it."""

        def wait(self, timeout: float | None = None) -> int:
            assert timeout is not None
            raise subprocess.TimeoutExpired(self.args, timeout)

    own_end, worker_end = Pipe()
    with worker_end:
        process = Uninterruptible(["/bin/true"], stdin=subprocess.PIPE)
        assert _Worker(process, own_end, deadline_s=0).close() == -signal.SIGKILL
    subprocess.Popen.wait(process)


# Signs of life


def test_a_heart_beats_only_while_something_is_done() -> None:
    sent: list[object] = []
    activity = Activity()
    heartbeat = Heartbeat(activity, sent.append)
    heartbeat.beat()
    assert sent == []
    with activity.reading():
        heartbeat.beat()
        heartbeat.beat()
    assert sent == [Activity(reads=1, is_reading=True)]
    activity.frames += 5
    heartbeat.beat()
    assert sent[1:] == [Activity(reads=1, frames=5)]


def test_workers_killed_from_outside_cost_one_file_each_at_most(songs: list[FoundFile]) -> None:
    results = analyse_in_processes(songs * 5)
    seen = [next(results)]
    for victim in children():
        os.kill(victim, signal.SIGKILL)
    seen += results
    assert len(seen) == 5 * len(songs)
    assert sum(isinstance(heard, AnalysisFailure) for _, heard in seen) <= 2


def test_workers_that_cannot_start_are_an_error_not_failures_of_files(
    songs: list[FoundFile], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(AudioError, match="doctor"):
        list(analyse_in_processes(songs))


PARENT = """
import sys
from audio.fragile import DEADLY_S, ENDLESS_S, Fragile
from audio.grains import Grains
from audio.sounds import found
from pathlib import Path
from audio.fragile import Fragile
from soundalike.audio.features.extractor import Extractor
from soundalike.audio.features.timbre import Timbre
from soundalike.audio.pool import ProcessAnalyser
files = [found(Path(name)) for name in sys.argv[1:]]
analyser = ProcessAnalyser(workers=2, extractors=[Fragile()])
for file, heard in analyser.analyse(files, sets=[Fragile().schema], known={}):
    print("heard", flush=True)
"""


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_no_worker_outlives_its_parent(blow: signal.Signals, songs: list[FoundFile], tmp_path: Path) -> None:
    endless = write(tmp_path / "endless.wav", music(ENDLESS_S))
    names = [str(endless), *(str(song.real_path) for song in songs)]
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, *names],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        process_group=0,
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"heard\n"
        workers = _workers_of(parent.pid)
        assert workers
        os.killpg(parent.pid, blow)
        parent.wait(10)
    deadline = time.monotonic() + 10
    while any(_is_alive(pid) for pid in workers) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [pid for pid in workers if _is_alive(pid)] == []


def _workers_of(pid: int) -> list[int]:
    return [
        int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    ]


def _is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"
