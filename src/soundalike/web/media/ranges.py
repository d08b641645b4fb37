"""Byte ranges as a player asks for them (RFC 9110, section 14), parsed without surprises."""

import re
from dataclasses import dataclass

_ONE_RANGE = re.compile(r"bytes=([0-9]*)-([0-9]*)", re.ASCII | re.IGNORECASE)
_MAX_DIGITS = 18
_BEYOND_ANY_FILE = 10**_MAX_DIGITS


@dataclass(frozen=True, slots=True)
class ByteRange:
    """Bytes `start` to `stop`, the last one left out, as in a slice; never empty."""

    start: int
    stop: int

    def __len__(self) -> int:
        """Count the bytes."""
        return self.stop - self.start


@dataclass(frozen=True, slots=True)
class Unsatisfiable:
    """A well-formed range that begins where the file has ended."""


def parse_range(header: str | None, size: int) -> ByteRange | Unsatisfiable | None:
    """Read a ``Range`` header; None means that the whole file is the answer.

    That is so for no header, malformed ranges, several of them and units other than bytes.

    Parameters
    ----------
    header : str or None
        Such as ``"bytes=0-499"``, ``"bytes=500-"`` or ``"bytes=-500"``.
    size : int
        Bytes in the file.
    """
    match = _ONE_RANGE.fullmatch(header or "")
    if match is None:
        return None
    first, last = match.groups()
    if not first:
        return _suffix(last, size)
    start = _number(first)
    stop = _number(last) + 1 if last else size
    if stop <= start and last:
        return None
    if start >= size:
        return Unsatisfiable()
    return ByteRange(start, min(stop, size))


def _suffix(digits: str, size: int) -> ByteRange | Unsatisfiable | None:
    if not digits:
        return None
    length = _number(digits)
    if length == 0:
        return Unsatisfiable()
    return ByteRange(max(0, size - length), size) if size else None


def _number(digits: str) -> int:
    """Read digits, however many: Python refuses to read thousands of them."""
    significant = digits.lstrip("0")
    return int(significant or "0") if len(significant) <= _MAX_DIGITS else _BEYOND_ANY_FILE
