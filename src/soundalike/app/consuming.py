"""What `consume` runs: a consumer of the event log that folds into the store."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from soundalike.app import App
from soundalike.app.adapters import require
from soundalike.domain.errors import SettingsError
from soundalike.services.listeners.fold_log import Consuming


class LogConsumer(Protocol):
    """Folds what stands in the event log."""

    def run(self, stop: threading.Event) -> None:
        """Fold until told to stop; then finish in good order.

        Raises
        ------
        EventLogError
            If the log cannot be read at the start.
        """


@contextmanager
def open_consumer(
    app: App, *, on_ready: Callable[[str], None] = lambda _: None, metrics_port: int | None = None
) -> Iterator[LogConsumer]:
    """Wire a consumer of the log that the settings name; show its metrics meanwhile.

    Parameters
    ----------
    on_ready : callable
        Called once, when it folds, with a sentence that says what and into where.
    metrics_port : int or None
        Where metrics are shown on loopback, nowhere by default.

    Raises
    ------
    SettingsError
        If the log folds by itself, its address or properties are malformed, or a library is missing.
    ServeError
        If the port of the metrics is taken.
    """
    settings = app.settings
    if settings.events is None:
        msg = "the event log in the store folds by itself; name another with --events kafka://host:9092/topic"
        raise SettingsError(msg)
    for module in ("confluent_kafka", "prometheus_client"):
        require(module, extra="kafka", what="consuming an event log in Kafka")
    from soundalike.events.kafka.address import KafkaAddress  # noqa: PLC0415 - the same
    from soundalike.events.kafka.consumer import KafkaConsumer  # noqa: PLC0415 - confluent-kafka may be missing
    from soundalike.events.kafka.metrics import ConsumerMetrics  # noqa: PLC0415 - the same

    address = KafkaAddress.parse(settings.events)
    log = f"{address.topic!r} of Kafka at {address.bootstrap} (group {address.group!r})"
    metrics = ConsumerMetrics()
    consumer = KafkaConsumer(
        address,
        settings.kafka,
        Consuming(app.store, app.services.profiles).take,
        metrics=metrics,
        on_ready=lambda: on_ready(f"Folding {log} into {settings.store_name}"),
    )
    with metrics.served(metrics_port):
        yield consumer
