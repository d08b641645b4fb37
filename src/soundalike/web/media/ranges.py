"""Byte ranges as players ask for them (RFC 9110, section 14).

werkzeug's parser is not used: it reads ``bytes=-0`` as the whole file, refuses a suffix that is longer than
the file, and takes numbers of more than 4,300 digits for malformed.
"""

import re

from werkzeug.exceptions import RequestedRangeNotSatisfiable

_ONE_RANGE = re.compile(r"bytes=([0-9]*)-([0-9]*)", re.ASCII | re.IGNORECASE)
_MAX_DIGITS = 18
_BEYOND_ANY_FILE: int = 10**_MAX_DIGITS


def parse_range(header: str | None, size: int) -> range | None:
    """Return the bytes that a ``Range`` header asks for, at least one; None means the whole file.

    Without a header, and with malformed ranges, several of them, or a unit other than bytes, the answer is
    the whole file.

    Parameters
    ----------
    header : str or None
        Such as ``"bytes=0-499"``, ``"bytes=500-"`` or ``"bytes=-500"``.
    size : int
        Bytes in the file.

    Raises
    ------
    RequestedRangeNotSatisfiable
        If the range is well-formed and has no byte of the file.
    """
    match = _ONE_RANGE.fullmatch(header or "")
    first, last = (None, None) if match is None else map(_number, match.groups())
    if first is not None:
        if last is not None and last < first:
            return None
        part = range(first, size if last is None else min(last + 1, size))
    elif last is not None:
        if last and not size:
            return None
        part = range(max(0, size - last), size)
    else:
        return None
    if not part:
        raise RequestedRangeNotSatisfiable(size, description="the range begins after the end of the file")
    return part


def _number(digits: str) -> int | None:
    """Read any number of digits: Python refuses to read thousands of them."""
    significant = digits.lstrip("0")
    if len(significant) > _MAX_DIGITS:
        return _BEYOND_ANY_FILE
    return int(significant or "0") if digits else None
