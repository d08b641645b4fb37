"""A consumer of the log in Kafka: it commits records once they are folded."""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence

from confluent_kafka import KafkaException

from soundalike.domain.errors import EventLogError, SoundalikeError
from soundalike.events.kafka.address import KafkaAddress
from soundalike.events.kafka.batch import Batch, PendingRecord
from soundalike.events.kafka.bisect import Take, bisect_rejected
from soundalike.events.kafka.clients import KafkaClients
from soundalike.events.kafka.dead_letters import DeadLetters
from soundalike.events.kafka.group import GroupMember
from soundalike.events.kafka.metrics import ConsumerMetrics
from soundalike.events.kafka.topics import prepare_topics

_log = logging.getLogger(__name__)

MAX_BATCH = 5_000
"""Every fold writes the whole profile: the more of its listens come at once, the cheaper each is."""

_MIN_BATCH = 100
_SLOW_S, _QUICK_S = 20.0, 5.0
_MAX_HELD = 20_000
_MAX_HELD_BYTES = 32 * 1024 * 1024
_IDLE_S = 0.5
_STEP_S = 0.2
_FIRST_DELAY_S = 0.1
_MAX_DELAY_S = 5.0
_MEASURE_EVERY_S = 1.0


class KafkaConsumer:
    """Passes records to `take`, in batches of whatever has arrived, and commits once they are folded.

    A record that is malformed, or that the store rejects while it takes others, goes to the dead letters.
    While the store or the brokers are away, the consumer keeps what it has read, tries again, and stays a
    member of its group.

    Parameters
    ----------
    address : KafkaAddress
        Brokers, topic and group.
    properties : mapping of str to str
        librdkafka's own. Never shown.
    take : callable
        Stores and folds records; may be given the same ones again.
    metrics : ConsumerMetrics or None
        Updated with the work; new ones if None.
    on_ready : callable
        Called once, when partitions have been assigned for the first time.

    Raises
    ------
    SettingsError
        If one of the properties would break a promise of the log.
    """

    def __init__(
        self,
        address: KafkaAddress,
        properties: Mapping[str, str],
        take: Take,
        *,
        metrics: ConsumerMetrics | None = None,
        on_ready: Callable[[], None] = lambda: None,
    ) -> None:
        self._clients = KafkaClients(address, properties)
        self._take = take
        self._metrics = metrics or ConsumerMetrics()
        self._on_ready = on_ready
        self._is_ready = False

    def run(self, stop: threading.Event) -> None:
        """Consume until `stop` is set; then finish the batch, commit and leave the group.

        Raises
        ------
        SettingsError
            If one of the properties does not exist.
        EventLogError
            If the topics cannot be used at the start.
        """
        prepare_topics(self._clients)
        while not stop.is_set():
            work = _Work(self._clients, self._take, self._metrics, self._be_ready)
            try:
                work.run(stop)
            except EventLogError as error:
                _log.warning("consuming starts again: %s", error)
                stop.wait(_MAX_DELAY_S)

    def _be_ready(self) -> None:
        if not self._is_ready:
            self._is_ready = True
            self._on_ready()


