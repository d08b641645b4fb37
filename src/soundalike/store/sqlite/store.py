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
from soundalike.store.sqlite.scans import SqliteScans
from soundalike.store.sqlite.scrubbing import Scrubber

BUSY_TIMEOUT_S = 30.0
SCRUBBING_PAUSE_S = 5.0


class SqliteStore(
    SqliteLibrary,
    SqliteFeatures,
    SqliteCatalogue,
    SqliteLibraryRecord,
    SqliteScans,
    SqliteStoredTracks,
    SqliteListens,
    SqliteAccounts,
):
    """The `Store` port on one SQLite file; `Connections` says what it survives."""

    def __init__(
        self,
        path: Path,
        *,
        busy_timeout_s: float = BUSY_TIMEOUT_S,
        scrubbing_pause_s: float = SCRUBBING_PAUSE_S,
    ) -> None:
        """Open the file, creating or migrating it.

        Parameters
        ----------
        path : Path
            The file.
        busy_timeout_s : float
            How long to wait for other processes.
        scrubbing_pause_s : float
            How long after an erasure its bytes leave the files, and between attempts where others use them.

        Raises
        ------
        StoreError
            If the file or its folder cannot be used; `StoreVersionError` if this program may not read it.
        """
        self._connections = Connections(path, busy_timeout_s=busy_timeout_s)
        try:
            self._scrubber = Scrubber(self._connections, pause_s=scrubbing_pause_s)
        except BaseException:
            self._connections.close()
            raise

    def close(self) -> None:
        """Close every connection; the last process to do so moves the journal into the file."""
        self._scrubber.close()
        self._connections.close()
