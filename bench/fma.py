"""A made Free Music Archive of full size: import, tune, build with NumPy and with Spark, and serve.

Each step is the command that a user gives, with its seconds and the peak memory of all its processes. Then
search, albums and similar pages are asked for one after another over HTTP.

    python bench/fma.py [TRACKS] [--write]

With --write the figures go to docs/performance.md.
"""

import http.client
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

import made_fma
from page import machine, write_section
from soundalike.domain.counts import counted
from soundalike.learning.spark.java import spark_readiness

ASKED, EVERY_S, PATIENCE_S = 300, 0.2, 180.0
MOST_SECONDS, MOST_MS = 600, 50


@dataclass(frozen=True)
class Step:
    """What a step took."""

    name: str
    seconds: float
    peak_mib: float


def main() -> None:
    """Print and, if asked, write the figures."""
    arguments = [each for each in sys.argv[1:] if each != "--write"]
    tracks = int(arguments[0]) if arguments else made_fma.TRACKS
    with tempfile.TemporaryDirectory() as folder:
        lines = list(measure(Path(folder), tracks))
    if "--write" in sys.argv:
        write_section("fma", "The Free Music Archive", "\n".join(lines))


def measure(folder: Path, tracks: int) -> Iterator[str]:
    """Yield lines of Markdown, each printed as soon as it is known."""
    said = printed()
    metadata, data = folder / "fma_metadata", folder / "data"
    started = time.monotonic()
    made = made_fma.write(metadata, tracks)
    size = sum(path.stat().st_size for path in metadata.iterdir()) / 1e9
    yield said(
        f"A made FMA of {counted(tracks, 'track')} x 518 ({size:.1f} GB of CSV, made in "
        f"{time.monotonic() - started:.0f} s), on {machine()}:"
    )
    yield said("")
    yield said("| step | seconds | peak memory, MiB |")
    yield said("|---|---|---|")
    engines = ["local", "spark"] if spark_readiness()[0] else ["local"]
    commands = {
        "`fma import`": ["fma", "import", str(metadata)],
        "`fma import` again": ["fma", "import", str(metadata)],
        "`tune`": ["tune"],
        **{f"`build --engine {engine}`": ["build", "--engine", engine] for engine in engines},
    }
    total = 0.0
    for name, command in commands.items():
        step = run(name, command, data)
        total += step.seconds if "again" not in name else 0
        yield said(f"| {step.name} | {step.seconds:.1f} | {step.peak_mib:,.0f} |")
    verdict = "within" if total <= MOST_SECONDS else "OVER"
    yield said(f"| all but the second import | {total:.0f} ({verdict} {MOST_SECONDS}) | |")
    yield said("")
    yield said(f"Then, of `soundalike serve`, {ASKED} of each, one after another:")
    yield said("")
    yield said("| | median, ms | p95, ms | CPU of the player, mean, ms |")
    yield said("|---|---|---|---|")
    with serving(data) as (port, player):
        for name, paths in questions(port, made).items():
            before = cpu_seconds(player)
            middle, late = np.percentile([timed(port, path) for path in paths], [50, 95])
            cpu_ms = 1000 * (cpu_seconds(player) - before) / len(paths)
            verdict = "" if late <= MOST_MS else f" (OVER {MOST_MS})"
            yield said(f"| {name} | {middle:.1f} | {late:.1f}{verdict} | {cpu_ms:.1f} |")


def printed() -> Callable[[str], str]:
    """Return what prints a line and returns it."""

    def say(line: str) -> str:
        print(line, flush=True)
        return line

    return say


def run(name: str, command: list[str], data: Path) -> Step:
    """Run a command of the program; its output is shown only if it fails."""
    started = time.monotonic()
    process = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "soundalike", *command, "--data", str(data)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    peak = PeakMemory(process.pid)
    output, _ = process.communicate()
    seconds = time.monotonic() - started
    if process.returncode:
        sys.exit(output.decode(errors="replace"))
    return Step(name, seconds, peak.stop())


