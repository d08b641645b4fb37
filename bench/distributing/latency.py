"""Time from sending a skip to a changed answer over HTTP: embedded, through Kafka, and on MongoDB."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np

import live
import synthetic
from servers.kafka import Kafka, new_topic

BOUND_MS = 1_000
SMALL_TRACKS, SMALL_USERS = 5_000, 50


def report(broker: Kafka, mongodb: str, folder: Path) -> None:
    """Time skips in a library of FMA's size, embedded and through Kafka, and in a smaller one on MongoDB."""
    print("\n== from sending a skip to a changed answer; the bound is 1 s for p95 through Kafka")
    large, small = folder / "large", folder / "small"
    for data in (large, small):
        data.mkdir(parents=True)
    synthetic.fill(large)
    embedded = time_skips("embedded", large, {})
    time_skips("Kafka, SQLite", large, {"EVENTS": broker.url(new_topic())}, embedded)
    synthetic.fill(small, tracks=SMALL_TRACKS, users=SMALL_USERS)
    start = time.perf_counter()
    program("store", "copy", str(small / "library.sqlite"), mongodb)
    print(f"store copy to MongoDB's protocol: {time.perf_counter() - start:.0f} s")
    embedded = time_skips("embedded", small, {})
    time_skips("Kafka, SQLite", small, {"EVENTS": broker.url(new_topic())}, embedded)
    on_mongodb = {"EVENTS": broker.url(new_topic()), "STORE": mongodb}
    time_skips("Kafka, MongoDB's protocol", small, on_mongodb, embedded)


def time_skips(
    name: str, data: Path, environment: Mapping[str, str], embedded: live.Timings | None = None
) -> live.Timings:
    """Serve a library, with a consumer if the log needs one; print and return the times of skips."""
    settings = {f"SOUNDALIKE_{key}": value for key, value in environment.items()}
    with ExitStack() as stack:
        stack.enter_context(variables(settings))
        if settings:
            stack.enter_context(consumer(data))
        port = stack.enter_context(live.serving(data))
        client = live.Client(port, 0)
        client.recommended()  # the first one after a start indexes the artefact
        print(f"  {name}, {data.name} library: ", end="", flush=True)
        took = live.changed(client)
    if embedded is not None:
        ratios = [np.percentile(took.ms, q) / np.percentile(embedded.ms, q) for q in (50, 95)]
        print(f"    that is {ratios[0]:.1f} times embedded at p50, {ratios[1]:.1f} times at p95")
    if settings and took.p95 > BOUND_MS:
        sys.exit("slower than the bound")
    return took


@contextmanager
def consumer(data: Path) -> Iterator[None]:
    """Run a consumer with the settings of the environment."""
    command = [sys.executable, "-m", "soundalike", "consume", "--data", str(data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own program
        if process.stdout is None or not process.stdout.readline():
            sys.exit("the consumer stopped early")
        try:
            yield
        finally:
            process.terminate()


@contextmanager
def variables(settings: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables for processes that are started in the block."""
    os.environ.update(settings)
    try:
        yield
    finally:
        for name in settings:
            del os.environ[name]


def program(*words: str) -> None:
    """Run a command of the program."""
    command = [sys.executable, "-m", "soundalike", *words]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own program
