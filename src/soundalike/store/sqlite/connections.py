"""Connections to one SQLite file: opened, shared by threads, migrated; SQLite's errors as our own."""

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from soundalike.domain.errors import StoreBusyError, StoreError, StoreUnfitError, StoreVersionError
from soundalike.store.last_failure import LastFailure
from soundalike.store.sqlite.backup import delete_backup
from soundalike.store.sqlite.migration import check_version, migrate
from soundalike.store.sqlite.store_files import StoreFiles, refuse_foreign_journal

_RETRY_S = 0.02
_EMPTYING_S = 0.5
_FOR_BULK = ("PRAGMA cache_size = -65536", "PRAGMA wal_autocheckpoint = 8192")  # KiB, and pages of 4 KiB

_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_NO_ACCESS = (
    "cannot be read and written; check the permissions of it, of the files beside it that begin with its "
    "name, and of its folder, or choose one with --data"
)
_REASONS = {
    sqlite3.SQLITE_READONLY: _NO_ACCESS,
    sqlite3.SQLITE_CANTOPEN: _NO_ACCESS,
    sqlite3.SQLITE_PERM: _NO_ACCESS,
    sqlite3.SQLITE_FULL: "has no space left on its disk; free some and run the command again",
    sqlite3.SQLITE_IOERR: "failed on its disk; check the disk and its free space",
    sqlite3.SQLITE_CORRUPT: (
        "is damaged; put a backup in its place, or move it away and run 'soundalike extract' again"
    ),
}


