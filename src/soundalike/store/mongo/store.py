"""The store on MongoDB, or on another server with its protocol and transactions."""

from contextlib import closing

from soundalike.store.mongo.accounts import MongoAccounts
from soundalike.store.mongo.bulk import MongoStoredTracks
from soundalike.store.mongo.catalogue import MongoCatalogue
from soundalike.store.mongo.connection import MongoConnection
from soundalike.store.mongo.features import MongoFeatures
from soundalike.store.mongo.indexes import found_version
from soundalike.store.mongo.library import MongoLibrary
from soundalike.store.mongo.listens import MongoListens
from soundalike.store.mongo.migration import needs_migration, prepare
from soundalike.store.mongo.record import MongoLibraryRecord
from soundalike.store.mongo.scans import MongoScans

TIMEOUT_S = 30.0
SELECTION_TIMEOUT_S = 15.0
"""Longer than a replica set takes to elect another primary."""

SERVING_TIMEOUT_S = 8.0
SERVING_SELECTION_TIMEOUT_S = 3.0
"""For serving: browsers, proxies and probes do not wait longer, and ask again."""


class MongoStore(
    MongoLibrary,
    MongoCatalogue,
    MongoFeatures,
    MongoLibraryRecord,
    MongoScans,
    MongoStoredTracks,
    MongoListens,
    MongoAccounts,
):
    """The `Store` port on a MongoDB database; `MongoConnection` says what it survives."""

    def __init__(
        self, url: str, *, timeout_s: float = TIMEOUT_S, selection_timeout_s: float = SELECTION_TIMEOUT_S
    ) -> None:
        """Connect, and create missing collections and indexes.

        Parameters
        ----------
        url : str
            Connection string; its database is ``soundalike`` by default. Never shown.
        timeout_s : float
            How long a command may take, unless the string has ``timeoutMS``.
        selection_timeout_s : float
            How long to look for a primary, unless the string has ``serverSelectionTimeoutMS``.

        Raises
        ------
        SettingsError
            If the connection string is malformed.
        StoreUnavailableError
            If the server does not answer.
        StoreError
            If it refuses; `StoreVersionError` if this program may not read the database.
        """
        self._known_features = set()
        self._connection = MongoConnection(url, timeout_s=timeout_s, selection_timeout_s=selection_timeout_s)
        try:
            prepare(self._connection)
        except BaseException:
            self._connection.close()
            raise

    def close(self) -> None:
        """Close every connection."""
        self._connection.close()


def has_store(url: str) -> bool:
    """Whether there is a store in the database of a connection string; nothing is written there.

    Raises
    ------
    SettingsError, StoreError
        As by `MongoStore`.
    """
    with _connected(url) as connection:
        return found_version(connection) is not None


def would_migrate(url: str) -> bool:
    """Whether to open the store at a connection string would migrate something that is in it.

    Raises
    ------
    SettingsError, StoreError
        As by `MongoStore`.
    """
    with _connected(url) as connection:
        return needs_migration(connection)


def _connected(url: str) -> "closing[MongoConnection]":
    return closing(MongoConnection(url, timeout_s=TIMEOUT_S, selection_timeout_s=SELECTION_TIMEOUT_S))
