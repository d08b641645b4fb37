"""A consumer's metrics for Prometheus, served on loopback only."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from soundalike.domain.errors import ServeError

LOOPBACK = "127.0.0.1"

_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class ConsumerMetrics:
    """Counters and gauges, in a registry of their own.

    Parameters
    ----------
    clock : callable
        Returns seconds since 1970, UTC.
    """

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self.registry = CollectorRegistry()
        self._clock = clock
        self._newest_ms: int | None = None
        self._oldest_ms: int | None = None
        self._shown: set[int] = set()
        self._folded = self._counter("records_folded", "Records stored and folded.")
        self._dead = self._counter("dead_letters", "Records that could not be folded, kept as dead letters.")
        self._batches = self._counter("batches", "Batches of records stored and folded.")
        self._failures = self._counter("failures", "Attempts at a batch that failed and were repeated.")
        self._seconds = Histogram(
            "soundalike_fold_seconds",
            "How long it took to store and fold a batch.",
            buckets=_BUCKETS_S,
            registry=self.registry,
        )
        self._lag = self._gauge("lag_records", "Records not folded yet, by partition.", ["partition"])
        self._gauge("newest_folded_age_seconds", "Since the newest folded record was sent.").set_function(
            lambda: self._age_s(self._newest_ms, of_none=float("nan"))
        )
        self._gauge(
            "oldest_unfolded_age_seconds", "Since the oldest record being folded was sent."
        ).set_function(lambda: self._age_s(self._oldest_ms, of_none=0.0))

    def note_batch(self, folded: int, *, seconds: float, newest_ms: int | None) -> None:
        """Note a folded batch.

        Parameters
        ----------
        folded : int
            Its records.
        seconds : float
            How long it took.
        newest_ms : int or None
            When its newest record was sent (ms since 1970, UTC); None if it had none.
        """
        self._batches.inc()
        self._folded.inc(folded)
        self._seconds.observe(seconds)
        if newest_ms is not None:
            self._newest_ms = max(newest_ms, self._newest_ms or newest_ms)

    def note_dead(self, count: int) -> None:
        """Note dead letters."""
        self._dead.inc(count)

    def note_failure(self) -> None:
        """Note an attempt that failed and will be repeated."""
        self._failures.inc()

    def note_oldest(self, sent_ms: int | None) -> None:
        """Note when the oldest record that is read, but not folded, was sent; None if there is none."""
        self._oldest_ms = sent_ms

    def note_lags(self, lags: Mapping[int, int]) -> None:
        """Note how many records of each assigned partition are not folded; others are no longer shown."""
        for partition in self._shown - lags.keys():
            self._lag.remove(str(partition))
        for partition, lag in lags.items():
            self._lag.labels(str(partition)).set(lag)
        self._shown = set(lags)

    @contextmanager
    def served(self, port: int | None) -> Iterator[None]:
        """Serve the metrics at ``/metrics`` on a port; do nothing if it is None.

        Raises
        ------
        ServeError
            If the port is taken.
        """
        if port is None:
            yield
            return
        try:
            server, thread = start_http_server(port, addr=LOOPBACK, registry=self.registry)
        except OSError as error:
            msg = f"cannot serve metrics at {LOOPBACK}:{port}: {error.strerror}; choose another port"
            raise ServeError(msg) from error
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    def _age_s(self, sent_ms: int | None, *, of_none: float) -> float:
        return of_none if sent_ms is None else max(0.0, self._clock() - sent_ms / 1000)

    def _counter(self, name: str, what: str) -> Counter:
        return Counter(f"soundalike_{name}", what, registry=self.registry)

    def _gauge(self, name: str, what: str, labels: list[str] | None = None) -> Gauge:
        return Gauge(f"soundalike_{name}", what, labels or [], registry=self.registry)