class Connections:
    """A pool of connections to one database file.

    A transaction borrows a connection and returns it, so any number of threads may use the store, and
    no more connections are open than threads used it at the same time.

    The journal is WAL: readers and one writer do not wait for each other. ``synchronous = NORMAL``
    hands every commit to the operating system without waiting for the disk: a killed process loses
    nothing that was committed, a power cut loses at most the last commits and damages nothing. A
    durable commit (``FULL``) waits for the disk, and so for every commit before it; it is not visible
    sooner. What is deleted is overwritten with zeros.

    Nobody who writes is told that it is stored unless it is in the files that are on the disk.
    """

    def __init__(self, path: Path, *, busy_timeout_s: float) -> None:
        """Open the file, creating or migrating it.

        Raises
        ------
        StoreVersionError
            If the file is no store, or one of a newer version.
        StoreReplacedError
            If there is a journal that does not belong to it.
        StoreError
            If it is damaged, or cannot be read or written.
        """
        self._path = path
        self._address = f"{path.absolute().as_uri()}?mode="
        self._busy_timeout_s = busy_timeout_s
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._idle: list[sqlite3.Connection] = []
        self._is_closed = False
        self._files = StoreFiles(path)
        self._last_failure = LastFailure()
        with self._mapped_errors():
            path.parent.mkdir(parents=True, exist_ok=True)
            refuse_foreign_journal(path)
            _make_private(path)
            with closing(self._connect()) as connection:
                check_version(connection, path)
                self._use_wal(connection)
                migrate(connection, path)
            self._anchor = self._hold_files()

    def _hold_files(self) -> sqlite3.Connection:
        """Return a connection that does nothing but keep the files that are open now: SQLite makes no others.

        It may only read, so that its end neither moves the journal into the file nor deletes it.
        """
        self._idle.append(self._connect())
        try:
            anchor = sqlite3.connect(f"{self._address}ro", uri=True, check_same_thread=False)
            anchor.execute("SELECT count(*) FROM sqlite_master").fetchone()
            self._files.remember(anchor)
        except BaseException:
            self._idle.pop().close()
            raise
        return anchor

    def close(self) -> None:
        """Close every connection; those in use once they are returned.

        The last process to do so moves the journal into the file, unless that is no longer the same.
        """
        if self._is_closed:
            return
        with self._lock:
            self._is_closed = True
            idle, self._idle = self._idle, []
        try:
            self._files.check()
            order = [self._anchor, *idle]
        except StoreError:
            order = [*idle, self._anchor]
        for connection in order:
            connection.close()

    def delete_backup(self) -> None:
        """Delete what a migration backed up, since it holds what is erased."""
        delete_backup(self._path)

    def empty_journal(self) -> bool:
        """Move the journal into the file and empty it; False if others use it for longer, who do not wait."""
        with self._write_lock(_EMPTYING_S), self._mapped_errors():
            self._files.check()
            connection = self._borrow()
            try:
                _set_patience(connection, _EMPTYING_S)
                is_busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                return not is_busy
            finally:
                _set_patience(connection, self._busy_timeout_s)
                self._return(connection)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection that sees the store as it is now until the end of the block."""
        with self._transaction("BEGIN") as connection:
            yield connection

    @contextmanager
    def writing(self, *, is_durable: bool = False, is_bulk: bool = False) -> Iterator[sqlite3.Connection]:
        """Lend a connection whose changes are committed at the end of the block, or not at all.

        Parameters
        ----------
        is_durable : bool
            Whether a power cut after the block is to lose nothing of it.
        is_bulk : bool
            Whether it is one of many transactions of many rows: they share a large cache, and pages that
            several of them change are moved from the journal into the file once.

        Raises
        ------
        StoreReplacedError
            If the store is no longer the one on the disk. Where that is found after the commit, nobody may
            rely on it, and it may be done again.
        """
        begin = [f"PRAGMA synchronous = {'FULL' if is_durable else 'NORMAL'}", "BEGIN IMMEDIATE"]
        if is_bulk:
            begin = [*_FOR_BULK, *begin]
        with (
            self._write_lock(self._busy_timeout_s),
            self._last_failure.noted(),
            self._mapped_errors(),
        ):
            self._files.check()
            with self._transaction(*begin) as connection:
                before = connection.total_changes
                yield connection
                if has_changed := connection.total_changes != before:
                    connection.execute("UPDATE library SET sequence = sequence + 1")
            self._files.check()
            if has_changed:
                self._last_failure.forget()

    def check_writable(self) -> None:
        """Raise if it is known that nothing can be stored now; neither writes nor waits."""
        self._files.check_identity()
        if self._writing.acquire(blocking=False):  # if not, who writes now looks at the files
            try:
                with self._mapped_errors():
                    self._files.check()
            finally:
                self._writing.release()
        self._last_failure.check()

    @contextmanager
    def _write_lock(self, timeout_s: float) -> Iterator[None]:
        """Let one thread write at a time: SQLite's own waiting sleeps ever longer, and is unfair."""
        if not self._writing.acquire(timeout=timeout_s):
            raise _busy(self._path, timeout_s)
        try:
            yield
        finally:
            self._writing.release()

    @contextmanager
    def _transaction(self, *begin: str) -> Iterator[sqlite3.Connection]:
        with self._mapped_errors():
            connection = self._borrow()
            try:
                for statement in begin:
                    connection.execute(statement)
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):  # the first error is the one to raise
                    connection.rollback()
                raise
            finally:
                self._return(connection)

    def _borrow(self) -> sqlite3.Connection:
        with self._lock:
            if self._is_closed:
                msg = f"the store {self._path} is already closed"
                raise StoreError(msg)
            if self._idle:
                return self._idle.pop()
        return self._connect()

    def _return(self, connection: sqlite3.Connection) -> None:
        with self._lock:
            if not self._is_closed and not connection.in_transaction:
                self._idle.append(connection)
                return
        connection.close()

    def _connect(self) -> sqlite3.Connection:
        self._files.check_identity()
        connection = sqlite3.connect(
            f"{self._address}rw",
            uri=True,
            timeout=self._busy_timeout_s,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            self._files.check_identity()  # the file may have been replaced just before it was opened
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA fullfsync = ON")  # where a plain one does not reach the disk (macOS)
            connection.execute("PRAGMA secure_delete = ON")
        except BaseException:
            connection.close()
            raise
        return connection

    def _use_wal(self, connection: sqlite3.Connection) -> None:
        """Switch the journal to WAL; SQLite's own busy timeout does not cover the switch."""
        deadline = time.monotonic() + self._busy_timeout_s
        while True:
            try:
                connection.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                if _primary_code(error) not in _BUSY or time.monotonic() >= deadline:
                    raise
                time.sleep(_RETRY_S)
            else:
                return

    @contextmanager
    def _mapped_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise _mapped(error, self._path, self._busy_timeout_s) from error
        except UnicodeDecodeError as error:  # a damaged name in one of SQLite's messages
            msg = f"the store {self._path} {_REASONS[sqlite3.SQLITE_CORRUPT]}"
            raise StoreError(msg) from error
        except OSError as error:
            msg = (
                f"the folder {self._path.parent} cannot be made: {error.strerror}; choose another with --data"
            )
            raise StoreError(msg) from error


def _make_private(path: Path) -> None:
    """Make the file for its owner alone; SQLite gives the files beside it the same permissions."""
    with suppress(OSError):  # it exists, or SQLite says better why it cannot be made
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


def _set_patience(connection: sqlite3.Connection, timeout_s: float) -> None:
    connection.execute(f"PRAGMA busy_timeout = {round(timeout_s * 1000)}")


def _primary_code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF


def _busy(path: Path, busy_timeout_s: float) -> StoreBusyError:
    why = f"has been in use by other processes for {busy_timeout_s:g} s; try again later"
    return StoreBusyError(f"the store {path} {why}")


def _mapped(error: sqlite3.Error, path: Path, busy_timeout_s: float) -> StoreError:
    """Return an error of SQLite as our own."""
    code = _primary_code(error)
    if code in _BUSY:
        return _busy(path, busy_timeout_s)
    if code == sqlite3.SQLITE_NOTADB:
        why = "is not a store of soundalike; move it away, or choose another folder with --data"
        return StoreVersionError(f"{path} {why}")
    kind = StoreUnfitError if code in _REASONS else StoreError
    return kind(f"the store {path} {_REASONS.get(code, 'failed')} ({error})")
