"""Which topic it is that bears a name.

One that was deleted and made again under its name is another: how far the first was folded says nothing
about the second. But a consumer that goes on where it was would pass over whatever stands before.
"""

import logging
from concurrent.futures import Future

from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient, TopicDescription  # type: ignore[attr-defined]  # its types say less

from soundalike.events.kafka_clients import KafkaClients

_log = logging.getLogger(__name__)

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
    """

    def __init__(self, clients: KafkaClients) -> None:
        self._topic = clients.place.topic
        self._admin: AdminClient = clients.admin()
        self._asked: Future[TopicDescription] | None = None
        self.id = ""

    def find(self) -> str:
        """Return the id; where it is not known yet, wait for the brokers' word."""
        self.id = self.id or _id_of(self._ask())
        return self.id

    def has_changed(self) -> bool:
        """Whether another topic bears the name by now, as the brokers said to the question before."""
        if self._asked is None:
            self._asked = self._ask()
        if not self._asked.done():
            return False
        found, self._asked = _id_of(self._asked), None
        self.id = self.id or found
        return bool(found) and found != self.id

    def _ask(self) -> "Future[TopicDescription]":
        asked = self._admin.describe_topics(TopicCollection([self._topic]), request_timeout=_TIMEOUT_S)
        return asked[self._topic]


def _id_of(asked: "Future[TopicDescription]") -> str:
    try:
        return str(asked.result().topic_id)
    except KafkaException as error:  # there is none just now, or nobody answers
        _log.debug("which topic it is cannot be told: %s", error)
        return ""
