"""One scan: everything that is here, or what has changed, is brought in step; then it is learned."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from soundalike.domain.errors import RootMissingError
from soundalike.domain.ports.library import CataloguedStore, OnProgress
from soundalike.domain.scans import ScanProgress, ScanResult, ScanState
from soundalike.services.learning.catching_up import Learned, Learner
from soundalike.services.library.catalogue import settle_catalogue
from soundalike.services.library.midway import Midway
from soundalike.services.library.roots import RootMap
from soundalike.services.library.scan_lease import ScanLease
from soundalike.services.library.sync import LibrarySync, SyncReport


@dataclass(frozen=True, slots=True)
class ScanOutcome:
    """What became of a scan.

    Parameters
    ----------
    reports : tuple of SyncReport
        One for each folder.
    problems : tuple of str
        Why a folder was left as it was.
    learned : Learned or None
        What was learned, None where nothing had changed.
    """

    reports: tuple[SyncReport, ...] = ()
    problems: tuple[str, ...] = ()
    learned: Learned | None = None

    def result(self, finished_ms: int) -> ScanResult:
        """Return what others are told.

        Parameters
        ----------
        finished_ms : int
            When it ended, since 1970, UTC.
        """

        def total(count: Callable[[SyncReport], int]) -> int:
            return sum(map(count, self.reports))

        return ScanResult(
            finished_ms=finished_ms,
            found=total(lambda one: one.found),
            unusable=total(lambda one: one.unusable),
            added=total(lambda one: one.added),
            changed=total(_changed),
            moved=total(lambda one: one.moved),
            returned=total(lambda one: one.returned),
            vanished=total(lambda one: one.vanished),
            problem="; ".join(self.problems),
        )


class LibraryScan:
    """Brings the library in step with folders, and learns from what is new.

    Parameters
    ----------
    store : CataloguedStore
        The port it uses.
    sync : LibrarySync
        Does the work for one folder.
    roots : RootMap
        Locates roots on this machine.
    learner : Learner
        Learns.
    analysed : callable
        Counts the tracks that have been analysed.
    is_folder : callable
        Whether a folder is there.
    timer : callable
        Returns seconds that never go back.
    """

    def __init__(  # noqa: PLR0913 - each is a port or service of its own
        self,
        store: CataloguedStore,
        sync: LibrarySync,
        *,
        roots: RootMap,
        learner: Learner,
        analysed: Callable[[], int],
        is_folder: Callable[[Path], bool],
        timer: Callable[[], float],
    ) -> None:
        self._store = store
        self._sync = sync
        self._roots = roots
        self._learner = learner
        self._analysed = analysed
        self._is_folder = is_folder
        self._timer = timer

    def places(self) -> tuple[Path, ...]:
        """Return the roots that are here, but for those below others."""
        places = [root.location for root in self._roots.roots() if self._is_folder(root.location)]
        return tuple(one for one in places if not any(other in one.parents for other in places))

    def away(self) -> tuple[Path, ...]:
        """Return the roots that are not here."""
        return tuple(root.location for root in self._roots.roots() if not self._is_folder(root.location))

    def run(self, folders: Sequence[Path], lease: ScanLease, *, is_whole: bool) -> ScanOutcome:
        """Bring the library in step with folders.

        A folder that was removed, or has lost its last track, is left to the one above it. If a root itself
        has lost all, its disk may be away, and it stays as it was.

        Parameters
        ----------
        folders : sequence of Path
            Roots, or below them.
        lease : ScanLease
            Which this process holds; it is told how far the scan is.
        is_whole : bool
            Whether what is there is learned even if nothing was new: an earlier scan may have been cut short.

        Raises
        ------
        ScanEndedError
            If the lease is lost, or the scan is to end.
        """
        reports, problems = [], []
        for folder in folders:
            try:
                reports.append(self._bring_in_step(folder, lease))
            except RootMissingError as error:
                problems.append(str(error))
        learned = None
        if is_whole or any(map(has_changed, reports)):
            lease.show(ScanProgress(state=ScanState.LEARNING))
            lease.check()
            learned = self._learner.catch_up(progress=_showing(lease, ScanState.LEARNING))
        return ScanOutcome(tuple(reports), tuple(problems), learned)

    def _bring_in_step(self, folder: Path, lease: ScanLease) -> SyncReport:
        places = self.places()
        while True:
            lease.show(ScanProgress(state=ScanState.SCANNING))
            lease.check()
            try:
                return self._sync.sync(folder, progress=self._analysing(lease))
            except RootMissingError:
                if folder in places or not any(place in folder.parents for place in places):
                    raise
                folder = folder.parent

    def _analysing(self, lease: ScanLease) -> OnProgress:
        """Return what is called after each file: it tells how far it is, and does what is due midway."""
        pace = _Pace(self._timer)
        midway: list[Midway] = []  # made with the first file: most scans have none

        def step(done: int, total: int) -> None:
            pace.stop()
            lease.check()
            if not midway:
                midway.append(self._midway(lease))
            left = pace.seconds_left(done, total)
            lease.show(ScanProgress(state=ScanState.ANALYSING, done=done, total=total, seconds_left=left))
            if done < total:
                midway[0].after(done)
            pace.go_on()

        return step

    def _midway(self, lease: ScanLease) -> Midway:
        return Midway(
            analysed=self._analysed(),
            learned=self._learner.track_count(),
            settle=lambda: settle_catalogue(self._store),
            place=self._learner.place,
            learn=lambda: self._learner.catch_up(progress=lambda _done, _total: lease.check()),
            timer=self._timer,
        )


class _Pace:
    """How fast files are analysed, while they are."""

    def __init__(self, timer: Callable[[], float]) -> None:
        self._timer = timer
        self._spent_s = 0.0
        self._since = timer()

    def stop(self) -> None:
        """Count no longer what follows."""
        self._spent_s += self._timer() - self._since

    def go_on(self) -> None:
        """Count what follows."""
        self._since = self._timer()

    def seconds_left(self, done: int, total: int) -> int | None:
        """Return how long the rest takes, None while that cannot be told."""
        if not done:
            self._spent_s = 0.0
            return None
        return round(self._spent_s / done * (total - done))


def has_changed(report: SyncReport) -> bool:
    """Whether a folder had anything new."""
    return bool(report.analysed or report.moved or report.returned or report.vanished)


def _changed(report: SyncReport) -> int:
    return max(0, report.analysed - report.failed - report.added - report.moved)


def _showing(lease: ScanLease, state: ScanState) -> OnProgress:
    def step(done: int, total: int) -> None:
        lease.check()
        lease.show(ScanProgress(state=state, done=done, total=total))

    return step
