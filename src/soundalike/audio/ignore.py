"""What a scan leaves out: recycle bins, snapshots, and what ``.soundalikeignore`` files name."""

import os
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

from soundalike.audio.files import NotRegularError, open_regular

IGNORE_FILE = b".soundalikeignore"
MOST_BYTES = 64 * 1024
MOST_PATTERNS = 1_000
_MOST_DEEP = 2  # each "**" within a pattern multiplies the ways to match a deep path
_STAR = "[^/]*"
_DIR_MARK = "ps_d"

# Behind a first dot, what begins names of music: no system and no program hides anything so.
_BEGIN_NAMES = {b"%c" % one for one in b" .0123456789"}
# In any case of letters. Names of bins that are names of albums too, such as "RECYCLED", are not here.
# "RECYCLER" is Windows XP's, which is still on many a USB disk.
_BINS = frozenset(
    b"#recycle|$recycle.bin|recycler|@recycle|@recently-snapshot|#snapshot|~snapshot|@eadir|@sharebin"
    b"|@sharesnap|@tmp|lost+found|system volume information|network trash folder|temporary items".split(b"|")
)


class IgnoreFileError(Exception):
    """An ignore file cannot be used: what it leaves out is unknown, and so is its folder."""


def is_hidden(name: bytes) -> bool:
    """Whether a name hides a file or folder, as ``.git`` does; ``.38 Special`` does not."""
    return name.startswith(b".") and name[1:2] not in _BEGIN_NAMES


def is_bin(name: bytes) -> bool:
    """Whether a folder of this name has what was deleted, snapshots of other folders, or a system's own."""
    return name.lower() in _BINS


@dataclass(frozen=True, slots=True)
class IgnoreRules:
    """The ignore files of a folder and of those above it; a deeper one counts more.

    Parameters
    ----------
    levels : tuple of (bytes, tuple of GitIgnoreSpecPattern)
        The folder of each with its patterns, outermost first.
    """

    levels: tuple[tuple[bytes, tuple[GitIgnoreSpecPattern, ...]], ...] = ()

    def within(self, folder: bytes, real: bytes) -> "IgnoreRules":
        """Return the rules of a folder that has an ignore file.

        Parameters
        ----------
        folder : bytes
            Its path, as that of what is asked about.
        real : bytes
            Its path without links.

        Raises
        ------
        IgnoreFileError
            If the ignore file cannot be read, or has more than it may.
        """
        patterns = tuple(_patterns(_read(os.path.join(real, IGNORE_FILE))))  # noqa: PTH118 - bytes
        above = sum(len(patterns) for _, patterns in self.levels)
        if above + len(patterns) > MOST_PATTERNS:
            msg = f"has, with those above it, more than {MOST_PATTERNS:,} patterns"
            raise IgnoreFileError(msg)
        return IgnoreRules((*self.levels, (folder, patterns)))

    def leave_out(self, path: bytes, *, is_folder: bool) -> bool:
        """Whether a file or folder is to be left out, in a folder that is not: the last pattern decides.

        Parameters
        ----------
        path : bytes
            In one of the folders of the rules.
        is_folder : bool
            Some patterns are for folders alone.
        """
        for folder, patterns in reversed(self.levels):
            below = os.fsdecode(path[len(folder) :].lstrip(b"/")) + "/" * is_folder
            for pattern in reversed(patterns):
                if _is_meant(below, pattern):
                    return bool(pattern.include)
        return False


def _is_meant(path: str, pattern: GitIgnoreSpecPattern) -> bool:
    """Whether a pattern means a file, or a folder with "/" at its end, itself and not a folder above it.

    The library's expressions match what is in a folder that is meant, too, and mark its "/" then.
    """
    for match in pattern.regex.finditer(path) if pattern.regex else ():
        if match.groupdict().get(_DIR_MARK) is not None:
            if match.end(_DIR_MARK) == len(path):
                return True
        elif not (path.endswith("/") and match.end() == len(path)):  # else it is "folder/**" and that folder
            return True
    return False


def _read(path: bytes) -> str:
    try:
        with open_regular(Path(os.fsdecode(os.path.realpath(path)))) as file:
            data = file.read(MOST_BYTES + 1)
    except NotRegularError as error:
        msg = "is not a regular file"
        raise IgnoreFileError(msg) from error
    except OSError as error:
        msg = f"cannot be read: {error.strerror}"
        raise IgnoreFileError(msg) from error
    if len(data) > MOST_BYTES:
        msg = f"is larger than {MOST_BYTES // 1024} KiB"
        raise IgnoreFileError(msg)
    return data.decode("utf-8-sig", "surrogateescape")  # as names are, so that any name can be written


def _patterns(text: str) -> Iterator[GitIgnoreSpecPattern]:
    """Yield the patterns; what is none is passed over, as git does."""
    for line in text.replace("\r\n", "\n").split("\n"):
        if line.split("/")[:-1].count("**") > _MOST_DEEP:
            msg = f"has a pattern with more than {_MOST_DEEP} times '**/'"
            raise IgnoreFileError(msg)
        try:
            with warnings.catch_warnings(action="ignore"):  # of "[[" in regular expressions
                pattern = _Pattern(line)
        except (ValueError, re.error):
            continue
        if pattern.include is not None:
            yield pattern


class _Pattern(GitIgnoreSpecPattern):
    """A pattern that takes a time proportional to a name's length, however many stars it has."""

    @staticmethod
    def _translate_segment_glob(pattern: str, range_error: Literal["literal", "raise"]) -> str:
        """As the library does, but what is between two stars is looked for once: the first match will do.

        So does the standard library's `fnmatch`. No other part of a pattern becomes "[^/]*": none has a "/".
        """
        whole = GitIgnoreSpecPattern._translate_segment_glob(pattern, range_error)  # noqa: SLF001 - overridden
        first, *between = whole.split(_STAR)
        if not between:
            return whole
        *middle, last = between
        return first + "".join(f"(?>[^/]*?{piece})" for piece in middle) + _STAR + last
