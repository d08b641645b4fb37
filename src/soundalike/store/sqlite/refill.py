"""The catalogue of a store that was migrated, made from its tracks as a scan would make it."""
# ruff: noqa: S608 - only constants and placeholders are inserted into statements

import sqlite3
from collections.abc import Iterator
from functools import partial

from soundalike.domain.batches import batched
from soundalike.domain.catalogue import settle
from soundalike.domain.entries import SettledGroup
from soundalike.domain.tracks import Track
from soundalike.store.sqlite.catalogue_tables import GroupMarks, Placed, group_from_columns, write_place
from soundalike.store.sqlite.rows import TRACK_COLUMNS, track_from_row
from soundalike.store.sqlite.tables import next_version, placeholders, write_settled

_BATCH = 500


def refill_catalogue(connection: sqlite3.Connection) -> None:
    """Make groups, lists and entries of every track, in the transaction of a migration."""
    marks = GroupMarks(connection, next_version(connection))
    for number, track in _tracks(connection, "SELECT n FROM track"):
        write_place(connection, number, None, Placed.of(track), marks)
    groups = connection.execute("SELECT n, kind, key FROM name_group ORDER BY kind, key").fetchall()
    for of_group, *columns in groups:
        group = group_from_columns(*columns)
        settled = settle(group, partial(_tracks_in, connection, of_group))
        write_settled(connection, SettledGroup(group, settled, mark=marks.change), marks)


def _tracks_in(connection: sqlite3.Connection, of_group: int) -> Iterator[Track]:
    of_tracks = "SELECT track FROM track_group WHERE name_group = ?"
    return (track for _, track in _tracks(connection, of_tracks, of_group))


def _tracks(connection: sqlite3.Connection, sql: str, *parameters: int) -> Iterator[tuple[int, Track]]:
    """Yield number and track of the numbers that a query gives."""
    numbers = [number for (number,) in connection.execute(sql, parameters)]
    for batch in batched(numbers, _BATCH):
        rows = connection.execute(
            f"SELECT n, {TRACK_COLUMNS} FROM track WHERE n IN ({placeholders(batch)})", batch
        ).fetchall()
        for number, *row in rows:
            yield number, track_from_row(tuple(row))
