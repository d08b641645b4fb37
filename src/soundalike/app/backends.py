"""The store and the event log that the settings name; optional drivers are imported when needed."""

import errno
import os
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from soundalike.domain.errors import SettingsError
from soundalike.domain.ports.library import Store
from soundalike.domain.ports.listening import EventLog
from soundalike.events.embedded import OnAppend, StoredLog
from soundalike.learning.spark.mongo import MongoSource
from soundalike.setting_values import is_mongodb
from soundalike.settings import Settings
from soundalike.store.mongo.address import DATABASE
from soundalike.store.sqlite.migration import needs_migration
from soundalike.store.sqlite.store import SqliteStore


@contextmanager
def open_store(address: str | Path, *, is_serving: bool = False) -> Iterator[Store]:
    """Open the store at a path or connection string, and close it after.

    Parameters
    ----------
    address : str or Path
        Path of an SQLite file, or ``mongodb://...``.
    is_serving : bool
        Whether listeners wait for every answer: an unreachable server is then given up soon.

    Raises
    ------
    SettingsError
        If its driver is not installed.
    StoreError
        If it cannot be opened.
    """
    if isinstance(address, str) and is_mongodb(address):
        require("pymongo", extra="mongo", what="a store in MongoDB")
        from soundalike.store.mongo import store as mongo  # noqa: PLC0415 - pymongo may be missing

        timeouts = {
            "timeout_s": mongo.SERVING_TIMEOUT_S,
            "selection_timeout_s": mongo.SERVING_SELECTION_TIMEOUT_S,
        }
        with closing(mongo.MongoStore(address, **timeouts if is_serving else {})) as store:
            yield store
    else:
        with closing(SqliteStore(Path(address))) as embedded:
            yield embedded


def has_library(address: str | Path) -> bool:
    """Whether something is stored at a path or connection string; nothing is written there.

    Raises
    ------
    SettingsError
        If its driver is not installed.
    StoreError
        If a server does not answer or refuses, or a newer soundalike wrote it.
    """
    if isinstance(address, str) and is_mongodb(address):
        require("pymongo", extra="mongo", what="a store in MongoDB")
        from soundalike.store.mongo.store import has_store as mongo  # noqa: PLC0415 - pymongo may be missing

        return mongo(address)
    try:
        # SQLite takes a file of one byte for an empty one.
        return os.stat(address).st_size > 1  # noqa: PTH116 - the address may be a text
    except OSError as error:
        # What may not be looked at is there: opening it says better what is wrong.
        return error.errno not in {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}


def would_migrate(address: str | Path) -> bool:
    """Whether to open the store at a path or connection string would migrate something that is in it.

    Raises
    ------
    SettingsError
        If its driver is not installed.
    StoreError
        If a server does not answer or refuses, or a newer soundalike wrote it.
    """
    if isinstance(address, str) and is_mongodb(address):
        require("pymongo", extra="mongo", what="a store in MongoDB")
        from soundalike.store.mongo.store import would_migrate as mongo  # noqa: PLC0415 - the same

        return mongo(address)
    return needs_migration(Path(address))


@contextmanager
def open_log(settings: Settings, store: Store, *, on_append: OnAppend | None = None) -> Iterator[EventLog]:
    """Open the event log of the settings, and close it after.

    Kafka is first contacted to append something, or by `prepare`: most commands append nothing, so they
    work without a broker and create no topic.

    Parameters
    ----------
    settings : Settings
        Name the log.
    store : Store
        Contains the log if the settings name none.
    on_append : callable or None
        What folds listens, if the log does not leave that to a consumer.

    Raises
    ------
    SettingsError
        If its driver is not installed, or its address or properties are malformed.
    """
    if settings.events is None:
        log: EventLog = StoredLog(store, on_append=on_append)
    else:
        require("confluent_kafka", extra="kafka", what="an event log in Kafka")
        log = _kafka_log(settings.events, settings.kafka)
    with closing(log):
        yield log


def _kafka_log(url: str, properties: Mapping[str, str]) -> EventLog:
    from soundalike.events.kafka.address import KafkaAddress  # noqa: PLC0415 - the same
    from soundalike.events.kafka.log import KafkaLog  # noqa: PLC0415 - confluent-kafka may be missing

    return KafkaLog(KafkaAddress.parse(url), properties)


def mongodb_source(settings: Settings) -> MongoSource | None:
    """Return where executors can read vectors; None if the store is a file."""
    if settings.store is None or settings.is_embedded:
        return None
    from pymongo import MongoClient  # noqa: PLC0415 - it may be missing

    from soundalike.store.mongo.indexes import FEATURE  # noqa: PLC0415 - the same

    with closing(MongoClient[dict[str, Any]](settings.store, connect=False)) as client:
        database = client.get_default_database(DATABASE).name
    return MongoSource(url=settings.store, database=database, collection=FEATURE)


def check_log(url: str, properties: Mapping[str, str]) -> str:
    """Check Kafka's broker and topic without changing anything; return one line about them.

    Parameters
    ----------
    url : str
        ``kafka://...``.
    properties : mapping of str to str
        librdkafka's own.

    Raises
    ------
    SettingsError, EventLogError
        That say what is wrong.
    """
    require("confluent_kafka", extra="kafka", what="an event log in Kafka")
    from soundalike.events.kafka.address import KafkaAddress  # noqa: PLC0415 - confluent-kafka may be missing
    from soundalike.events.kafka.topics import check  # noqa: PLC0415 - the same

    return check(KafkaAddress.parse(url), properties)


def require(module: str, *, extra: str, what: str) -> None:
    """Raise if the driver of something optional is not installed.

    Parameters
    ----------
    module : str
        The driver.
    extra : str
        The extra of this package that installs it.
    what : str
        What needs it.

    Raises
    ------
    SettingsError
        That says how to install it.
    """
    if find_spec(module) is None:
        msg = f"{what} needs {module}; install it with \"pip install 'soundalike[{extra}]'\""
        raise SettingsError(msg)
