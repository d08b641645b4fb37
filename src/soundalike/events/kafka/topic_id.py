"""Which topic has a name.

A topic that was deleted and created again is another one: committed offsets of the first say nothing about
the second. A consumer that went on from them would skip its first records.
"""

from concurrent.futures import Future

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient, TopicDescription  # type: ignore[attr-defined]  # missing from its types

from soundalike.events.kafka.clients import KafkaClients, answer_of

_TIMEOUT_S = 2.0


class TopicIdentity:
    """Remembers the id of the topic, and asks whether another topic has its name now.

    Parameters
    ----------
    clients : KafkaClients
        For the topic.

    Attributes
    ----------
    id : str
        Given by the brokers; empty until they have answered.
    failures : int
        How many questions in a row have failed.
    error : KafkaException or None
        Why the last one failed.
    """

    def __init__(self, clients: KafkaClients) -> None:
        self._topic = clients.address.topic
        self._admin: AdminClient = clients.admin()
        self._asked: Future[TopicDescription] | None = None
        self.id = ""
        self.failures = 0
        self.error: KafkaException | None = None

    @property
    def is_gone(self) -> bool:
        """Whether no topic has the name, as far as is known."""
        return self.error is not None and self.error.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART

    def find(self) -> str:
        """Return the id; wait for the brokers if it is not known yet."""
        self.id = self.id or self._answer(self._ask())
        return self.id

    def has_changed(self) -> bool:
        """Whether another topic has the name, by the answer to the question before; does not wait."""
        if self._asked is None:
            self._asked = self._ask()
        if not self._asked.done():
            return False
        found, self._asked = self._answer(self._asked), None
        self.id = self.id or found
        return bool(found) and found != self.id

    def _ask(self) -> "Future[TopicDescription]":
        asked = self._admin.describe_topics(TopicCollection([self._topic]), request_timeout=_TIMEOUT_S)
        return asked[self._topic]

    def _answer(self, asked: "Future[TopicDescription]") -> str:
        try:
            found = str(answer_of(asked, timeout_s=_TIMEOUT_S).topic_id)
        except KafkaException as error:  # no such topic at the moment, or no answer
            self.failures, self.error = self.failures + 1, error
            return ""
        self.failures, self.error = 0, None
        return found
