"""The worker process that scans, analyses and learns, so that the player has a life of its own.

Its parent passes it a `WorkerJob` by standard input, and leaves that open: the worker ends when it closes,
which it does even if the parent is killed.
"""

import os
import pickle
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO

from soundalike.settings import Settings

_END_TIMEOUT_S = 10.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerJob:
    """What a worker is told.

    Parameters
    ----------
    settings : Settings
        Those of its parent.
    is_single : bool
        Whether it ends after one scan.
    is_verbose : bool
        Whether it prints all that was measured.
    """

    settings: Settings
    is_single: bool = False
    is_verbose: bool = False

    @classmethod
    def receive(cls, source: BinaryIO, *, on_end: Callable[[], None]) -> "WorkerJob":
        """Read the job that this process was started for, and watch for its end.

        Parameters
        ----------
        source : binary file
            Standard input.
        on_end : callable
            Called in a thread when the parent wants the worker to end, or has ended itself. If the worker is
            still there some seconds later, it ends at once: all that it stores is stored whole or not at all.
        """
        job = pickle.load(source)  # noqa: S301 - from our own parent, through a pipe that only the two have
        if not isinstance(job, cls):
            raise TypeError

        def wait() -> None:
            os.read(source.fileno(), 1)  # not by its buffer, which could not be locked when the program ends
            on_end()
            time.sleep(_END_TIMEOUT_S / 2)
            os._exit(1)

        threading.Thread(target=wait, name="parent", daemon=True).start()
        return job


class LibraryWorker:
    """Runs a worker process, and starts it again if it ends although it should not.

    Parameters
    ----------
    module : str
        Which module is the worker's program.
    job : WorkerJob
        What it is told.
    say : callable
        Called with a sentence each time it is started again.
    pause_s : float
        How long it rests before that at first; each time twice as long.
    """

    def __init__(
        self, module: str, job: WorkerJob, *, say: Callable[[str], None], pause_s: float = _FIRST_PAUSE_S
    ) -> None:
        self._command = _command(module)
        self._job = pickle.dumps(job)
        self._is_single = job.is_single
        self._say = say
        self._pause_s = pause_s
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, unless it runs."""
        with self._lock:
            if self._stopping.is_set() or (self._thread is not None and self._thread.is_alive()):
                return
            self._thread = threading.Thread(target=self._keep_running, name="library worker", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End it, and wait until it has ended."""
        self._stopping.set()
        with self._lock:
            thread = self._thread
            if self._process is not None:
                _end(self._process)
        if thread is not None:
            thread.join()

    def _keep_running(self) -> None:
        pause_s = self._pause_s
        while (process := self._begin()) is not None:
            begun = time.monotonic()
            status = process.wait()
            _close(process)
            if self._is_single or self._stopping.is_set():
                return
            if time.monotonic() - begun > _LONGEST_PAUSE_S:
                pause_s = self._pause_s
            if self._stopping.wait(pause_s):
                return
            self._say(f"What scans and learns ended by itself ({_shown(status)}) and is started again.")
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    def _begin(self) -> "subprocess.Popen[bytes] | None":
        with self._lock:
            if self._stopping.is_set():
                return None
            process = subprocess.Popen(  # noqa: S603 - this interpreter and this package
                self._command,
                stdin=subprocess.PIPE,
                process_group=0,  # Ctrl-C in a terminal is for the parent
            )
            self._process = process
        assert process.stdin is not None  # noqa: S101 - a pipe was asked for
        with suppress(OSError, ValueError):  # it has ended already, or was stopped
            process.stdin.write(self._job)
            process.stdin.flush()
        return process


def _end(process: "subprocess.Popen[bytes]") -> None:
    _close(process)
    try:
        process.wait(_END_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()


def _close(process: "subprocess.Popen[bytes]") -> None:
    """Let a process know that it is to end."""
    if process.stdin is not None:
        with suppress(OSError):
            process.stdin.close()


def _command(module: str) -> Sequence[str]:
    """Return the command, at the lowest priority for disks where the system knows one."""
    ionice = shutil.which("ionice")
    prefix = (ionice, "-c", "3", "-t") if ionice else ()
    return (*prefix, sys.executable, "-P", "-m", module)


def _shown(status: int) -> str:
    return f"status {status}" if status >= 0 else f"signal {-status}"
