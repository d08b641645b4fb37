"""What services need of this machine: the time, new ids, folders."""

import errno
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from soundalike.domain.errors import SettingsError
from soundalike.domain.types import LibraryId, TrackId

_ID_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
_ID_LENGTH = 16
_SECRET_BYTES = 32
_STALE_WORKSPACE_S = 24 * 3600


def now() -> datetime:
    """Return the time, UTC."""
    return datetime.now(UTC)


def local_now() -> datetime:
    """Return the time in the zone of this machine, in which its listeners' days begin."""
    return now().astimezone()


def new_id() -> TrackId:
    """Return a random id."""
    # One letter for each byte: the alphabet has 32, so all are as likely.
    return TrackId(
        "".join(_ID_ALPHABET[byte % len(_ID_ALPHABET)] for byte in secrets.token_bytes(_ID_LENGTH))
    )


def new_library_id() -> LibraryId:
    """Return a random id for a library."""
    return LibraryId(secrets.token_hex(16))


def process_name() -> str:
    """Return a name that no other process has, here or elsewhere, from which `is_dead` can tell who it is."""
    started = _started(os.getpid())
    return f"{_machine()} {os.getpid()} {started}" if started else secrets.token_hex(16)


def is_dead(name: str) -> bool:
    """Whether a process of this name was on this machine, and is no more; False if it may be elsewhere."""
    machine, _, process = name.rpartition(" ")[0].rpartition(" ")
    return bool(machine) and machine == _machine() and _started(int(process)) != name.rpartition(" ")[2]


def _machine() -> str:
    """Return what is common to the processes that see each other's numbers; empty if that is unknown."""
    try:
        start = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{start} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""


def _started(process: int) -> str:
    """Return when a process began, in ticks since the machine did; empty if it has ended."""
    try:
        # The name, which is in brackets and may have any characters, is the second field.
        state, *fields = Path(f"/proc/{process}/stat").read_bytes().rpartition(b")")[2].split()
        return "" if state == b"Z" else fields[18].decode()
    except (OSError, IndexError, ValueError):
        return ""


def new_secret() -> str:
    """Return a random secret."""
    return secrets.token_urlsafe(_SECRET_BYTES)


def is_gone(path: Path) -> bool:
    """Return whether nothing is at a path; False if it may not be looked at."""
    try:
        path.lstat()
    except OSError as error:
        return error.errno in {errno.ENOENT, errno.ENOTDIR}
    return False


def is_root() -> bool:
    """Whether this process may do anything on this machine."""
    return os.geteuid() == 0


def make_data_folder(folder: Path) -> None:
    """Make the data folder, if it is missing, for this user alone: it has listens and password hashes.

    Raises
    ------
    SettingsError
        If it cannot be made.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        msg = f"cannot make the data folder {str(folder)!r}: {error.strerror}; choose another with --data"
        raise SettingsError(msg) from error


@contextmanager
def workspace(data: Path) -> Iterator[Path]:
    """Make a folder for one run, and remove those that killed runs left more than a day ago.

    Raises
    ------
    SettingsError
        If the data folder is missing and cannot be made.
    """
    make_data_folder(data)
    prefix = ".work-"
    for left in data.glob(f"{prefix}*"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > _STALE_WORKSPACE_S:
                shutil.rmtree(left)
    with tempfile.TemporaryDirectory(dir=data, prefix=prefix, ignore_cleanup_errors=True) as folder:
        yield Path(folder)
