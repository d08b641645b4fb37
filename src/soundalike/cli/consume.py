"""The command that folds the event log."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import click

from soundalike.app import open_app
from soundalike.app.consumer import check_consumable, open_consumer
from soundalike.cli import options, show

_MAX_PORT = 65_535


@click.command(short_help="Fold listens from Kafka into profiles.")
@click.option(
    "--metrics-port",
    type=click.IntRange(1, _MAX_PORT),
    metavar="PORT",
    help="Show metrics at http://127.0.0.1:PORT/metrics.",
)
@options.common
def consume(metrics_port: int | None) -> None:
    """Fold the listens in Kafka into listeners' profiles in the store.

    Start up to as many as the topic has partitions: they share them. Ctrl-C or SIGTERM stops one cleanly;
    however it ends, no listen is lost and none counts twice.
    """
    settings = options.settings()
    check_consumable(settings)
    port = settings.metrics_port if metrics_port is None else metrics_port
    with (
        _stopped_by_signals() as stop,
        open_app(settings) as app,
        open_consumer(app, on_ready=_announce, metrics_port=port) as consumer,
    ):
        consumer.run(stop)


def _announce(what: str) -> None:
    show.announce(f"{what} (Ctrl-C stops)")


@contextmanager
def _stopped_by_signals() -> Iterator[threading.Event]:
    """Yield an event that the first signal sets; the second interrupts at once."""
    stop = threading.Event()

    def note(_number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
