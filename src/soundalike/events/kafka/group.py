"""Membership of a consumer group: which partitions are assigned to this consumer, and reading them.

Partitions are assigned by the cooperative protocol: when a consumer joins or leaves, only partitions that
change hands stop. By the eager one, every consumer would give up all of them and read again whatever it had
not committed.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from soundalike.domain.errors import EventLogError
from soundalike.events.kafka.clients import KafkaClients, close_consumer, read_messages
from soundalike.events.kafka.commits import OffsetCommits, Offsets
from soundalike.events.kafka.topic_id import TopicIdentity

_log = logging.getLogger(__name__)

_ASSIGNED_FOR_S = 5.0
_COMMIT_S = 5.0
_STEP_S = 0.05
_MAX_AHEAD = 1_000
_FAILURES_OF_OUTAGE = 2


class GroupMember:
    """One consumer of the group, and how far it has folded its partitions.

    Everything happens in the thread that reads: librdkafka calls back while it does.

    Parameters
    ----------
    clients : KafkaClients
        Makes the consumer.
    on_assigned : callable
        Called when partitions have been assigned, perhaps none.
    on_gone : callable
        Called with partitions that are no longer assigned: another consumer folds what was read of them.

    Attributes
    ----------
    commits : OffsetCommits
        How far the partitions are folded.
    """

    def __init__(
        self, clients: KafkaClients, *, on_assigned: Callable[[], None], on_gone: Callable[[set[int]], None]
    ) -> None:
        self._clients = clients
        self._identity = TopicIdentity(clients)
        self._has_outage = False
        self._on_assigned = on_assigned
        self._on_gone = on_gone
        self._starts: dict[int, int] = {}
        self._logged: set[int] = set()
        self._ahead: list[Message] = []
        self._consumer: Consumer = clients.consumer(on_commit=self._committed)
        self.commits = OffsetCommits(self._consumer, clients.address.topic, self._identity)
        self._consumer.subscribe(
            [clients.address.topic], on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._lost
        )

    def read(self, most: int, *, timeout_s: float) -> list[Message]:
        """Return the next messages.

        Parameters
        ----------
        most : int
            The largest number of messages.
        timeout_s : float
            How long to wait for them, in s.

        Raises
        ------
        EventLogError
            If the consumer cannot read any more.
        """
        ahead, self._ahead = self._ahead[:most], self._ahead[most:]
        return ahead or self._consume(most, timeout_s)

    def stay(self, *, timeout_s: float) -> None:
        """Stay in the group for `timeout_s` seconds without reading; pause newly assigned partitions too."""
        came = self._consume(1, timeout_s)
        if came:
            self._ahead += came
            self.pause()

    def pause(self) -> None:
        """Read nothing more of the partitions that are assigned by now."""
        self._consumer.pause(self._consumer.assignment())

    def resume(self) -> None:
        """Read them again."""
        self._consumer.resume(self._consumer.assignment())

    def is_topic_replaced(self) -> bool:
        """Whether another topic has the name now, as far as the brokers have answered; does not wait."""
        return self._identity.has_changed()

    def log_outage(self) -> None:
        """Log once that the brokers do not answer, and once that they do again."""
        error, had_outage = self._identity.error, self._has_outage
        self._has_outage = error is not None and (
            had_outage or self._identity.failures >= _FAILURES_OF_OUTAGE
        )
        if error is not None and self._has_outage and not had_outage:
            why = self._clients.errors.translate(error, "read the log")
            _log.warning("%s; nothing is lost, and folding goes on by itself", why)
        elif had_outage and not self._has_outage:
            _log.warning("%s answers again", self._clients.address)

    def check_assigned(self, starts: Offsets, *, is_urgent: bool) -> None:
        """Check that the partitions are still assigned, if that is urgent or was not known for a while.

        A process that was suspended would fold what it had read, although others may have its partitions.

        Parameters
        ----------
        starts : mapping of int to int
            Up to where everything is folded.
        is_urgent : bool
            Whether to ask the brokers in any case.

        Raises
        ------
        EventLogError
            If they are not assigned, or if the brokers do not answer.
        """
        if time.monotonic() - self.commits.accepted_s > _ASSIGNED_FOR_S or is_urgent:
            self._commit_and_wait(starts)

    def lags(self, held: Offsets) -> dict[int, int]:
        """Count the records of each partition that are not folded, from what the brokers have said already.

        To be called every second: it wakes the thread of librdkafka that sends heartbeats, whose sleep would
        last an hour longer where the wall clock is set back by an hour.

        Parameters
        ----------
        held : mapping of int to int
            How many messages of each were read and not folded.
        """
        assigned = self._consumer.assignment()
        positions = {one.partition: one.offset for one in self._consumer.position(assigned)}
        self._find_starts([one for one in assigned if positions[one.partition] < 0])
        ahead = Counter(message.partition() for message in self._ahead)
        lags = {}
        for one in assigned:
            _, high = self._consumer.get_watermark_offsets(one, cached=True)
            position = positions[one.partition]
            start = position if position >= 0 else self._starts[one.partition]
            lags[one.partition] = max(0, high - start) + held.get(one.partition, 0) + ahead[one.partition]
        return lags

    def leave(self) -> None:
        """Commit what is folded, and leave the group."""
        if not close_consumer(self._consumer, before=self.commits.finish):
            _log.warning("Kafka does not answer; the last folded records will be read again")

    def _find_starts(self, unread: Sequence[TopicPartition]) -> None:
        """Find the committed offsets of partitions of which nothing was read yet."""
        unknown = [one for one in unread if one.partition not in self._starts]
        if unknown:
            for one in self.commits.committed(unknown):
                self._starts[one.partition] = max(0, one.offset)

    def _consume(self, most: int, timeout_s: float) -> list[Message]:
        try:
            messages = read_messages(self._consumer, most, timeout_s=timeout_s)
        except KafkaException as error:
            raise self._clients.errors.translate(error, "read the log") from error
        good = []
        for message in messages:
            trouble = message.error()
            if trouble is None:
                good.append(message)
            elif trouble.code() not in self._logged:
                self._logged.add(trouble.code())
                _log.warning("reading the log: %s", self._clients.errors.without_secrets(trouble))
        return good

    def _commit_and_wait(self, ends: Offsets) -> None:
        """Commit and wait for the answer, with a time-out that librdkafka's own waiting lacks."""
        request = self.commits.request(ends)
        until = time.monotonic() + _COMMIT_S
        while not request.is_answered and time.monotonic() < until:
            # The answer comes while reading; so do a few messages, which are kept.
            if len(self._ahead) >= _MAX_AHEAD:
                self.pause()
            self._ahead += self._consume(1, _STEP_S)
        if len(self._ahead) >= _MAX_AHEAD:
            self.resume()
        if not request.is_answered:
            msg = f"{self._clients.address} does not answer whether the partitions are still assigned to us"
            raise EventLogError(msg)
        if request.error is not None:
            raise self._clients.errors.translate(request.error, "go on folding")

    # librdkafka calls these while the consumer reads

    def _committed(self, error: KafkaError | None, partitions: list[TopicPartition]) -> None:
        if self.commits.note_answer(error, partitions):
            self._clients.errors.forget()

    def _assigned(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        _log.info("partitions %s were assigned to us", _numbers(partitions))
        try:
            self._consumer.incremental_assign(self.commits.committed(partitions))
        except KafkaException as error:  # librdkafka then assigns them itself
            _log.debug("the committed offsets are unknown: %s", error)
        self._on_assigned()

    def _revoked(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Commit what is folded before others get the partitions; leave the rest to them."""
        gone = _numbers(partitions)
        _log.info("partitions %s go to other consumers", gone)
        self.commits.retry()
        self._forget(gone)

    def _lost(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Leave everything to whichever consumer has the partitions by now."""
        _log.warning("the group went on without this consumer; what it had not committed is read again")
        self._forget(_numbers(partitions))

    def _forget(self, gone: set[int]) -> None:
        if self._identity.is_gone:  # no other consumer can read what was in it
            return
        self.commits.forget(gone)
        for number in gone:
            self._starts.pop(number, None)
        self._ahead = [message for message in self._ahead if message.partition() not in gone]
        self._on_gone(gone)


def _numbers(partitions: Sequence[TopicPartition]) -> set[int]:
    return {partition.partition for partition in partitions}
