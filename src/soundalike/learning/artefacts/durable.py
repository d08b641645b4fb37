"""Files that are complete or absent, even after a crash while they are written."""

import contextlib
import os
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path


@contextlib.contextmanager
def written_atomically(path: Path) -> Iterator[Path]:
    """Yield a temporary path in the same folder; after the block it is synced and renamed to `path`.

    Raises
    ------
    OSError
        If the disk is full, or the folder is missing or not writeable.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        yield temporary
        sync(temporary)
        temporary.replace(path)
        sync(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


Signature = dict[str, tuple[int, int, int]]
"""Inode, size and time of change of each file that exists, by name."""


def signature_of(folder: Path, names: Iterable[str] | None = None) -> Signature:
    """Return the signature of files in a folder, without following links.

    Parameters
    ----------
    folder : Path
        May be missing.
    names : iterable of str, optional
        Of the files; all that are there by default.
    """
    found: Signature = {}
    with contextlib.suppress(OSError):
        for name in [entry.name for entry in folder.iterdir()] if names is None else names:
            with contextlib.suppress(FileNotFoundError):
                status = (folder / name).lstat()
                found[name] = (status.st_ino, status.st_size, status.st_mtime_ns)
    return found
