"""The process beside the player: started again if it dies, and never left alone."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from soundalike.app import environment
from soundalike.app.library_worker import LibraryWorker, WorkerJob
from soundalike.settings import Settings

PATIENCE_S = 30.0

# Writes its number into a file, then waits for its end, or ends at once if that is wanted.
PROGRAM = """
import os, sys, threading
from pathlib import Path
from soundalike.app.library_worker import WorkerJob

ended = threading.Event()
job = WorkerJob.receive(sys.stdin.buffer, on_end=ended.set)
with (job.settings.data / "began").open("a") as file:
    file.write(f"{os.getpid()}\\n")
ended.wait()
(job.settings.data / "ended").touch()
"""
PARENT = """
import sys, time
from pathlib import Path
from soundalike.app.library_worker import LibraryWorker, WorkerJob
from soundalike.settings import Settings

data = Path(sys.argv[1])
job = WorkerJob(settings=Settings(data=data, artefacts=data))
LibraryWorker("pretended_worker", job, say=print).start()
time.sleep(600)
"""


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WorkerJob:
    (tmp_path / "pretended_worker.py").write_text(PROGRAM, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return WorkerJob(settings=Settings(data=tmp_path, artefacts=tmp_path))


def until(condition: Callable[[], object]) -> None:
    ends = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.02)


def began(job: WorkerJob) -> list[int]:
    try:
        return [int(line) for line in (job.settings.data / "began").read_text(encoding="utf-8").split()]
    except FileNotFoundError:
        return []


def test_it_is_started_again_when_it_dies_and_ends_with_the_player(job: WorkerJob) -> None:
    said: list[str] = []
    worker = LibraryWorker("pretended_worker", job, say=said.append, pause_s=0.01)
    worker.start()
    worker.start()  # it runs already
    until(lambda: len(began(job)) == 1)
    os.kill(began(job)[0], signal.SIGKILL)
    until(lambda: len(began(job)) == 2)
    assert said == ["What scans and learns ended by itself (signal 9) and is started again."]
    worker.stop()
    assert (job.settings.data / "ended").exists()
    worker.start()
    assert len(began(job)) == 2


def test_one_that_cannot_even_begin_is_tried_with_growing_pauses(job: WorkerJob) -> None:
    said: list[str] = []
    worker = LibraryWorker("no_such_worker", job, say=said.append, pause_s=0.01)
    worker.start()
    until(lambda: len(said) == 2)
    worker.stop()
    assert said[0] == "What scans and learns ended by itself (status 1) and is started again."


def test_one_for_a_single_scan_is_not_started_again(job: WorkerJob) -> None:
    single = WorkerJob(settings=job.settings, is_single=True)
    worker = LibraryWorker("pretended_worker", single, say=pytest.fail, pause_s=0.01)
    worker.start()
    until(lambda: len(began(job)) == 1)
    os.kill(began(job)[0], signal.SIGKILL)
    until(lambda: not environment_has(began(job)[0]))
    worker.stop()
    assert len(began(job)) == 1


def environment_has(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_it_ends_even_if_the_player_is_killed(job: WorkerJob) -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(job.settings.data)])
    until(lambda: len(began(job)) == 1)
    parent.kill()
    parent.wait()
    until((job.settings.data / "ended").exists)


def test_a_process_that_was_here_is_known_to_be_dead() -> None:
    asking = "from soundalike.app import environment; print(environment.process_name())"
    name = subprocess.run(
        [sys.executable, "-c", asking], capture_output=True, text=True, check=True
    ).stdout.strip()
    assert environment.is_dead(name)
    assert not environment.is_dead(environment.process_name())


@pytest.mark.parametrize("name", ["", "f" * 32, "another-machine pid:[4026531836] 1 7", "a worker"])
def test_of_a_process_elsewhere_nothing_is_known(name: str) -> None:
    assert not environment.is_dead(name)
