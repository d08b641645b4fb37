"""Pages of a sorted table in SQLite, after a row or beyond an offset."""
# ruff: noqa: S608 - only our own names are inserted into statements

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from soundalike.store.keys import clamped
from soundalike.store.sqlite.rows import to_text

Row = tuple[Any, str | int | None, str | bytes]
"""What identifies a row, its key in the order, its id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Rows of a table in an order: by a column, missing values last in both directions, ties by ascending id.

    Parameters
    ----------
    table : str
        With how it is to be read: ``INDEXED BY`` an index of (column, id, ...), or ``NOT INDEXED``.
    column : str
        By which the rows are sorted.
    where : str
        A condition.
    parameters : tuple
        Of `where`.
    number : str
        The column that is returned to find the row again.
    is_indexed : bool
        Whether an index has the rows in this order.
    has_missing : bool
        Whether the column may be NULL.
    """

    table: str
    column: str
    where: str
    parameters: tuple[Any, ...] = ()
    number: str = "id"
    is_indexed: bool = True
    has_missing: bool = True


@dataclass(frozen=True, slots=True)
class _Segment:
    """The rows of a listing with a key, or those without."""

    where: str
    parameters: tuple[Any, ...]
    is_keyed: bool


def page_rows(
    connection: sqlite3.Connection,
    listing: Listing,
    *,
    is_descending: bool,
    after: tuple[str | int | None, str] | None,
    offset: int,
    count: int,
) -> list[Row]:
    """Return rows in order.

    Parameters
    ----------
    connection : sqlite3.Connection
        In a transaction.
    listing : Listing
        Of what.
    is_descending : bool
        Whether the greatest key is first.
    after : tuple of key and id, or None
        The row after which to begin.
    offset, count : int
        How many rows to leave out, and to return at most.
    """
    rows: list[Row] = []
    offset = clamped(offset)
    for segment in _segments(listing, after, is_descending=is_descending):
        if len(rows) == count:
            break
        found = _segment_rows(connection, listing, segment, offset, count - len(rows), is_descending)
        rows += found
        if offset:
            offset = 0 if found else max(0, offset - _count(connection, listing, segment))
    return rows


def _segments(
    listing: Listing, after: tuple[str | int | None, str] | None, *, is_descending: bool
) -> Iterator[_Segment]:
    column, beyond = listing.column, "<" if is_descending else ">"
    where, parameters = listing.where, listing.parameters
    if after is None:
        yield _Segment(f"{where} AND {column} IS NOT NULL", parameters, is_keyed=True)
    else:
        found, last = after
        if found is None:
            yield _Segment(
                f"{where} AND {column} IS NULL AND id > ?", (*parameters, to_text(last)), is_keyed=False
            )
            return
        key = to_text(found) if isinstance(found, str) else clamped(found)
        yield _Segment(
            f"{where} AND {column} {beyond}= ? AND ({column} {beyond} ? OR id > ?)",
            (*parameters, key, key, to_text(last)),
            is_keyed=True,
        )
    if listing.has_missing:
        yield _Segment(f"{where} AND {column} IS NULL", parameters, is_keyed=False)


def _segment_rows(
    connection: sqlite3.Connection,
    listing: Listing,
    segment: _Segment,
    offset: int,
    count: int,
    is_descending: bool,  # noqa: FBT001 - passed on
) -> list[Row]:
    where, parameters = segment.where, segment.parameters
    order = f"{listing.column}{' DESC' if is_descending else ''}, id" if segment.is_keyed else "id"
    if offset and is_descending and segment.is_keyed and listing.is_indexed:
        # Backwards, the index has ties in the other order: find the key there, and sort from that on.
        key = connection.execute(
            f"SELECT {listing.column} FROM {listing.table} WHERE {where}"
            f" ORDER BY {listing.column} DESC LIMIT 1 OFFSET ?",
            (*parameters, offset),
        ).fetchone()
        if key is None:
            return []
        before = _Segment(f"{where} AND {listing.column} > ?", (*parameters, *key), is_keyed=True)
        offset -= _count(connection, listing, before)
        where, parameters = f"{where} AND {listing.column} <= ?", (*parameters, *key)
    return connection.execute(
        f"SELECT {listing.number}, {listing.column}, id FROM {listing.table} WHERE {where}"
        f" ORDER BY {order} LIMIT ? OFFSET ?",
        (*parameters, count, offset),
    ).fetchall()


def _count(connection: sqlite3.Connection, listing: Listing, segment: _Segment) -> int:
    sql = f"SELECT count(*) FROM {listing.table} WHERE {segment.where}"
    return int(connection.execute(sql, segment.parameters).fetchone()[0])
