"""The files of a store: whether those on the disk are still the ones that are open, and belong together.

SQLite goes on with files that are removed, replaced or overwritten under it: what it commits then is
nowhere, or damages what is there instead. So every store counts its transactions in ``library.sequence``,
from a random number on. The number in the file itself, without its journal, only grows, and the journal
goes on from it.

A copy may have its pages in another order, as ``VACUUM INTO`` makes them, and the number that its source had
then. It shows by the version of its schema, which is another one in such a copy.
"""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from soundalike.domain.errors import StoreReplacedError
from soundalike.store.sqlite.journal import journal_pages

_JOURNAL, _INDEX = "-wal", "-shm"

# Others may write while files are looked at, so what looks wrong is looked at again.
_LOOKS = 4
_PAUSE_S = 0.02

# More than other processes commit between two looks; numbers of two stores are further apart.
_MOST_BETWEEN = 1 << 32

# https://www.sqlite.org/fileformat2.html#b_tree_pages
_FIRST_PAGE, _SCHEMA_VERSION = 1, slice(40, 44)
_LEAF, _ONE_ROW, _EIGHT_BYTES = b"\x0d", b"\0\1", b"\x06"
_LEAST_SEQUENCE = 1 << 60

_NO_STORE = {sqlite3.SQLITE_ERROR, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT}


@dataclass(frozen=True, slots=True)
class _State:
    """The number of a store's last transaction, and the version of its schema."""

    sequence: int
    schema: int


