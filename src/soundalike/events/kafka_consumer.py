"""A consumer of the log in Kafka: what it has read is folded before it is committed.

Partitions are shared out by the cooperative protocol: when a consumer comes or goes, only what changes
hands stops, whereas the eager one would have every consumer give up everything and read again whatever it
had not committed.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from soundalike.domain.errors import SoundalikeError
from soundalike.events.kafka_batch import Batch, Item
from soundalike.events.kafka_clients import KafkaClients
from soundalike.events.kafka_dead_letters import DeadLetters
from soundalike.events.kafka_metrics import ConsumerMetrics
from soundalike.events.kafka_place import KafkaPlace
from soundalike.events.kafka_refusals import Take, take_most
from soundalike.events.kafka_topics import prepare_topics

_log = logging.getLogger(__name__)

MAX_BATCH = 5_000
"""A profile is written whole at every fold: the more of its listens come at once, the cheaper each is."""

_MAX_HELD = 20_000
_IDLE_S = 0.5
_STEP_S = 0.2
_FIRST_DELAY_S = 0.1
_MAX_DELAY_S = 5.0
_MEASURE_EVERY_S = 1.0
_TIMEOUT_S = 2.0


class KafkaConsumer:
    """Hands records to `take`, in batches of whatever is there, and commits once they are folded.

    A record that cannot be read, or that the store refuses while it takes others, goes to the dead
    letters. While the store or the brokers are away, it keeps what it has read and tries again, and stays
    a member of its group.

    Parameters
    ----------
    place : KafkaPlace
        Brokers, topic and group.
    properties : mapping of str to str
        librdkafka's own. Never shown.
    take : callable
        Stores and folds records; may be given any of them again.
    metrics : ConsumerMetrics or None
        Told of the work.
    on_ready : callable
        Called once, when partitions have been shared out for the first time.

    Raises
    ------
    SettingsError
        If one of the properties would break what the log promises.
    """

    def __init__(
        self,
        place: KafkaPlace,
        properties: Mapping[str, str],
        take: Take,
        *,
        metrics: ConsumerMetrics | None = None,
        on_ready: Callable[[], None] = lambda: None,
    ) -> None:
        self._clients = KafkaClients(place, properties)
        self._take = take
        self._metrics = metrics or ConsumerMetrics()
        self._on_ready = on_ready
        self._is_ready = False

    def run(self, stop: threading.Event) -> None:
        """Consume until told to stop; then finish the batch, commit and leave the group.

        Raises
        ------
        SettingsError
            If one of the properties is none.
        EventLogError
            If the topics cannot be used at the start, or consuming has failed for good.
        """
        prepare_topics(self._clients)
        _Session(self._clients, self._take, self._metrics, self._ready).run(stop)

    def _ready(self) -> None:
        if not self._is_ready:
            self._is_ready = True
            self._on_ready()


class _Session:
    """One membership in the group."""

    def __init__(
        self, clients: KafkaClients, take: Take, metrics: ConsumerMetrics, on_assigned: Callable[[], None]
    ) -> None:
        self._clients = clients
        self._topic = clients.place.topic
        self._take = take
        self._metrics = metrics
        self._on_assigned = on_assigned
        self._batch = Batch()
        self._uncommitted: dict[int, int] = {}
        self._starts: dict[int, int] = {}
        self._trouble = ""
        self._measured = 0.0
        self._dead_letters = DeadLetters(clients)
        self._consumer: Consumer = clients.consumer(on_commit=self._committed)

    def run(self, stop: threading.Event) -> None:
        self._consumer.subscribe(
            [self._topic], on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._lost
        )
        try:
            while not stop.is_set():
                self._gather()
                if self._batch:
                    self._work_off(stop)
                self._measure()
        finally:
            self._commit_now(self._uncommitted)
            self._consumer.close()

    def _gather(self) -> None:
        """Read whatever is there, and wait for it only where there is nothing."""
        first = self._consumer.consume(1, timeout=_IDLE_S)
        if first:
            self._add(first)
            self._add(self._consumer.consume(MAX_BATCH - 1, timeout=0))

    def _work_off(self, stop: threading.Event) -> None:
        """Fold the batch, however long the store or the brokers are away, and commit it."""
        delay_s = _FIRST_DELAY_S
        while self._batch:
            try:
                self._fold()
            except Exception as error:  # noqa: BLE001 - nothing may be lost, whatever it is
                self._complain(error)
                if not self._wait(delay_s, stop):
                    return
                delay_s = min(2 * delay_s, _MAX_DELAY_S)
            else:
                self._complain(None)
                self._uncommitted |= self._batch.ends()
                self._batch.clear()
                self._metrics.note_oldest(None)
                self._commit()

    def _fold(self) -> None:
        self._metrics.note_oldest(self._batch.oldest_ms())
        self._bury([item for item in self._batch if item.reason and not item.is_done])
        items = [item for item in self._batch if not item.is_done]
        records = [item.record for item in items if item.record is not None]
        if not records:
            return
        start = time.monotonic()
        refused = take_most(self._take, records)
        seconds = time.monotonic() - start
        for refusal in refused:
            items[refusal.place].reason = f"the store refuses it: {refusal.error}"
        folded = [item for item in items if not item.reason]
        for item in folded:
            item.is_done = True
        newest_ms = max((item.sent_ms for item in folded), default=None)
        self._metrics.note_batch(len(folded), seconds=seconds, newest_ms=newest_ms)
        self._bury([item for item in items if item.reason])

    def _bury(self, items: Sequence[Item]) -> None:
        self._dead_letters.bury(items)
        for item in items:
            item.is_done = True
        self._metrics.note_dead(len(items))

    def _wait(self, delay_s: float, stop: threading.Event) -> bool:
        """Stay in the group for a while, and read on where there is room; False when told to stop.

        What comes meanwhile may tell whether it is the store that fails, or a record.
        """
        until = time.monotonic() + delay_s
        while (left_s := until - time.monotonic()) > 0:
            if stop.is_set():
                return False
            step_s = min(_STEP_S, left_s)
            room = _MAX_HELD - len(self._batch)
            if room > 0:
                self._add(self._consumer.consume(room, timeout=step_s))
            else:
                self._consumer.pause(self._consumer.assignment())
                self._add(self._consumer.consume(1, timeout=step_s))
            self._measure()
        self._consumer.resume(self._consumer.assignment())
        return not stop.is_set()

    def _add(self, messages: Sequence[Message]) -> None:
        good = []
        for message in messages:
            error = message.error()
            if error is None:
                good.append(message)
            elif error.fatal():
                raise self._clients.told(error, "consume")
            else:
                _log.debug("consuming: %s", error)
        self._batch.add(good)

    def _complain(self, error: Exception | None) -> None:
        """Say once what is wrong, and once that it is over."""
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

    # Offsets

    def _commit(self) -> None:
        if self._uncommitted:
            try:
                self._consumer.commit(offsets=self._offsets(self._uncommitted), asynchronous=True)
            except KafkaException as error:
                _log.debug("committing: %s", error)

    def _committed(self, error: KafkaError | None, partitions: list[TopicPartition]) -> None:
        """Strike off what is committed; called while polling."""
        if error is not None:
            _log.debug("committing: %s", error)  # it is committed again with what comes next
            return
        for partition in partitions:
            if partition.error is None and self._uncommitted.get(partition.partition) == partition.offset:
                del self._uncommitted[partition.partition]

    def _commit_now(self, ends: Mapping[int, int]) -> None:
        if not ends:
            return
        try:
            self._consumer.commit(offsets=self._offsets(ends), asynchronous=False)
        except KafkaException as error:
            _log.info("what was folded last is read again by whoever goes on: %s", error)

    def _offsets(self, ends: Mapping[int, int]) -> list[TopicPartition]:
        return [TopicPartition(self._topic, partition, offset) for partition, offset in ends.items()]

    # Changes of membership; called while polling

    def _assigned(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        _log.info("partitions %s are ours now", _numbers(partitions))
        self._measured = 0.0
        self._on_assigned()

    def _revoked(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Commit what is folded, and leave the rest to whoever is next."""
        gone = _numbers(partitions)
        _log.info("partitions %s go to others", gone)
        self._commit_now({number: end for number, end in self._uncommitted.items() if number in gone})
        self._forget(gone)

    def _lost(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Leave everything to whoever has it by now."""
        _log.warning("the group went on without us; what was not committed is read again by others")
        self._forget(_numbers(partitions))

    def _forget(self, gone: set[int]) -> None:
        self._batch.drop(gone)
        for number in gone:
            self._uncommitted.pop(number, None)
            self._starts.pop(number, None)

    # Lag

    def _measure(self) -> None:
        """Tell how far behind it is, from what the brokers have said already."""
        now = time.monotonic()
        if now - self._measured < _MEASURE_EVERY_S:
            return
        self._measured = now
        self._metrics.note_oldest(self._batch.oldest_ms())
        try:
            self._metrics.note_lags(self._lags())
        except KafkaException as error:
            _log.debug("measuring the lag: %s", error)
        self._commit()

    def _lags(self) -> dict[int, int]:
        assigned = self._consumer.assignment()
        positions = {one.partition: one.offset for one in self._consumer.position(assigned)}
        unknown = [one for one in assigned if positions[one.partition] < 0]
        asked = [one for one in unknown if one.partition not in self._starts]
        if asked:
            for one in self._consumer.committed(asked, timeout=_TIMEOUT_S):
                self._starts[one.partition] = max(0, one.offset)
        held = self._batch.counts()
        lags = {}
        for one in assigned:
            _, high = self._consumer.get_watermark_offsets(one, cached=True)
            position = positions[one.partition]
            start = position if position >= 0 else self._starts[one.partition]
            lags[one.partition] = max(0, high - start) + held.get(one.partition, 0)
        return lags


def _numbers(partitions: Sequence[TopicPartition]) -> set[int]:
    return {partition.partition for partition in partitions}
