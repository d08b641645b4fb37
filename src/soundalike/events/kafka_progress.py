"""Whether a group of consumers gets on with a topic."""

from dataclasses import dataclass

from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]  # its types say less than it exports

from soundalike.events.kafka_clients import KafkaClients

STUCK_S = 30.0
"""So long nothing is committed of what is there before a group is said to be stuck: a store that is away
for a moment is nobody's concern."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a group had committed, and since when nothing was added."""

    committed: int
    since_s: float


class Progress:
    """Compares what a group has committed with what it had.

    Parameters
    ----------
    clients : KafkaClients
        Of the group and its topic.
    """

    def __init__(self, clients: KafkaClients) -> None:
        self._place = clients.place
        self._seen: _Seen | None = None

    def behind(self, admin: AdminClient, *, timeout_s: float, now_s: float) -> int:
        """Count the records that a stuck group has not folded; 0 where it gets on.

        Raises
        ------
        KafkaException
            If it may not be asked, or nobody answers.
        """
        committed = self._committed(admin, timeout_s)
        ends = self._ends(admin, timeout_s)
        left = sum(max(0, end - committed.get(number, 0)) for number, end in ends.items())
        total = sum(committed.values())
        if self._seen is None or self._seen.committed != total or not left:
            self._seen = _Seen(total, now_s)
        return left if now_s - self._seen.since_s > STUCK_S else 0

    def _committed(self, admin: AdminClient, timeout_s: float) -> dict[int, int]:
        group = self._place.group
        asked = admin.list_consumer_group_offsets(
            [ConsumerGroupTopicPartitions(group)], request_timeout=timeout_s
        )
        return {
            one.partition: max(0, one.offset)
            for one in asked[group].result().topic_partitions or []
            if one.topic == self._place.topic
        }

    def _ends(self, admin: AdminClient, timeout_s: float) -> dict[int, int]:
        topic = self._place.topic
        metadata = admin.list_topics(timeout=timeout_s).topics.get(topic)
        partitions = () if metadata is None else metadata.partitions
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # it says nothing of its types
        asked = {TopicPartition(topic, number): latest for number in partitions}
        found = admin.list_offsets(asked, request_timeout=timeout_s)
        return {one.partition: future.result().offset for one, future in found.items()}
