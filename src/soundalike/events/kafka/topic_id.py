"""Which topic it is that bears a name.

One that was deleted and made again under its name is another: how far the first was folded says nothing
about the second. But a consumer that goes on where it was would pass over whatever stands before.
"""

from concurrent.futures import Future

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient, TopicDescription  # type: ignore[attr-defined]  # its types say less

from soundalike.events.kafka.clients import KafkaClients

_TIMEOUT_S = 2.0


class TopicIdentity:
    """Remembers which topic bore the name first, and asks whether it still does.

    Parameters
    ----------
    clients : KafkaClients
        Of the topic.

    Attributes
    ----------
    id : str
        What the brokers call the topic; empty as long as they have not told.
    failures : int
        How many of the last questions were answered by none, in a row.
    error : KafkaException or None
        What the last of them failed at.
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
        """Whether there is no topic of that name, as far as is known."""
        return self.error is not None and self.error.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART

    def find(self) -> str:
        """Return the id; where it is not known yet, wait for the brokers' word."""
        self.id = self.id or self._answer(self._ask())
        return self.id

    def has_changed(self) -> bool:
        """Whether another topic bears the name by now, as the brokers said to the question before."""
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
            found = str(asked.result().topic_id)
        except KafkaException as error:  # there is no such topic just now, or nobody answers
            self.failures, self.error = self.failures + 1, error
            return ""
        self.failures, self.error = 0, None
        return found