class _Work:
    """Reads, folds and commits, from joining the group to leaving it."""

    def __init__(
        self, clients: KafkaClients, take: Take, metrics: ConsumerMetrics, on_assigned: Callable[[], None]
    ) -> None:
        self._take = take
        self._metrics = metrics
        self._batch = Batch()
        self._most = MAX_BATCH
        self._is_paused = False
        self._trouble = ""
        self._measured = 0.0
        self._dead_letters = DeadLetters(clients)
        self._member = GroupMember(clients, on_assigned=on_assigned, on_gone=self._batch.drop)

    def run(self, stop: threading.Event) -> None:
        try:
            while not stop.is_set():
                self._gather()
                if self._batch:
                    self._finish_batch(stop)
                self._measure()
        finally:
            self._member.leave()
            self._dead_letters.close()

    def _gather(self) -> None:
        """Read what has arrived; wait only if nothing has."""
        first = self._member.read(1, timeout_s=_IDLE_S)
        if first:
            self._batch.add(first)
            self._batch.add(self._member.read(self._most - 1, timeout_s=0))

    def _finish_batch(self, stop: threading.Event) -> None:
        """Fold the batch, however long the store or the brokers are away, and commit it."""
        delay_s = _FIRST_DELAY_S
        while self._batch:
            try:
                self._fold_batch()
            except Exception as error:  # noqa: BLE001 - whatever it is, nothing may be lost
                self._log_trouble(error)
                if not self._wait(delay_s, stop):
                    return
                delay_s = min(2 * delay_s, _MAX_DELAY_S)
            else:
                self._log_trouble(None)
                self._member.commits.add(self._batch.ends())
                self._batch.clear()
                self._pause(is_full=False)
                self._metrics.note_oldest(None)

    def _fold_batch(self) -> None:
        self._metrics.note_oldest(self._batch.oldest_ms())
        self._send_dead([item for item in self._batch if item.reason and not item.is_done])
        start = time.monotonic()
        for part in self._batch.parts():
            # Folding twice is harmless, except for a total erasure: it removes what others have folded since.
            self._member.check_assigned(self._batch.starts(), is_urgent=part[0].is_total_erasure)
            ours = [item for item in part if not item.is_done]  # the others were just reassigned
            for item in self._fold_records(ours):
                item.note_done()
            self._send_dead([item for item in ours if item.reason])
        self._adapt(time.monotonic() - start)

    def _adapt(self, seconds: float) -> None:
        """Take smaller batches while the store is slow, and larger ones again once it is not."""
        if seconds > _SLOW_S:
            self._most = max(_MIN_BATCH, self._most // 2)
        elif seconds < _QUICK_S:
            self._most = min(MAX_BATCH, self._most * 2)

    def _fold_records(self, items: Sequence[PendingRecord]) -> Sequence[PendingRecord]:
        """Fold all that can be folded, and return them; give the others a reason."""
        records = [item.record for item in items if item.record is not None]
        if not records:
            return ()
        start = time.monotonic()
        rejected = bisect_rejected(self._take, records)
        seconds = time.monotonic() - start
        for one in rejected:
            items[one.index].reason = f"the store rejects it: {one.error}"
        folded = [item for item in items if not item.reason]
        newest_ms = max((item.sent_ms for item in folded), default=None)
        self._metrics.note_batch(len(folded), seconds=seconds, newest_ms=newest_ms)
        return folded

    def _send_dead(self, items: Sequence[PendingRecord]) -> None:
        self._dead_letters.send(items)
        for item in items:
            item.note_done()
        self._metrics.note_dead(len(items))

    def _wait(self, delay_s: float, stop: threading.Event) -> bool:
        """Stay in the group for a while, and read more if there is room; return False if `stop` was set.

        More records may show whether the store fails or just one record.
        """
        until = time.monotonic() + delay_s
        while (left_s := until - time.monotonic()) > 0:
            if stop.is_set():
                return False
            room = _MAX_HELD - len(self._batch) if self._batch.size() < _MAX_HELD_BYTES else 0
            self._pause(is_full=room <= 0)
            if room > 0:
                self._batch.add(self._member.read(room, timeout_s=min(_STEP_S, left_s)))
            else:
                self._member.stay(timeout_s=min(_STEP_S, left_s))
            self._measure()
        return not stop.is_set()

    def _pause(self, *, is_full: bool) -> None:
        """Pause reading if there is no room, and resume it if there is."""
        if is_full and not self._is_paused:
            self._member.pause()
        elif self._is_paused and not is_full:
            self._member.resume()
        self._is_paused = is_full

    def _log_trouble(self, error: Exception | None) -> None:
        """Log once what is wrong, and once that it is over."""
        if error is None:
            if self._trouble:
                _log.warning("folding goes on")
            self._trouble = ""
            return
        self._metrics.note_failure()
        if str(error) != self._trouble:
            self._trouble = str(error) or type(error).__name__
            is_ours = isinstance(error, SoundalikeError)
            _log.warning(
                "folding waits, nothing is lost: %s", self._trouble, exc_info=None if is_ours else error
            )

    def _measure(self) -> None:
        """Update the metrics, commit what could not be committed before, and look for a new topic."""
        now = time.monotonic()
        if now - self._measured < _MEASURE_EVERY_S:
            return
        self._measured = now
        self._metrics.note_oldest(self._batch.oldest_ms())
        self._member.commits.retry()
        is_replaced = self._member.is_topic_replaced()
        self._member.log_outage()
        if is_replaced and not self._batch:
            msg = "the topic was deleted and created again, and is read from its beginning"
            raise EventLogError(msg)
        try:
            self._metrics.note_lags(self._member.lags(self._batch.counts()))
        except KafkaException as error:
            _log.debug("measuring the lag: %s", error)
