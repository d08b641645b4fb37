"""One worker process: ``python -m soundalike.audio.worker DESCRIPTOR``, started by `pool` alone."""

import os
import signal
import sys
import threading
from multiprocessing.connection import Connection
from typing import Any

from soundalike.audio.analyse import analyse_file
from soundalike.audio.features.extractor import RATE, Extractor
from soundalike.domain.files import Analysis, AnalysisFailure, FoundFile, ProblemReason
from soundalike.domain.types import AudioHash

READY = "ready"


def main() -> None:
    """Receive files from the connection and send back the results, until it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_parent, daemon=True).start()
    connection: Connection[Any, Any] = Connection(int(sys.argv[1]))
    extractor, known = connection.recv()
    warm_up(extractor)
    try:
        connection.send(READY)
        while True:
            connection.send(_analyse(connection.recv(), extractor, known))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return


def warm_up(extractor: Extractor) -> None:
    """Load every library and fill every table by analysing a second of synthetic sound."""
    import numpy as np  # noqa: PLC0415 - as late as the others
    import soundfile  # noqa: F401, PLC0415 - loaded here, so that no file waits for it
    import soxr  # noqa: F401, PLC0415 - the same

    extractor.extract(np.sin(np.arange(RATE, dtype=np.float32)))


def _die_with_parent() -> None:
    """Exit at once when the parent closes its end of stdin, also if it dies."""
    while os.read(0, 1):
        pass
    os._exit(0)


def _analyse(
    found: FoundFile, extractor: Extractor, known: frozenset[AudioHash]
) -> Analysis | AnalysisFailure:
    try:
        return analyse_file(found, extractor, known)
    except Exception as error:  # noqa: BLE001 - one file must not end the run; its failure is stored
        return AnalysisFailure(reason=ProblemReason.CRASHED, detail=f"{type(error).__name__}: {error}"[:300])


if __name__ == "__main__":
    main()
