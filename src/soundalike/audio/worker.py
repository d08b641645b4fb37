"""One worker process: ``python -m soundalike.audio.worker DESCRIPTOR``, started by `pool` alone."""

import os
import signal
import sys
import threading
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Any

from soundalike.audio.analyse import analyse_file
from soundalike.audio.features.extractor import Extractor
from soundalike.domain.files import Analysis, AnalysisFailure, FoundFile, ProblemReason
from soundalike.domain.ports.audio import KnownAudio

READY = "ready"


def main() -> None:
    """Receive files from the connection and send back the results, until it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_parent, daemon=True).start()
    connection: Connection[Any, Any] = Connection(int(sys.argv[1]))
    extractors, known = connection.recv()
    warm_up(extractors)
    try:
        connection.send(READY)
        while True:
            connection.send(_analyse(connection.recv(), extractors, known))
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


def _analyse(
    found: FoundFile, extractors: Sequence[Extractor], known: KnownAudio
) -> Analysis | AnalysisFailure:
    try:
        return analyse_file(found, extractors, known)
    except Exception as error:  # noqa: BLE001 - one file must not end the run; its failure is stored
        return AnalysisFailure(reason=ProblemReason.CRASHED, detail=f"{type(error).__name__}: {error}"[:300])


if __name__ == "__main__":
    main()
