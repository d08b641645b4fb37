"""Statements for the tables of the library in SQLite, each inside a transaction of its caller."""
# ruff: noqa: S608 - only constants and placeholders are inserted into statements

import sqlite3
from collections.abc import Sized
from typing import Any

from soundalike.domain.features import FeatureSchema, FeatureVectors
from soundalike.domain.files import Location
from soundalike.domain.stored_tracks import StoredVectors
from soundalike.domain.tracks import Track
from soundalike.domain.types import RelativePath, RootName
from soundalike.store.errors import location_taken, other_features, track_moved
from soundalike.store.keys import search_words
from soundalike.store.sqlite.rows import (
    TRACK_COLUMNS,
    VECTOR_COLUMNS,
    from_text,
    location_to_row,
    to_text,
    track_to_row,
    vectors_to_row,
)


def refuse_conflicts(connection: sqlite3.Connection, track: Track, moved_from: Location | None) -> None:
    """Raise `TrackConflictError` if the track has moved meanwhile, or another track has its location."""
    if moved_from is not None:
        stored = connection.execute("SELECT root, path FROM track WHERE id = ?", (to_text(track.id),))
        if stored.fetchone() != location_to_row(moved_from):
            raise track_moved(track, moved_from)
    if track.file is None:
        return
    other = connection.execute(
        "SELECT id FROM track WHERE root = ? AND path = ? AND id <> ?",
        (*location_to_row(track.file.location), to_text(track.id)),
    ).fetchone()
    if other is not None:
        raise location_taken(track, from_text(other[0]))


def write_track(connection: sqlite3.Connection, track: Track) -> int:
    """Insert or update a track, and remove its vectors if its audio changed; return its number."""
    connection.execute(
        "DELETE FROM feature WHERE track = (SELECT n FROM track WHERE id = ? AND audio_hash <> ?)",
        (to_text(track.id), track.audio_hash and to_text(track.audio_hash)),
    )
    row = {**track_to_row(track), "change": next_version(connection)}
    names = ", ".join(row)
    changes = ", ".join(f"{name} = excluded.{name}" for name in row)
    (number,) = connection.execute(
        f"INSERT INTO track ({names}) VALUES ({placeholders(row)})"
        f" ON CONFLICT (id) DO UPDATE SET {changes} RETURNING n",
        tuple(row.values()),
    ).fetchone()
    return int(number)


def next_version(connection: sqlite3.Connection) -> int:
    """Count a change of tracks, and return its number."""
    row = connection.execute("UPDATE library SET version = version + 1 RETURNING version").fetchone()
    return int(row[0])


def write_vectors(connection: sqlite3.Connection, number: int, vectors: FeatureVectors) -> None:
    """Insert or replace the vectors of one feature set."""
    write_stored_vectors(connection, number, StoredVectors.of(vectors))


def write_stored_vectors(connection: sqlite3.Connection, number: int, vectors: StoredVectors) -> None:
    """Insert or replace the vectors of one feature set, known to this program or not."""
    name, version, fingerprint = vectors.feature_set, vectors.version, vectors.fingerprint
    feature_set = _find_feature_set(connection, name, version, fingerprint)
    if feature_set is None:
        feature_set = connection.execute(
            "INSERT INTO feature_set (name, version, fingerprint) VALUES (?, ?, ?)",
            (to_text(name), version, to_text(fingerprint)),
        ).lastrowid
    connection.execute(
        f"INSERT OR REPLACE INTO feature (feature_set, track, {VECTOR_COLUMNS}) VALUES (?, ?, ?, ?, ?)",
        (feature_set, number, *vectors_to_row(vectors)),
    )


def find_feature_set(connection: sqlite3.Connection, schema: FeatureSchema) -> int | None:
    """Return the number of a feature set, None if it is not stored.

    Raises
    ------
    SchemaMismatchError
        If other features are stored under its name and version.
    """
    return _find_feature_set(connection, schema.name, schema.version, schema.fingerprint)


def _find_feature_set(
    connection: sqlite3.Connection, name: str, version: int, fingerprint: str
) -> int | None:
    row = connection.execute(
        "SELECT n, fingerprint FROM feature_set WHERE name = ? AND version = ?", (to_text(name), version)
    ).fetchone()
    if row is None:
        return None
    number, stored = row
    if stored != to_text(fingerprint):
        raise other_features(name, version)
    return int(number)


def write_words(connection: sqlite3.Connection, number: int, track: Track) -> None:
    """Update the search words of a track; a vanished one has none."""
    delete_words(connection, number)
    if not track.is_vanished:
        rows = ((word.encode(), number) for word in search_words(track))
        connection.executemany("INSERT INTO word (word, track) VALUES (?, ?)", rows)


def delete_words(connection: sqlite3.Connection, number: int) -> None:
    """Remove the search words of a track, so that no search finds it."""
    connection.execute("DELETE FROM word WHERE track = ?", (number,))


def delete_problem(connection: sqlite3.Connection, location: Location) -> None:
    """Remove the problem of a file, if there is one."""
    connection.execute("DELETE FROM problem WHERE root = ? AND path = ?", location_to_row(location))


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
