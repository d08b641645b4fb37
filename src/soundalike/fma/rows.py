"""Rows of CSV files that may be large, damaged or hostile, in bounded memory."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from unicodedata import category

from soundalike.domain.errors import FmaError

LONGEST_LINE = 1 << 20
"""Characters. A longer line is taken for several; the columns of what comes of it will not fit."""

LONGEST_FIELD = 1 << 17
"""Characters; the limit of the csv module, which a quote that is never closed soon meets."""

_HEADER_ROWS = 4
_UNDECODED = re.compile("[\udc80-\udcff]")


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a CSV file.

    Parameters
    ----------
    line : int
        Its last line, from 1.
    cells : list of str or None
        None if a field of it is too long.
    is_utf8 : bool
        Whether it was UTF-8; otherwise it has been read as Windows-1252.
    """

    line: int
    cells: list[str] | None
    is_utf8: bool = True


def read_rows(path: Path) -> Iterator[Row]:
    """Yield the rows of a CSV file, headers too; empty lines are left out.

    Raises
    ------
    FmaError
        If the file cannot be read.
    """
    try:
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            reader = csv.reader(iter(partial(file.readline, LONGEST_LINE), ""))
            while True:
                try:
                    cells = next(reader, None)
                except csv.Error:
                    yield Row(reader.line_num, None)
                    continue
                if cells is None:
                    return
                if cells:
                    yield _decoded(reader.line_num, cells)
    except OSError as error:
        msg = f"cannot read {str(path)!r}: {error.strerror or error}"
        raise FmaError(msg) from error


def _decoded(line: int, cells: list[str]) -> Row:
    joined = "".join(cells)
    if joined.isascii() or not _UNDECODED.search(joined):
        return Row(line, cells)
    decoded = [_UNDECODED.sub(_windows_letter, cell) for cell in cells]
    return Row(line, decoded, is_utf8=decoded == cells)


def plain_text(text: str) -> str:
    """Return text with single spaces and without control characters, as tags of files have it."""
    if not text.isprintable():
        text = "".join(one for one in text if one.isspace() or category(one) not in {"Cc", "Cs"})
    return " ".join(text.split())


def _windows_letter(found: re.Match[str]) -> str:
    byte = ord(found[0]) - 0xDC00
    try:
        return bytes([byte]).decode("cp1252")
    except UnicodeDecodeError:  # the few bytes that it leaves out are control characters in Latin-1
        return chr(byte)


def read_headers(path: Path) -> list[list[str]]:
    """Return the first rows of a file, which may have up to three rows of headers.

    Raises
    ------
    FmaError
        If the file cannot be read.
    """
    rows = read_rows(path)
    return [row.cells or [] for _, row in zip(range(_HEADER_ROWS), rows, strict=False)]
