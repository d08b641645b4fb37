"""One worker process: ``python -m soundalike.audio.worker DESCRIPTOR``, started by `pool` alone."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from typing import Any

from soundalike.audio.analyse import WholeHashes, analyse_file
from soundalike.audio.features.extractor import Extractor
from soundalike.audio.files import open_regular
from soundalike.audio.observed import Activity, OpenFile
from soundalike.audio.own_sheet import read_own_parts
from soundalike.domain.files import AnalysisFailure, FoundFile, ProblemReason
from soundalike.domain.ports.audio import Analysed, KnownAudio

READY = "ready"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What a worker is told before the first file.

    Parameters
    ----------
    extractors : sequence of Extractor
        The feature sets to compute.
    known : KnownAudio
        Audio that needs no vectors of a set.
    beat_s : float
        How often it reports what it has done.
    open_file : callable
        Opens files.
    """

    extractors: Sequence[Extractor]
    known: KnownAudio
    beat_s: float
    open_file: OpenFile = open_regular


class Heartbeat:
    """Reports what a worker has done, as long as that changes: silence means that it hangs.

    Parameters
    ----------
    activity : Activity
        What was done so far.
    send : callable
        Sends it to the parent.
    """

    def __init__(self, activity: Activity, send: Callable[[object], None]) -> None:
        self._activity, self._send = activity, send
        self._sent = replace(activity)

    def beat(self) -> None:
        """Send what was done, if it is more than at the last beat."""
        now = replace(self._activity)
        if now != self._sent:
            self._sent = now
            self._send(now)

    def run(self, beat_s: float) -> None:
        """Beat for ever, or until nobody listens."""
        while True:
            time.sleep(beat_s)
            try:
                self.beat()
            except OSError:
                return


def main() -> None:
    """Receive files from the connection and send back the results, and signs of life, until it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_parent, daemon=True).start()
    connection: Connection[Any, Any] = Connection(int(sys.argv[1]))
    setup: Setup = connection.recv()
    warm_up(setup.extractors)
    activity, sending = Activity(), threading.Lock()
    hashes: WholeHashes = {}

    def send(message: object) -> None:
        with sending:
            connection.send(message)

    heartbeat = Heartbeat(activity, send)
    try:
        send(READY)
        threading.Thread(target=heartbeat.run, args=(setup.beat_s,), daemon=True).start()
        while True:
            send(_analyse(connection.recv(), setup, activity, hashes))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return


def warm_up(extractors: Sequence[Extractor]) -> None:
    """Load every library and fill every table by analysing a second of synthetic sound."""
    import numpy as np  # noqa: PLC0415 - as late as the others
    import soundfile  # noqa: F401, PLC0415 - loaded here, so that no file waits for it
    import soxr  # noqa: F401, PLC0415 - the same

    for extractor in extractors:
        extractor.extract(np.sin(np.arange(extractor.rate, dtype=np.float32)), 0)


def _die_with_parent() -> None:
    """Exit at once when the parent closes its end of stdin, also if it dies."""
    while os.read(0, 1):
        pass
    os._exit(0)


def _analyse(found: FoundFile, setup: Setup, activity: Activity, hashes: WholeHashes) -> Analysed:
    try:
        own_parts = read_own_parts(found, activity=activity, open_file=setup.open_file)
        return own_parts or analyse_file(
            found,
            setup.extractors,
            setup.known,
            activity=activity,
            open_file=setup.open_file,
            hashes=hashes,
        )
    except Exception as error:  # noqa: BLE001 - one file must not end the run; its failure is stored
        return AnalysisFailure(reason=ProblemReason.CRASHED, detail=f"{type(error).__name__}: {error}"[:300])


if __name__ == "__main__":
    main()
