"""The artefact store: versions are written and read as a whole; the last few are kept."""

import contextlib
import logging
import re
import secrets
import shutil
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from soundalike.domain.errors import (
    ArtefactReplacedError,
    DamagedArtefactError,
    ModelError,
    NoArtefactError,
)
from soundalike.domain.features import FeatureSchema
from soundalike.domain.similarity.recipe import Recipe, schemas_of
from soundalike.domain.similarity.space import Artefact, ArtefactDraft
from soundalike.domain.types import ArtefactVersion, LibraryId
from soundalike.learning.artefacts.durable import Signature, locked, signature_of, sync, written_atomically
from soundalike.learning.artefacts.files import read_old_recipe, read_version, write_version

KEPT_VERSIONS = 3
"""Of the recipe in use; of another one only the newest."""

KEPT_RECIPES = 3
"""Those with the newest versions: a recipe of which one weight is changed is another recipe."""

_CURRENT, _LOCK = "current", "lock"
_NUMBER = re.compile(r"[0-9]{6,18}")
_VERSION = re.compile(r"([a-z0-9_+-]{1,80})/([0-9]{6,18})")
_WRITING, _REMOVING = ".writing-", ".removing-"
_LOCK_TIMEOUT_S = 60.0

_log = logging.getLogger(__name__)


class _Version(NamedTuple):
    """A version below the folder of its recipe."""

    recipe: str
    number: ArtefactVersion


@dataclass(frozen=True, slots=True)
class _Loaded:
    """An artefact, where it is, and the signatures of its files when it was read."""

    artefact: Artefact
    version: _Version
    signature: Signature


