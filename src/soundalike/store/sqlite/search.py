"""Pages of the tracks that match words, from the SQLite store's indexes."""
# ruff: noqa: S608 - only constants and our own names are inserted into statements

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from soundalike.domain.tracks import Position, Sort, SortField, Track, TrackPage
from soundalike.domain.types import TrackId
from soundalike.store.keys import clamped, narrowing_words
from soundalike.store.sqlite.rows import TRACK_COLUMNS, from_text, reports_damage, to_text, track_from_row

# Above so many matches, testing the tracks in order until a page is full is faster than sorting all of them.
_MANY = 10_000

_COLUMNS = {
    SortField.TITLE: "title_key",
    SortField.ARTIST: "artist_key",
    SortField.ALBUM: "album_key",
    SortField.YEAR: "year",
    SortField.ADDED: "added_ms",
}
_NEVER_MISSING = {SortField.TITLE, SortField.ADDED}
_RANGE = "word >= ? AND word < ?"


def find_tracks(
    connection: sqlite3.Connection,
    words: Sequence[str],
    *,
    sort: Sort,
    limit: int,
    after: Position | None,
) -> TrackPage:
    """Return a page of the tracks that are there and match every word, within one transaction."""
    match = _Match.of(connection, narrowing_words(words))
    rows = _rows(connection, match, sort, after, limit + 1)
    tracks = _tracks(connection, [number for number, _, _ in rows[:limit]])
    last = rows[limit - 1] if len(rows) > limit else None
    return TrackPage(
        tracks=tracks,
        total=match.total,
        next=None if last is None else Position(last[1], TrackId(from_text(last[2]))),
    )


@dataclass(frozen=True, slots=True)
class _Match:
    """The tracks that match a query, as a condition on the tracks' table.

    Parameters
    ----------
    sql : str
        Begins with AND; empty where everything matches.
    parameters : tuple of bytes or str
        Its parameters.
    total : int
        How many match.
    is_many : bool
        Whether to test the tracks in order rather than to sort those that match.
    """

    sql: str
    parameters: tuple[bytes | str, ...]
    total: int
    is_many: bool

    @classmethod
    def of(cls, connection: sqlite3.Connection, words: Iterable[str]) -> "_Match":
        ranges = [_range(word) for word in words]
        if not ranges:
            total = _one(connection, "SELECT count(*) FROM track WHERE vanished_ms IS NULL", ())
            return cls("", (), total, is_many=True)
        # Read the tracks of the rarest word, and look the others up for each.
        counted = f"SELECT count(*) FROM word WHERE {_RANGE}"
        ranges.sort(key=lambda bounds: _one(connection, counted, bounds))
        parameters = tuple(bound for bounds in ranges for bound in bounds)
        has_word = f"EXISTS (SELECT 1 FROM word w WHERE w.track = {{}} AND {_RANGE})"
        others = "".join(" AND " + has_word.format("word.track") for _ in ranges[1:])
        by_rarest = f"FROM word WHERE {_RANGE}{others}"
        found = connection.execute(
            f"SELECT DISTINCT track {by_rarest} LIMIT {_MANY + 1}", parameters
        ).fetchall()
        if len(found) <= _MANY:
            numbers = json.dumps([number for (number,) in found])
            return cls(" AND n IN (SELECT value FROM json_each(?))", (numbers,), len(found), is_many=False)
        total = _one(connection, f"SELECT count(DISTINCT track) {by_rarest}", parameters)
        each = "".join(" AND " + has_word.format("track.n") for _ in ranges)
        return cls(each, parameters, total, is_many=True)


def _range(word: str) -> tuple[bytes, bytes]:
    start = word.encode(errors="surrogatepass")
    return start, start + b"\xff"


def _one(connection: sqlite3.Connection, sql: str, parameters: tuple[bytes, ...]) -> int:
    return int(connection.execute(sql, parameters).fetchone()[0])


def _rows(
    connection: sqlite3.Connection, match: _Match, sort: Sort, after: Position | None, count: int
) -> list[tuple[int, str | int | None, str | bytes]]:
    """Return number, key and id of the next rows in order: those with a key, then those without."""
    column = _COLUMNS[sort.field]
    index = f"INDEXED BY tracks_by_{sort.field}" if match.is_many else "NOT INDEXED"
    rows: list[tuple[int, str | int | None, str | bytes]] = []
    for where, bounds, order in _segments(column, sort, after):
        sql = (
            f"SELECT n, {column}, id FROM track {index} WHERE vanished_ms IS NULL AND {where}{match.sql}"
            f" ORDER BY {order} LIMIT ?"
        )
        missing = count - len(rows)
        if missing > 0:
            rows += connection.execute(sql, (*bounds, *match.parameters, missing))
    return rows


def _segments(
    column: str, sort: Sort, after: Position | None
) -> Iterator[tuple[str, tuple[str | bytes | int, ...], str]]:
    """Yield condition, parameters and order of the rows with a key, then of those without."""
    beyond, direction = ("<", "DESC") if sort.is_descending else (">", "ASC")
    order = f"{column} {direction}, id"
    if after is None:
        yield f"{column} IS NOT NULL", (), order
    elif after.key is not None:
        key, track_id = _bound(after.key), to_text(after.track_id)
        yield f"{column} {beyond}= ? AND ({column} {beyond} ? OR id > ?)", (key, key, track_id), order
    else:
        yield f"{column} IS NULL AND id > ?", (to_text(after.track_id),), "id"
        return
    if sort.field not in _NEVER_MISSING:
        yield f"{column} IS NULL", (), "id"


def _bound(key: str | int) -> str | bytes | int:
    """Return a key as a parameter."""
    return to_text(key) if isinstance(key, str) else clamped(key)


@reports_damage
def _tracks(connection: sqlite3.Connection, numbers: Sequence[int]) -> tuple[Track, ...]:
    sql = f"SELECT n, {TRACK_COLUMNS} FROM track WHERE n IN ({','.join('?' * len(numbers))})"
    found = {row[0]: track_from_row(row[1:]) for row in connection.execute(sql, numbers)}
    return tuple(found[number] for number in numbers)
