"""The two stores of a copy: which ones are meant, and what may be shown of their addresses."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from soundalike.app import environment
from soundalike.app.backends import has_library, open_store, would_migrate
from soundalike.app.places import find_libraries
from soundalike.domain.errors import CopyError, SettingsError
from soundalike.services.store_copy.copier import Copier
from soundalike.setting_values import is_mongodb, store_address
from soundalike.settings import Settings
from soundalike.store.mongo.address import MongoAddress

FROM_SETTINGS = "-"
_DATABASE = Settings(data=Path(), artefacts=Path()).database.name


@dataclass(frozen=True, slots=True)
class StoreAddress:
    """Where a store is.

    Parameters
    ----------
    setting : str or Path
        What opens it; may have a password.
    name : str
        What may be shown of it.
    """

    setting: str | Path
    name: str

    def is_same(self, other: "StoreAddress") -> bool:
        """Whether two addresses are one, as far as is known without opening either."""
        if isinstance(self.setting, Path) and isinstance(other.setting, Path):
            try:
                return self.setting.samefile(other.setting)
            except OSError:
                return os.path.realpath(self.setting) == os.path.realpath(other.setting)
        return self.name == other.name


def parse_address(text: str, settings: Settings) -> StoreAddress:
    """Parse the address of a store.

    Parameters
    ----------
    text : str
        A data folder, an SQLite file, ``mongodb://HOST/DATABASE``, or ``-`` for the store in the settings.
    settings : Settings
        For ``-``.

    Raises
    ------
    SettingsError
        If it is none of these.
    """
    if text == FROM_SETTINGS:
        if settings.is_embedded:
            return _file_address(settings.database)
        return parse_address(str(settings.store), settings)
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
        return StoreAddress(text, address.name)
    if "://" in text or not text or "\0" in text:
        msg = "a store is a data folder, an SQLite file, or mongodb://HOST/DATABASE"
        raise SettingsError(msg)
    path = Path(os.path.expanduser(text)).absolute()  # noqa: PTH111 - pathlib raises for unknown users
    is_folder = path.is_dir() or not (path.exists() or path.suffix)
    return _file_address(path / _DATABASE if is_folder else path)


def _file_address(path: Path) -> StoreAddress:
    return StoreAddress(path, str(path))


@contextmanager
def open_copier(source: StoreAddress, target: StoreAddress) -> Iterator[Copier]:
    """Open two stores to copy one into the other; close both after.

    Raises
    ------
    CopyError
        If they are one and the same, there is no store to copy, or the target has something that a version
        before wrote: no copy of that version is gone on with, and opening it would migrate it.
    StoreError, SettingsError
        If one cannot be opened.
    """
    if source.is_same(target):
        msg = f"{source.name} cannot be copied into itself"
        raise CopyError(msg)
    if not has_library(source.setting):
        found = find_libraries(source.setting.parent) if isinstance(source.setting, Path) else []
        msg = f"there is no store at {source.name}{'; there are libraries in:' if found else ''}"
        raise CopyError(msg, [quote(str(place)) for place in found])
    if would_migrate(target.setting):
        msg = (
            f"{target.name} has something that an older soundalike wrote; nothing was written, "
            "choose an empty store"
        )
        raise CopyError(msg)
    if isinstance(target.setting, Path):
        with suppress(OSError):  # opening the store says better what is wrong
            target.setting.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with open_store(source.setting) as opened, open_store(target.setting) as opened_target:
        new_id = environment.new_library_id()
        yield Copier(opened, opened_target, names=(source.name, target.name), new_id=new_id)
