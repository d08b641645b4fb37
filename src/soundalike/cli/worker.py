"""The process beside the player: ``python -m soundalike.cli.worker``, started by `serving` alone."""

import os
import signal
import sys
import threading
from collections.abc import Callable
from functools import partial

from soundalike.app import App, open_app
from soundalike.app.library_worker import WorkerJob
from soundalike.app.scanning import open_runner, open_worker
from soundalike.cli import show
from soundalike.cli.scan import print_outcome
from soundalike.domain.errors import SoundalikeError
from soundalike.domain.scans import ScanProgress, ScanState
from soundalike.services.library.scan_worker import HEAD_START_S, LOOK_S


def main() -> int:
    """Do the job that the parent sends; return the exit status."""
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    job = WorkerJob.receive(sys.stdin.buffer, on_end=stopping.set)
    show.set_up_logging(is_debugging=False)
    os.nice(job.settings.nice)
    try:
        with open_app(job.settings) as app:
            (_scan_once if job.is_single else _keep_scanning)(app, job, stopping)
    except SoundalikeError as error:
        show.complain(str(error), error.items)
        return 1
    return 0


def _keep_scanning(app: App, job: WorkerJob, stopping: threading.Event) -> None:
    report = partial(print_outcome, app, is_verbose=job.is_verbose)
    step = show.progress_lines("Analysing")

    def tell(progress: ScanProgress) -> None:
        if progress.state is not ScanState.LEARNING:
            step(progress.done, progress.total)

    with open_worker(app, on_outcome=report, on_progress=tell, say=show.say) as worker:
        threading.Thread(target=_call_when, args=(stopping, worker.stop), daemon=True).start()
        worker.run()


def _scan_once(app: App, _job: WorkerJob, stopping: threading.Event) -> None:
    """Scan what is wanted, unless a worker that runs all the time takes it."""
    runner = open_runner(app, on_outcome=partial(print_outcome, app))
    threading.Thread(target=_call_when, args=(stopping, runner.stop), daemon=True).start()
    stopping.wait(HEAD_START_S)
    while app.store.scan_record().is_wanted and not stopping.wait(LOOK_S):
        runner.try_all()


def _call_when(event: threading.Event, call: Callable[[], None]) -> None:
    event.wait()
    call()


if __name__ == "__main__":
    sys.exit(main())