class FolderArtefactStore:
    """Versions as folders ``RECIPE/000001``, ``RECIPE/000002``, ... and a file ``current`` that names one.

    A folder for each recipe; no number comes twice, whatever the recipe.

    Parameters
    ----------
    folder : Path
        Created at the first `publish`; a reader need not be able to write there.
    schemas : collection of FeatureSchema
        The feature sets that this program computes; a version of others is not used.
    clock : callable
        Returns the time for the manifest.
    library_id : LibraryId or None
        The library whose artefacts these are, for the manifest.
    """

    def __init__(
        self,
        folder: Path,
        *,
        schemas: Collection[FeatureSchema],
        clock: Callable[[], datetime],
        library_id: LibraryId | None = None,
    ) -> None:
        self._folder = folder
        self._schemas = {schema.name: schema for schema in schemas}
        self._clock = clock
        self._library_id = library_id
        self._thread_lock = threading.Lock()
        self._pointer: tuple[bytes, Signature] | None = None
        self._in_use: _Loaded | None = None
        self._refused: dict[_Version, tuple[Signature, str]] = {}

    def current(self) -> Artefact:
        """Return the artefact in use, mapped into memory; a new version is loaded at the next call.

        Costs a few `stat` calls while nothing changes. A version that is foreign or damaged, even if
        it was intact when it was read, is not used and logged once; the previous one stays in use.

        Raises
        ------
        NoArtefactError
            If nothing has been built, or only by a version of this program that wrote another format.
        DamagedArtefactError
            If no version is intact.
        """
        with self._thread_lock:
            # The content too: two changes within one clock tick may have the same inode, size and time.
            pointer = (self._pointer_content(), signature_of(self._folder, [_CURRENT]))
            if self._in_use is None or pointer != self._pointer or _has_changed(self._folder, self._in_use):
                self._in_use = self._choose()
                self._pointer = pointer
            return self._in_use.artefact

    def old_recipe(self) -> Recipe | None:
        """Return by which recipe the newest version of the older format was built, if there is one."""
        names = self._old_versions()
        return read_old_recipe(self._folder / names[-1]) if names else None

    def publish(self, draft: ArtefactDraft, *, replacing: ArtefactVersion | None = None) -> ArtefactVersion:
        """Write a new version to disk, then make it current; see the port.

        Raises
        ------
        ModelError
            If the folder cannot be written, or another process keeps it locked for a minute.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with locked(self._folder / _LOCK, timeout_s=_LOCK_TIMEOUT_S):
                # Under the lock, where no other process can publish between the check and the writing.
                if replacing is not None and self.current().version != replacing:
                    msg = f"another artefact than {replacing} is in use in {self._folder} by now"
                    raise ArtefactReplacedError(msg)
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
        if loaded is None and self._in_use is not None and not _has_changed(self._folder, self._in_use):
            loaded = self._in_use
        loaded = loaded or self._newest()
        if loaded is not None:
            return loaded
        if self._refused:
            _, detail = self._refused[max(self._refused, key=lambda version: int(version.number))]
            msg = f"{detail}; no version is intact: run 'soundalike build'"
            raise DamagedArtefactError(msg)
        old = self._old_versions()
        if old:
            msg = (
                f"artefact {old[-1]} in {self._folder} was made by an older version of soundalike; "
                "run 'soundalike up DIR' or 'soundalike build' to make it again"
            )
            raise NoArtefactError(msg)
        msg = f"nothing has been built in {self._folder} yet; run 'soundalike build'"
        raise NoArtefactError(msg)

    def _newest(self) -> _Loaded | None:
        """Return the newest intact version of any recipe."""
        for version in reversed(self._versions()):
            loaded = self._load(version)
            if loaded is not None:
                return loaded
        return None

    def _load(self, version: _Version) -> _Loaded | None:
        """Read a version; if it is damaged or foreign, log that once and return None."""
        folder = self._folder / version.recipe / version.number
        signature = signature_of(folder)
        if self._in_use is not None and (version, signature) == (
            self._in_use.version,
            self._in_use.signature,
        ):
            return self._in_use
        if version in self._refused and self._refused[version][0] == signature:
            return None
        try:
            artefact = read_version(folder)
            for schema in artefact.schemas:
                wanted = self._schemas.get(schema.name, schema)
                wanted.require(schema, whose=f"the artefact {folder}")
            schemas_of(artefact.recipe, tuple(self._schemas.values()))
        except ModelError as error:
            _log.warning("%s; it is not used", error)
            self._refused[version] = (signature, str(error))
            return None
        self._refused.pop(version, None)
        return _Loaded(artefact, version, signature)

    def _named_version(self) -> _Version | None:
        """Return the version in the file `current`, which may contain anything."""
        name = self._pointer_content().decode("ascii", "replace").strip()
        found = _VERSION.fullmatch(name)
        if found:
            return _Version(found[1], ArtefactVersion(found[2]))
        if name and not _NUMBER.fullmatch(name):
            _log.warning("%s does not name a version: %r", self._folder / _CURRENT, name)
        return None

    def _pointer_content(self) -> bytes:
        try:
            with (self._folder / _CURRENT).open("rb") as file:
                return file.read(128)
        except OSError:
            return b""

    def _versions(self) -> list[_Version]:
        """List the versions of all recipes, oldest first."""
        found = [
            _Version(recipe.name, ArtefactVersion(name))
            for recipe in _folders(self._folder)
            if _VERSION.fullmatch(f"{recipe.name}/000000")
            for name in _version_names(recipe)
        ]
        return sorted(found, key=lambda version: int(version.number))

    def _old_versions(self) -> list[str]:
        """List the versions of the older format, which stand in the folder itself, oldest first."""
        return sorted(_version_names(self._folder), key=int)

    # Writing

    def _publish(self, draft: ArtefactDraft) -> ArtefactVersion:
        self._remove_leftovers()
        named = self._named_version()
        taken = [*(version.number for version in self._versions()), *self._old_versions()]
        taken += [named.number] if named else []
        version = _Version(draft.recipe.key, ArtefactVersion(f"{max(map(int, taken), default=0) + 1:06d}"))
        recipe_folder = self._folder / version.recipe
        temporary = self._folder / f"{_WRITING}{version.number}-{secrets.token_hex(4)}"
        temporary.mkdir()
        try:
            created = self._clock().isoformat(timespec="milliseconds")
            write_version(temporary, draft, created=created, library_id=self._library_id)
            read_version(temporary)  # what a reader would reject must not become current
            recipe_folder.mkdir(exist_ok=True)
            temporary.rename(recipe_folder / version.number)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
        sync(recipe_folder)
        sync(self._folder)
        with written_atomically(self._folder / _CURRENT) as pointer:
            pointer.write_text(f"{version.recipe}/{version.number}\n", encoding="ascii")
        with contextlib.suppress(OSError):  # what cannot be removed now is removed next time
            self._remove_old()
        return version.number

    def _remove_old(self) -> None:
        """Remove all but the last versions of the last recipes, and what the older format has."""
        versions = self._versions()[::-1]
        recipes = list(dict.fromkeys(version.recipe for version in versions))  # the one in use first
        kept = [version for version in versions if version.recipe == recipes[0]][:KEPT_VERSIONS]
        for recipe in recipes[1:KEPT_RECIPES]:
            kept.append(next(version for version in versions if version.recipe == recipe))
        old = [self._folder / version.recipe / version.number for version in versions if version not in kept]
        for folder in (*old, *(self._folder / name for name in self._old_versions())):
            # Renamed first, so that no partly removed folder has a version's name.
            folder.rename(self._folder / f"{_REMOVING}{folder.name}-{secrets.token_hex(4)}")
        for recipe in recipes[KEPT_RECIPES:]:
            with contextlib.suppress(OSError):  # someone may have put a file there
                (self._folder / recipe).rmdir()
        self._remove_leftovers()

    def _remove_leftovers(self) -> None:
        """Remove what killed writers left; only a process with the lock creates such names."""
        for entry in self._folder.iterdir():
            if entry.name.startswith((_WRITING, _REMOVING)):
                shutil.rmtree(entry, ignore_errors=True)
            elif entry.name.startswith(f".{_CURRENT}."):
                entry.unlink(missing_ok=True)


def _folders(folder: Path) -> list[Path]:
    try:
        return [entry for entry in folder.iterdir() if entry.is_dir()]
    except OSError:
        return []


def _version_names(folder: Path) -> list[str]:
    try:
        return [entry.name for entry in folder.iterdir() if _NUMBER.fullmatch(entry.name)]
    except OSError:
        return []


def _has_changed(root: Path, loaded: _Loaded) -> bool:
    """Whether mapped files were changed; deleted files stay valid while they are mapped."""
    names = list(loaded.signature)
    now = signature_of(root / loaded.version.recipe / loaded.version.number, names)
    return any(now.get(name, before) != before for name, before in loaded.signature.items())