class PeakMemory:
    """The largest memory of a process and its descendants together, looked at five times a second."""

    def __init__(self, process: int) -> None:
        self._process = process
        self._peak_kib = 0
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> float:
        """Return MiB."""
        self._is_over.set()
        self._thread.join()
        return self._peak_kib / 1024

    def _watch(self) -> None:
        while not self._is_over.wait(EVERY_S):
            self._peak_kib = max(self._peak_kib, sum(map(resident_kib, family_of(self._process))))


def family_of(process: int) -> list[int]:
    """Return a process and all its descendants."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError):  # it may have ended
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
                children.setdefault(int(fields[1]), []).append(int(folder.name))
    found = [process]
    for one in found:
        found += children.get(one, [])
    return found


def resident_kib(process: int) -> int:
    """Return the memory of a process, without what is only mapped from files."""
    try:
        found = re.search(r"RssAnon:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text())
    except OSError:
        return 0
    return int(found[1]) if found else 0


def cpu_seconds(process: int) -> float:
    """Return how long a process has computed so far."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def serving(data: Path) -> Iterator[tuple[int, int]]:
    """Serve the library; give the port and the process."""
    port = 18_765
    process = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "soundalike", "serve", "--data", str(data), "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        begun = time.monotonic()
        while not is_up(port):
            if process.poll() is not None or time.monotonic() - begun > PATIENCE_S:
                sys.exit("'soundalike serve' does not come up")
            time.sleep(0.1)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait()


def is_up(port: int) -> bool:
    """Whether the player answers."""
    try:
        return bool(json.loads(ask(port, "/api/tracks?limit=1"))["total"])
    except OSError:
        return False


def ask(port: int, path: str) -> bytes:
    """Return what is answered to a path."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != http.HTTPStatus.OK:
            sys.exit(f"{path} is answered with {answer.status}: {body[:500]!r}")
        return body
    finally:
        connection.close()


def questions(port: int, made: made_fma.Made) -> dict[str, list[str]]:
    """Return the paths of each kind of question, all about different things where there are enough.

    Parameters
    ----------
    port : int
        Where the player is.
    made : Made
        What it has.
    """
    rng = np.random.default_rng(0)

    def some(path: str) -> list[dict[str, Any]]:
        """Return entries from all over a list."""
        key = path.partition("?")[0].rpartition("/")[2]
        total = json.loads(ask(port, path))["total"]
        found: list[dict[str, Any]] = []
        for offset in rng.integers(0, max(1, total - 1), size=ASKED):
            found += json.loads(ask(port, f"{path}&limit=2&offset={offset}"))[key]
        different = list({one["id"]: one for one in found}.values())
        return [different[number] for number in rng.permutation(len(different))[:ASKED]]

    tracks, albums, artists = (some(f"/api/{kind}?sort={sort}") for kind, sort in
                               (("tracks", "title"), ("albums", "name"), ("artists", "name")))  # fmt: skip
    # Of the tracks whose row of features was empty, nothing is similar.
    empty = set(map(str, made.ids[: made_fma.EMPTY_ROWS].tolist()))
    tracks = [track for track in tracks if track["external_ids"]["fma"][0] not in empty]
    return {
        "search, API": [f"/api/tracks?query={quote(begun(track['title']))}" for track in tracks],
        "search, page": [f"/?query={quote(track['title'])}" for track in tracks],
        "albums, API": [f"/api/albums?sort=name&offset={rng.integers(5_000)}" for _ in albums],
        "album, page": [f"/albums/{album['id']}" for album in albums],
        "artist, page": [f"/artists/{artist['id']}" for artist in artists],
        "similar, API": [f"/api/tracks/{track['id']}/similar" for track in tracks],
        "track with similar ones, page": [f"/tracks/{track['id']}" for track in tracks],
    }


def begun(title: str) -> str:
    """Return what somebody has typed who looks for a title."""
    return " ".join(word[:3] for word in title.split()[:2])


def timed(port: int, path: str) -> float:
    """Return after how many milliseconds a path was answered."""
    started = time.perf_counter()
    ask(port, path)
    return 1000 * (time.perf_counter() - started)


if __name__ == "__main__":
    main()
