"""Statements for the tables of the library in SQLite, each inside a transaction of its caller."""
# ruff: noqa: S608 - only constants and placeholders are inserted into statements

import sqlite3
from collections.abc import Iterable, Sized
from dataclasses import replace
from typing import Any

from soundalike.domain.catalogue import groups_of, settled_entry
from soundalike.domain.entries import Group, Settled
from soundalike.domain.errors import StoreError
from soundalike.domain.files import NOWHERE, Location, Place
from soundalike.domain.times import to_ms
from soundalike.domain.tracks import Track
from soundalike.domain.types import RelativePath, RootName, TrackId
from soundalike.store.errors import location_taken, track_moved
from soundalike.store.keys import search_words
from soundalike.store.parts import part_to_text
from soundalike.store.sqlite.catalogue_tables import (
    Placed,
    forget_place,
    group_columns,
    mark_group,
    read_placed,
    write_entries,
    write_lists,
    write_place,
    write_successors,
)
from soundalike.store.sqlite.rows import (
    TRACK_COLUMNS,
    entry_to_columns,
    from_text,
    keys_to_columns,
    location_to_row,
    to_text,
    track_to_row,
)
from soundalike.wire.tags import tags_text


def refuse_conflicts(connection: sqlite3.Connection, track: Track, moved_from: Location | None) -> None:
    """Raise `TrackConflictError` if the track has moved meanwhile, or another track has its location."""
    if moved_from is not None:
        stored = connection.execute("SELECT root, path FROM track WHERE id = ?", (to_text(track.id),))
        if stored.fetchone() != ((None, None) if moved_from == NOWHERE else location_to_row(moved_from)):
            raise track_moved(track, moved_from)
    if track.file is None:
        return
    other = connection.execute(
        "SELECT id FROM track WHERE root = ? AND path = ? AND part = ? AND id <> ?",
        (*location_to_row(track.file.location), part_to_text(track.file.part), to_text(track.id)),
    ).fetchone()
    if other is not None:
        raise location_taken(track, from_text(other[0]))


def write_track(connection: sqlite3.Connection, track: Track) -> int:
    """Insert or update a track with its words and its place in the catalogue; return its number.

    Its vectors are removed if its audio changed.
    """
    connection.execute(
        "DELETE FROM feature WHERE track = (SELECT n FROM track WHERE id = ? AND audio_hash <> ?)",
        (to_text(track.id), to_text(track.audio_hash or "")),
    )
    before = _placed(connection, track.id)
    change = next_version(connection)
    row = {**track_to_row(track), "change": change}
    names = ", ".join(row)
    changes = ", ".join(f"{name} = excluded.{name}" for name in row)
    (number,) = connection.execute(
        f"INSERT INTO track ({names}) VALUES ({placeholders(row)})"
        f" ON CONFLICT (id) DO UPDATE SET {changes} RETURNING n",
        tuple(row.values()),
    ).fetchone()
    write_words(connection, number, track)
    write_place(connection, number, before, Placed.of(track), mark=change)
    return int(number)


def _placed(connection: sqlite3.Connection, track_id: TrackId) -> Placed | None:
    """Return where the stored track stands; None for a new one, or one whose row is damaged."""
    row = connection.execute("SELECT n FROM track WHERE id = ?", (to_text(track_id),)).fetchone()
    if row is None:
        return None
    try:
        return read_placed(connection, *row)
    except StoreError:  # it is about to be replaced
        forget_place(connection, *row)
        return None


def write_vanished(connection: sqlite3.Connection, track_id: TrackId, at_ms: int, change: int) -> bool:
    """Mark a track as vanished, so that no list and no search has it; False if it was so before.

    Parameters
    ----------
    connection : sqlite3.Connection
        In a transaction.
    track_id : TrackId
        Which one.
    at_ms : int
        Since when.
    change : int
        The library's version with it.
    """
    row = connection.execute(
        "SELECT n FROM track WHERE id = ? AND vanished_ms IS NULL", (to_text(track_id),)
    ).fetchone()
    if row is None:
        return False
    (number,) = row
    before = _placed(connection, track_id)
    connection.execute("UPDATE track SET vanished_ms = ?, change = ? WHERE n = ?", (at_ms, change, number))
    delete_words(connection, number)
    if before is not None:
        write_place(connection, number, before, replace(before, is_there=False), mark=change)
    return True


