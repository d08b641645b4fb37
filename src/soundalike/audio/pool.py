"""A pool of worker processes that analyse files; the parent survives the death of any of them.

Plain subprocesses rather than `multiprocessing`: a worker must not import the parent's ``__main__``
(the whole command line), needs an environment of its own before NumPy loads, a silent stderr
(libsndfile and mpg123 write to it from C), and must end with the parent, even by ``kill -9``. Files
and results go over one socket per worker, so that the file a worker died on is always known.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from pickle import UnpicklingError

from soundalike.audio.dependencies import reader_versions
from soundalike.audio.features import sets as feature_sets
from soundalike.audio.features.extractor import Extractor
from soundalike.audio.files import open_regular
from soundalike.audio.observed import Activity, OpenFile
from soundalike.audio.worker import READY, Setup
from soundalike.domain.errors import AudioError, FileUnavailableError
from soundalike.domain.features import FeatureSchema
from soundalike.domain.files import AnalysisFailure, FoundFile, ProblemReason
from soundalike.domain.ports.audio import Analysed, KnownAudio

DEFAULT_SILENCE_S = 120.0
START_TIMEOUT_S = 300.0
_BEATS = 4  # signs of life within the time after which silence is a hang
_LONGEST_BEAT_S = 1.0
_MOST_SILENT_READS = 3  # files in a row; then it is not the file but the disk
_END_TIMEOUT_S = 5.0
_MOST_FAILED_STARTS = 3
_AHEAD = 2  # the current file and the next, so that no worker waits for a slow store
_ONE_THREAD = {
    f"{library}_NUM_THREADS": "1"
    for library in ("OMP", "OPENBLAS", "MKL", "BLIS", "VECLIB_MAXIMUM", "NUMEXPR", "NUMBA")
}

_Result = tuple[FoundFile, Analysed]


def usable_cpus() -> int:
    """Count the processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class ProcessAnalyser:
    """Analyses files in worker processes; the port `Analyser`."""

    def __init__(
        self,
        workers: int | None = None,
        *,
        silence_s: float = DEFAULT_SILENCE_S,
        extractors: Sequence[Extractor] | None = None,
        open_file: OpenFile = open_regular,
    ) -> None:
        """Start nothing yet.

        Parameters
        ----------
        workers : int or None
            Most processes at once; as many as there are usable processors by default.
        silence_s : float
            How long a worker may do nothing at all; then its file fails, and it is killed. A file may take as
            long as it needs.
        extractors : sequence of Extractor or None
            The feature sets that it can compute; those in `features/sets.py` by default.
        open_file : callable
            Opens files; workers import it by name.
        """
        self._workers = workers or usable_cpus()
        self._silence_s = silence_s
        self._open_file = open_file
        self._extractors = feature_sets.EXTRACTORS if extractors is None else extractors

    @property
    def passes(self) -> Sequence[Sequence[FeatureSchema]]:
        """The feature sets of each pass over a library: those of one priority, the lowest number first."""
        priorities = sorted({one.priority for one in self._extractors})
        return [[one.schema for one in self._extractors if one.priority == each] for each in priorities]

    @property
    def versions(self) -> str:
        """Versions of the program's reading and of its decoders."""
        return reader_versions()

    def analyse(
        self, files: Iterable[FoundFile], *, sets: Sequence[FeatureSchema], known: KnownAudio
    ) -> Generator[_Result, None, None]:
        """Yield the result of each file once it is done; see `Analyser`.

        Parameters
        ----------
        files : iterable of FoundFile
            As scanned.
        sets : sequence of FeatureSchema
            Of one or more of the passes.
        known : KnownAudio
            Audio that needs no vectors of a set.

        Raises
        ------
        AudioError
            If no worker can be started.
        FileUnavailableError
            If several files in a row cannot be read, since their disk does not answer.
        """
        setup = Setup(
            extractors=[one for one in self._extractors if one.schema in sets],
            known=known,
            beat_s=min(_LONGEST_BEAT_S, self._silence_s / _BEATS),
            open_file=self._open_file,
        )
        pool = _Pool(setup, most=self._workers, silence_s=self._silence_s)
        try:
            yield from pool.run(iter(files))
        finally:
            pool.close()


