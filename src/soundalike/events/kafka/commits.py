"""Committing how far a consumer has folded its partitions.

The metadata of each commit is the number of the request and the id of the topic, ``NUMBER@ID``.
"""

import itertools
import logging
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

from soundalike.events.kafka.topic_id import TopicIdentity

_log = logging.getLogger(__name__)

_TIMEOUT_S = 2.0
_MAX_REQUESTS = 64
_SEPARATOR = "@"

Offsets = Mapping[int, int]
"""By partition."""


@dataclass(slots=True)
class CommitRequest:
    """A commit that was asked for, and the brokers' answer."""

    number: str
    requested_s: float
    is_answered: bool = False
    error: KafkaError | None = None

    def answer(self, error: KafkaError | None) -> None:
        """Note the answer; None is a success."""
        self.is_answered, self.error = True, error


class OffsetCommits:
    """The commits of one consumer.

    Parameters
    ----------
    consumer : Consumer
        Commits; its ``on_commit`` has to call `note_answer`.
    topic : str
        The topic that it reads.
    identity : TopicIdentity
        Which topic that is: offsets of a deleted one of the same name do not count.

    Attributes
    ----------
    accepted_s : float
        When the last commit that the brokers accepted was requested (monotonic, in s). The partitions were
        assigned to this consumer then.
    """

    def __init__(self, consumer: Consumer, topic: str, identity: TopicIdentity) -> None:
        self._consumer = consumer
        self._topic = topic
        self._identity = identity
        self._uncommitted: dict[int, int] = {}
        self._numbers = itertools.count(1)
        self._requests: dict[str, CommitRequest] = {}
        self.accepted_s = 0.0

    def add(self, ends: Offsets) -> None:
        """Note up to where everything is folded, and commit it without waiting."""
        self._uncommitted |= ends
        self.retry()

    def retry(self) -> None:
        """Commit, without waiting, what is folded and not known to be committed."""
        if self._uncommitted:
            self.request(self._uncommitted)

    def request(self, ends: Offsets) -> CommitRequest:
        """Ask for a commit without waiting; the answer comes while the consumer reads."""
        request = CommitRequest(str(next(self._numbers)), time.monotonic())
        self._requests[request.number] = request
        while len(self._requests) > _MAX_REQUESTS:  # some are never answered
            del self._requests[next(iter(self._requests))]
        try:
            self._consumer.commit(offsets=self._offsets(ends, request.number), asynchronous=True)
        except KafkaException as error:
            request.answer(error.args[0])
        return request

    def finish(self) -> None:
        """Commit what is folded, and wait for it, before the consumer leaves the group."""
        if self._uncommitted:
            try:
                self._consumer.commit(offsets=self._offsets(self._uncommitted, ""), asynchronous=False)
            except KafkaException as error:
                _log.info("the last folded records were not committed and will be read again: %s", error)

    def forget(self, partitions: Collection[int]) -> None:
        """Forget partitions that another consumer has now."""
        for number in partitions:
            self._uncommitted.pop(number, None)

    def committed(self, partitions: Sequence[TopicPartition]) -> list[TopicPartition]:
        """Return the committed offsets; the beginning where they are about an earlier topic of the same name.

        Raises
        ------
        KafkaException
            If the brokers do not answer.
        """
        topic_id = self._identity.find()
        found = self._consumer.committed(list(partitions), timeout=_TIMEOUT_S)
        for one in found:
            committed_id = (one.metadata or "").partition(_SEPARATOR)[2]
            if topic_id and committed_id and committed_id != topic_id:
                one.offset = OFFSET_BEGINNING
        return found

    def note_answer(self, error: KafkaError | None, partitions: list[TopicPartition]) -> bool:
        """Note the brokers' answer to a request; what they rejected is committed with the next one.

        Parameters
        ----------
        error : KafkaError or None
            Of the request as a whole.
        partitions : list of TopicPartition
            What was to be committed, each with its own error.

        Returns
        -------
        bool
            Whether they accepted it.
        """
        error = error or next((one.error for one in partitions if one.error is not None), None)
        number = (partitions[0].metadata or "").partition(_SEPARATOR)[0] if partitions else ""
        request = self._requests.pop(number, None)
        if request is None:  # `finish` waits for its own
            return False
        request.answer(error)
        if error is not None:
            _log.debug("committing: %s", error)
            return False
        # As of the request: this process may have been suspended since.
        self.accepted_s = max(self.accepted_s, request.requested_s)
        for partition in partitions:
            if self._uncommitted.get(partition.partition) == partition.offset:
                del self._uncommitted[partition.partition]
        return True

    def _offsets(self, ends: Offsets, number: str) -> list[TopicPartition]:
        metadata = f"{number}{_SEPARATOR}{self._identity.id}"
        return [TopicPartition(self._topic, *end, metadata=metadata) for end in ends.items()]
