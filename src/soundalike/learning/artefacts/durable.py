"""Files that are complete or absent, even after a crash while they are written."""

import contextlib
import fcntl
import os
import secrets
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from soundalike.domain.errors import ModelError

_LOCK_POLL_S = 0.05


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


@contextlib.contextmanager
def locked(path: Path, *, timeout_s: float) -> Iterator[None]:
    """Hold a lock that one process has at a time, and that ends with it.

    Parameters
    ----------
    path : Path
        Of the file to lock; created if it is missing.
    timeout_s : float
        How long to wait for another process.

    Raises
    ------
    ModelError
        If another process keeps the lock.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        deadline = time.monotonic() + timeout_s
        while not _try_lock(descriptor):
            if time.monotonic() > deadline:
                msg = f"another process is publishing to {path.parent}; try again when it is done"
                raise ModelError(msg)
            time.sleep(_LOCK_POLL_S)
        yield
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


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
