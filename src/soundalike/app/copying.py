"""Two stores at once: which ones a copy means, and how they are called without their secrets."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from soundalike.app.adapters import open_store
from soundalike.domain.errors import CopyError, SettingsError
from soundalike.services.store_copy.copier import Copier
from soundalike.settings import Settings, is_mongodb, store_address
from soundalike.store.mongo.address import MongoAddress

THE_SETTINGS = "-"
_DATABASE = Settings(data=Path(), artefacts=Path()).database.name


@dataclass(frozen=True, slots=True)
class StorePlace:
    """Where a store is.

    Parameters
    ----------
    setting : str or Path
        What opens it; may hold a password.
    name : str
        What may be shown of it.
    """

    setting: str | Path
    name: str

    def is_same(self, other: "StorePlace") -> bool:
        """Whether two places are one, as far as can be told without opening either."""
        if isinstance(self.setting, Path) and isinstance(other.setting, Path):
            try:
                return self.setting.samefile(other.setting)
            except OSError:
                return os.path.realpath(self.setting) == os.path.realpath(other.setting)
        return self.name == other.name


def store_place(text: str, settings: Settings) -> StorePlace:
    """Read where a store is: a data folder, an SQLite file, ``mongodb://...``, or ``-`` for the settings'.

    Raises
    ------
    SettingsError
        If it names none.
    """
    if text == THE_SETTINGS:
        return (
            _embedded(settings.database)
            if settings.is_embedded
            else store_place(str(settings.store), settings)
        )
    try:
        text = store_address(text)
    except ValueError as error:
        msg = f"a store's name {error}"
        raise SettingsError(msg) from None
    if is_mongodb(text):
        address = MongoAddress.parse(text)
        if address is None:
            msg = "a store in MongoDB is named by mongodb://HOST/DATABASE; what was given is not shown here"
            raise SettingsError(msg)
        return StorePlace(text, address.name)
    if "://" in text or not text or "\0" in text:
        msg = "a store is a data folder, an SQLite file, or mongodb://HOST/DATABASE"
        raise SettingsError(msg)
    path = Path(os.path.expanduser(text)).absolute()  # noqa: PTH111 - pathlib raises where nobody has the name
    is_folder = path.is_dir() or not (path.exists() or path.suffix)
    return _embedded(path / _DATABASE if is_folder else path)


def _embedded(path: Path) -> StorePlace:
    return StorePlace(path, str(path))


@contextmanager
def open_copier(source: StorePlace, target: StorePlace) -> Iterator[Copier]:
    """Open two stores to copy one into the other; close both after.

    Raises
    ------
    CopyError
        If they are one and the same, or there is no store to copy.
    StoreError, SettingsError
        If one cannot be opened.
    """
    if source.is_same(target):
        msg = f"{source.name} cannot be copied into itself"
        raise CopyError(msg)
    if isinstance(source.setting, Path) and not source.setting.exists():
        msg = f"there is no store at {source.name}"
        raise CopyError(msg)
    if isinstance(target.setting, Path):
        with suppress(OSError):  # whoever opens the store tells better
            target.setting.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with open_store(source.setting) as mine, open_store(target.setting) as theirs:
        yield Copier(mine, theirs, names=(source.name, target.name))
