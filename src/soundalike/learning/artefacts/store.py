"""The artefact store: versions are written and read as a whole; the last three are kept."""

import contextlib
import fcntl
import logging
import os
import re
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from soundalike.domain.errors import (
    DamagedArtefactError,
    ModelError,
    NoArtefactError,
    SchemaMismatchError,
)
from soundalike.domain.features import FeatureSchema
from soundalike.domain.similarity.space import Artefact, ArtefactDraft
from soundalike.domain.types import ArtefactVersion
from soundalike.learning.artefacts.durable import sync, written_atomically
from soundalike.learning.artefacts.files import FILES, read_version, write_version

KEPT_VERSIONS = 3
_CURRENT, _LOCK = "current", "lock"
_VERSION = re.compile(r"[0-9]{6,18}")
_WRITING, _REMOVING = ".writing-", ".removing-"
_LOCK_TIMEOUT_S = 60.0

_log = logging.getLogger(__name__)

_Signature = tuple[tuple[int, int, int] | None, ...]


@dataclass(frozen=True, slots=True)
class _Loaded:
    """An artefact, and the signatures of its files when it was read."""

    artefact: Artefact
    signature: _Signature


class FolderArtefactStore:
    """Artefact versions as folders ``000001``, ``000002``, ... and a file ``current`` that names one.

    Parameters
    ----------
    folder : Path
        Created at the first `publish`; a reader need not be able to write there.
    schema : FeatureSchema
        The feature set of the library; a version of another set is not used.
    clock : callable
        Returns the time for the manifest.
    """

    def __init__(self, folder: Path, *, schema: FeatureSchema, clock: Callable[[], datetime]) -> None:
        self._folder = folder
        self._schema = schema
        self._clock = clock
        self._thread_lock = threading.Lock()
        self._pointer: tuple[bytes, _Signature] | None = None
        self._loaded: _Loaded | None = None
        self._refused: dict[ArtefactVersion, tuple[_Signature, str]] = {}

    def current(self) -> Artefact:
        """Return the artefact in use, mapped into memory; a new version is loaded at the next call.

        Costs a few `stat` calls while nothing changes. A version that is foreign or damaged, even if
        it was intact when it was read, is not used and logged once; the previous one stays in use.

        Raises
        ------
        NoArtefactError
            If nothing has been built.
        DamagedArtefactError
            If no version is intact.
        """
        with self._thread_lock:
            # The content too: two changes within one clock tick may have the same inode, size and time.
            pointer = (self._pointer_content(), _signatures((self._folder / _CURRENT,)))
            if self._loaded is None or pointer != self._pointer or self._has_changed(self._loaded):
                self._loaded = self._choose()
                self._pointer = pointer
            return self._loaded.artefact

    def publish(self, draft: ArtefactDraft) -> ArtefactVersion:
        """Write a new version to disk, then make it current; keep the last three.

        Raises
        ------
        ModelError
            If the folder cannot be written, or another process keeps it locked for a minute.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with self._write_lock():
                return self._publish(draft)
        except OSError as error:
            msg = f"cannot write an artefact in {self._folder}: {error}"
            raise ModelError(msg) from error

    # Reading

    def _choose(self) -> _Loaded:
        """Choose the version that `current` names, else the loaded one, else the newest intact one."""
        while True:
            named = self._named_version()
            loaded = self._load(named) if named else None
            # A version may be removed while it is read, if others are published meanwhile.
            if loaded is not None or self._named_version() == named:
                break
        if loaded is None and self._loaded is not None and not self._has_changed(self._loaded):
            loaded = self._loaded
        candidates = iter(reversed(self._versions()))
        while loaded is None and (version := next(candidates, None)) is not None:
            loaded = self._load(version)
        if loaded is not None:
            return loaded
        if self._refused:
            _, detail = self._refused[max(self._refused)]
            msg = f"{detail}; no version is intact: run 'soundalike build'"
            raise DamagedArtefactError(msg)
        msg = f"nothing has been built in {self._folder} yet; run 'soundalike build'"
        raise NoArtefactError(msg)

    def _load(self, version: ArtefactVersion) -> _Loaded | None:
        """Read a version; if it is damaged or foreign, log that once and return None."""
        signature = self._signature(version)
        if self._loaded is not None and (version, signature) == (
            self._loaded.artefact.version,
            self._loaded.signature,
        ):
            return self._loaded
        if version in self._refused and self._refused[version][0] == signature:
            return None
        try:
            artefact = read_version(self._folder / version)
            self._schema.require(artefact.schema, whose=f"the artefact {self._folder / version}")
        except (DamagedArtefactError, SchemaMismatchError) as error:
            _log.warning("%s; it is not used", error)
            self._refused[version] = (signature, str(error))
            return None
        self._refused.pop(version, None)
        return _Loaded(artefact, signature)

    def _has_changed(self, loaded: _Loaded) -> bool:
        """Whether mapped files were changed; deleted files stay valid while they are mapped."""
        now = self._signature(loaded.artefact.version)
        return any(
            after is not None and after != before for before, after in zip(loaded.signature, now, strict=True)
        )

    def _signature(self, version: ArtefactVersion) -> _Signature:
        return _signatures(tuple(self._folder / version / name for name in FILES))

    def _named_version(self) -> ArtefactVersion | None:
        """Return the version in the file `current`, which may contain anything."""
        name = self._pointer_content().decode("ascii", "replace").strip()
        if _VERSION.fullmatch(name):
            return ArtefactVersion(name)
        if name:
            _log.warning("%s does not name a version: %r", self._folder / _CURRENT, name)
        return None

    def _pointer_content(self) -> bytes:
        try:
            with (self._folder / _CURRENT).open("rb") as file:
                return file.read(64)
        except OSError:
            return b""

    def _versions(self) -> list[ArtefactVersion]:
        """List the version folders, oldest first."""
        try:
            names = [entry.name for entry in self._folder.iterdir() if _VERSION.fullmatch(entry.name)]
        except OSError:
            return []
        return [ArtefactVersion(name) for name in sorted(names, key=int)]

    # Writing

    def _publish(self, draft: ArtefactDraft) -> ArtefactVersion:
        self._remove_leftovers()
        taken = [int(name) for name in (*self._versions(), self._named_version()) if name]
        version = ArtefactVersion(f"{max(taken, default=0) + 1:06d}")
        temporary = self._folder / f"{_WRITING}{version}-{secrets.token_hex(4)}"
        temporary.mkdir()
        try:
            write_version(temporary, draft, self._clock().isoformat(timespec="milliseconds"))
            read_version(temporary)  # what a reader would reject must not become current
            temporary.rename(self._folder / version)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
        sync(self._folder)
        with written_atomically(self._folder / _CURRENT) as pointer:
            pointer.write_text(f"{version}\n", encoding="ascii")
        with contextlib.suppress(OSError):  # what cannot be removed now is removed next time
            for old in self._versions()[:-KEPT_VERSIONS]:
                # Renamed first, so that no partly removed folder has a version's name.
                (self._folder / old).rename(self._folder / f"{_REMOVING}{old}-{secrets.token_hex(4)}")
            self._remove_leftovers()
        return version

    def _remove_leftovers(self) -> None:
        """Remove what killed writers left; only a process with the lock creates such names."""
        for entry in self._folder.iterdir():
            if entry.name.startswith((_WRITING, _REMOVING)):
                shutil.rmtree(entry, ignore_errors=True)
            elif entry.name.startswith(f".{_CURRENT}."):
                entry.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _write_lock(self) -> Iterator[None]:
        descriptor = os.open(self._folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            deadline = time.monotonic() + _LOCK_TIMEOUT_S
            while not _try_lock(descriptor):
                if time.monotonic() > deadline:
                    msg = f"another process is publishing to {self._folder}; try again when it is done"
                    raise ModelError(msg)
                time.sleep(0.05)
            yield
        finally:
            os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _signatures(paths: tuple[Path, ...]) -> _Signature:
    """Return inode, size and time of change of each file; None if it does not exist."""
    found: list[tuple[int, int, int] | None] = []
    for path in paths:
        try:
            status = path.lstat()
        except OSError:
            found.append(None)
        else:
            found.append((status.st_ino, status.st_size, status.st_mtime_ns))
    return tuple(found)
