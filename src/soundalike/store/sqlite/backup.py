"""The backup of an SQLite store that is made before it is migrated."""

import logging
import os
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from soundalike.domain.errors import StoreError, StoreUnfitError

_log = logging.getLogger(__name__)

_UNFINISHED = ".unfinished"

# Times the size of the file: the backup, and what the migration writes, which is in the file's journal first.
_SPACE = 4


def find_backup(path: Path) -> Path | None:
    """Return the backup of the store at a path, or None."""
    return next((found for found in _backups(path) if found.suffix != _UNFINISHED), None)


def delete_backup(path: Path) -> None:
    """Delete the backup of the store at a path, whole or not, if there is one.

    Raises
    ------
    StoreError
        If it cannot be deleted.
    """
    try:
        for found in _backups(path):
            found.unlink(missing_ok=True)
    except OSError as error:
        msg = (
            f"the backup of {path} has what is to be erased, and cannot be deleted: {error.strerror}; "
            f"delete {error.filename} yourself, then try again"
        )
        raise StoreError(msg) from error


def back_up(path: Path, version: int) -> None:
    """Copy the store at a path, with what its journal has, to a file beside it, and say so.

    The caller keeps others from writing meanwhile. A killed process leaves no file under the backup's name,
    or a whole one; an older backup is deleted once there is a newer one.

    Parameters
    ----------
    path : Path
        The store.
    version : int
        Its version, the end of the backup's name.

    Raises
    ------
    StoreError
        If the disk has no space for the backup and the migration, or the backup cannot be written.
    """
    target = path.with_name(f"{path.name}.backup-{version}")
    unfinished = target.with_name(target.name + _UNFINISHED)
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as source:
            _check_space(source, path)
            unfinished.unlink(missing_ok=True)
            os.close(os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
            with closing(sqlite3.connect(unfinished, isolation_level=None)) as copy:
                # It is flushed once below; a journal would only double what is written.
                copy.execute("PRAGMA synchronous = OFF")
                copy.execute("PRAGMA journal_mode = OFF")
                source.backup(copy)
        _flush(unfinished)
        unfinished.replace(target)
        _flush(path.parent)
        for other in _backups(path):
            if other != target:
                other.unlink(missing_ok=True)
    except OSError as error:
        msg = f"the store {path} cannot be backed up to {target} before it is migrated: {error.strerror}"
        raise StoreError(msg) from error
    _log.warning(
        "the store is being migrated from version %d; its backup is %s, which any erasure of a user's data "
        "deletes",
        version,
        target,
    )


def _backups(path: Path) -> Iterator[Path]:
    """Yield the backups of the store at a path, unfinished ones too, but none that a person named by date."""
    ours = re.compile(rf"{re.escape(path.name)}\.backup-\d{{1,2}}({re.escape(_UNFINISHED)})?")
    return (found for found in path.parent.iterdir() if ours.fullmatch(found.name))


def _check_space(source: sqlite3.Connection, path: Path) -> None:
    """Raise if the disk has no space for a backup and a migration of the store at a path."""
    pages, page_size = source.execute(
        "SELECT (SELECT * FROM pragma_page_count), (SELECT * FROM pragma_page_size)"
    ).fetchone()
    needed, free = _SPACE * pages * page_size, shutil.disk_usage(path.parent).free
    if free < needed:
        msg = (
            f"the store {path} has to be backed up and migrated, which needs {needed / 1e6:,.1f} MB of disk; "
            f"only {free / 1e6:,.1f} MB are free. Free some and run the command again"
        )
        raise StoreUnfitError(msg)


def _flush(path: Path) -> None:
    """Wait until a file or folder is on the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
