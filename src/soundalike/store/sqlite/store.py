"""The embedded store: one SQLite file."""

from pathlib import Path

from soundalike.store.sqlite.accounts import SqliteAccounts
from soundalike.store.sqlite.bulk import SqliteStoredTracks
from soundalike.store.sqlite.catalogue import SqliteCatalogue
from soundalike.store.sqlite.connections import Connections
from soundalike.store.sqlite.features import SqliteFeatures
from soundalike.store.sqlite.library import SqliteLibrary
from soundalike.store.sqlite.listens import SqliteListens
from soundalike.store.sqlite.record import SqliteLibraryRecord

BUSY_TIMEOUT_S = 30.0


class SqliteStore(
    SqliteLibrary,
    SqliteFeatures,
    SqliteCatalogue,
    SqliteLibraryRecord,
    SqliteStoredTracks,
    SqliteListens,
    SqliteAccounts,
):
    """The `Store` port on one SQLite file; `Connections` says what it survives."""

    def __init__(self, path: Path, *, busy_timeout_s: float = BUSY_TIMEOUT_S) -> None:
        """Open the file, creating or migrating it.

        Raises
        ------
        StoreError
            If the file or its folder cannot be used; `StoreVersionError` if this program may not read it.
        """
        self._connections = Connections(path, busy_timeout_s=busy_timeout_s)

    def close(self) -> None:
        """Close every connection; the last process to do so moves the journal into the file."""
        self._connections.close()
