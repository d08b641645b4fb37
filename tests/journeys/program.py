"""The program as a user starts it, and folders of small real audio files."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import soundfile

from web.description import check_answer

RATE = 22_050
PATIENCE_S = 60


def write_tune(path: Path, *, seed: int, seconds: float = 4.0) -> Path:
    """Write a few notes with some noise; another seed, another timbre."""
    rng = np.random.default_rng(seed)
    time_s = np.arange(int(seconds * RATE)) / RATE
    pitch = 110 * 2 ** (rng.integers(0, 24) / 12)
    overtones = rng.random(6)
    wave = sum(a * np.sin(2 * np.pi * pitch * (n + 1) * time_s) for n, a in enumerate(overtones))
    wave = 0.1 * wave * (1 + np.sin(2 * np.pi * rng.integers(1, 5) * time_s)) / 2
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, wave + 0.01 * rng.normal(size=len(wave)), RATE)
    return path


class Program:
    """`soundalike` with a data folder of its own."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("SOUNDALIKE_")}

    def command(self, *arguments: str | Path) -> list[str]:
        return [sys.executable, "-m", "soundalike", *map(str, arguments), "--data", str(self.data)]

    def run(self, *arguments: str | Path, **more: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments),
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
            **more,
        )

    def json(self, *arguments: str | Path) -> Any:
        result = self.run(*arguments, "--json")
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)

    @contextmanager
    def start(self, *arguments: str | Path) -> Iterator[subprocess.Popen[str]]:
        """Start in a session of its own, so that its workers can be counted and nothing is left over."""
        process = subprocess.Popen(
            self.command(*arguments),
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            process.communicate()

    @contextmanager
    def serving(self, *arguments: str | Path, patience_s: float = PATIENCE_S) -> Iterator[str]:
        """Serve and yield the address, once it answers; with 'up', once a scan has ended."""
        port = free_port()
        is_ready = has_scanned if arguments[0] == "up" else answers
        with self.start(*arguments, "--port", str(port)) as process:
            address = f"http://127.0.0.1:{port}"
            wait_until(lambda: is_ready(address), process, patience_s)
            yield address
            process.send_signal(signal.SIGINT)
            process.wait(PATIENCE_S)


def get(address: str) -> Any:
    status, body = _send(urllib.request.Request(address))  # noqa: S310 - our own loopback server
    if status != 200:
        msg = f"{address} answered {status}"
        raise OSError(msg)
    return json.loads(body)


def post(address: str, body: object) -> int:
    """Send JSON; return the status of the answer."""
    data = json.dumps(body).encode()
    request = urllib.request.Request(address, data, {"Content-Type": "application/json"})  # noqa: S310 - the same
    return _send(request)[0]


def _send(request: urllib.request.Request) -> tuple[int, bytes]:
    """Return the status and the body of an answer that the API's description has."""
    try:
        answer = urllib.request.urlopen(request, timeout=60)  # noqa: S310 - our own loopback server
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        body: bytes = answer.read()
        status: int = answer.status
        path = urlsplit(request.full_url).path
        check_answer(request.get_method(), path, status, answer.headers["Content-Type"], body)
        return status, body


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(
    is_true: Callable[[], bool], process: subprocess.Popen[str], patience_s: float = PATIENCE_S
) -> None:
    deadline = time.monotonic() + patience_s
    while not is_true():
        assert process.poll() is None, f"it ended early: {process.communicate()}"
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.02)


def has_scanned(address: str) -> bool:
    """Whether the program answers there, has scanned, and scans no more."""
    if not answers(address):
        return False
    scan = get(f"{address}/api/scans/current")
    return scan["last"] is not None and not scan["is_running"]


def answers(address: str) -> bool:
    """Whether the program answers there."""
    try:
        get(f"{address}/healthz")
    except OSError:
        return False
    return True
