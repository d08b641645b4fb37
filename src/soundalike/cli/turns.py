"""Waiting for the lease of scans, and saying who has it."""

import time
from collections.abc import Callable

from soundalike.app import App
from soundalike.cli import show
from soundalike.domain.scans import ScanProgress, ScanRecord, ScanState
from soundalike.services.library.scan_worker import LOOK_S

_MINUTE_S = 60
_STEPS = {
    ScanState.SCANNING: "looking for files",
    ScanState.ANALYSING: "analysing",
    ScanState.LEARNING: "learning",
}


def wait_for_turn(app: App, attempt: Callable[[], bool]) -> None:
    """Try something that needs the lease of scans until it could be done, and say so once if that waits.

    Parameters
    ----------
    app : App
        Knows who scans.
    attempt : callable
        Tries, and returns whether it could.
    """
    is_waiting = False
    while not attempt():
        if not is_waiting:
            show.say(f"{status_line(app.services.scans.current())} This waits for its turn.")
        is_waiting = True
        time.sleep(LOOK_S)


def status_line(record: ScanRecord) -> str:
    """Return how far a scan is, in a sentence."""
    if record.state is ScanState.PAUSED:
        return "Scans are paused; 'soundalike scan --resume' lets them go on."
    if record.state is ScanState.IDLE:
        return "A scan is wanted, and none runs yet." if record.is_wanted else "No scan runs."
    return f"A scan runs: {_STEPS[record.state]}{_how_far(record.progress)}."


def _how_far(progress: ScanProgress) -> str:
    if not progress.total:
        return ""
    left = f", {_duration(progress.seconds_left)} left" if progress.seconds_left is not None else ""
    return f", {progress.done:,} of {progress.total:,}{left}"


def _duration(seconds: int) -> str:
    hours, minutes = divmod(-(-seconds // _MINUTE_S), 60)
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min" if seconds >= _MINUTE_S else f"{seconds} s"
