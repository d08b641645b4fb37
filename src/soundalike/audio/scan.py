"""Finding audio files below a folder: paths are bytes throughout, links are followed once."""

import errno
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from soundalike.audio.dependencies import has_pyav
from soundalike.audio.errors import is_passing
from soundalike.audio.formats import is_audio_name, may_need_pyav_for_tags, suffix_of
from soundalike.audio.ignore import IGNORE_FILE, IgnoreFileError, IgnoreRules, is_bin, is_hidden
from soundalike.audio.recognise import Kind, has_audio, kind_of
from soundalike.audio.sheets import SHEET_SUFFIX, read_sheets
from soundalike.domain.errors import RootMissingError
from soundalike.domain.files import (
    FileProblem,
    FileStamp,
    FoundFile,
    LeftOut,
    LeftOutReason,
    Location,
    ProblemReason,
    Root,
)
from soundalike.domain.ports.audio import Scanned
from soundalike.domain.types import RelativePath, RootName

_Inode = tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Folder:
    """A folder of the walk: its path, its real path, the folders above it, and what those leave out."""

    path: bytes
    real: bytes
    ancestors: frozenset[_Inode]
    rules: IgnoreRules


class LocalFileScanner:
    """Walks a folder on this machine; the port `FileScanner`.

    Hidden files and folders (``.name``) are skipped; of files whose names may mean anything the first bytes
    are read.
    Recycle bins, snapshots, and what ``.soundalikeignore`` files name are left out.
    """

    def scan(self, directory: Path, roots: Sequence[Root]) -> Iterator[Scanned]:
        """Yield audio files below a folder in order of their paths' bytes, problems, and what is left out.

        Parameters
        ----------
        directory : Path
            Absolute and without links.
        roots : sequence of Root
            One of them contains the folder.

        Raises
        ------
        RootMissingError
            If the folder does not exist, or is not a folder.
        ValueError
            If the folder is in no root.
        """
        top = os.path.abspath(os.fsencode(directory))  # noqa: PTH100 - pathlib does not resolve "..", and has no bytes
        try:
            status = os.stat(top)  # noqa: PTH116 - bytes
        except OSError as error:
            msg = f"the folder {directory} cannot be reached: {error.strerror}; is its disk mounted?"
            raise RootMissingError(msg) from error
        if not stat.S_ISDIR(status.st_mode):
            msg = f"{directory} is not a folder; give the folder with the music"
            raise RootMissingError(msg)
        start, places = _anchor(top, roots)
        inode = (status.st_dev, status.st_ino)
        return _Walk(places).start(_Folder(start, os.path.realpath(top), frozenset({inode}), IgnoreRules()))


def _anchor(top: bytes, roots: Sequence[Root]) -> tuple[bytes, dict[bytes, Root]]:
    """Return the folder as spelled by its root, and the roots by their folders."""
    for spell in (os.path.abspath, os.path.realpath):
        places = {spell(os.fsencode(root.location)): root for root in roots}
        spelt = spell(top)
        if any(_holds(place, spelt) for place in places):
            return spelt, places
    msg = f"{os.fsdecode(top)} is in no root"
    raise ValueError(msg)


def _holds(place: bytes, path: bytes) -> bool:
    return path == place or path.startswith(place.rstrip(b"/") + b"/")