def delete_track(connection: sqlite3.Connection, track_id: TrackId, change: int) -> bool:
    """Remove a track with all that follows from it; False if there is none.

    Parameters
    ----------
    connection : sqlite3.Connection
        In a transaction.
    track_id : TrackId
        Which one.
    change : int
        The library's version without it.
    """
    row = connection.execute("SELECT n FROM track WHERE id = ?", (to_text(track_id),)).fetchone()
    if row is None:
        return False
    before = _placed(connection, track_id)
    for group in () if before is None else groups_of(before.tags):
        mark_group(connection, group, change)
    forget_place(connection, *row)
    delete_words(connection, *row)
    connection.execute("DELETE FROM feature WHERE track = ?", row)
    connection.execute("DELETE FROM track WHERE n = ?", row)
    return True


def write_settled(
    connection: sqlite3.Connection, group: Group, settled: Settled, *, mark: int, then: Iterable[Group]
) -> None:
    """Store what a group is now; see the port.

    Parameters
    ----------
    connection : sqlite3.Connection
        In a transaction.
    group : Group
        Which one.
    settled : Settled
        Its tracks' entries and its own.
    mark : int
        Which it had when it was read.
    then : iterable of Group
        To be settled next.
    """
    row = connection.execute(
        "UPDATE name_group SET mark = NULL WHERE kind = ? AND key = ? AND mark = ? RETURNING n",
        (*group_columns(group), mark),
    ).fetchone()
    if row is None:
        return
    change = next_version(connection)
    for track in settled.tracks:
        _write_entry(connection, group, track, change)
    write_entries(connection, int(row[0]), settled.entries)
    write_successors(connection, {(group.kind, one): other for one, other in settled.successors.items()})
    for other in then:
        mark_group(connection, other, change)


def _write_entry(connection: sqlite3.Connection, group: Group, track: Track, change: int) -> None:
    """Store what a group decides of a track's entry, unless it has other tags, vanished or came back."""
    row = connection.execute(
        "SELECT n FROM track WHERE id = ? AND tags = ? AND vanished_ms IS ?",
        (to_text(track.id), tags_text(track.tags), track.vanished_at and to_ms(track.vanished_at)),
    ).fetchone()
    if row is None:
        return
    (number,) = row
    before = read_placed(connection, number)
    entry = settled_entry(group, track, before.entry)
    columns = {**entry_to_columns(entry), **keys_to_columns(track), "change": change}
    connection.execute(
        f"UPDATE track SET {', '.join(f'{name} = ?' for name in columns)} WHERE n = ?",
        (*columns.values(), number),
    )
    write_lists(connection, number, before, replace(before, entry=entry))


def next_version(connection: sqlite3.Connection) -> int:
    """Count a change of tracks, and return its number."""
    row = connection.execute("UPDATE library SET version = version + 1 RETURNING version").fetchone()
    return int(row[0])


def write_words(connection: sqlite3.Connection, number: int, track: Track) -> None:
    """Update the search words of a track; a vanished one has none."""
    delete_words(connection, number)
    if not track.is_vanished:
        rows = ((word.encode(), number) for word in search_words(track))
        connection.executemany("INSERT INTO word (word, track) VALUES (?, ?)", rows)


def delete_words(connection: sqlite3.Connection, number: int) -> None:
    """Remove the search words of a track, so that no search finds it."""
    connection.execute("DELETE FROM word WHERE track = ?", (number,))


def delete_problem(connection: sqlite3.Connection, place: Place) -> None:
    """Remove the problem of a file or a part of one, if there is one."""
    connection.execute(
        "DELETE FROM problem WHERE root = ? AND path = ? AND part = ?",
        (*location_to_row(place.location), part_to_text(place.part)),
    )


def select_tracks(connection: sqlite3.Connection, where: str, *parameters: str | bytes | int) -> list[Any]:
    """Return the rows of `TRACK_COLUMNS` that meet a condition."""
    return connection.execute(f"SELECT {TRACK_COLUMNS} FROM track WHERE {where}", parameters).fetchall()


def at_or_below(root: RootName, path: RelativePath) -> tuple[str, tuple[str | bytes, ...]]:
    """Return the condition, and its parameters, that a location is `path` or below it."""
    if not path:
        return "root = ?", (to_text(root),)
    # "/" is followed by "0": everything below "a" is between "a/" and "a0".
    where = "root = ? AND path >= ? AND path < ? AND (path = ? OR path >= ?)"
    return where, (to_text(root), path, path + b"0", path, path + b"/")


def placeholders(values: Sized) -> str:
    """Return as many question marks as there are values."""
    return ", ".join("?" * len(values))
