"""Servers that all workers of a run share: the first worker that needs one starts it, and the run ends it."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path
from typing import IO

from servers.kafka import KafkaServer
from servers.mongodb import MongoDb
from servers.processes import running

_RUN = "run.lock"
_TESTS = Path(__file__).resolve().parents[1]


def lock_run(folder: Path) -> IO[str]:
    """Lock the file by which servers know that a run goes on.

    The kernel unlocks it when the file is closed or this process dies, however that comes about.

    Parameters
    ----------
    folder : Path
        The temporary folder of the run; `shared_address` is given the same.

    Returns
    -------
    file
        To be closed at the end of the run.
    """
    lock = (folder / _RUN).open("w")
    fcntl.lockf(lock, fcntl.LOCK_EX)
    return lock


def shared_address(folder: Path, kind: str) -> str:
    """Return the address of the run's one server of a kind; start it where no worker has.

    Parameters
    ----------
    folder : Path
        The temporary folder of the run.
    kind : str
        ``kafka`` or ``mongodb``.

    Returns
    -------
    str
        As a client needs it.
    """
    told = folder / f"{kind}.address"
    with (folder / f"{kind}.lock").open("w") as lock, (folder / f"{kind}.start").open("a") as log:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not told.exists():
            environment = {**os.environ, "PYTHONPATH": str(_TESTS)}
            command = [sys.executable, "-m", "servers.shared", str(folder), kind]
            started = subprocess.run(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                check=False,
            )
            assert started.stdout, f"{kind} did not start:\n{Path(log.name).read_text(errors='replace')}"
            told.write_text(started.stdout, encoding="utf-8")
        return told.read_text(encoding="utf-8")


def _server(kind: str, folder: Path) -> KafkaServer | MongoDb:
    return KafkaServer(folder) if kind == "kafka" else MongoDb(folder, is_durable=False)


def _start(folder: Path, kind: str) -> None:
    """Print the address of a server, which a child process keeps running until the run is over."""
    reading, writing = os.pipe()
    if os.fork():
        os.close(writing)
        with os.fdopen(reading) as pipe:
            sys.stdout.write(pipe.read())
        return
    os.setsid()
    os.close(reading)
    os.dup2(2, 1)  # the worker reads its output to the end
    with running(_server(kind, folder / kind)) as server, (folder / _RUN).open("r+") as run:
        os.write(writing, server.address.encode())
        os.close(writing)
        fcntl.lockf(run, fcntl.LOCK_EX)


if __name__ == "__main__":
    _start(Path(sys.argv[1]), sys.argv[2])