class _Walk:
    """One scan; it only remembers the folders above the current one."""

    def __init__(self, places: dict[bytes, Root]) -> None:
        self._places = sorted(places.items(), key=lambda item: -len(item[0]))
        self._has_pyav = has_pyav()
        self._real_places = {root.name: os.path.realpath(place) for place, root in places.items()}

    def start(self, folder: _Folder) -> Iterator[Scanned]:
        """Walk a folder by the rules of those above it, up to the outermost root."""
        path = min((place for place, _ in self._places if _holds(place, folder.path)), key=len)
        rules = IgnoreRules()
        for name in filter(None, folder.path[len(path) :].split(b"/")):
            try:
                if os.path.lexists(os.path.join(path, IGNORE_FILE)):  # noqa: PTH118 - bytes
                    rules = rules.within(path, path)
            except IgnoreFileError as error:
                yield self._unknown(folder.path, error)
                return
            path = os.path.join(path, name)  # noqa: PTH118 - bytes
            if reason := _reason_to_leave_out(path, rules, is_folder=True):
                yield LeftOut(self._locate(folder.path, folder.path)[0], reason)
                return
        yield from self.walk(replace(folder, rules=rules))

    def walk(self, folder: _Folder) -> Iterator[Scanned]:
        """Walk a folder depth first, without recursion, since folders may be deep."""
        pending = [self._entries(folder)]
        while pending:
            step = next(pending[-1], None)
            if step is None:
                pending.pop()
            elif isinstance(step, _Folder):
                pending.append(self._entries(step))
            else:
                yield step

    def _entries(self, folder: _Folder) -> Iterator[Scanned | _Folder]:
        try:
            with os.scandir(folder.real) as listing:
                entries = sorted(filter(_is_listed, listing), key=lambda entry: entry.name)
            if any(entry.name == IGNORE_FILE for entry in entries):
                folder = replace(folder, rules=folder.rules.within(folder.path, folder.real))
        except OSError as error:
            yield self._problem(folder.path, ProblemReason.UNREADABLE, f"folder: {error.strerror}")
            return
        except IgnoreFileError as error:
            yield self._unknown(folder.path, error)
            return
        try:
            sheets = read_sheets(folder.real, *_sheets_and_audio(folder, entries))
        except OSError as error:
            yield self._problem(folder.path, ProblemReason.UNREADABLE, f"folder: CUE sheet: {error.strerror}")
            return
        for entry in entries:
            found = self._look(folder, entry) if entry.name != IGNORE_FILE else None
            if isinstance(found, FoundFile) and (claim := sheets.claims.get(entry.name)):
                yield from claim.applied(found)
            elif found is not None:
                yield found
        for name, how in sheets.broken.items():
            path = os.path.join(folder.path, name)  # noqa: PTH118 - bytes
            problem = self._problem(path, ProblemReason.BROKEN_SHEET, how)
            yield replace(problem, is_used=True)

    def _look(self, folder: _Folder, entry: os.DirEntry[bytes]) -> Scanned | _Folder | None:
        path = os.path.join(folder.path, entry.name)  # noqa: PTH118 - bytes
        kind = kind_of(entry.name)
        is_audio = kind is Kind.AUDIO
        try:
            is_link, is_folder = entry.is_symlink(), entry.is_dir()
            # What is copied at the moment may be called like its file, with a dot in front.
            is_passed_over = kind is Kind.OTHER or (entry.name.startswith(b".") and not is_audio)
            if is_passed_over and not (is_link or is_folder):
                return None
            if reason := _reason_to_leave_out(path, folder.rules, is_folder=is_folder):
                is_counted = is_audio or is_link or is_folder
                return LeftOut(self._locate(path, path)[0], reason) if is_counted else None
            status = entry.stat()
        except OSError as error:
            # A name that ends like a file's may be a folder's, whose tracks would pass for missing.
            is_there = error.errno not in {errno.ENOENT, errno.ENOTDIR}
            is_meant = is_there or is_audio or not suffix_of(entry.name)
            return self._unreachable(path, error) if is_meant else None
        real = os.path.realpath(entry.path) if is_link else entry.path
        if stat.S_ISDIR(status.st_mode):
            return self._inner(folder, path, real, status)
        if stat.S_ISREG(status.st_mode):
            if kind is Kind.VIDEO:
                return LeftOut(self._locate(path, path)[0], LeftOutReason.VIDEO)
            is_audio = is_audio or (kind is Kind.UNKNOWN and has_audio(real))
        return self._file(path, real, status) if is_audio else None

    def _inner(
        self, folder: _Folder, path: bytes, real: bytes, status: os.stat_result
    ) -> _Folder | FileProblem:
        inode = (status.st_dev, status.st_ino)
        if inode in folder.ancestors:
            return self._problem(path, ProblemReason.BROKEN_LINK, "leads to a folder above it")
        return _Folder(path, real, folder.ancestors | {inode}, folder.rules)

    def _file(self, path: bytes, real: bytes, status: os.stat_result) -> FoundFile | FileProblem:
        if not stat.S_ISREG(status.st_mode):
            return self._problem(path, ProblemReason.NOT_REGULAR, _kind(status.st_mode))
        location, is_linked = self._locate(path, real)
        # Once PyAV is installed, the tags that only it reads are read.
        reader = " PyAV" if self._has_pyav and may_need_pyav_for_tags(path) else ""
        return FoundFile(
            location=location,
            real_path=Path(os.fsdecode(real)),
            is_linked=is_linked,
            stamp=FileStamp(status.st_size, status.st_mtime_ns),
            tags_stamp=f"{status.st_ctime_ns}{reader}",
        )

    def _unreachable(self, path: bytes, error: OSError) -> FileProblem:
        is_link = os.path.islink(path)  # noqa: PTH114 - bytes
        is_barred = isinstance(error, PermissionError) or is_passing(error)
        reason = ProblemReason.BROKEN_LINK if is_link and not is_barred else ProblemReason.UNREADABLE
        return self._problem(path, reason, error.strerror or "")

    def _problem(self, path: bytes, reason: ProblemReason, detail: str) -> FileProblem:
        return FileProblem(location=self._locate(path, path)[0], reason=reason, detail=detail)

    def _unknown(self, path: bytes, error: IgnoreFileError) -> FileProblem:
        """Return the problem of a folder of which nobody can say what is to be left out."""
        return self._problem(path, ProblemReason.UNREADABLE, f"folder: its {IGNORE_FILE.decode()} {error}")

    def _locate(self, path: bytes, real: bytes) -> tuple[Location, bool]:
        """Return the location in the innermost root, and whether a link in that root leads there."""
        place, root = next((place, root) for place, root in self._places if _holds(place, path))
        relative = path[len(place) :].lstrip(b"/")
        straight = os.path.join(self._real_places[root.name], relative)  # noqa: PTH118 - bytes
        return Location(RootName(root.name), RelativePath(relative)), straight != real