@dataclass(slots=True, eq=False)
class _Worker:
    """A process, its socket, and the files that it has not answered yet, the current one first.

    `activity` is what it last said that it was doing, of the current file.
    """

    process: "subprocess.Popen[bytes]"
    connection: "Connection[object, object]"
    deadline_s: float
    is_ready: bool = False
    files: deque[FoundFile] = field(default_factory=deque)
    activity: Activity | None = None

    def close(self) -> int:
        """Kill the process, which has nothing to save, and return its exit status.

        One that waits for a disk that hangs ends only when that answers; nobody waits for it.
        """
        self.process.kill()
        self.connection.close()
        if self.process.stdin is not None:
            self.process.stdin.close()
        try:
            return self.process.wait(_END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            return -signal.SIGKILL


class _Pool:
    """The workers of one run."""

    def __init__(self, setup: Setup, *, most: int, silence_s: float) -> None:
        self._setup, self._most, self._silence_s = setup, most, silence_s
        self._workers: list[_Worker] = []
        self._again: deque[FoundFile] = deque()
        self._failed_starts = self._silent_reads = 0

    def run(self, files: Iterator[FoundFile]) -> Iterator[_Result]:
        """Hand out files and yield results until both have ended."""
        while True:
            self._hand_out(files)
            if not any(worker.files for worker in self._workers) and not self._again:
                return
            yield from self._collect()

    def close(self) -> None:
        """End every worker."""
        for worker in self._workers:
            worker.close()
        self._workers.clear()

    def _hand_out(self, files: Iterator[FoundFile]) -> None:
        while True:
            idlest = min(self._workers, key=lambda worker: len(worker.files), default=None)
            is_busy = idlest is None or bool(idlest.files)
            may_start = is_busy and len(self._workers) < self._most
            if not may_start and (idlest is None or len(idlest.files) >= _AHEAD):
                return
            found = self._again.popleft() if self._again else next(files, None)
            if found is None:
                return
            worker = self._start() if may_start or idlest is None else idlest
            if not self._give(worker, found):
                return

    def _give(self, worker: _Worker, found: FoundFile) -> bool:
        if worker.is_ready and not worker.files:
            worker.deadline_s = time.monotonic() + self._silence_s
        worker.files.append(found)
        try:
            worker.connection.send(found)
        except OSError:
            # It died before it began this file, which is not the cause.
            self._again.append(worker.files.pop())
            if not worker.files:
                self._dismiss(worker)
            return False
        return True

    def _start(self) -> _Worker:
        own_end, worker_end = Pipe()
        with worker_end:
            process = subprocess.Popen(  # noqa: S603 - this interpreter and this package
                [sys.executable, "-P", "-m", "soundalike.audio.worker", str(worker_end.fileno())],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=os.environ | _ONE_THREAD,
                pass_fds=[worker_end.fileno()],
                process_group=0,  # the parent handles Ctrl-C in a terminal
            )
        worker = _Worker(process, own_end, time.monotonic() + START_TIMEOUT_S)
        self._workers.append(worker)
        with contextlib.suppress(OSError):  # reading from it will show it
            own_end.send(self._setup)
        return worker

    def _collect(self) -> Iterator[_Result]:
        """Wait for one or more workers to answer, die or fall silent."""
        busy = {worker.connection: worker for worker in self._workers if worker.files}
        soonest = min((worker.deadline_s for worker in busy.values()), default=0.0)
        ready = wait(list(busy), max(0.0, soonest - time.monotonic()))
        now = time.monotonic()
        for connection, worker in busy.items():
            if connection in ready:
                yield from self._receive(worker)
            elif worker.deadline_s <= now:
                yield from self._lose(worker, f"did nothing for {self._silence_s:g} s")

    def _receive(self, worker: _Worker) -> Iterator[_Result]:
        try:
            message = worker.connection.recv()
        except (EOFError, OSError, UnpicklingError):
            yield from self._lose(worker, None)
            return
        worker.deadline_s = time.monotonic() + self._silence_s
        if isinstance(message, Activity):
            worker.activity = message
        elif message == READY:
            worker.is_ready, self._failed_starts = True, 0
        elif isinstance(message, Analysed):
            worker.activity, self._silent_reads = None, 0
            yield worker.files.popleft(), message

    def _lose(self, worker: _Worker, why: str | None) -> Iterator[_Result]:
        """Replace a worker; its current file is why it died."""
        files, was_ready = worker.files, worker.is_ready
        is_silent_read = why is not None and worker.activity is not None and worker.activity.is_reading
        if why is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                worker.process.wait(1)  # so that its own exit status is reported, not our kill
        status = self._dismiss(worker)
        if is_silent_read:
            yield from self._pass_over(files.popleft())
        elif was_ready:
            detail = f"the process that decoded it {why or _end_of(status)}"
            yield files.popleft(), AnalysisFailure(reason=ProblemReason.CRASHED, detail=detail)
        else:
            self._failed_starts += 1
            if self._failed_starts >= _MOST_FAILED_STARTS:
                msg = f"no worker process can be started ({_end_of(status)}); run 'soundalike doctor'"
                raise AudioError(msg)
        self._again.extend(files)

    def _pass_over(self, file: FoundFile) -> Iterator[_Result]:
        """Give up a file whose disk does not answer; after several in a row, all of them."""
        detail = f"its disk did not answer for {self._silence_s:g} s"
        yield file, AnalysisFailure(reason=ProblemReason.UNREADABLE, detail=detail)
        self._silent_reads += 1
        if self._silent_reads >= _MOST_SILENT_READS:
            msg = (
                f"{self._silent_reads} files in a row could not be read: their disk or network mount did not "
                f"answer for {self._silence_s:g} s each. What was analysed before is stored, and no track is "
                "marked as missing; run the command again when the disk answers"
            )
            raise FileUnavailableError(msg)

    def _dismiss(self, worker: _Worker) -> int:
        self._workers.remove(worker)
        return worker.close()


def _end_of(status: int) -> str:
    if status >= 0:
        return f"ended with status {status}"
    try:
        return f"was killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"was killed by signal {-status}"
