"""Pages of a sorted table in SQLite, after a row or beyond an offset."""
# ruff: noqa: S608 - only our own names are inserted into statements

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from operator import itemgetter
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
    """The rows of a listing with a key, or those without, as a condition."""

    listing: Listing
    where: str
    parameters: tuple[Any, ...]
    is_keyed: bool

    def narrowed(self, condition: str, value: Any) -> "_Segment":  # noqa: ANN401 - a key or an id
        """Return those that meet a condition too."""
        return replace(self, where=f"{self.where} AND {condition}", parameters=(*self.parameters, value))

    def rows(self, connection: sqlite3.Connection, order: str, count: int, offset: int) -> list[Row]:
        """Return some rows in an order."""
        listing = self.listing
        return connection.execute(
            f"SELECT {listing.number}, {listing.column}, id FROM {listing.table} WHERE {self.where}"
            f" ORDER BY {order} LIMIT ? OFFSET ?",
            (*self.parameters, count, offset),
        ).fetchall()

    def count(self, connection: sqlite3.Connection) -> int:
        """Count the rows."""
        sql = f"SELECT count(*) FROM {self.listing.table} WHERE {self.where}"
        return int(connection.execute(sql, self.parameters).fetchone()[0])


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
        missing = count - len(rows)
        if not missing:
            break
        if segment.is_keyed and is_descending and listing.is_indexed:
            found = _backwards(connection, segment, offset, missing)
        else:
            descending = " DESC" if is_descending else ""
            order = f"{listing.column}{descending}, id" if segment.is_keyed else "id"
            found = segment.rows(connection, order, missing, offset)
        rows += found
        if offset:
            offset = 0 if found else max(0, offset - segment.count(connection))
    return rows


def _segments(
    listing: Listing, after: tuple[str | int | None, str] | None, *, is_descending: bool
) -> Iterator[_Segment]:
    column, beyond = listing.column, "<" if is_descending else ">"
    keyed = _Segment(listing, f"{listing.where} AND {column} IS NOT NULL", listing.parameters, is_keyed=True)
    others = _Segment(listing, f"{listing.where} AND {column} IS NULL", listing.parameters, is_keyed=False)
    if after is None:
        yield keyed
    else:
        found, last = after
        if found is None:
            yield others.narrowed("id > ?", to_text(last))
            return
        key = to_text(found) if isinstance(found, str) else clamped(found)
        not_before = keyed.narrowed(f"{column} {beyond}= ?", key)
        yield replace(
            not_before,
            where=f"{not_before.where} AND ({column} {beyond} ? OR id > ?)",
            parameters=(*not_before.parameters, key, to_text(last)),
        )
    if listing.has_missing:
        yield others


def _backwards(connection: sqlite3.Connection, segment: _Segment, offset: int, count: int) -> list[Row]:
    """Return rows by descending key without sorting all that have the same.

    Read backwards, the index has ties in the other order. That is mended in what was read, but for the last
    key, of which not all rows were.
    """
    column = segment.listing.column
    backwards = f"{column} DESC, id DESC"
    found: list[Row] = []
    if offset:
        first = segment.rows(connection, backwards, 1, offset)
        if not first:
            return []
        key = first[0][1]
        skipped = segment.narrowed(f"{column} > ?", key).count(connection)
        found = segment.narrowed(f"{column} = ?", key).rows(connection, "id", count, offset - skipped)
        segment = segment.narrowed(f"{column} < ?", key)
    rest = segment.rows(connection, backwards, count - len(found), 0)
    if rest:
        last = rest[-1][1]
        for _, ties in groupby((row for row in rest if row[1] != last), key=itemgetter(1)):
            found += reversed(list(ties))
        found += segment.narrowed(f"{column} = ?", last).rows(connection, "id", count - len(found), 0)
    return found
