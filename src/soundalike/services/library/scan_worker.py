"""The worker that keeps the library in step: it notices what changed, hears what is wanted, and scans."""

import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from os.path import commonpath
from pathlib import Path

from soundalike.domain.errors import ScanEndedError, SoundalikeError
from soundalike.domain.ports.audio import FolderWatcher
from soundalike.domain.ports.library import OnProgress
from soundalike.domain.ports.scans import ScanStore
from soundalike.domain.scans import ScanProgress, ScanState
from soundalike.services.library.scan_lease import BEAT_S, ScanLease
from soundalike.services.library.scans import LibraryScan, ScanOutcome

LOOK_S = 2.0
"""How often the worker looks whether something changed or is wanted."""

RETRY_S = 60.0
"""How long it waits after a scan that failed."""

HEAD_START_S = 4.0
"""How long a worker for one scan leaves it to one that runs all the time."""


class ScanRunner:
    """Runs a scan under the lease.

    Parameters
    ----------
    scan : LibraryScan
        Does the work.
    lease : ScanLease
        Only who holds it scans.
    now_ms : callable
        Returns the time in milliseconds since 1970, UTC.
    on_outcome : callable
        Called with what became of each scan.
    """

    def __init__(
        self,
        scan: LibraryScan,
        lease: ScanLease,
        *,
        now_ms: Callable[[], int],
        on_outcome: Callable[[ScanOutcome], None],
    ) -> None:
        self._scan = scan
        self._lease = lease
        self._now_ms = now_ms
        self._on_outcome = on_outcome

    def try_all(self) -> bool:
        """Scan everything that is here; False if another process scans, or scans are paused."""

        def scan() -> ScanOutcome:
            outcome = self._scan.run(self._scan.places(), self._lease, is_whole=True)
            away = tuple(f"the folder {str(one)!r} is not here" for one in self._scan.away())
            return replace(outcome, problems=(*outcome.problems, *away))

        return self._try(scan, is_whole=True)

    def try_folders(self, folders: Sequence[Path]) -> bool:
        """Scan folders; False if another process scans, or scans are paused."""
        return self._try(lambda: self._scan.run(folders, self._lease, is_whole=False), is_whole=False)

    def try_other(self, work: Callable[[OnProgress], ScanOutcome]) -> bool:
        """Do other work under the lease; False if another process scans, or scans are paused.

        Parameters
        ----------
        work : callable
            Gets what it has to call with (done, total) files.
        """

        def step(done: int, total: int) -> None:
            self._lease.check()
            self._lease.show(ScanProgress(state=ScanState.ANALYSING, done=done, total=total))

        return self._try(lambda: work(step), is_whole=False)

    def stop(self) -> None:
        """End the scan that runs, at its next step; callable from any thread."""
        self._lease.stop()

    def _try(self, work: Callable[[], ScanOutcome], *, is_whole: bool) -> bool:
        """Work under the lease, which is given back however that ends."""
        if not self._lease.take(is_whole=is_whole):
            return False
        outcome = ScanOutcome(problems=("it was interrupted",))
        try:
            with self._lease.held(beat_s=BEAT_S):
                outcome = work()
        except SoundalikeError as error:
            outcome = ScanOutcome(problems=(str(error),))
            raise
        finally:
            with suppress(SoundalikeError):  # while the store is away: others take the lease in time
                self._lease.give_back(outcome.result(self._now_ms()))
        self._on_outcome(outcome)
        return True


class ScanWorker:
    """Scans everything once, then what changes, and everything again when that is wanted.

    Parameters
    ----------
    runner : ScanRunner
        Runs scans.
    scan : LibraryScan
        Says which folders are here.
    store : ScanStore
        The port it uses.
    watcher : FolderWatcher
        Notices changes.
    clock : callable
        Returns seconds that never go back.
    poll_s : float
        How often folders are scanned of which the watcher is not told all.
    say : callable
        Called with sentences for whoever runs the program.
    """

    def __init__(  # noqa: PLR0913 - each is a port or service of its own
        self,
        runner: ScanRunner,
        scan: LibraryScan,
        store: ScanStore,
        *,
        watcher: FolderWatcher,
        clock: Callable[[], float],
        poll_s: float,
        say: Callable[[str], None],
    ) -> None:
        self._runner = runner
        self._scan = scan
        self._store = store
        self._watcher = watcher
        self._clock = clock
        self._poll_s = poll_s
        self._say = say
        self._said = ""
        self._unwatched: dict[Path, str] = {}
        self._changed: dict[Path, Path] = {}
        self._is_behind = True
        self._was_paused = False
        self._next_poll = self._not_before = clock()
        self._stopping = threading.Event()

    def run(self) -> None:
        """Look and scan until `stop`."""
        while not self._stopping.is_set():
            try:
                self.step()
            except ScanEndedError:
                continue  # another process took the lease after this one had stood still, or this one ends
            except SoundalikeError as error:
                self._not_before = self._clock() + RETRY_S
                if str(error) != self._said:
                    self._say(f"{error}; it is tried again")
                self._said = str(error)
            self._stopping.wait(LOOK_S)

    def stop(self) -> None:
        """End `run` at its next step; callable from any thread."""
        self._stopping.set()
        self._runner.stop()

    def step(self) -> None:
        """Look once, and scan what has to be scanned.

        Raises
        ------
        SoundalikeError
            If the scan failed; it is due again.
        """
        places = self._scan.places()
        self._watch(places)
        self._note_changes(places)
        if self._clock() < self._not_before:
            return
        record = self._store.scan_record()
        is_wanted = record.is_wanted
        if record.is_paused and not self._was_paused:
            self._say("Scans are paused; 'soundalike scan --resume', or the player, lets them go on.")
        self._was_paused = record.is_paused
        if not (is_wanted or self._is_behind or self._changed):
            return
        # What changes from now on is noticed, though the scan may see it already.
        changed, self._changed = self._changed, {}
        is_whole = is_wanted or self._is_behind
        was_behind, self._is_behind = self._is_behind, is_whole  # until it has succeeded
        has_scanned = False
        try:
            if is_whole:
                has_scanned = self._runner.try_all()
                self._is_behind = was_behind and not has_scanned
            else:
                has_scanned = self._runner.try_folders(list(changed.values()))
        finally:
            if has_scanned:
                self._said = ""
            else:
                self._note(changed.values(), places)

    def _watch(self, places: Sequence[Path]) -> None:
        unwatched = dict(self._watcher.watch(places))
        for place, why in unwatched.items():
            if self._unwatched.get(place) != why:
                minutes = round(self._poll_s / 60)
                self._say(f"{str(place)!r} is scanned every {minutes} minutes, since {why}.")
        self._unwatched = unwatched

    def _note_changes(self, places: Sequence[Path]) -> None:
        now = self._clock()
        changed = set(self._watcher.changed())
        if self._unwatched and now >= self._next_poll:
            self._next_poll = now + self._poll_s
            changed |= self._unwatched.keys()
        self._note(changed, places)

    def _note(self, folders: Iterable[Path], places: Sequence[Path]) -> None:
        for folder in folders:
            place = next((one for one in places if folder == one or one in folder.parents), None)
            if place is not None:
                known = self._changed.get(place)
                self._changed[place] = folder if known is None else Path(commonpath((known, folder)))
