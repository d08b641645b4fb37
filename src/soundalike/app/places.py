"""Where the settings point: whether it is what is wanted there, and which libraries are elsewhere."""

import os
import stat
from collections.abc import Sequence
from contextlib import suppress
from itertools import chain, islice
from pathlib import Path
from shlex import quote

from soundalike.app.backends import has_library
from soundalike.domain.errors import LibraryError, NoLibraryError, RootMissingError, SettingsError, StoreError
from soundalike.domain.secret_files import check_private
from soundalike.services.library.library_id import Belonging, lost_store
from soundalike.settings import Settings, default_data

_MOST_LISTED, _MOST_LOOKED_AT, _MOST_PLACES = 10, 1_000, 5_000


def is_folder(path: Path) -> bool:
    """Whether a folder is there; False if that may not be looked at."""
    return os.path.isdir(path)  # noqa: PTH112 - pathlib raises if it may not look


def is_file(path: Path) -> bool:
    """Whether something else than a folder is there; False if that may not be looked at."""
    return os.path.exists(path) and not is_folder(path)  # noqa: PTH110 - the same


def check_places(settings: Settings) -> None:
    """Check that no file is where a folder is wanted, and the other way round.

    Raises
    ------
    SettingsError
        That says what to give instead.
    """
    for name, path in (("data", settings.data), ("artefacts", settings.artefacts)):
        if is_file(path):
            todo = (
                f"give the folder that it is in: {str(path.parent)!r}"
                if has_library(Settings(data=path.parent, artefacts=path.parent).database)
                else "give a folder for what soundalike stores, not one of music"
            )
            msg = f"{name} is a folder, but {str(path)!r} is a file; {todo}"
            raise SettingsError(msg)
    if settings.is_embedded and is_folder(settings.database):
        msg = f"the store is a file, but {str(settings.database)!r} is a folder; give it with --data instead"
        raise SettingsError(msg)


def check_private_store(settings: Settings) -> None:
    """Check that not everybody on this machine may read or write the store, where that is a file.

    A folder above it that lets nobody else in protects it too.

    Raises
    ------
    ExposedFileError
        If they may; it has the command that mends it.
    """
    if not settings.is_embedded:
        return
    for path in (settings.database, Path(f"{settings.database}-wal")):
        with suppress(OSError):  # it is not there, or opening it says better what is wrong
            if all(folder.stat().st_mode & stat.S_IXOTH for folder in path.resolve(strict=True).parents):
                what = f"{str(path)!r} has password hashes and what people listen to"
                check_private(path, path.stat().st_mode, what=what)


def check_music(directory: Path, settings: Settings) -> None:
    """Check that a folder of music is there before a library is made for it.

    Parameters
    ----------
    directory : Path
        The folder.
    settings : Settings
        Of a library that need not be there: where it is, its scan says better what is missing.

    Raises
    ------
    RootMissingError
        If there is no such folder.
    """
    if not is_folder(directory) and not has_library(settings.store or settings.database):
        why = "is not a folder" if is_file(directory) else "is not a folder: nothing is there"
        msg = f"{str(directory)!r} {why}; give the folder with the music, such as ~/Music"
        raise RootMissingError(msg, _listed(settings, "soundalike serve --data"))


def no_library(settings: Settings, belongings: Sequence[Belonging]) -> LibraryError | StoreError:
    """Return the error that no library is where the settings say.

    Parameters
    ----------
    settings : Settings
        Where it should be.
    belongings : sequence of Belonging
        What is there of one whose store is lost.
    """
    if belongings:
        return lost_store(belongings, store_name=settings.store_name)
    place = str(settings.data) if settings.store is None else settings.store_name
    listed = _listed(settings, "--data")
    todo = "name one of these" if listed else "name the folder of one with --data"
    return NoLibraryError(
        f"there is no library in {place!r}; {todo}, or make one there with 'soundalike up DIR'", listed
    )


def find_libraries(data: Path) -> list[Path]:
    """Return some data folders that have a library: the user's, in ``var``, and near one that has none.

    Parameters
    ----------
    data : Path
        That folder, which need not be there.
    """
    var = Path("var")
    default = default_data()
    places = chain(
        _folders_in(var),
        chain.from_iterable(map(_folders_in, _folders_in(var))),
        [default] if default else [],
        _folders_in(data),
        _folders_in(data.parent),
        chain.from_iterable(map(_folders_in, _folders_in(data))),
    )
    found: dict[str, Path] = {}
    for place in islice(places, _MOST_PLACES):
        if has_library(Settings(data=place, artefacts=place).database):
            found.setdefault(os.path.realpath(place), place)
    return list(found.values())[:_MOST_LISTED]


def _folders_in(folder: Path) -> list[Path]:
    names: list[str] = []
    with suppress(OSError), os.scandir(folder) as entries:
        names = sorted(entry.name for entry in islice(entries, _MOST_LOOKED_AT) if entry.is_dir())
    return [folder / name for name in names]


def _listed(settings: Settings, words: str) -> list[str]:
    """Return what to type for each library that is elsewhere."""
    return [f"{words} {quote(str(place))}" for place in find_libraries(settings.data)]
