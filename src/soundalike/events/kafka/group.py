"""A place in a group of consumers: which partitions are ours, what of them is committed, how far they reach.

Partitions are shared out by the cooperative protocol: when a consumer comes or goes, only what changes
hands stops, whereas the eager one would have every consumer give up everything and read again whatever it
had not committed.
"""

import itertools
import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from soundalike.domain.errors import EventLogError
from soundalike.events.kafka.clients import KafkaClients, close_consumer
from soundalike.events.kafka.topic_id import TopicIdentity

_log = logging.getLogger(__name__)

_TIMEOUT_S = 2.0
_PROVEN_FOR_S = 5.0
_COMMIT_S = 5.0
_STEP_S = 0.05
_MAX_ASKED = 64
_MAX_AHEAD = 1_000
_OF = "@"
_TELLING_FAILURES = 2

Offsets = Mapping[int, int]
"""By partition."""


class GroupMember:
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
        self._topic = clients.address.topic
        self._identity = TopicIdentity(clients)
        self._is_away = False
        self._on_assigned = on_assigned
        self._on_gone = on_gone
        self._uncommitted: dict[int, int] = {}
        self._starts: dict[int, int] = {}
        self._proven = 0.0
        self._marks = itertools.count(1)
        self._asked: dict[str, float] = {}
        self._said: set[int] = set()
        self._ahead: list[Message] = []
        self._awaited = ""
        self._answer: tuple[str, KafkaError | None] = "", None
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
        ahead, self._ahead = self._ahead[:most], self._ahead[most:]
        return ahead or self._consume(most, timeout_s)

    def _consume(self, most: int, timeout_s: float) -> list[Message]:
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

    def stay(self, *, timeout_s: float) -> None:
        """Stay in the group for so long, and read nothing; what was shared out to us since is paused too."""
        came = self._consume(1, timeout_s)
        if came:
            self._ahead += came
            self.pause()

    def is_of_another_topic(self) -> bool:
        """Whether another topic bears the name by now; without waiting. That nobody answers is said once."""
        has_changed = self._identity.has_changed()
        error, was_away = self._identity.error, self._is_away
        self._is_away = error is not None and (was_away or self._identity.failures >= _TELLING_FAILURES)
        if error is not None and self._is_away and not was_away:
            _log.warning("%s; nothing is lost, and folding goes on by itself", self._clients.told(error))
        elif was_away and not self._is_away:
            _log.warning("Kafka at %s answers again", self._clients.address.bootstrap)
        return has_changed

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
        if time.monotonic() - self._proven > _PROVEN_FOR_S or is_urgent:
            self._commit_and_wait(starts)

    def note_done(self, ends: Offsets) -> None:
        """Note up to where everything is folded, and commit it soon."""
        self._uncommitted |= ends
        self.commit()

    def commit(self) -> None:
        """Commit, without waiting, what is folded and not known to be committed."""
        if self._uncommitted:
            self._ask_to_commit(self._uncommitted)

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
        if not close_consumer(self._consumer, before=self._commit_last):
            _log.warning("the brokers do not answer; what was folded last is read again by whoever goes on")

    def _find_starts(self, unread: Sequence[TopicPartition]) -> None:
        """Find out where partitions begin for us of which nothing was read yet."""
        asked = [one for one in unread if one.partition not in self._starts]
        if asked:
            for one in self._committed_of(asked):
                self._starts[one.partition] = max(0, one.offset)

    def _committed_of(self, partitions: Sequence[TopicPartition]) -> list[TopicPartition]:
        """Find out what is committed of the topic that bears the name now; of another before it, nothing."""
        mine = self._identity.find()
        found = self._consumer.committed(list(partitions), timeout=_TIMEOUT_S)
        for one in found:
            theirs = _topic_of(one.metadata)
            if mine and theirs and theirs != mine:
                one.offset = OFFSET_BEGINNING
        return found

    def _ask_to_commit(self, ends: Offsets) -> str:
        """Ask for a commit; return the mark by which its answer is known."""
        mark = str(next(self._marks))
        self._asked[mark] = time.monotonic()
        while len(self._asked) > _MAX_ASKED:  # some are never answered
            del self._asked[next(iter(self._asked))]
        try:
            self._consumer.commit(offsets=self._offsets(ends, mark), asynchronous=True)
        except KafkaException as error:
            self._answer = mark, error.args[0]
        return mark

    def _commit_and_wait(self, ends: Offsets) -> None:
        """Commit, and wait for the brokers' word on it: librdkafka would wait for ever for one that hangs.

        Raises
        ------
        EventLogError
            If they refuse it, or do not answer in time.
        """
        mark = self._awaited = self._ask_to_commit(ends)
        until = time.monotonic() + _COMMIT_S
        while self._answer[0] != mark and time.monotonic() < until:
            # The answer comes while reading; what comes with it is kept, as long as that is little.
            if len(self._ahead) >= _MAX_AHEAD:
                self.pause()
            self._ahead += self._consume(1, _STEP_S)
        if len(self._ahead) >= _MAX_AHEAD:
            self.resume()
        found, error = self._answer
        if found != mark:
            msg = f"Kafka at {self._clients.address.bootstrap} does not say what is committed"
            raise EventLogError(msg)
        if error is not None:
            raise self._clients.told(error, "go on folding")

    def _commit_last(self) -> None:
        """Commit what is folded before the group is left."""
        if self._uncommitted:
            try:
                self._consumer.commit(offsets=self._offsets(self._uncommitted, ""), asynchronous=False)
            except KafkaException as error:
                _log.info("what was folded last is read again by whoever goes on: %s", error)

    def _offsets(self, ends: Offsets, mark: str) -> list[TopicPartition]:
        metadata = f"{mark}{_OF}{self._identity.id}"
        return [TopicPartition(self._topic, *end, metadata=metadata) for end in ends.items()]

    # Called while reading

    def _committed(self, error: KafkaError | None, partitions: list[TopicPartition]) -> None:
        """Strike off what is committed; the rest is committed again with what comes next."""
        error = error or next((one.error for one in partitions if one.error is not None), None)
        mark = (partitions[0].metadata or "").partition(_OF)[0] if partitions else ""
        asked = self._asked.pop(mark, None)
        if asked is None:  # it was not asked for without waiting
            return
        if mark == self._awaited:
            self._answer = mark, error
        if error is not None:
            _log.debug("committing: %s", error)
            return
        # As of when it was asked for: this process may have been stopped since.
        self._proven = max(self._proven, asked)
        self._clients.forget_error()
        for partition in partitions:
            if self._uncommitted.get(partition.partition) == partition.offset:
                del self._uncommitted[partition.partition]

    def _assigned(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        _log.info("partitions %s are ours now", _numbers(partitions))
        try:
            self._consumer.incremental_assign(self._committed_of(partitions))
        except KafkaException as error:  # the library then assigns them by itself
            _log.debug("what is committed cannot be told: %s", error)
        self._on_assigned()

    def _revoked(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Commit what is folded, before the group shares them out anew; leave the rest to whoever is next."""
        gone = _numbers(partitions)
        _log.info("partitions %s go to others", gone)
        self.commit()
        self._forget(gone)

    def _lost(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Leave everything to whoever has it by now."""
        _log.warning("the brokers have not heard from us for too long; what was not committed is read again")
        self._forget(_numbers(partitions))

    def _forget(self, gone: set[int]) -> None:
        if self._identity.is_gone:  # nobody else can read what stood in it
            return
        for number in gone:
            self._uncommitted.pop(number, None)
            self._starts.pop(number, None)
        self._ahead = [message for message in self._ahead if message.partition() not in gone]
        self._on_gone(gone)


def _topic_of(metadata: str | None) -> str:
    """Return the id of the topic of which something was committed, empty where that is not known."""
    return (metadata or "").partition(_OF)[2]


def _numbers(partitions: Sequence[TopicPartition]) -> set[int]:
    return {partition.partition for partition in partitions}
