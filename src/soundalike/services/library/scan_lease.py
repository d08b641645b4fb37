"""The lease: one process at a time brings the library in step with its folders."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from soundalike.domain.errors import ScanEndedError, SoundalikeError
from soundalike.domain.ports.scans import ScanStore
from soundalike.domain.scans import BeatWatch, ScanProgress, ScanRecord, ScanResult
from soundalike.services.library.scan_control import change_record

BEAT_S = 3.0


class ScanLease:
    """Holds the lease of scans while a scan runs, and tells others how far it is.

    Parameters
    ----------
    store : ScanStore
        The port it uses.
    owner : str
        Names this process, and no other.
    clock : callable
        Returns seconds that never go back.
    now_ms : callable
        Returns the time in milliseconds since 1970, UTC.
    is_dead : callable
        Whether it is known that an owner lives no longer, so that its beat need not be watched.
    on_progress : callable
        Called with how far a scan is.
    """

    def __init__(
        self,
        store: ScanStore,
        *,
        owner: str,
        clock: Callable[[], float],
        now_ms: Callable[[], int],
        is_dead: Callable[[str], bool] = lambda _owner: False,
        on_progress: Callable[[ScanProgress], None] = lambda _progress: None,
    ) -> None:
        self._store = store
        self._owner = owner
        self._now_ms = now_ms
        self._is_dead = is_dead
        self._on_progress = on_progress
        self._watch = BeatWatch(clock)
        self._progress = ScanProgress()
        self._may_run = threading.Event()
        self._is_over = threading.Event()

    def take(self, *, is_whole: bool) -> bool:
        """Take the lease, if nobody holds it and scans are not paused; called again and again by who waits.

        Parameters
        ----------
        is_whole : bool
            Whether everything is scanned, so that scans that were asked for are done with it.
        """
        record = self._store.scan_record()
        if record.is_paused or not self._is_free(record):
            return False
        self._progress = ScanProgress()
        taken = replace(
            record,
            owner=self._owner,
            beat=record.beat + 1,
            taken=record.wanted if is_whole else record.taken,
            started_ms=self._now_ms(),
            progress=self._progress,
        )
        self._is_over.clear()
        self._may_run.set()
        return self._store.save_scan_record(taken, replacing=record)

    @contextmanager
    def held(self, *, beat_s: float = BEAT_S) -> Iterator[None]:
        """Beat in a thread until the block ends; begin with `take`, and end with `give_back`.

        Parameters
        ----------
        beat_s : float
            How often.
        """
        ended = threading.Event()

        def beat() -> None:
            while not ended.wait(beat_s):
                self.beat()

        thread = threading.Thread(target=beat, name="scan lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def beat(self) -> None:
        """Show that this process lives, and how far it is; learn whether it may go on.

        A store that is away is asked again by the next beat: those who want the lease see none meanwhile.
        """
        try:
            record = change_record(self._store, self._beaten)
        except SoundalikeError:
            return
        if record.owner != self._owner:
            self._is_over.set()
        if record.is_paused and not self._is_over.is_set():
            self._may_run.clear()
        else:
            self._may_run.set()

    def give_back(self, result: ScanResult) -> None:
        """Let others have the lease, and tell what became of the scan."""
        change_record(
            self._store,
            lambda one: replace(one.freed(), last=result) if one.owner == self._owner else one,
        )

    def stop(self) -> None:
        """End the scan at its next step; callable from any thread."""
        self._is_over.set()
        self._may_run.set()

    def show(self, progress: ScanProgress) -> None:
        """Tell others how far the scan is, with the next beat."""
        self._progress = progress
        self._on_progress(progress)

    @property
    def is_going(self) -> bool:
        """Whether `check` returns, or raises, at once."""
        return self._may_run.is_set()

    def check(self) -> None:
        """Wait while scans are paused.

        Raises
        ------
        ScanEndedError
            If another process has the lease by now, or this one is to end.
        """
        self._may_run.wait()
        if self._is_over.is_set():
            msg = "the scan ended before it was done; what was analysed is stored, and the next one goes on"
            raise ScanEndedError(msg)

    def _is_free(self, record: ScanRecord) -> bool:
        is_free = self._watch.is_free(record)
        return is_free or record.owner == self._owner or self._is_dead(record.owner or "")

    def _beaten(self, record: ScanRecord) -> ScanRecord:
        if record.owner != self._owner:
            return record
        return replace(record, beat=record.beat + 1, progress=self._progress)
