"""The consumer of the event log: on its own for `consume`, or beside the player for `up`."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from soundalike.app import App
from soundalike.app.backends import require
from soundalike.domain.errors import SettingsError, SoundalikeError
from soundalike.services.listeners.fold_log import LogProjector
from soundalike.settings import Settings

_log = logging.getLogger(__name__)

_RETRY_AFTER_S = 5.0
_READY_WITHIN_S = 5.0


class LogConsumer(Protocol):
    """Folds the records of the event log into the store."""

    def run(self, stop: threading.Event) -> None:
        """Fold records until `stop` is set; then commit and leave.

        Raises
        ------
        EventLogError
            If the log cannot be read at the start.
        """


def check_consumable(settings: Settings) -> str:
    """Return the event log's address, if it is one that a consumer folds.

    Raises
    ------
    SettingsError
        If the log is in the store.
    """
    if settings.events is None:
        msg = "the event log in the store needs no consumer; name one in Kafka with --events kafka://HOST:9092/TOPIC"
        raise SettingsError(msg)
    return settings.events


@contextmanager
def open_consumer(
    app: App, *, on_ready: Callable[[str], None] = lambda _: None, metrics_port: int | None = None
) -> Iterator[LogConsumer]:
    """Make a consumer for the settings' event log, and serve its metrics meanwhile.

    Parameters
    ----------
    app : App
        Has the settings, the store and the service that folds.
    on_ready : callable
        Called once, when the consumer has joined its group, with a sentence that says what it does.
    metrics_port : int or None
        The loopback port that serves metrics; None for none.

    Raises
    ------
    SettingsError
        If the log needs no consumer, its address or properties are malformed, or a library is missing.
    ServeError
        If the port of the metrics is taken.
    """
    settings = app.settings
    events = check_consumable(settings)
    for module in ("confluent_kafka", "prometheus_client"):
        require(module, extra="kafka", what="consuming an event log in Kafka")
    from soundalike.events.kafka.address import KafkaAddress  # noqa: PLC0415 - confluent-kafka may be missing
    from soundalike.events.kafka.consumer import KafkaConsumer  # noqa: PLC0415 - the same
    from soundalike.events.kafka.metrics import ConsumerMetrics  # noqa: PLC0415 - the same

    address = KafkaAddress.parse(events)
    log = f"{address.topic!r} of {address} (group {address.group!r})"
    metrics = ConsumerMetrics()
    consumer = KafkaConsumer(
        address,
        settings.kafka,
        LogProjector(app.store, app.services.profiles).apply,
        metrics=metrics,
        on_ready=lambda: on_ready(f"Folding {log} into {settings.store_name}"),
    )
    with metrics.served(metrics_port):
        yield consumer


@contextmanager
def consumer_beside(app: App) -> Iterator[None]:
    """Run a consumer in a thread until the block ends, if the event log needs one.

    The block begins once the consumer has joined its group, or after a few seconds. A consumer that fails is
    logged and started again: meanwhile the player goes on, and shows that nothing is learned.

    Raises
    ------
    SettingsError, ServeError
        If the consumer, or its metrics, cannot be set up.
    """
    if app.log.is_folding:
        yield
        return
    stop, is_ready = threading.Event(), threading.Event()
    with open_consumer(
        app, on_ready=lambda _: is_ready.set(), metrics_port=app.settings.metrics_port
    ) as consumer:
        thread = threading.Thread(target=_keep_consuming, args=(consumer, stop, is_ready), name="consumer")
        thread.start()
        try:
            is_ready.wait(_READY_WITHIN_S)
            yield
        finally:
            stop.set()
            thread.join()


def _keep_consuming(consumer: LogConsumer, stop: threading.Event, is_ready: threading.Event) -> None:
    logged = ""
    while not stop.is_set():
        try:
            consumer.run(stop)
        except SoundalikeError as error:
            if str(error) != logged:
                _log.warning("listens are stored, but not folded: %s", error)
            logged = str(error)
        except Exception:  # noqa: BLE001 - nothing else would report what ends a thread
            _log.exception("listens are stored, but not folded")
        is_ready.set()  # or it has failed
        stop.wait(_RETRY_AFTER_S)
