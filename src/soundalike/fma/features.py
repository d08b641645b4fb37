"""``features.csv``: three rows of headers, then one of numbers for each track."""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

from soundalike.domain.errors import FmaError
from soundalike.domain.features import FeatureSchema
from soundalike.domain.fma import FMA_SETS, BadRow, Trouble, feature_name
from soundalike.domain.types import FloatArray
from soundalike.fma.rows import LONGEST_LINE, read_headers

_NAMING_ROWS = 3
_HEADER_ROWS = 4  # the last has "track_id" alone
_BATCH = 500
_LARGEST_ID = 2**53

Batch = tuple[npt.NDArray[np.int64], FloatArray]


def find_feature_set(path: Path) -> FeatureSchema:
    """Return the richest of FMA's feature sets whose columns a file has.

    Raises
    ------
    FmaError
        If it has none.
    """
    columns = _columns(path)
    for schema in FMA_SETS:
        if columns.keys() >= set(schema.features):
            return schema
    msg = (
        f"{str(path)!r} has not the columns of FMA's features.csv: three rows of headers, which name "
        f"{len(FMA_SETS[0])} features, or at least the {len(FMA_SETS[-1])} of the MFCCs"
    )
    raise FmaError(msg)


def _columns(path: Path) -> dict[str, int]:
    """Return the place of each feature."""
    rows = read_headers(path)[:_NAMING_ROWS]
    if len(rows) < _NAMING_ROWS:
        return {}
    return {feature_name(*name): place for place, name in enumerate(zip(*rows, strict=False)) if place}


def read_features(path: Path, schema: FeatureSchema) -> Iterator[Batch | BadRow]:
    """Yield FMA's ids of n tracks with their features, shape (n, len(schema)), and the rows without.

    Parameters
    ----------
    path : Path
        Of the file.
    schema : FeatureSchema
        One whose columns it has.

    Raises
    ------
    FmaError
        If the file cannot be read.
    """
    columns = _columns(path)
    places = [0, *(columns[name] for name in schema.features)]
    width = 1 + max(columns.values())
    try:
        with path.open("rb") as file:
            lines = iter(lambda: file.readline(LONGEST_LINE), b"")
            first = 1
            while batch := list(islice(lines, _BATCH)):
                yield from _read_batch(batch, path.name, first, (width, places))
                first += len(batch)
    except OSError as error:
        msg = f"cannot read {str(path)!r}: {error.strerror or error}"
        raise FmaError(msg) from error


def _read_batch(
    lines: Sequence[bytes], name: str, first: int, shape: tuple[int, Sequence[int]]
) -> Iterator[Batch | BadRow]:
    """Read some lines; only if one of them is bad, each is read on its own."""
    try:
        found = _parse(lines, shape)
    except ValueError:
        rows = []
        for line, text in enumerate(lines, first):
            row = _read_line(text, name, line, shape)
            if isinstance(row, BadRow):
                yield row
            elif row is not None:
                rows.append(row)
        if not rows:
            return
        found = np.concatenate(rows)
    yield found[:, 0].astype(np.int64), found[:, 1:].astype(np.float32)


def _parse(lines: Sequence[bytes], shape: tuple[int, Sequence[int]]) -> npt.NDArray[np.float64]:
    """Return the columns that are wanted of lines that are all right.

    Raises
    ------
    ValueError
        If one is not.
    """
    width, places = shape
    if not lines[0].strip():
        msg = "the first line is empty"  # if all are, NumPy would warn
        raise ValueError(msg)
    found = np.loadtxt(lines, delimiter=",", comments=None, ndmin=2, encoding="latin-1")
    if found.shape != (len(lines), width):
        msg = f"{len(lines)} lines of {width} numbers are {found.shape}"
        raise ValueError(msg)
    found = found[:, places]
    ids = np.where(np.isfinite(found[:, 0]), found[:, 0], 0)
    is_id = (ids >= 1) & (ids <= _LARGEST_ID) & (ids % 1 == 0)
    # Of float32: what is larger would be infinite there.
    if not (is_id.all() and (np.abs(found[:, 1:]) <= np.finfo(np.float32).max).all()):
        msg = "an id or a feature is not a number"
        raise ValueError(msg)
    return found


def _read_line(
    text: bytes, name: str, line: int, shape: tuple[int, Sequence[int]]
) -> npt.NDArray[np.float64] | BadRow | None:
    """Read a line; None for a header or an empty line."""
    head, *others = text.rstrip(b"\r\n").split(b",")
    if not head and not others:
        return None
    if line <= _HEADER_ROWS and not head.isdigit():
        return None
    is_id = head.isdigit() and len(head) < len(str(_LARGEST_ID))
    number = (int(head) or None) if is_id else None
    if number is None:
        return BadRow(name, line, Trouble.NO_ID)
    if len(others) + 1 != shape[0]:
        return BadRow(name, line, Trouble.OTHER_COLUMNS, number)
    try:
        return _parse([text], shape)
    except ValueError:
        is_empty = all(other.strip().lower() in {b"", b"nan"} for other in others)
        return BadRow(name, line, Trouble.NO_FEATURES if is_empty else Trouble.BAD_FEATURES, number)
