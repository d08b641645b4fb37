"""Unpacking an archive that may be damaged or hostile."""

import lzma
import shutil
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

from soundalike.domain.errors import FmaError
from soundalike.domain.ports.library import OnProgress

MOST_FILES = 1_000_000
MOST_RATIO = 50
"""So many times as large as the archive may be what is in it: FMA's text is 5 times as large."""

_LEAST_BYTES = 100_000_000
_MB = 1_000_000
_DAMAGE = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, ValueError, RuntimeError)


def unpack(
    archive: Path,
    folder: Path,
    *,
    progress: OnProgress,
    free_bytes: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
) -> Path:
    """Unpack a zip archive; files that are there with their size are left alone.

    Everything is checked before anything is written, and each file has its name once it is whole, so that an
    interrupted run is continued by the next.

    Parameters
    ----------
    archive : Path
        To unpack.
    folder : Path
        Where to.
    progress : callable
        Called with (done, total) files.
    free_bytes : callable
        Returns how much is free on the disk of a folder.

    Returns
    -------
    Path
        The one folder that is in the archive, or `folder` if there are several.

    Raises
    ------
    FmaError
        If it is damaged, or has names, links or sizes that it should not have, or if the disk is full.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            files = list(_files_in(opened, archive))
            left = [(one, target) for one, target in ((one, folder / one.filename) for one in files)]
            left = [(one, target) for one, target in left if not _is_there(one, target)]
            _require_space(folder, sum(one.file_size for one, _ in left), free_bytes)
            done = len(files) - len(left)
            for one, target in left:
                _write(opened, one, target)
                done += 1
                progress(done, len(files))
    except _DAMAGE as error:
        msg = f"{str(archive)!r} cannot be unpacked: {error}; remove it and download it again"
        raise FmaError(msg) from error
    except OSError as error:
        msg = f"{str(archive)!r} cannot be unpacked: {error.strerror or error}; run it again to continue"
        raise FmaError(msg) from error
    tops = {PurePosixPath(one.filename).parts[0] for one in files}
    return folder / tops.pop() if len(tops) == 1 else folder


def _files_in(opened: zipfile.ZipFile, archive: Path) -> Iterator[zipfile.ZipInfo]:
    """Yield the files of an archive, all of which may be written.

    Raises
    ------
    FmaError
        If one may not, or they are too many or too large.
    """
    infos = opened.infolist()
    total = sum(info.file_size for info in infos)
    if len(infos) > MOST_FILES or total > max(_LEAST_BYTES, MOST_RATIO * archive.stat().st_size):
        msg = f"{str(archive)!r} is not unpacked: {len(infos):,} files of {total / _MB:,.0f} MB are too much"
        raise FmaError(msg)
    seen: set[str] = set()
    for info in infos:
        kind = stat.S_IFMT(info.external_attr >> 16)
        parts = info.filename.split("/")
        is_outside = info.filename.startswith("/") or ".." in parts or "\\" in info.orig_filename
        is_odd = any(letter < " " or letter == ":" for letter in info.orig_filename)
        if is_outside or is_odd or kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
            msg = f"{str(archive)!r} is not unpacked: {info.filename!r} is a link, or leads out of the folder"
            raise FmaError(msg)
        if info.filename in seen:
            msg = f"{str(archive)!r} is not unpacked: {info.filename!r} is in it twice"
            raise FmaError(msg)
        seen.add(info.filename)
        if not info.is_dir():
            yield info


def _is_there(info: zipfile.ZipInfo, target: Path) -> bool:
    return target.is_file() and target.stat().st_size == info.file_size


def _require_space(folder: Path, needed: int, free_bytes: Callable[[Path], int]) -> None:
    free = free_bytes(folder)
    if free < needed:
        msg = f"{folder} has {free / _MB:,.0f} MB free, but {needed / _MB:,.0f} MB are unpacked; free some"
        raise FmaError(msg)


def _write(opened: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.part")
    try:
        # It reads no more than the archive promised, and checks the sum at the end.
        with opened.open(info) as source, part.open("wb") as file:
            shutil.copyfileobj(source, file, 1 << 20)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
