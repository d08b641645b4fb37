"""Statements on the SQLite store's tables, each inside a transaction of its caller."""
# ruff: noqa: S608 - only constants and question marks are pasted into statements

import sqlite3
from collections.abc import Sized
from typing import Any

from soundalike.domain.errors import SchemaMismatchError, TrackConflictError
from soundalike.domain.features import FeatureSchema, FeatureVectors
from soundalike.domain.files import Location
from soundalike.domain.stored_tracks import StoredVectors
from soundalike.domain.tracks import Track
from soundalike.domain.types import RelativePath, RootName
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
    """Raise `TrackConflictError` if the track has moved meanwhile, or another has its location."""
    if moved_from is not None:
        stored = connection.execute("SELECT root, path FROM tracks WHERE id = ?", (to_text(track.id),))
        if stored.fetchone() != location_to_row(moved_from):
            msg = f"track {track.id} is no longer at {_shown(moved_from)}; run 'soundalike extract' again"
            raise TrackConflictError(msg)
    other = connection.execute(
        "SELECT id FROM tracks WHERE root = ? AND path = ? AND id <> ?",
        (*location_to_row(track.location), to_text(track.id)),
    ).fetchone()
    if other is not None:
        msg = (
            f"{_shown(track.location)} belongs to track {from_text(other[0])}, not to {track.id}; "
            "run 'soundalike extract' again"
        )
        raise TrackConflictError(msg)


def write_track(connection: sqlite3.Connection, track: Track) -> int:
    """Insert or update a track, and drop its vectors if its audio is another; return its number."""
    connection.execute(
        "DELETE FROM vectors WHERE track = (SELECT n FROM tracks WHERE id = ? AND audio_hash <> ?)",
        (to_text(track.id), to_text(track.audio_hash)),
    )
    row = track_to_row(track)
    names = ", ".join(row)
    changes = ", ".join(f"{name} = excluded.{name}" for name in row)
    (number,) = connection.execute(
        f"INSERT INTO tracks ({names}) VALUES ({marks(row)})"
        f" ON CONFLICT (id) DO UPDATE SET {changes} RETURNING n",
        tuple(row.values()),
    ).fetchone()
    return int(number)


def write_vectors(connection: sqlite3.Connection, number: int, vectors: FeatureVectors) -> None:
    """Insert or replace the vectors of one feature set."""
    schema = vectors.schema
    stored = StoredVectors(
        feature_set=schema.name,
        version=schema.version,
        fingerprint=schema.fingerprint,
        whole=vectors.whole,
        first_half=vectors.first_half,
        second_half=vectors.second_half,
    )
    write_stored_vectors(connection, number, stored)


def write_stored_vectors(connection: sqlite3.Connection, number: int, vectors: StoredVectors) -> None:
    """Insert or replace the vectors of one feature set, which this program need not know."""
    name, version, fingerprint = vectors.feature_set, vectors.version, vectors.fingerprint
    feature_set = _find_feature_set(connection, name, version, fingerprint)
    if feature_set is None:
        feature_set = connection.execute(
            "INSERT INTO feature_sets (name, version, fingerprint) VALUES (?, ?, ?)",
            (to_text(name), version, to_text(fingerprint)),
        ).lastrowid
    connection.execute(
        f"INSERT OR REPLACE INTO vectors (feature_set, track, {VECTOR_COLUMNS}) VALUES (?, ?, ?, ?, ?)",
        (feature_set, number, *vectors_to_row(vectors)),
    )


def find_feature_set(connection: sqlite3.Connection, schema: FeatureSchema) -> int | None:
    """Return the number of a feature set, None where nothing of it is stored.

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
        "SELECT n, fingerprint FROM feature_sets WHERE name = ? AND version = ?", (to_text(name), version)
    ).fetchone()
    if row is None:
        return None
    number, stored = row
    if stored != to_text(fingerprint):
        msg = (
            f"the store holds other features under the name of {name}-v{version}; "
            "raise the version of the feature set that changed"
        )
        raise SchemaMismatchError(msg)
    return int(number)


def write_words(connection: sqlite3.Connection, number: int, track: Track) -> None:
    """Bring a track's search words up to date; a vanished one has none."""
    delete_words(connection, number)
    if not track.is_vanished:
        rows = ((word.encode(), number) for word in search_words(track))
        connection.executemany("INSERT INTO words (word, track) VALUES (?, ?)", rows)


def delete_words(connection: sqlite3.Connection, number: int) -> None:
    """Take a track out of every search."""
    connection.execute("DELETE FROM words WHERE track = ?", (number,))


def delete_problem(connection: sqlite3.Connection, location: Location) -> None:
    """Forget the line about a file, if there is one."""
    connection.execute("DELETE FROM problems WHERE root = ? AND path = ?", location_to_row(location))


def select_tracks(connection: sqlite3.Connection, where: str, *parameters: str | bytes | int) -> list[Any]:
    """Return the rows of `TRACK_COLUMNS` that meet a condition."""
    return connection.execute(f"SELECT {TRACK_COLUMNS} FROM tracks WHERE {where}", parameters).fetchall()


def under(root: RootName, path: RelativePath) -> tuple[str, tuple[str | bytes, ...]]:
    """Return the condition, and its parameters, that a location is `path` or below it."""
    if not path:
        return "root = ?", (to_text(root),)
    # "/" is followed by "0": everything below "a" lies between "a/" and "a0".
    where = "root = ? AND path >= ? AND path < ? AND (path = ? OR path >= ?)"
    return where, (to_text(root), path, path + b"0", path, path + b"/")


def marks(values: Sized) -> str:
    """Return as many question marks as there are values."""
    return ", ".join("?" * len(values))


def _shown(location: Location) -> str:
    return f"{location.root}:{location.path.decode(errors='replace')}"
