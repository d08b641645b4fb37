"""The store on MongoDB, or whatever speaks its protocol and has transactions."""

from soundalike.store.mongo.accounts import MongoAccounts
from soundalike.store.mongo.bulk import MongoStoredTracks
from soundalike.store.mongo.connection import MongoConnection
from soundalike.store.mongo.indexes import prepare
from soundalike.store.mongo.library import MongoLibrary
from soundalike.store.mongo.listens import MongoListens

TIMEOUT_S = 30.0
SELECTION_TIMEOUT_S = 15.0
"""Longer than another of a replica set takes to come forward."""

SERVING_TIMEOUT_S = 8.0
SERVING_SELECTION_TIMEOUT_S = 3.0
"""Of who serves: browsers, proxies and probes wait no longer, and ask again."""


class MongoStore(MongoLibrary, MongoStoredTracks, MongoListens, MongoAccounts):
    """The `Store` port on a MongoDB database; see `MongoConnection` for what it withstands."""

    def __init__(
        self, url: str, *, timeout_s: float = TIMEOUT_S, selection_timeout_s: float = SELECTION_TIMEOUT_S
    ) -> None:
        """Connect, and make what is missing in the database.

        Parameters
        ----------
        url : str
            Connection string; its database is ``soundalike`` where it names none. Never shown.
        timeout_s : float
            How long any one question may take, unless the string says ``timeoutMS``.
        selection_timeout_s : float
            How long to look for a primary, unless the string says ``serverSelectionTimeoutMS``.

        Raises
        ------
        SettingsError
            If the connection string cannot be read.
        StoreUnavailableError
            If the server does not answer.
        StoreError
            If it refuses; `StoreVersionError` if the database is not ours to read.
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
