"""Opening tracks' files without following a link that was not there at the scan."""

import errno
import os
import stat
import threading
from pathlib import Path
from typing import BinaryIO

from soundalike.audio.cover import read_cover
from soundalike.audio.errors import is_passing
from soundalike.domain.errors import FileUnavailableError, TrackGoneError
from soundalike.domain.files import FileStamp
from soundalike.domain.ports.audio import Cover

# With O_PATH a folder must be passable, not readable, as for any other open.
_FOLDER = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# A cover may have 32 MiB, and is copied a few times while it is read.
_READING_COVERS = threading.BoundedSemaphore(2)
COVER_TURN_S = 5.0
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class NotRegularError(OSError):
    """The path leads to a FIFO, device, socket or folder."""


class LocalAudioFiles:
    """Opens tracks' files on this machine; the port `AudioFiles`."""

    def open(self, real_path: Path, stamp: FileStamp) -> BinaryIO:
        """Open the file that was scanned, following no link; the caller closes it.

        Parameters
        ----------
        real_path : Path
            Absolute and without links.
        stamp : FileStamp
            Of the file when it was scanned.

        Raises
        ------
        TrackGoneError
            If it does not exist, is not a regular file, is behind a link, or has changed since the scan.
        FileUnavailableError
            If its disk, or this machine, does not give it at the moment.
        """
        try:
            file = open_regular(real_path)
            try:
                status = os.fstat(file.fileno())
            except OSError:
                file.close()
                raise
        except (OSError, ValueError) as error:
            if is_passing(error):
                raise _unavailable(error) from error
            raise _gone(real_path, _why(error)) from error
        if (status.st_size, status.st_mtime_ns) != (stamp.size_bytes, stamp.mtime_ns):
            file.close()
            raise _gone(real_path, "has changed since it was scanned")
        return file

    def cover(self, file: BinaryIO) -> Cover | None:
        """Read the embedded picture, the front cover first; None if a browser may show none.

        Raises
        ------
        FileUnavailableError
            If the file cannot be read at the moment.
        """
        if not _READING_COVERS.acquire(timeout=COVER_TURN_S):
            raise _unavailable(TimeoutError(errno.ETIMEDOUT, "the disk does not give the covers before it"))
        try:
            return read_cover(file)
        except OSError as error:
            raise _unavailable(error) from error
        finally:
            _READING_COVERS.release()


def open_regular(real_path: Path) -> BinaryIO:
    """Open a regular file for reading, following no link in any part of its path.

    Never blocks, as opening a FIFO would.

    Raises
    ------
    NotRegularError
        If it is not a regular file.
    OSError
        If it cannot be opened; ELOOP or ENOTDIR if a link is in the way.
    """
    parts = real_path.parts
    folder = os.open(parts[0], _FOLDER)
    try:
        for part in parts[1:-1]:
            inner = os.open(part, _FOLDER, dir_fd=folder)
            os.close(folder)
            folder = inner
        # Opening a device may have effects, so the type is checked first; fstat then checks it again.
        _require_regular(os.stat(parts[-1], dir_fd=folder, follow_symlinks=False))
        descriptor = os.open(parts[-1], _FILE, dir_fd=folder)
    finally:
        os.close(folder)
    try:
        _require_regular(os.fstat(descriptor))
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def _require_regular(status: os.stat_result) -> None:
    if stat.S_ISLNK(status.st_mode):
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    if not stat.S_ISREG(status.st_mode):
        raise NotRegularError(errno.EINVAL, "not a regular file")


def _why(error: OSError | ValueError) -> str:
    if isinstance(error, NotRegularError):
        return "is no longer a regular file"
    if isinstance(error, PermissionError):
        return "may no longer be read"
    if isinstance(error, OSError) and error.errno in {errno.ELOOP, errno.ENOTDIR}:
        return "is behind a link that was not there at the scan"
    return "no longer exists"


def _unavailable(error: Exception) -> FileUnavailableError:
    # Without the file's name: of a disk that is away, one line in the log is enough.
    why = getattr(error, "strerror", None) or error
    return FileUnavailableError(
        f"the file cannot be read at the moment ({why}); try again, and check its disk or mount"
    )


def _gone(real_path: Path, why: str) -> TrackGoneError:
    name = os.fsencode(real_path.name).decode("utf-8", "replace")
    return TrackGoneError(f"the file {name!r} {why}; run 'soundalike extract' again")
