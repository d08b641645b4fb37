"""Server processes for tests: started in folders of their own, killed, paused, restarted."""

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

FETCHED = Path(__file__).resolve().parents[2] / "var" / "servers"
"""Where ``make servers`` puts what is started here."""

QUICK_JAVA = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
"""Options of a JVM that lives for a few minutes: it compiles little and collects simply."""

PATIENCE_S = 60.0
_PR_SET_PDEATHSIG = 1


class ServerProcess:
    """One server on loopback, in a session of its own, so that nothing of it is left over."""

    def __init__(
        self, command: Sequence[str], log: Path, *, environment: Mapping[str, str] | None = None
    ) -> None:
        self.command = list(command)
        self.log = log
        self._environment = {**os.environ, **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None, "it runs"
        return self._process.pid

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment,
                start_new_session=True,
                preexec_fn=_end_with_parent,  # noqa: PLW1509 - it only asks the kernel for something
            )

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """Kill it and its children as a crash would: ``kill -9``."""
        self._signal(signal.SIGKILL)
        if self._process is not None:
            self._process.wait()

    def pause(self) -> None:
        """Make it hang: connections stay open, nothing is answered."""
        self._signal(signal.SIGSTOP)
        time.sleep(0.5)  # what was on its way is answered until it has stopped

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def wait_until(self, is_ready: Callable[[], bool], *, patience_s: float = PATIENCE_S) -> None:
        def is_ready_or_over() -> bool:
            assert self.is_running(), f"it ended early:\n{self.log_end()}"
            return is_ready()

        wait_until(is_ready_or_over, patience_s=patience_s, describe=self.log_end)

    def log_end(self) -> str:
        return self.log.read_text(errors="replace")[-3000:]

    def _signal(self, number: int) -> None:
        if self.is_running():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, number)


def wait_until(
    is_so: Callable[[], bool], *, patience_s: float = PATIENCE_S, describe: Callable[[], str] = str
) -> None:
    """Ask again and again until it is so.

    Parameters
    ----------
    is_so : callable
        The condition.
    patience_s : float
        After so many seconds the test fails.
    describe : callable
        Returns what the failure says beyond that.
    """
    deadline = time.monotonic() + patience_s
    while not is_so():
        assert time.monotonic() < deadline, f"it took too long:\n{describe()}"
        time.sleep(0.02)


def free_ports(count: int) -> list[int]:
    """Return ports that are free now, all different."""
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


_Server = TypeVar("_Server", bound=ServerProcess)


@contextmanager
def running(server: _Server) -> Iterator[_Server]:
    """Start a server, and kill it in the end: nobody needs its data, and an orderly end takes seconds."""
    server.start()
    try:
        yield server
    finally:
        server.kill()


def _end_with_parent() -> None:
    """Have the kernel end this process where the tests are killed; only Linux knows how."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
