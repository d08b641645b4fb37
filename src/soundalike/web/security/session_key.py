"""The key that signs sessions: given by the user, or made once and stored beside the data."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from soundalike.domain.errors import SettingsError

FILE_NAME = "session.key"
MIN_BYTES = 16

_SIZE_BYTES = 32


def load_session_key(folder: Path, given: str | None = None) -> bytes:
    """Return the key that signs sessions; without a given one it is made once, with mode 0600.

    Several processes may call this at once: all get the same key.

    Parameters
    ----------
    folder : Path
        Where the key is stored.
    given : str or None
        The key from the settings.

    Raises
    ------
    SettingsError
        If the given key is too short, or none can be read or made. No message contains a key.
    """
    if given is not None:
        return _check(given.encode(errors="surrogateescape"), "the session key in the settings")
    path = folder / FILE_NAME
    try:
        if not path.exists():
            _make(path)
        return _check(path.read_bytes(), str(path))
    except OSError as error:
        msg = f"cannot use the session key {str(path)!r}: {error.strerror}; set SOUNDALIKE_SECRET_KEY"
        raise SettingsError(msg) from None


def _check(key: bytes, place: str) -> bytes:
    if len(key) < MIN_BYTES:
        msg = f"{place} is shorter than {MIN_BYTES} bytes; use a longer one, or remove it to get a new one"
        raise SettingsError(msg)
    return key


def _make(path: Path) -> None:
    """Write a key to a temporary file and link it to its name, unless another process was faster."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        _write(temporary)
        with suppress(FileExistsError):
            _give_name(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _write(path: Path) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "wb") as file:  # noqa: PTH123 - pathlib opens no descriptors
        file.write(secrets.token_bytes(_SIZE_BYTES))
        file.flush()
        os.fsync(file.fileno())


def _give_name(temporary: Path, path: Path) -> None:
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        raise
    except OSError:
        # No hard links (FAT, some network shares): two first starts at once may write two keys. The last
        # one stays, and sessions signed with the other end.
        temporary.replace(path)
