"""Time `soundalike up` on a folder of music: from the command to an answer about what sounds alike.

For each engine: the first start (listen, tune, build, serve) and, as its baseline, the second on
the same data folder; median and range of three rounds.

    python bench/first_start.py [FOLDER OF AUDIO]
"""

import json
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from soundalike.learning.spark.java import spark_readiness
from spread import ROUNDS, spread

MUSIC = Path(__file__).resolve().parent.parent.parent / "shared" / "data" / "music"
PATIENCE_S = 600


def main() -> None:
    """Print seconds for each engine and start."""
    music = Path(sys.argv[1]) if len(sys.argv) > 1 else MUSIC
    if not music.is_dir():
        sys.exit(f"{music} is not a folder; give a folder of music")
    engines = ["local", "spark"] if spark_readiness()[0] else ["local"]
    for engine in engines:
        times: list[tuple[float, float]] = []
        for _ in range(ROUNDS):
            with tempfile.TemporaryDirectory() as data:
                times.append((start(music, engine, Path(data)), start(music, engine, Path(data))))
        first, second = zip(*times, strict=True)
        ratios = [slow / fast for slow, fast in times]
        print(
            f"engine {engine:6} first start {spread(first, '.1f')} s, second {spread(second, '.1f')} s, "
            f"ratio {spread(ratios, '.1f')}",
            flush=True,
        )


def start(music: Path, engine: str, data: Path) -> float:
    """Return the seconds from the command to an answering ``/api/tracks/ID/similar``; then stop it."""
    port = free_port()
    command = [sys.executable, "-m", "soundalike", "up", str(music), "--data", str(data)]
    started = time.monotonic()
    process = subprocess.Popen(  # noqa: S603 - our own program
        [*command, "--engine", engine, "--port", str(port)],
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    try:
        while not answers(f"http://127.0.0.1:{port}"):
            if process.poll() is not None or time.monotonic() - started > PATIENCE_S:
                sys.exit(f"'soundalike up {music}' does not come up; run it by hand to see why")
            time.sleep(0.02)
        return time.monotonic() - started
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()


def answers(address: str) -> bool:
    """Whether the player can say what sounds like its first track."""
    try:
        track = get(f"{address}/api/tracks?limit=1")["tracks"][0]
        return bool(get(f"{address}/api/tracks/{track['id']}/similar")["neighbours"])
    except (urllib.error.URLError, ConnectionError, IndexError):
        return False


def get(address: str) -> Any:  # noqa: ANN401 - JSON
    """Fetch a JSON document."""
    with urllib.request.urlopen(address, timeout=10) as answer:  # noqa: S310 - our own loopback server
        return json.loads(answer.read())


def free_port() -> int:
    """Return a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    main()
