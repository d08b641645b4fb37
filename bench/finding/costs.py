"""Processor time and memory of a call with all its threads and processes, and the products that it needs."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
from threadpoolctl import threadpool_limits

from soundalike.domain.types import FloatArray

Value = TypeVar("Value")

ROWS = 128
THREADS = 2
_TICKS, _PAGE_BYTES = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")
_EVERY_S = 0.05


@dataclass(frozen=True)
class Cost(Generic[Value]):
    """What a call took, and gave."""

    value: Value
    cpu_s: float
    wall_s: float
    peak_mb: float


def cost_of(call: Callable[[], Value]) -> Cost[Value]:
    """Measure a call; the memory is what all processes have at most beside what they had before."""
    cpu_before, memory_before = cpu_seconds(), memory_mb()
    start = time.perf_counter()
    with peak_memory() as peak:
        value = call()
    wall_s = time.perf_counter() - start
    return Cost(value, cpu_seconds() - cpu_before, wall_s, max(0.0, peak() - memory_before))


def products(coordinates: FloatArray) -> float:
    """Return the processor time of all products of rows with rows, in blocks, and of nothing else."""
    columns = np.ascontiguousarray(coordinates.T)

    def multiply(part: FloatArray) -> None:
        found = np.empty((ROWS, len(coordinates)), dtype=np.float32)
        for begin in range(0, len(part), ROWS):
            block = part[begin : begin + ROWS]
            np.matmul(block, columns, out=found[: len(block)])

    start = time.process_time()
    with threadpool_limits(limits=1, user_api="blas"), ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(multiply, np.array_split(coordinates, THREADS)))
    return time.process_time() - start


def cpu_seconds() -> float:
    """Return the processor time of this process and all that it started, also of those that have ended."""
    total = 0
    for process in _processes():
        fields = _stat(process)
        total += sum(map(int, fields[11:15]))
    return total / _TICKS


def memory_mb() -> float:
    """Return the memory of this process and all that it started."""
    return sum(int(_stat(process)[21]) * _PAGE_BYTES / 1e6 for process in _processes())


@contextmanager
def peak_memory() -> Iterator[Callable[[], float]]:
    """Yield a function that returns the most memory during the block."""
    most, is_over = [memory_mb()], threading.Event()

    def watch() -> None:
        while not is_over.wait(_EVERY_S):
            most.append(memory_mb())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield lambda: max(most)
    finally:
        is_over.set()
        watcher.join()


def _processes() -> list[str]:
    """Return this process and its descendants."""
    parents = {each.name: _stat(each.name)[1] for each in Path("/proc").iterdir() if each.name.isdecimal()}
    found = [str(os.getpid())]
    for process in found:
        found += [child for child, parent in parents.items() if parent == process]
    return found


def _stat(process: str) -> list[str]:
    """Return the fields of /proc/PID/stat after the name, all 0 if it has ended."""
    try:
        text = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return ["0"] * 50
    return text.rpartition(")")[2].split()
