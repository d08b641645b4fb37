"""Statements for the tables of the library in SQLite, each inside a transaction of its caller."""
# ruff: noqa: S608 - only constants and placeholders are inserted into statements

import sqlite3
from collections.abc import Sized
from dataclasses import replace
from typing import Any

from soundalike.domain.catalogue import settled_entry
from soundalike.domain.entries import Group, SettledGroup
from soundalike.domain.errors import StoreError
from soundalike.domain.files import NOWHERE, Location, Place
from soundalike.domain.tracks import Track
from soundalike.domain.types import RelativePath, RootName, TrackId
from soundalike.store.errors import location_taken, track_moved
from soundalike.store.keys import search_words
from soundalike.store.parts import part_to_text
from soundalike.store.sqlite.catalogue_tables import (
    GroupMarks,
    Placed,
    forget_place,
    group_columns,
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


def write_track(connection: sqlite3.Connection, track: Track, marks: GroupMarks) -> int:
    """Insert or update a track with its words and its place in the catalogue; return its number.

    Its vectors are removed if its audio changed.

    Parameters
    ----------
    connection : sqlite3.Connection
        In a transaction.
    track : Track
        As it is from now on.
    marks : GroupMarks
        Of the transaction.
    """
    stored = _number(connection, track.id)
    row = {**track_to_row(track), "change": marks.change}
    values = tuple(row.values())
    before = None
    if stored is None:
        sql = f"INSERT INTO track ({', '.join(row)}) VALUES ({placeholders(row)})"
        number = int(connection.execute(sql, values).lastrowid or 0)
    else:
        number = stored
        connection.execute(
            "DELETE FROM feature WHERE track = (SELECT n FROM track WHERE n = ? AND audio_hash <> ?)",
            (number, to_text(track.audio_hash or "")),
        )
        before = _placed(connection, number)
        delete_words(connection, number)
        connection.execute(
            f"UPDATE track SET {', '.join(f'{name} = ?' for name in row)} WHERE n = ?", (*values, number)
        )
    write_words(connection, number, track)
    write_place(connection, number, before, Placed.of(track), marks)
    return number


def _number(connection: sqlite3.Connection, track_id: TrackId) -> int | None:
    row = connection.execute("SELECT n FROM track WHERE id = ?", (to_text(track_id),)).fetchone()
    return None if row is None else int(row[0])


def _placed(connection: sqlite3.Connection, number: int) -> Placed | None:
    """Return where a stored track stands; None for one whose row is damaged, which then stands nowhere."""
    try:
        return read_placed(connection, number)
    except StoreError:  # it is about to be replaced
        forget_place(connection, number)
        return None


def write_vanished(connection: sqlite3.Connection, track_id: TrackId, at_ms: int, marks: GroupMarks) -> bool:
    """Mark a track as vanished, so that no list and no search has it; False if it was so before.

    Parameters
    ----------
    connection : sqlite3.Connection
        In a transaction.
    track_id : TrackId
        Which one.
    at_ms : int
        Since when.
    marks : GroupMarks
        Of the transaction.
    """
    row = connection.execute(
        "SELECT n FROM track WHERE id = ? AND vanished_ms IS NULL", (to_text(track_id),)
    ).fetchone()
    if row is None:
        return False
    (number,) = row
    before = _placed(connection, number)
    connection.execute(
        "UPDATE track SET vanished_ms = ?, change = ? WHERE n = ?", (at_ms, marks.change, number)
    )
    delete_words(connection, number)
    if before is not None:
        write_place(connection, number, before, replace(before, is_there=False), marks)
    return True


def delete_track(connection: sqlite3.Connection, track_id: TrackId, marks: GroupMarks) -> bool:
    """Remove a track with all that follows from it; False if there is none.

    Parameters
    ----------
    connection : sqlite3.Connection
        In a transaction.
    track_id : TrackId
        Which one.
    marks : GroupMarks
        Of the transaction.
    """
    number = _number(connection, track_id)
    if number is None:
        return False
    write_place(connection, number, _placed(connection, number), None, marks)
    delete_words(connection, number)
    connection.execute("DELETE FROM feature WHERE track = ?", (number,))
    connection.execute("DELETE FROM track WHERE n = ?", (number,))
    return True


def write_settled(connection: sqlite3.Connection, found: SettledGroup, marks: GroupMarks) -> None:
    """Store what a group is now; see the port.

    Parameters
    ----------
    connection : sqlite3.Connection
        In a transaction.
    found : SettledGroup
        The group.
    marks : GroupMarks
        Of the transaction.
    """
    group, settled = found.group, found.settled
    row = connection.execute(
        "UPDATE name_group SET mark = NULL WHERE kind = ? AND key = ? AND mark = ? RETURNING n",
        (*group_columns(group), found.mark),
    ).fetchone()
    if row is None:
        return
    for track in settled.tracks:
        _write_entry(connection, group, track, marks.change)
    write_entries(connection, group.kind, int(row[0]), settled.entries)
    write_successors(connection, {(group.kind, one): other for one, other in settled.successors.items()})
    for other in found.then:
        marks.number(other)


def _write_entry(connection: sqlite3.Connection, group: Group, track: Track, change: int) -> None:
    """Store what a group decides of a track's entry, unless it has other tags, vanished or came back.

    Only columns that change are written: most are in indexes.
    """
    number = _number(connection, track.id)
    if number is None:
        return  # removed meanwhile
    before = read_placed(connection, number)
    if before.tags != track.tags or before.is_there == track.is_vanished:
        return
    entry = settled_entry(group, track, before.entry)
    old, new = entry_to_columns(before.entry), entry_to_columns(entry)
    columns = {name: value for name, value in new.items() if value != old[name]} | {"change": change}
    if "album_id" in columns:
        columns |= keys_to_columns(replace(track, entry=entry))
    connection.execute(
        f"UPDATE track SET {', '.join(f'{name} = ?' for name in columns)} WHERE n = ?",
        (*columns.values(), number),
    )
    if columns.keys() - {"recording", "is_compilation", "change"}:  # no list depends on these
        write_lists(connection, number, before, replace(before, entry=entry))


def next_version(connection: sqlite3.Connection) -> int:
    """Count a change of tracks, and return its number."""
    row = connection.execute("UPDATE library SET version = version + 1 RETURNING version").fetchone()
    return int(row[0])


def write_words(connection: sqlite3.Connection, number: int, track: Track) -> None:
    """Insert the search words of a track that has none; a vanished one has none."""
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
