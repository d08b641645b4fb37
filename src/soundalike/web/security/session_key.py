"""The key that signs sessions: given by the user, or made once and stored beside the data."""

import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from soundalike.domain.errors import SettingsError
from soundalike.domain.secret_files import check_private
from soundalike.domain.types import LibraryId

FILE_NAME = "session.key"
MIN_BYTES = 16

_SIZE_BYTES = 32
_LIBRARY = re.compile(rb"\nlibrary ([0-9a-f]{32})\n\Z")


@dataclass(frozen=True, slots=True)
class SessionKeyFile:
    """The file with the key that signs sessions: the key, then a line with the id of its library.

    Parameters
    ----------
    path : Path
        Where it is.
    key : bytes
        The key.
    library_id : LibraryId or None
        The library's id; None in a file of a version that knew no ids.
    """

    path: Path
    key: bytes
    library_id: LibraryId | None

    @property
    def name(self) -> str:
        """What and where it is, for people."""
        return f"the session key {str(self.path)!r}"

    def take_up(self, library_id: LibraryId) -> None:
        """Add the id of its library, if the file may be replaced by one of the same owner and mode."""
        path = self.path.resolve()
        with suppress(OSError), _written(path, _content(self.key, library_id)) as temporary:
            found = path.stat()
            os.chown(temporary, found.st_uid, found.st_gid)
            temporary.chmod(stat.S_IMODE(found.st_mode))
            temporary.replace(path)


def find_session_key(folder: Path) -> SessionKeyFile | None:
    """Return the key that is stored in a folder, if there is one.

    Raises
    ------
    ExposedFileError
        If everybody may read it.
    SettingsError
        If it cannot be read. No message contains a key.
    """
    path = folder / FILE_NAME
    try:
        content, mode = path.read_bytes(), path.stat().st_mode
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unusable(path, error) from None
    check_private(path, mode, what=f"{str(path)!r} signs sessions")
    found = _LIBRARY.search(content)
    if found is None:
        return SessionKeyFile(path, content, None)
    return SessionKeyFile(path, content[: found.start()], LibraryId(found[1].decode()))


def load_session_key(folder: Path, given: str | None, library_id: LibraryId) -> bytes:
    """Return the key that signs sessions; without a given one it is made once, with mode 0600.

    Several processes may call this at once: all get the same key.

    Parameters
    ----------
    folder : Path
        Where the key is stored.
    given : str or None
        The key from the settings.
    library_id : LibraryId
        Is stored with a new key.

    Raises
    ------
    SettingsError
        If the given key is too short, everybody may read the stored one, or none can be read or made. No
        message contains a key.
    """
    if given is not None:
        return _check(given.encode(errors="surrogateescape"), "the session key in the settings")
    path = folder / FILE_NAME
    found = find_session_key(folder)
    if found is None:
        key = secrets.token_bytes(_SIZE_BYTES)
        try:
            with _written(path, _content(key, library_id)) as temporary, suppress(FileExistsError):
                _give_name(temporary, path)
        except OSError as error:
            raise _unusable(path, error) from None
        found = find_session_key(folder) or SessionKeyFile(path, key, library_id)
    return _check(found.key, str(path))


def _check(key: bytes, place: str) -> bytes:
    if len(key) < MIN_BYTES:
        msg = f"{place} is shorter than {MIN_BYTES} bytes; use a longer one, or remove it to get a new one"
        raise SettingsError(msg)
    return key


def _content(key: bytes, library_id: LibraryId) -> bytes:
    return b"%s\nlibrary %s\n" % (key, library_id.encode())


@contextmanager
def _written(path: Path, content: bytes) -> Iterator[Path]:
    """Write a temporary file beside a path, for its owner alone; it is removed if it still has its name."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "wb") as file:  # noqa: PTH123 - pathlib opens no descriptors
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def _unusable(path: Path, error: OSError) -> SettingsError:
    msg = f"cannot use the session key {str(path)!r}: {error.strerror}; set SOUNDALIKE_SECRET_KEY"
    return SettingsError(msg)


def _give_name(temporary: Path, path: Path) -> None:
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        raise
    except OSError:
        # No hard links (FAT, some network shares): two first starts at once may write two keys. The last
        # one stays, and sessions signed with the other end.
        temporary.replace(path)