def _is_listed(entry: os.DirEntry[bytes]) -> bool:
    return not is_hidden(entry.name) or entry.name == IGNORE_FILE


def _sheets_and_audio(
    folder: _Folder, entries: Iterable[os.DirEntry[bytes]]
) -> tuple[list[bytes], list[bytes]]:
    """Return the names of CUE sheets, and, if there are any, those of audio files."""
    sheets = _names(folder, (entry for entry in entries if suffix_of(entry.name) == SHEET_SUFFIX))
    audio = (entry for entry in entries if is_audio_name(entry.name))
    return sheets, _names(folder, audio) if sheets else []


def _names(folder: _Folder, entries: Iterable[os.DirEntry[bytes]]) -> list[bytes]:
    """Return the names of entries that are neither folders nor left out."""
    return [
        entry.name
        for entry in entries
        if not _is_folder(entry)
        and not folder.rules.leave_out(os.path.join(folder.path, entry.name), is_folder=False)  # noqa: PTH118 - bytes
    ]


def _is_folder(entry: os.DirEntry[bytes]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # opening it says what is wrong
        return False


def _reason_to_leave_out(path: bytes, rules: IgnoreRules, *, is_folder: bool) -> LeftOutReason | None:
    if is_folder and is_bin(os.path.basename(path)):  # noqa: PTH119 - bytes
        return LeftOutReason.BIN
    return LeftOutReason.IGNORED if rules.leave_out(path, is_folder=is_folder) else None


def _kind(mode: int) -> str:
    kinds = {stat.S_IFIFO: "a FIFO", stat.S_IFSOCK: "a socket", stat.S_IFCHR: "a device"}
    return kinds.get(stat.S_IFMT(mode), "a device")
