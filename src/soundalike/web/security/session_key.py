"""The key that signs sessions: set by the user, or made once and kept beside the data."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from soundalike.domain.errors import SettingsError

FILE_NAME = "session.key"
MIN_BYTES = 16

_SIZE_BYTES = 32


def load_session_key(folder: Path, given: str | None = None) -> bytes:
    """Return the key that signs sessions; made once, with mode 0600, where none is given.

    Several processes may ask for it at once: all get the same.

    Parameters
    ----------
    folder : Path
        Where it is kept.
    given : str or None
        A key that the user has set.

    Raises
    ------
    SettingsError
        If the given key is too short, or none can be read or made. No message shows a key.
    """
    if given is not None:
        return _check(given.encode(errors="surrogateescape"), "the session key that was set")
    path = folder / FILE_NAME
    try:
        if not path.exists():
            _make(path)
        return _check(path.read_bytes(), str(path))
    except OSError as error:
        msg = f"the session key {str(path)!r} cannot be had: {error.strerror}; set SOUNDALIKE_SECRET_KEY"
        raise SettingsError(msg) from None


def _check(key: bytes, place: str) -> bytes:
    if len(key) < MIN_BYTES:
        msg = f"{place} is shorter than {MIN_BYTES} bytes; choose a longer one, or remove it to get a new one"
        raise SettingsError(msg)
    return key


def _make(path: Path) -> None:
    """Write a whole key aside and link it to its name, unless another process was faster."""
    aside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        _write(aside)
        with suppress(FileExistsError):
            _give_name(aside, path)
    finally:
        aside.unlink(missing_ok=True)


def _write(path: Path) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "wb") as file:  # noqa: PTH123 - pathlib opens no descriptors
        file.write(secrets.token_bytes(_SIZE_BYTES))
        file.flush()
        os.fsync(file.fileno())


def _give_name(aside: Path, path: Path) -> None:
    try:
        path.hardlink_to(aside)
    except FileExistsError:
        raise
    except OSError:
        # No hard links here (FAT, some shares): then two first starts at once may write two keys, of
        # which the last stays, and who logged in meanwhile logs in again.
        aside.replace(path)