class StoreFiles:
    """The files of an open store: the file, its journal and the index of that.

    Parameters
    ----------
    path : Path
        The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, tuple[int, int]] = {}
        self._looked_at: tuple[int, int] | None = None
        self._stored: _State | None = None
        self._size = 0
        self._anchor: sqlite3.Connection | None = None
        self._schema = 0

    def remember(self, anchor: sqlite3.Connection) -> None:
        """Take the files that are there now for those that are open.

        Parameters
        ----------
        anchor : sqlite3.Connection
            Has them open, and does nothing else.
        """
        for suffix in ("", _JOURNAL, _INDEX):
            with suppress(FileNotFoundError):  # where there is no shared memory, SQLite uses no such files
                self._known[suffix] = _identity(Path(f"{self._path}{suffix}").stat())
        self._stored = _stored_state(self._path)
        self._size = self._path.stat().st_size
        self._anchor, self._schema = anchor, _schema_version(anchor)

    def check_identity(self) -> None:
        """Raise unless the files that are open are still those on the disk, by device and inode.

        Raises
        ------
        StoreReplacedError
            If one was removed or replaced, or cannot be looked at.
        """
        for suffix in self._known:
            self._stat(suffix)

    def check(self) -> None:
        """Raise unless the files that are open are on the disk and nobody else has written the file.

        One thread does so at a time.

        Raises
        ------
        StoreReplacedError
            If one was removed or replaced, or the file emptied or overwritten.
        sqlite3.Error
            If the file cannot be read now.
        """
        self.check_identity()
        found = self._stat("")
        looked_at = found.st_size, found.st_mtime_ns
        # With a journal, too; and asked each time, so that it is known from before the file is overwritten.
        before, self._schema = self._schema, _schema_version(self._anchor) if self._anchor else 0
        if looked_at == self._looked_at:
            return
        for _ in range(_LOOKS):
            stored = _stored_state(self._path, may_be_short=found.st_size >= self._size)
            if self._goes_on(stored, {before, self._schema}):
                self._stored, self._looked_at, self._size = stored, looked_at, found.st_size
                return
            time.sleep(_PAUSE_S)
        self._schema = before
        what = "was emptied or overwritten"
        raise self._replaced(what)

    def _goes_on(self, stored: _State | None, schemas: set[int]) -> bool:
        """Whether what is in the file may have come after what was in it before."""
        if self._stored is None:
            return True
        return (
            stored is not None
            and 0 <= stored.sequence - self._stored.sequence < _MOST_BETWEEN
            and stored.schema in {self._stored.schema, *schemas}
        )

    def _stat(self, suffix: str) -> os.stat_result:
        try:
            found = Path(f"{self._path}{suffix}").stat()
        except OSError as error:
            is_gone = isinstance(error, FileNotFoundError | NotADirectoryError)
            what = "is gone" if is_gone else f"cannot be looked at ({error.strerror})"
            raise self._replaced(what, suffix=suffix) from error
        if _identity(found) != self._known[suffix]:
            what = "was replaced by another file"
            raise self._replaced(what, suffix=suffix)
        return found

    def _replaced(self, what: str, *, suffix: str = "") -> StoreReplacedError:
        name = self._path.name
        return StoreReplacedError(
            f"{self._path}{suffix} {what} while the store was open; nothing is stored until it is back: stop "
            f"all that uses the store, put {name} back, from a backup if need be, and start again; beside a "
            f"backup there may be no {name}{_JOURNAL} and no {name}{_INDEX}"
        )


def refuse_foreign_journal(path: Path) -> None:
    """Raise if the journal beside a path does not belong to the store there: SQLite would mix the two.

    Parameters
    ----------
    path : Path
        The file of the store, which may be missing.

    Raises
    ------
    StoreReplacedError
        If there is a journal without its store, or with another file than that which it goes on from.
    """
    name, journal = path.name, Path(f"{path}{_JOURNAL}")
    if _is_empty(journal):
        return
    if _is_empty(path):
        msg = (
            f"the store {path} is missing or empty, but its journal {name}{_JOURNAL} is there: put {name} "
            f"back; or, to put a backup in its place, move {name}{_JOURNAL} and {name}{_INDEX} away first"
        )
        raise StoreReplacedError(msg)
    for _ in range(_LOOKS):
        if _goes_on_from(journal, path):
            return
        time.sleep(_PAUSE_S)
    msg = (
        f"the journal {journal} belongs to another file than the store {path}: if that is a backup which "
        f"was put there, move {name}{_JOURNAL} and {name}{_INDEX} away and start again; if not, put the "
        "store back to which the journal belongs"
    )
    raise StoreReplacedError(msg)


def _identity(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino


def _is_empty(path: Path) -> bool:
    """Whether there is nothing at a path, as SQLite sees it: a file of one byte is empty for it, too."""
    try:
        return path.stat().st_size <= 1
    except OSError:
        return True


def _schema_version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA schema_version").fetchone()[0])


def _stored_state(path: Path, *, may_be_short: bool = True) -> _State | None:
    """Return what the file itself has, without its journal.

    SQLite opens the file: to open and close it otherwise would end the locks that this process has on it.

    Parameters
    ----------
    path : Path
        The file.
    may_be_short : bool
        Whether the file may lack pages at its end. Where others read while SQLite moves the journal into the
        file, the pages that changed after they began to read stay in the journal alone.

    Returns
    -------
    _State or None
        None where there is no number: the file is no store, one of an older version, or damaged.

    Raises
    ------
    sqlite3.Error
        If the file cannot be read.
    """
    address = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(address, uri=True)) as connection:
            if may_be_short:
                connection.execute("PRAGMA writable_schema = ON")
            found = connection.execute("SELECT sequence FROM library").fetchone()
            schema = _schema_version(connection)
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF in _NO_STORE:
            return None
        raise
    return _State(int(found[0]), schema) if found else None


def _goes_on_from(journal: Path, path: Path) -> bool:
    """Return whether a journal goes on from what a file has, or nothing speaks against it."""
    stored = _stored_state(path)
    if stored is None:
        return True  # a store that is new, of an older version, or damaged, which opening it tells
    found: list[int] = []
    schemas: list[int] = []
    try:
        for number, page in journal_pages(journal):
            found += _sequence_on(page)
            if number == _FIRST_PAGE:
                schemas.append(int.from_bytes(page[_SCHEMA_VERSION], "big"))
    except OSError:
        return (
            True  # the last process that had the store open has just closed it, or SQLite says what is wrong
        )
    # The first transaction of the journal follows the last that was moved into the file before; those of the
    # journal may have been moved too. So it is with the version of the schema, which only grows.
    return (not found or found[0] - 1 <= stored.sequence <= found[-1]) and (
        not schemas or stored.schema <= max(schemas)
    )


def _sequence_on(page: bytes) -> Iterator[int]:
    """Yield the number on a page of the table ``library``, which has one row with the number at its end."""
    if page[:1] != _LEAF or page[3:5] != _ONE_ROW:
        return
    row = int.from_bytes(page[8:10], "big")
    # The sizes of the row and of its types, which are first in it, and the row's number take a byte each.
    size, content = page[row : row + 1], page[row + 2 :]
    if not size or not content:
        return
    last_type = content[content[0] - 1 : content[0]]
    number = int.from_bytes(content[max(0, size[0] - 8) : size[0]], "big")
    if last_type == _EIGHT_BYTES and number >= _LEAST_SEQUENCE:
        yield number
