"""Back up a data folder whose store is embedded, while the player runs.

    python deploy/backup.py /var/lib/soundalike /var/backups/soundalike [--keep 14]

Each backup is a folder named by its time, with the store at one moment, the key that signs sessions,
and the result of tuning. It appears complete or not at all. ``soundalike build`` makes artefacts again.
To restore a backup, stop everything, and replace the data folder by it.
"""
# ruff: noqa: INP001 - a script, not a package

import argparse
import os
import re
import secrets
import shutil
import sqlite3
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

STORE = "library.sqlite"
BESIDE = ("session.key", "tuning.json")
FIRST_NUMBER = 1 << 60
"""Of 61 bits, as the numbers of new stores are."""
NAME = "%Y-%m-%dT%H%M%SZ"

_BACKUP = re.compile(r"\d{4}-\d\d-\d\dT\d{6}Z")


def main() -> None:
    """Make a backup, and remove the oldest ones if there are too many."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, help="the data folder")
    parser.add_argument("backups", type=Path, help="the folder of backups, on another disk")
    parser.add_argument("--keep", type=int, default=14, help="how many to keep, at least 1; default 14")
    given = parser.parse_args()
    try:
        made = back_up(given.data, given.backups, now=datetime.now(UTC))
        prune(given.backups, keep=max(1, given.keep))
    except (OSError, sqlite3.Error) as error:
        sys.exit(f"error: could not back up {given.data}: {error}")
    sys.stdout.write(f"{made}\n")


def back_up(data: Path, backups: Path, *, now: datetime) -> Path:
    """Make a backup, check it, and return its folder."""
    os.umask(0o077)  # it contains password hashes, and what people listened to
    backups.mkdir(parents=True, exist_ok=True)
    made = backups / now.strftime(NAME)
    aside = made.with_name(f".{made.name}")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir()
    _copy_store(data / STORE, aside / STORE)
    for name in BESIDE:
        if (data / name).exists():
            shutil.copyfile(data / name, aside / name)
    for path in (*aside.iterdir(), aside):
        _sync(path)
    aside.rename(made)
    _sync(backups)
    return made


def prune(backups: Path, *, keep: int) -> None:
    """Remove all backups but the newest."""
    for old in sorted(path for path in backups.iterdir() if _BACKUP.fullmatch(path.name))[:-keep]:
        shutil.rmtree(old)


def _copy_store(store: Path, copy: Path) -> None:
    # A read-only connection, so that a mistyped path is an error and not an empty store.
    with closing(sqlite3.connect(f"{store.absolute().as_uri()}?mode=ro", uri=True, timeout=60)) as connection:
        connection.execute("VACUUM INTO ?", (str(copy),))
    with closing(sqlite3.connect(copy)) as connection, connection:
        _number_anew(connection)
        (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if found != "ok":
        msg = f"the copy is damaged: {found}"
        raise sqlite3.DatabaseError(msg)


def _number_anew(copy: sqlite3.Connection) -> None:
    """Give a copy a number of its own, so that it is never taken for the store whose journal is beside it."""
    (is_numbered,) = copy.execute(
        "SELECT EXISTS (SELECT 1 FROM pragma_table_info('library') WHERE name = 'sequence')"
    ).fetchone()
    if is_numbered:
        copy.execute("UPDATE library SET sequence = ?", (FIRST_NUMBER + secrets.randbelow(FIRST_NUMBER),))


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


if __name__ == "__main__":
    main()
