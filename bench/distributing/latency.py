"""From sending a skip to a changed answer over HTTP: embedded, through Kafka, and on MongoDB besides."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import live
from servers.kafka import Kafka, new_topic

BOUND_MS = 1_000


def report(broker: Kafka, mongodb: str, folder: Path) -> None:
    """Fill a library of FMA's size, copy it to MongoDB, and time skips each way."""
    print("\n== from sending a skip to a changed answer; the bound is 1 s for p95 through Kafka")
    live.fill(folder)
    store = str(folder / "library.sqlite")
    start = time.perf_counter()
    program("store", "copy", store, mongodb)
    print(f"  store copy to MongoDB's protocol: {time.perf_counter() - start:.0f} s")
    for name, environment in (
        ("embedded", {}),
        ("Kafka, SQLite", {"EVENTS": broker.url(new_topic())}),
        ("Kafka, MongoDB's protocol", {"EVENTS": broker.url(new_topic()), "STORE": mongodb}),
    ):
        settings = {f"SOUNDALIKE_{key}": value for key, value in environment.items()}
        with ExitStack() as stack:
            stack.enter_context(variables(settings))
            if settings:
                stack.enter_context(consumer(folder))
            port = stack.enter_context(live.serving(folder))
            client = live.Client(port, 0)
            client.recommended()  # the first one after a start surveys the artefact
            print(f"  {name}: ", end="")
            took = live.changed(client)
        if settings and took.p95 > BOUND_MS:
            sys.exit("slower than the bound")


@contextmanager
def consumer(data: Path) -> Iterator[None]:
    """Run a consumer as the environment has it."""
    command = [sys.executable, "-m", "soundalike", "consume", "--data", str(data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own program
        if process.stdout is None or not process.stdout.readline():
            sys.exit("the consumer ended early")
        try:
            yield
        finally:
            process.terminate()


@contextmanager
def variables(settings: Mapping[str, str]) -> Iterator[None]:
    """Set variables for the children that are started meanwhile."""
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
