"""Memory and open files of the program's processes over time."""

import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from soaking.parts import System

EVERY_S = 5.0
LEAST_S = 300.0
"""A slope is given of processes that were followed for so long, without the first minute."""
_FIRST_S = 60.0
_MIB = 1 << 20


class Samples:
    """What each process took, by its part's name and its id."""

    def __init__(self) -> None:
        self._taken: dict[tuple[str, int], list[tuple[float, int, int]]] = defaultdict(list)

    def take(self, system: System) -> None:
        """Take one sample of each process."""
        for name, part in system.programs.items():
            with suppress(OSError, ValueError, AssertionError):
                folder = Path("/proc", str(part.pid))
                pages = int((folder / "statm").read_text(encoding="ascii").split()[1])
                files = sum(1 for _ in (folder / "fd").iterdir())
                self._taken[name, part.pid].append((time.monotonic(), pages * 4096, files))

    def report(self) -> None:
        """Print the most that each process took, and how it grew if it ran for long enough."""
        for (name, pid), taken in sorted(self._taken.items()):
            at_s, memory, files = (np.array(column, dtype=float) for column in zip(*taken, strict=True))
            text = (
                f"{name} {pid}: {len(taken) * EVERY_S / 60:4.1f} min, at most {memory.max() / _MIB:.0f} MiB"
            )
            text += f" and {files.max():.0f} files"
            settled = at_s > at_s[0] + _FIRST_S
            if at_s[-1] - at_s[0] > LEAST_S:
                hours = (at_s[settled] - at_s[0]) / 3600
                text += f"; grows by {np.polyfit(hours, memory[settled], 1)[0] / _MIB:+.1f} MiB"
                text += f" and {np.polyfit(hours, files[settled], 1)[0]:+.1f} files an hour"
            print(text)


@contextmanager
def sampling(system: System) -> Iterator[Samples]:
    """Take samples while the block lasts."""
    samples, stop = Samples(), threading.Event()

    def run() -> None:
        while not stop.wait(EVERY_S):
            samples.take(system)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield samples
    finally:
        stop.set()
        thread.join()
