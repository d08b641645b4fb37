"""A stage on real servers: a store in MongoDB, an event log in Kafka, and a consumer."""

import threading
import time
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from soundalike.domain.listens import Listen
from soundalike.domain.ports.library import Store
from soundalike.domain.ports.listening import EventLog
from soundalike.events.kafka.address import KafkaAddress
from soundalike.events.kafka.consumer import KafkaConsumer
from soundalike.events.kafka.log import KafkaLog
from soundalike.services.listeners.fold_log import LogProjector
from soundalike.services.listeners.profiles import Profiles
from soundalike.store.mongo.store import MongoStore
from web.stage import LATENESS_MS, Stage

PATIENCE_S = 30


class ConsumerThread:
    """A consumer with a store connection of its own, as in `soundalike consume`."""

    def __init__(self, store_url: str, events_url: str) -> None:
        self._store = MongoStore(store_url)
        projector = LogProjector(self._store, Profiles(self._store, lateness_ms=LATENESS_MS))
        self._stop, self._is_ready = threading.Event(), threading.Event()
        self._consumer = KafkaConsumer(
            KafkaAddress.parse(events_url), {}, projector.apply, on_ready=self._is_ready.set
        )
        self._thread = threading.Thread(target=self._consumer.run, args=(self._stop,))

    def start(self) -> None:
        """Start, and return once it has its partitions."""
        self._thread.start()
        assert self._is_ready.wait(PATIENCE_S), "it got no partitions"

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(PATIENCE_S)
        self._store.close()
        assert not self._thread.is_alive()


class DistributedStage(Stage):
    """A stage whose store and log are servers; `consumer` folds until it is stopped."""

    def __init__(self, folder: Path, *, store_url: str, events_url: str) -> None:
        self._url = store_url

        def open_log(_store: Store, _profiles: Profiles) -> EventLog:
            log = KafkaLog(KafkaAddress.parse(events_url), {})
            log.prepare()
            return log

        super().__init__(folder, store=MongoStore(store_url), open_log=open_log)
        self._events_url = events_url
        self.begin_consuming()

    def begin_consuming(self) -> None:
        """Start a consumer, which folds events."""
        self.consumer = ConsumerThread(self._url, self._events_url)
        self.consumer.start()

    def listen(self, user_id: str, number: int = 1, *, track_id: str = "a", kind: str = "finished") -> Listen:
        listen = self.make_listen(user_id, number, track_id=track_id, kind=kind)
        self.services.listens.ingest(listen.user_id, [listen])
        self._wait_for(listen)
        return listen

    def lose(self, track_id: str) -> None:
        client: MongoClient[dict[str, Any]] = MongoClient(self._url)
        assert client.get_default_database()["track"].delete_one({"_id": track_id}).deleted_count == 1
        client.close()

    def close(self) -> None:
        self.consumer.stop()
        super().close()
        self.store.close()

    def _wait_for(self, listen: Listen) -> None:
        """Wait until an event is stored and its user's profile includes all stored events."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            of_user = list(self.store.listens_of(listen.user_id))
            profile = self.store.profile(listen.user_id)
            is_stored = any(one.id == listen.id for one in of_user)
            if is_stored and profile is not None and profile.taste.count == len(of_user):
                return
            assert time.monotonic() < deadline, "the event was not folded in time"
            time.sleep(0.01)
