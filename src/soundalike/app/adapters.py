"""Which store and event log the settings mean; what is optional is imported only where it is asked for."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.util import find_spec
from pathlib import Path

from soundalike.domain.errors import SettingsError
from soundalike.domain.keeping import EventLog
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
    """Open the event log of the settings, and close it after.

    Parameters
    ----------
    on_append : callable or None
        What folds, where the log does not leave that to a consumer.

    Raises
    ------
    SettingsError
        If its driver is not installed, or its address or properties are malformed.
    EventLogError
        If it cannot be reached, or its topic will not do.
    """
    if settings.events is None:
        with closing(StoredLog(store, on_append=on_append)) as embedded:
            yield embedded
        return
    require("confluent_kafka", extra="kafka", what="an event log in Kafka")
    from soundalike.events.kafka import KafkaLog  # noqa: PLC0415 - confluent-kafka may be missing
    from soundalike.events.kafka_place import KafkaPlace  # noqa: PLC0415 - the same

    with closing(KafkaLog(KafkaPlace.parse(settings.events), settings.kafka)) as log:
        yield log


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
