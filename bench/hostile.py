"""Ask for health and audio while 1,000 hostile connections of one address are open.

The real program serves a small library on loopback. From 127.0.0.1 come, a fifth each: bodies that are
declared and not sent to the end, audio and covers that are asked for a hundred times in advance and not read,
headers that come by a byte now and then, and connections that send nothing. A listener at 127.0.0.2 asks for
``/healthz`` and a range of audio, each on a new connection; the same before is the baseline.

    python bench/hostile.py [CONNECTIONS]
"""

import contextlib
import resource
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

import numpy as np

from footprint import resident
from journeys.program import Program, answers, get, wait_until, write_tune
from servers.processes import free_ports

TRIES = 50
ANSWERED_WITHIN_MS = 500.0
GROWN_BY_MIB = 256.0
HEAD = b"GET %s HTTP/1.1\r\nHost: localhost\r\n"
BODY = b"POST /api/listens HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


def main() -> None:
    """Serve, attack, ask; fail if an answer comes late or memory grows by much."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with tempfile.TemporaryDirectory() as name:
        program = Program(Path(name, "data"))
        write_tune(Path(name, "music", "tune.flac"), seed=1, seconds=600)
        program.json("extract", Path(name, "music"))
        (port,) = free_ports(1)
        with program.start("serve", "--port", str(port)) as process:
            wait_until(lambda: answers(f"http://127.0.0.1:{port}"), process)
            track = get(f"http://127.0.0.1:{port}/api/tracks")["tracks"][0]["id"].encode()
            audio = b"/api/tracks/%s/audio" % track
            before = ask_all(port, audio)
            memory = resident(process.pid)
            with attacking(port, audio, count):
                during = ask_all(port, audio)
                grown_mib = (resident(process.pid) - memory) / (1 << 20)
    for what in before:
        print(f"{what:10} alone p50 {np.median(before[what]):6.1f}, worst {max(before[what]):6.1f} ms; "
              f"beside {count:,} hostile connections p50 {np.median(during[what]):6.1f}, "
              f"worst {max(during[what]):6.1f} ms of {TRIES}")  # fmt: skip
    print(f"memory grew by {grown_mib:.0f} MiB")
    if max(map(max, during.values())) > ANSWERED_WITHIN_MS or grown_mib > GROWN_BY_MIB:
        sys.exit(f"the bounds are {ANSWERED_WITHIN_MS:.0f} ms and {GROWN_BY_MIB:.0f} MiB")


@contextlib.contextmanager
def attacking(port: int, audio: bytes, count: int) -> Iterator[None]:
    """Keep so many connections open, and try to replace each that is closed."""
    kinds = (
        BODY + b"Content-Length: 1048576\r\n\r\n" + bytes(500_000),
        (HEAD % audio + b"\r\n") * 100,
        (HEAD % audio.replace(b"/audio", b"/cover") + b"\r\n") * 100,
        b"GET /healthz HT",
        b"",
    )
    with contextlib.ExitStack() as stack:
        for number in range(count):
            connection = stack.enter_context(socket.socket())
            connection.settimeout(1)
            with contextlib.suppress(OSError):
                connection.connect(("127.0.0.1", port))
                connection.setblocking(False)  # noqa: FBT003 - the method's own
                connection.send(kinds[number % len(kinds)])
        yield


def ask_all(port: int, audio: bytes) -> dict[str, list[float]]:
    """Return how long health and a range of audio take, in ms."""
    part = HEAD % audio + b"Range: bytes=1000-50999\r\n"
    return {
        "health": [timed(lambda: ask(port, HEAD % b"/healthz")) for _ in range(TRIES)],
        "audio": [timed(lambda: ask(port, part)) for _ in range(TRIES)],
    }


def ask(port: int, request: bytes) -> None:
    """Ask on a new connection of another address, and read all of the answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=10, source_address=("127.0.0.2", 0)) as one:
        one.sendall(request + b"Connection: close\r\n\r\n")
        answer = b"".join(iter(lambda: one.recv(65_536), b""))
    if answer[9:12] not in {b"200", b"206"}:
        sys.exit(f"the answer was {answer[:200]!r}")


def timed(act: Callable[[], object]) -> float:
    """Return how long it takes, in ms."""
    start = time.perf_counter()
    act()
    return (time.perf_counter() - start) * 1000


if __name__ == "__main__":
    main()
