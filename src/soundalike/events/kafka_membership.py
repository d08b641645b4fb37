"""A place in a group of consumers: which partitions are ours, what of them is committed, how far they reach.

Partitions are shared out by the cooperative protocol: when a consumer comes or goes, only what changes
hands stops, whereas the eager one would have every consumer give up everything and read again whatever it
had not committed.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from soundalike.events.kafka_clients import KafkaClients, close_consumer

_log = logging.getLogger(__name__)

_TIMEOUT_S = 2.0
_PROVEN_FOR_S = 5.0

Offsets = Mapping[int, int]
"""By partition."""


class Membership:
    """One consumer of the group, and what it has taken of its partitions.

    Everything happens in the thread that reads: callbacks come while it does.

    Parameters
    ----------
    clients : KafkaClients
        Makes the consumer.
    on_assigned : callable
        Called when partitions have been shared out, perhaps none.
    on_gone : callable
        Called with partitions that are ours no more: what was read of them is somebody else's to fold.
    """

    def __init__(
        self, clients: KafkaClients, *, on_assigned: Callable[[], None], on_gone: Callable[[set[int]], None]
    ) -> None:
        self._clients = clients
        self._topic = clients.place.topic
        self._on_assigned = on_assigned
        self._on_gone = on_gone
        self._uncommitted: dict[int, int] = {}
        self._starts: dict[int, int] = {}
        self._proven = 0.0
        self._sent = 0.0
        self._said: set[int] = set()
        self._consumer: Consumer = clients.consumer(on_commit=self._committed)
        self._consumer.subscribe(
            [self._topic], on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._lost
        )

    def read(self, most: int, *, timeout_s: float) -> list[Message]:
        """Read up to so many messages; wait for them for so long.

        Raises
        ------
        EventLogError
            If the consumer can read no more.
        """
        try:
            messages = self._consumer.consume(most, timeout=timeout_s)
        except KafkaException as error:
            raise self._clients.told(error, "consume") from error
        good = []
        for message in messages:
            trouble = message.error()
            if trouble is None:
                good.append(message)
            elif trouble.code() not in self._said:
                self._said.add(trouble.code())
                _log.warning("reading the log: %s", self._clients.scrubbed(trouble))
        return good

    def pause(self) -> None:
        """Let nothing more come, of whatever is ours by now."""
        self._consumer.pause(self._consumer.assignment())

    def resume(self) -> None:
        """Let it come again."""
        self._consumer.resume(self._consumer.assignment())

    def prove(self, starts: Offsets, *, is_urgent: bool) -> None:
        """See that the partitions are still ours, where that is urgent or was not seen for a while.

        A process that was stopped for a time goes on with what it had read, although the group may have
        gone on without it.

        Parameters
        ----------
        starts : mapping of int to int
            Up to where everything is folded.

        Raises
        ------
        EventLogError
            If they are not, or if nobody can be asked.
        """
        if time.monotonic() - self._proven < _PROVEN_FOR_S and not is_urgent:
            return
        try:
            self._consumer.commit(offsets=self._partitions(starts), asynchronous=False)
        except KafkaException as error:
            raise self._clients.told(error, "go on folding") from error
        self._proven = time.monotonic()

    def note_done(self, ends: Offsets) -> None:
        """Note up to where everything is folded, and commit it soon."""
        self._uncommitted |= ends
        self.commit()

    def commit(self) -> None:
        """Commit, without waiting, what is folded and not known to be committed."""
        if self._uncommitted:
            try:
                self._sent = time.monotonic()
                self._consumer.commit(offsets=self._partitions(self._uncommitted), asynchronous=True)
            except KafkaException as error:
                _log.debug("committing: %s", error)

    def lags(self, held: Offsets) -> dict[int, int]:
        """Count what is not folded of each partition, from what the brokers have said already.

        Parameters
        ----------
        held : mapping of int to int
            How many messages of each were read and not folded.
        """
        assigned = self._consumer.assignment()
        positions = {one.partition: one.offset for one in self._consumer.position(assigned)}
        self._find_starts([one for one in assigned if positions[one.partition] < 0])
        lags = {}
        for one in assigned:
            _, high = self._consumer.get_watermark_offsets(one, cached=True)
            position = positions[one.partition]
            start = position if position >= 0 else self._starts[one.partition]
            lags[one.partition] = max(0, high - start) + held.get(one.partition, 0)
        return lags

    def leave(self) -> None:
        """Commit what is folded, and leave the group."""
        if not close_consumer(self._consumer, before=lambda: self._commit_now(self._uncommitted)):
            _log.warning("the brokers do not answer; what was folded last is read again by whoever goes on")

    def _find_starts(self, unread: Sequence[TopicPartition]) -> None:
        """Find out where partitions begin for us of which nothing was read yet."""
        asked = [one for one in unread if one.partition not in self._starts]
        if asked:
            for one in self._consumer.committed(asked, timeout=_TIMEOUT_S):
                self._starts[one.partition] = max(0, one.offset)

    def _commit_now(self, ends: Offsets) -> None:
        if not ends:
            return
        try:
            self._consumer.commit(offsets=self._partitions(ends), asynchronous=False)
        except KafkaException as error:
            _log.info("what was folded last is read again by whoever goes on: %s", error)

    def _partitions(self, offsets: Offsets) -> list[TopicPartition]:
        return [TopicPartition(self._topic, partition, offset) for partition, offset in offsets.items()]

    # Called while reading

    def _committed(self, error: KafkaError | None, partitions: list[TopicPartition]) -> None:
        """Strike off what is committed."""
        if error is not None:
            _log.debug("committing: %s", error)  # it is committed again with what comes next
            return
        # As of when it was asked for: this process may have been stopped since.
        self._proven = max(self._proven, self._sent)
        for partition in partitions:
            if partition.error is None and self._uncommitted.get(partition.partition) == partition.offset:
                del self._uncommitted[partition.partition]

    def _assigned(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        _log.info("partitions %s are ours now", _numbers(partitions))
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
        for number in gone:
            self._uncommitted.pop(number, None)
            self._starts.pop(number, None)
        self._on_gone(gone)


def _numbers(partitions: Sequence[TopicPartition]) -> set[int]:
    return {partition.partition for partition in partitions}
