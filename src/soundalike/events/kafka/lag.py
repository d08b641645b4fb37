"""Whether a consumer group makes progress."""

from collections.abc import Mapping, Sequence

from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]  # missing from its types

from soundalike.events.kafka.clients import KafkaClients, answer_of, close_consumer

STUCK_S = 30.0
"""A group is stuck once it has committed nothing for this long although records wait."""

PARTITION_STUCK_S = 90.0
"""The same for one partition while others make progress: a group that is behind takes turns."""

Offsets = Mapping[int, int]
"""By partition."""


class StallDetector:
    """Compares what a group has committed with what it had committed before."""

    def __init__(self) -> None:
        self._committed: Offsets | None = None
        self._moved_s = 0.0
        self._since_s: dict[int, float] = {}

    def note(self, committed: Offsets, ends: Offsets, *, now_s: float) -> int:
        """Note how far a group is; return how many records are stuck.

        Parameters
        ----------
        committed, ends : mapping of int to int
            The committed offset and the end of each partition.
        now_s : float
            Monotonic time in s.
        """
        before = self._committed or {}
        left = {number: end - committed.get(number, 0) for number, end in ends.items()}
        waiting = {number: count for number, count in left.items() if count > 0}
        if committed != self._committed or not waiting:
            self._moved_s = now_s
        self._since_s = {
            number: self._since_s.get(number, now_s) if committed.get(number) == before.get(number) else now_s
            for number in waiting
        }
        self._committed = dict(committed)
        bound_s = STUCK_S if now_s - self._moved_s > STUCK_S else PARTITION_STUCK_S
        return sum(waiting[number] for number, since_s in self._since_s.items() if now_s - since_s > bound_s)


class ConsumerLag:
    """Asks the brokers how far a consumer group is.

    The offsets that it has committed are asked for by a consumer that does not join it: by an `AdminClient`,
    librdkafka ends the process where the connection to the group's coordinator is lost (its issue 4605).

    Parameters
    ----------
    clients : KafkaClients
        For the group and its topic.
    """

    def __init__(self, clients: KafkaClients) -> None:
        self._topic = clients.address.topic
        self._consumer = clients.consumer()
        self._stalls = StallDetector()

    def close(self) -> None:
        """End the consumer."""
        close_consumer(self._consumer)

    def stuck(self, admin: AdminClient, numbers: Sequence[int], *, timeout_s: float, now_s: float) -> int:
        """Return how many records are stuck; 0 while the group makes progress.

        Parameters
        ----------
        admin : AdminClient
            Asks.
        numbers : sequence of int
            Of the topic's partitions; none while it is being created.
        timeout_s, now_s : float
            For each question; monotonic time. In s.

        Raises
        ------
        KafkaException
            If this user may not ask, or the brokers do not answer.
        """
        if not numbers:
            return self._stalls.note({}, {}, now_s=now_s)
        committed = self.committed(numbers, timeout_s=timeout_s)
        return self._stalls.note(committed, self._ends(admin, numbers, timeout_s), now_s=now_s)

    def committed(self, numbers: Sequence[int], *, timeout_s: float) -> dict[int, int]:
        """Return the committed offset of each partition, 0 where there is none.

        Raises
        ------
        KafkaException
            If this user may not ask, or the brokers do not answer.
        """
        offsets = {}
        for one in self._consumer.committed(self._partitions(numbers), timeout=timeout_s):
            if one.error is not None:
                raise KafkaException(one.error)
            offsets[one.partition] = max(0, one.offset)
        return offsets

    def _ends(self, admin: AdminClient, numbers: Sequence[int], timeout_s: float) -> dict[int, int]:
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # it has no types
        asked = dict.fromkeys(self._partitions(numbers), latest)
        found = admin.list_offsets(asked, request_timeout=timeout_s)
        return {one.partition: answer_of(future, timeout_s=timeout_s).offset for one, future in found.items()}

    def _partitions(self, numbers: Sequence[int]) -> list[TopicPartition]:
        return [TopicPartition(self._topic, number) for number in numbers]
