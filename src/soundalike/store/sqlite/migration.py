"""An SQLite file's version: checked, and raised to this program's."""
# ruff: noqa: S608 - only names of tables are inserted into statements

import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from soundalike.domain.errors import StoreVersionError
from soundalike.store.sqlite.backup import back_up
from soundalike.store.sqlite.refill import refill_catalogue
from soundalike.store.sqlite.schema import APPLICATION_ID, MIGRATIONS

# So long another process may take to migrate a large store.
_WAIT_MS = 600_000

_CATALOGUED = 3
"""The first version that has the catalogue, which is made again from the tracks once all steps are done."""


def check_version(connection: sqlite3.Connection, path: Path) -> int:
    """Return a store's version, 0 for a new file, without changing anything in it.

    Parameters
    ----------
    connection : sqlite3.Connection
        To the file.
    path : Path
        Names it in errors.

    Raises
    ------
    StoreVersionError
        If it is no store, or one of a newer version.
    """
    application, version, tables = connection.execute(
        "SELECT (SELECT * FROM pragma_application_id), (SELECT * FROM pragma_user_version),"
        " (SELECT count(*) FROM sqlite_master)"
    ).fetchone()
    if tables and application != APPLICATION_ID:
        msg = f"{path} is a database of another program; choose another folder with --data"
        raise StoreVersionError(msg)
    if version > len(MIGRATIONS):
        msg = (
            f"{path} was written by a newer soundalike: its store version is {version}, this one "
            f"supports {len(MIGRATIONS)}; update soundalike, or choose another folder with --data"
        )
        raise StoreVersionError(msg)
    return int(version)


def needs_migration(path: Path) -> bool:
    """Whether to open the store at a path would migrate something that is in it; nothing is changed.

    Raises
    ------
    StoreVersionError
        If it is no store, or one of a newer version.
    """
    reading = f"{path.absolute().as_uri()}?mode=ro"
    # Opening a file that is missing or damaged says better what is wrong.
    with suppress(sqlite3.Error), closing(sqlite3.connect(reading, uri=True)) as connection:
        if 0 < check_version(connection, path) < len(MIGRATIONS):
            tables = connection.execute("SELECT name FROM pragma_table_list WHERE type = 'table'").fetchall()
            names = [name for (name,) in tables if not name.startswith("sqlite_")]
            return any(connection.execute(f'SELECT 1 FROM "{name}" LIMIT 1').fetchone() for name in names)
    return False


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Migrate the tables in one transaction, after a backup; another process may be doing the same.

    Parameters
    ----------
    connection : sqlite3.Connection
        To the file; it is not used for anything else afterwards, since it waits long.
    path : Path
        The file, from which the backup's name is made.

    Raises
    ------
    StoreError
        If there is no space for the backup, or it cannot be written; nothing is changed then.
    """
    if check_version(connection, path) == len(MIGRATIONS):
        return
    connection.execute(f"PRAGMA busy_timeout = {_WAIT_MS}")
    connection.execute("BEGIN IMMEDIATE")
    version = check_version(connection, path)
    # The first write: a file that may only be read fails here, before anything is backed up.
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    if 0 < version < len(MIGRATIONS):
        back_up(path, version)
    for steps in MIGRATIONS[version:]:
        for step in steps:
            if isinstance(step, str):
                connection.execute(step)
            else:
                step(connection)
    if 0 < version < _CATALOGUED:
        refill_catalogue(connection)
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
    connection.execute("COMMIT")
