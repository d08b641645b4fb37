"""What scans: wired together for a worker beside the player, or for a command."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from soundalike.app import App, environment
from soundalike.app.places import is_folder
from soundalike.audio.watching import LocalFolderWatcher
from soundalike.domain.scans import ScanProgress
from soundalike.domain.times import to_ms
from soundalike.services.library.scan_lease import ScanLease
from soundalike.services.library.scan_worker import ScanRunner, ScanWorker
from soundalike.services.library.scans import LibraryScan, ScanOutcome

OnOutcome = Callable[[ScanOutcome], None]
OnScanProgress = Callable[[ScanProgress], None]


def open_runner(
    app: App, *, on_outcome: OnOutcome, on_progress: OnScanProgress = lambda _: None
) -> ScanRunner:
    """Return what runs scans under the lease.

    Parameters
    ----------
    app : App
        Has the store and the services.
    on_outcome : callable
        Called with what became of each scan.
    on_progress : callable
        Called with how far it is.
    """
    return _runner(app, _scan(app), on_outcome, on_progress)


@contextmanager
def open_worker(
    app: App, *, on_outcome: OnOutcome, on_progress: OnScanProgress, say: Callable[[str], None]
) -> Iterator[ScanWorker]:
    """Make a worker that keeps the library in step, and let it watch folders until the block ends.

    Parameters
    ----------
    app : App
        Has the store and the services.
    on_outcome : callable
        Called with what became of each scan.
    on_progress : callable
        Called with how far it is.
    say : callable
        Called with sentences for whoever runs the program.
    """
    settings = app.settings
    own = [f"{settings.data}{os.sep}", f"{settings.artefacts}{os.sep}"]
    watcher = LocalFolderWatcher([*own, str(settings.database)] if settings.is_embedded else own)
    scan = _scan(app)
    try:
        yield ScanWorker(
            _runner(app, scan, on_outcome, on_progress),
            scan,
            app.store,
            watcher=watcher,
            clock=time.monotonic,
            poll_s=60.0 * settings.rescan_minutes,
            say=say,
        )
    finally:
        watcher.close()


def _scan(app: App) -> LibraryScan:
    (first, *_) = app.recipes.schemas_of(app.recipes.default)
    return LibraryScan(
        app.store,
        app.library_sync,
        roots=app.roots,
        learner=app.learner(),
        analysed=lambda: len(app.store.ids_with_vectors(first)),
        is_folder=is_folder,
        timer=time.monotonic,
    )


def _runner(app: App, scan: LibraryScan, on_outcome: OnOutcome, on_progress: OnScanProgress) -> ScanRunner:
    lease = ScanLease(
        app.store,
        owner=environment.process_name(),
        clock=time.monotonic,
        now_ms=lambda: to_ms(environment.now()),
        is_dead=environment.is_dead,
        on_progress=on_progress,
    )
    return ScanRunner(scan, lease, now_ms=lambda: to_ms(environment.now()), on_outcome=on_outcome)
