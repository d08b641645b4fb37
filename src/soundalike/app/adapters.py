"""Which store and event log the settings mean; what is optional is imported only where it is asked for."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from soundalike.domain.errors import SettingsError
from soundalike.domain.keeping import EventLog, LogHealth
from soundalike.domain.listening import Erasure, Listen, LogEntry
from soundalike.domain.ports import Store
from soundalike.events.embedded import OnAppend, StoredLog
from soundalike.settings import Settings, is_mongodb
from soundalike.store.sqlite import SqliteStore


@contextmanager
def open_store(place: str | Path) -> Iterator[Store]:
    """Open the store at a path or connection string, and close it after.

    Raises
    ------
    SettingsError
        If its driver is not installed.
    StoreError
        If it cannot be opened.
    """
    if isinstance(place, str) and is_mongodb(place):
        require("pymongo", extra="mongo", what="a store in MongoDB")
        from soundalike.store.mongo import MongoStore  # noqa: PLC0415 - pymongo may be missing

        with closing(MongoStore(place)) as store:
            yield store
    else:
        with closing(SqliteStore(Path(place))) as embedded:
            yield embedded


@contextmanager
def open_log(settings: Settings, store: Store, *, on_append: OnAppend | None = None) -> Iterator[EventLog]:
    """Give the event log of the settings, and close it after.

    Kafka is reached at the first use, which may raise `EventLogError` where it cannot be reached or its
    topic will not do, and `SettingsError` where its address or properties are malformed.

    Parameters
    ----------
    on_append : callable or None
        What folds, where the log does not leave that to a consumer.

    Raises
    ------
    SettingsError
        If its driver is not installed.
    """
    if settings.events is None:
        log: EventLog = StoredLog(store, on_append=on_append)
    else:
        require("confluent_kafka", extra="kafka", what="an event log in Kafka")
        log = _LateLog(partial(_kafka_log, settings.events, settings.kafka))
    with closing(log):
        yield log


def _kafka_log(url: str, properties: Mapping[str, str]) -> EventLog:
    from soundalike.events.kafka import KafkaLog  # noqa: PLC0415 - confluent-kafka may be missing
    from soundalike.events.kafka_place import KafkaPlace  # noqa: PLC0415 - the same

    return KafkaLog(KafkaPlace.parse(url), properties)


def check_log(url: str, properties: Mapping[str, str]) -> str:
    """Look at Kafka's broker and topic without changing anything; return what is there in one line.

    Raises
    ------
    SettingsError, EventLogError
        That say what is wrong.
    """
    require("confluent_kafka", extra="kafka", what="an event log in Kafka")
    from soundalike.events.kafka_place import KafkaPlace  # noqa: PLC0415 - confluent-kafka may be missing
    from soundalike.events.kafka_topics import check  # noqa: PLC0415 - the same

    return check(KafkaPlace.parse(url), properties)


class _LateLog:
    """An event log that is opened when it is first needed: most commands never append anything.

    So they work while the broker is away, and make no topic.
    """

    is_folding = False

    def __init__(self, open_it: Callable[[], EventLog]) -> None:
        self._open_it = open_it
        self._lock = threading.Lock()
        self._log: EventLog | None = None

    def health(self) -> LogHealth:
        return self._opened().health()

    def append(self, listens: Sequence[Listen]) -> int:
        return self._opened().append(listens)

    def erase(self, erasure: Erasure, *, is_total: bool = False) -> None:
        self._opened().erase(erasure, is_total=is_total)

    def entries(self) -> Iterator[LogEntry]:
        return self._opened().entries()

    def close(self) -> None:
        with self._lock:
            if self._log is not None:
                self._log.close()

    def _opened(self) -> EventLog:
        with self._lock:
            if self._log is None:
                self._log = self._open_it()
            return self._log


def require(module: str, *, extra: str, what: str) -> None:
    """Raise where the driver of something optional is not installed.

    Raises
    ------
    SettingsError
        That says how to install it.
    """
    if find_spec(module) is None:
        msg = f"{what} needs {module}; install it with \"pip install 'soundalike[{extra}]'\""
        raise SettingsError(msg)
