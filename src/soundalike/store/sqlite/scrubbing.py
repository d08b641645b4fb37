"""Having what was erased leave the files of an SQLite store.

SQLite overwrites with zeros what is deleted, but not the copies that are left where rows once were: in the
gap of a page from which rows moved to another page, and in the journal. So the tables that lost something
are written anew, whole, and then the journal is emptied.
"""
# ruff: noqa: S608 - only names of tables are inserted into statements

import logging
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from soundalike.domain.errors import StoreError
from soundalike.store.sqlite.connections import Connections

LISTENERS = frozenset({"listen", "profile", "erasure"})
ACCOUNTS = frozenset({"user", "credential", "ended_session"})

_log = logging.getLogger(__name__)


class Scrubber:
    """Scrubs a store soon after something was erased, in a thread that ends once that is done.

    The store itself remembers that there is something to scrub (``library.erased_at``, the number of the last
    transaction that erased), so that it is done although a process was killed, or another one helps.

    Parameters
    ----------
    connections : Connections
        To the store.
    pause_s : float
        Seconds before each attempt. What is erased meanwhile is scrubbed with it.
    """

    def __init__(self, connections: Connections, *, pause_s: float) -> None:
        self._connections = connections
        self._pause_s = pause_s
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._is_asked = False
        # What this process erased last, from which tables, and after which erasure it wrote tables anew.
        self._erased_at: int | None = None
        self._tables: frozenset[str] = frozenset()
        self._rewritten_at: int | None = None
        if self._owed() is not None:  # by a process that was killed before it had scrubbed, or does so now
            self._ask()

    def close(self) -> None:
        """End the thread, if there is one, with a last attempt."""
        self._closing.set()
        with self._lock:
            thread = self._thread
        if thread is not None:
            thread.join()
        if self._is_asked and not self._scrub():
            _log.warning(
                "what was erased may still be in the files of the store: another process reads from it; "
                "the next start or erasure removes it"
            )
        self._is_asked = False

    @contextmanager
    def erasing(self, tables: frozenset[str], *, is_durable: bool = False) -> Iterator[sqlite3.Connection]:
        """Lend a connection as `Connections.writing` does, to delete or replace what has to leave the files.

        Parameters
        ----------
        tables : frozenset of str
            `LISTENERS` or `ACCOUNTS`, from which it is deleted.
        is_durable : bool
            Whether it outlives a power cut.
        """
        with self._connections.writing(is_durable=is_durable) as connection:
            before = connection.total_changes
            yield connection
            if connection.total_changes == before:
                return
            (owed,) = connection.execute("SELECT erased_at FROM library").fetchone()
            mark = "UPDATE library SET erased_at = sequence + 1 RETURNING erased_at"
            (erased_at,) = connection.execute(mark).fetchone()
            # What another process has erased and not scrubbed yet, this one takes over.
            self._tables |= tables if owed in {None, self._erased_at} else LISTENERS | ACCOUNTS
            self._erased_at = erased_at
        self._ask()

    def _ask(self) -> None:
        with self._lock:
            self._is_asked = True
            if self._thread is None and not self._closing.is_set():
                self._thread = threading.Thread(target=self._run, name="scrubber", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while not self._closing.wait(self._pause_s):
            with self._lock:
                self._is_asked = False
            is_done = self._scrub()
            with self._lock:
                if is_done and not self._is_asked:
                    self._thread = None
                    return
                self._is_asked = True

    def _owed(self) -> int | None:
        with self._connections.reading() as connection:
            (erased_at,) = connection.execute("SELECT erased_at FROM library").fetchone()
        return None if erased_at is None else int(erased_at)

    def _scrub(self) -> bool:
        """Try once; return whether nothing is left to be scrubbed."""
        try:
            owed = self._owed()
            if owed is None:
                return True
            if owed != self._rewritten_at:
                with self._connections.writing() as connection:
                    _rewrite(connection, self._tables if owed == self._erased_at else LISTENERS | ACCOUNTS)
                self._rewritten_at = owed
            if not self._connections.empty_journal():
                return False
            with self._connections.writing() as connection:
                forget = "UPDATE library SET erased_at = NULL WHERE erased_at = ?"
                is_all = connection.execute(forget, (owed,)).rowcount > 0
                self._tables = frozenset() if is_all else self._tables
        except StoreError as error:
            _log.debug("what was erased is not out of the files yet: %s", error)
            return False
        return is_all


def _rewrite(connection: sqlite3.Connection, tables: Iterable[str]) -> None:
    """Write every row of some tables anew; the pages that they had are zeros then, or used again."""
    for table in sorted(tables):
        connection.execute(f"CREATE TEMP TABLE rewritten AS SELECT * FROM main.{table}")
        connection.execute(f"DELETE FROM main.{table}")
        connection.execute(f"INSERT INTO main.{table} SELECT * FROM temp.rewritten")
        connection.execute("DROP TABLE temp.rewritten")
