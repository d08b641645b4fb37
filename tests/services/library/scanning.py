"""A machine whose worker keeps a library in step, with pretended music, events and learning."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from clocks import Clock
from services.library.folder import SCHEMA, write_song
from services.library.listener import Listener
from soundalike.domain.ports.library import OnProgress
from soundalike.services.learning.catching_up import Learned
from soundalike.services.learning.updating import Freshness
from soundalike.services.library.scan_control import ScanControl
from soundalike.services.library.scan_lease import ScanLease
from soundalike.services.library.scan_worker import ScanRunner, ScanWorker
from soundalike.services.library.scans import LibraryScan, ScanOutcome


class NotingLearner:
    """Remembers how many tracks there were when it learned or placed some."""

    def __init__(self, user: Listener) -> None:
        self._user = user
        self.learned: list[int] = []
        self.placed: list[int] = []
        self.fails: list[Exception] = []

    def track_count(self) -> int | None:
        return self.learned[-1] if self.learned else None

    def place(self) -> int:
        self.placed.append(self._count())
        return 1

    def catch_up(self, *, progress: OnProgress) -> Learned:
        progress(1, 2)
        if self.fails:
            raise self.fails.pop()
        self.learned.append(self._count())
        return Learned(freshness=Freshness.MISSING)

    def _count(self) -> int:
        return len(self._user.store.ids_with_vectors(SCHEMA))


class PretendedWatcher:
    """Tells of what a test says has changed."""

    def __init__(self) -> None:
        self.places: Sequence[Path] = ()
        self.untold: dict[Path, str] = {}
        self._changed: set[Path] = set()

    def watch(self, places: Sequence[Path]) -> Mapping[Path, str]:
        self.places = places
        return {place: why for place, why in self.untold.items() if place in places}

    def tell(self, *folders: Path) -> None:
        self._changed |= {folder.resolve() for folder in folders}

    def changed(self) -> frozenset[Path]:
        told, self._changed = frozenset(self._changed), set()
        return told

    def close(self) -> None:
        pass


class Machine:
    """One machine with a worker; several can share a store."""

    def __init__(self, user: Listener, name: str = "worker") -> None:
        self.user = user
        self.clock = Clock()
        self.learner = NotingLearner(user)
        self.watcher = PretendedWatcher()
        self.outcomes: list[ScanOutcome] = []
        self.said: list[str] = []
        self.after_each_file: Callable[[int], None] = lambda _done: None
        self.scan = LibraryScan(
            user.store,
            user.library_sync,
            roots=user.roots,
            learner=self.learner,  # type: ignore[arg-type] # has what is used of one
            analysed=lambda: len(user.store.ids_with_vectors(SCHEMA)),
            is_folder=Path.is_dir,
            timer=self.clock,
        )
        self.lease = ScanLease(
            user.store,
            owner=name,
            clock=self.clock,
            now_ms=lambda: 5_000,
            on_progress=lambda progress: self.after_each_file(progress.done),
        )
        self.runner = ScanRunner(self.scan, self.lease, now_ms=lambda: 6_000, on_outcome=self.outcomes.append)
        self.worker = ScanWorker(
            self.runner,
            self.scan,
            user.store,
            watcher=self.watcher,
            clock=self.clock,
            poll_s=600.0,
            say=self.said.append,
        )
        self.control = ScanControl(user.store, clock=self.clock)

    def adopt(self) -> "Machine":
        """Make the user's folder a root."""
        self.user.library_sync.adopt(self.user.folder.resolve())
        return self

    def look(self) -> ScanOutcome | None:
        """Let the worker look once; return what became of the scan, if there was one."""
        before = len(self.outcomes)
        self.worker.step()
        return self.outcomes[-1] if len(self.outcomes) > before else None


def write_album(folder: Path, *names: str) -> Path:
    """Write an album, one song for each name."""
    for name in names:
        write_song(folder / f"{name}.mp3", audio=f"sound of {name}", title=name)
    return folder
