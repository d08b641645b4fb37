"""Opening tracks' files without following a link that was not there at the scan."""

import errno
import os
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from soundalike.audio.cover import MOST_BYTES as MOST_COVER_BYTES
from soundalike.audio.cover import picture_type, read_cover
from soundalike.audio.errors import is_passing
from soundalike.audio.folder_cover import cover_names
from soundalike.domain.errors import FileUnavailableError, TrackGoneError
from soundalike.domain.files import FileStamp
from soundalike.domain.ports.audio import Cover

# With O_PATH a folder must be passable, not readable, as for any other open.
_FOLDER = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# A cover may have 32 MiB, and is copied a few times while it is read.
_READING_COVERS = threading.BoundedSemaphore(2)
COVER_TURN_S = 5.0
_MOST_ENTRIES, _MOST_TRIED = 10_000, 5  # of a folder that is looked through for a cover
_HEAD_BYTES = 32
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
        with _cover_turn():
            return read_cover(file)

    def folder_cover(self, folder: Path) -> Cover | None:
        """Read a folder's ``cover.*``, ``folder.*``, ``front.*`` or ``album.*``, following no link.

        None if there is none that a browser may show, or if the folder is not there or may not be read.

        Raises
        ------
        FileUnavailableError
            If it cannot be read at the moment.
        """
        with _cover_turn():
            try:
                with _opened_folder(folder) as opened:
                    return _picture_in(opened)
            except OSError as error:
                if is_passing(error):
                    raise
                return None


@contextmanager
def _cover_turn() -> Iterator[None]:
    if not _READING_COVERS.acquire(timeout=COVER_TURN_S):
        raise _unavailable(TimeoutError(errno.ETIMEDOUT, "the disk does not give the covers before it"))
    try:
        yield
    except OSError as error:
        raise _unavailable(error) from error
    finally:
        _READING_COVERS.release()


def _picture_in(folder: int) -> Cover | None:
    """Return the first picture in an open folder that is called like a cover and is one."""
    listed = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=folder)
    try:
        with os.scandir(listed) as entries:
            names = [entry.name for entry in islice(entries, _MOST_ENTRIES)]
    finally:
        os.close(listed)
    for name in cover_names(names)[:_MOST_TRIED]:
        try:
            with _open_in(folder, name) as file:
                media_type = picture_type(file.read(_HEAD_BYTES))
                if media_type is not None and os.fstat(file.fileno()).st_size <= MOST_COVER_BYTES:
                    file.seek(0)
                    return Cover(media_type, file.read(MOST_COVER_BYTES))
        except OSError as error:
            if is_passing(error):
                raise
    return None


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
    with _opened_folder(real_path.parent) as folder:
        return _open_in(folder, real_path.name)


@contextmanager
def _opened_folder(real_path: Path) -> Iterator[int]:
    """Open a folder to open what is in it, following no link in any part of its path."""
    folder = os.open(real_path.parts[0], _FOLDER)
    try:
        for part in real_path.parts[1:]:
            inner = os.open(part, _FOLDER, dir_fd=folder)
            os.close(folder)
            folder = inner
        yield folder
    finally:
        os.close(folder)


def _open_in(folder: int, name: str) -> BinaryIO:
    # Opening a device may have effects, so the type is checked first; fstat then checks it again.
    _require_regular(os.stat(name, dir_fd=folder, follow_symlinks=False))
    descriptor = os.open(name, _FILE, dir_fd=folder)
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
