"""Vectors in SQLite: one row for each track and feature set."""
# ruff: noqa: S608 - only constants and placeholders are inserted into statements

import json
import sqlite3
from array import array
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from soundalike.domain.batches import batched
from soundalike.domain.errors import StoreError
from soundalike.domain.features import FeatureArray, FeatureSchema, FeatureVectors, Patch, TrackVectors
from soundalike.domain.stored_vectors import StoredSet, StoredVectors
from soundalike.domain.types import AudioHash, TrackId
from soundalike.store.errors import other_features, unknown_track
from soundalike.store.sqlite.connections import Connections
from soundalike.store.sqlite.rows import from_text, reports_damage, to_text
from soundalike.store.sqlite.tables import next_version, placeholders
from soundalike.store.vectors import patches_from_lists, patches_to_json, values_from_bytes, values_to_bytes

# So many rows are read, or removed, at a time, so that no transaction is open for long.
_BATCH = 500

_VALUES = "dtype, width, patches, vectors"


class SqliteFeatures:
    """The `FeatureStore` port on one SQLite file."""

    _connections: Connections

    def vectors_of(self, track_id: TrackId, schema: FeatureSchema) -> FeatureVectors | None:
        """Return a track's vectors of a feature set, or None."""
        return self._first_vectors("id = ?", to_text(track_id), schema)

    def vectors_in(
        self, track_id: TrackId, schemas: Sequence[FeatureSchema]
    ) -> tuple[FeatureVectors, ...] | None:
        """Return a track's vectors in each of some feature sets, or None if it lacks one."""
        with self._connections.reading() as connection:
            numbers = [find_feature_set(connection, schema) for schema in schemas]
            rows = connection.execute(
                f"SELECT feature_set, {_VALUES} FROM track JOIN feature ON feature.track = track.n"
                f" WHERE id = ? AND feature_set IN ({', '.join('?' * len(numbers))})",
                (to_text(track_id), *numbers),
            ).fetchall()
        found = {number: values for number, *values in rows}
        if not all(number in found for number in numbers):
            return None
        pairs = zip(schemas, numbers, strict=True)
        return tuple(_vectors_from_row(schema, found[number]) for schema, number in pairs)

    def vectors_with_hash(self, audio_hash: AudioHash, schema: FeatureSchema) -> FeatureVectors | None:
        """Return the vectors of any track with this encoded audio, or None."""
        return self._first_vectors("audio_hash = ?", to_text(audio_hash), schema)

    def _first_vectors(self, where: str, value: str | bytes, schema: FeatureSchema) -> FeatureVectors | None:
        with self._connections.reading() as connection:
            row = connection.execute(
                f"SELECT {_VALUES} FROM track JOIN feature ON feature.track = track.n"
                f" WHERE {where} AND feature_set = ? LIMIT 1",
                (value, find_feature_set(connection, schema)),
            ).fetchone()
        return None if row is None else _vectors_from_row(schema, row)

    def hashes_with_vectors(self, schema: FeatureSchema) -> frozenset[AudioHash]:
        """Return the hash of every audio whose vectors of this feature set are stored."""
        found = self._with_vectors("audio_hash", schema)
        return frozenset(AudioHash(from_text(each)) for each in found if each is not None)

    def ids_with_vectors(self, schema: FeatureSchema) -> frozenset[TrackId]:
        """Return the id of every track, vanished ones too, that has vectors of this feature set."""
        return frozenset(TrackId(from_text(each)) for each in self._with_vectors("id", schema))

    def _with_vectors(self, column: str, schema: FeatureSchema) -> list[Any]:
        with self._connections.reading() as connection:
            rows = connection.execute(
                f"SELECT {column} FROM feature JOIN track ON track.n = feature.track WHERE feature_set = ?",
                (find_feature_set(connection, schema),),
            ).fetchall()
        return [found for (found,) in rows]

    def track_vectors(self, schema: FeatureSchema) -> Iterator[TrackVectors]:
        """Yield the vectors of every track that is there, by id, in bounded memory."""
        last: str | bytes = ""
        while True:
            with self._connections.reading() as connection:
                rows = connection.execute(
                    f"SELECT id, audio_hash, {_VALUES} FROM track"
                    " CROSS JOIN feature ON feature.track = track.n"
                    " WHERE id > ? AND vanished_ms IS NULL AND feature_set = ? ORDER BY id LIMIT ?",
                    (last, find_feature_set(connection, schema), _BATCH),
                ).fetchall()
            for track_id, audio_hash, *values in rows:
                vectors = _vectors_from_row(schema, values)
                hashed = None if audio_hash is None else AudioHash(from_text(audio_hash))
                yield TrackVectors(TrackId(from_text(track_id)), hashed, vectors)
            if len(rows) < _BATCH:
                return
            last = rows[-1][0]

    def drop_vectors(self, track_id: TrackId, key: str | None = None) -> None:
        """Remove a track's vectors: those of one set, or all."""
        with self._connections.writing() as connection:
            of_track = "DELETE FROM feature WHERE track = (SELECT n FROM track WHERE id = ?)"
            if key is None:
                connection.execute(of_track, (to_text(track_id),))
            else:
                number = _number_of(connection, key)
                connection.execute(f"{of_track} AND feature_set = ?", (to_text(track_id), number))

    def feature_sets(self) -> tuple[StoredSet, ...]:
        """Return which feature sets tracks have, by key."""
        with self._connections.reading() as connection:
            rows = connection.execute(
                "SELECT name, version, count(*), sum(length(vectors))"
                " FROM feature JOIN feature_set ON n = feature_set GROUP BY n"
            ).fetchall()
        found = [
            StoredSet(key=_key(name, version), track_count=count, size_bytes=size)
            for name, version, count, size in rows
        ]
        return tuple(sorted(found, key=lambda one: one.key))

    def forget_set(self, key: str) -> int:
        """Remove all that is stored of a feature set; return of how many tracks."""
        count = 0
        while True:
            with self._connections.writing(is_bulk=True) as connection:
                number = _number_of(connection, key)
                removed = connection.execute(
                    "DELETE FROM feature WHERE rowid IN"
                    " (SELECT rowid FROM feature WHERE feature_set = ? LIMIT ?)",
                    (number, _BATCH),
                ).rowcount
                count += removed
                if removed < _BATCH:
                    connection.execute("DELETE FROM feature_set WHERE n = ?", (number,))
                    return count

    def stored_vectors(self) -> Iterator[StoredVectors]:
        """Yield the vectors of all tracks in all sets, by (track id, key), in bounded memory.

        Raises
        ------
        StoreError
            With the id of a track whose vectors are damaged.
        """
        with self._connections.reading() as connection:
            # By their bytes, since SQLite puts ids that are not UTF-8 last.
            found = connection.execute("SELECT n FROM track ORDER BY CAST(id AS BLOB)")
            numbers = array("q", (number for (number,) in found))
        for batch in batched(numbers, _BATCH):
            with self._connections.reading() as connection:
                rows = connection.execute(
                    f"SELECT id, name, version, fingerprint, {_VALUES} FROM feature"
                    " JOIN feature_set ON feature_set.n = feature_set JOIN track ON track.n = feature.track"
                    f" WHERE feature.track IN ({placeholders(batch)})",
                    batch,
                ).fetchall()
            yield from sorted(map(_stored_from_row, rows), key=lambda one: (one.track_id, one.key))

    def save_stored_vectors(self, vectors: Collection[StoredVectors]) -> None:
        """Insert many, each new or in place of the one of its track and set; see the port."""
        if not vectors:
            return
        with self._connections.writing(is_bulk=True) as connection:
            change = next_version(connection)
            sets: dict[tuple[str, int, str], int] = {}
            for one in vectors:
                query = "UPDATE track SET change = ? WHERE id = ? RETURNING n"
                found = connection.execute(query, (change, to_text(one.track_id))).fetchone()
                if found is None:
                    raise unknown_track(one.track_id)
                key = (one.feature_set, one.version, one.fingerprint)
                if key not in sets:
                    sets[key] = _made_feature_set(connection, *key)
                _write_values(connection, found[0], sets[key], one)


def write_vectors(connection: sqlite3.Connection, number: int, vectors: StoredVectors) -> None:
    """Insert or replace the vectors of one track, given by number, in one feature set."""
    key = (vectors.feature_set, vectors.version, vectors.fingerprint)
    _write_values(connection, number, _made_feature_set(connection, *key), vectors)


def _made_feature_set(connection: sqlite3.Connection, name: str, version: int, fingerprint: str) -> int:
    number = _find_feature_set(connection, name, version, fingerprint)
    if number is None:
        row = (to_text(name), version, to_text(fingerprint))
        sql = "INSERT INTO feature_set (name, version, fingerprint) VALUES (?, ?, ?)"
        number = int(connection.execute(sql, row).lastrowid or 0)
    return number


def _write_values(
    connection: sqlite3.Connection, number: int, feature_set: int, vectors: StoredVectors
) -> None:
    values = vectors.values
    connection.execute(
        f"INSERT OR REPLACE INTO feature (feature_set, track, {_VALUES}) VALUES (?, ?, ?, ?, ?, ?)",
        (
            feature_set,
            number,
            values.dtype.name,
            values.shape[1],
            patches_to_json(vectors.patches),
            values_to_bytes(values),
        ),
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


def _number_of(connection: sqlite3.Connection, key: str) -> int | None:
    rows = connection.execute("SELECT n, name, version FROM feature_set").fetchall()
    return next((number for number, name, version in rows if _key(name, version) == key), None)


@reports_damage
def _key(name: str | bytes, version: int) -> str:
    return f"{from_text(name)}-v{int(version)}"


@reports_damage
def _vectors_from_row(schema: FeatureSchema, row: Any) -> FeatureVectors:  # noqa: ANN401 - a row may have anything
    return FeatureVectors(schema, *_read_values(*row))


def _stored_from_row(row: Any) -> StoredVectors:  # noqa: ANN401 - a row may have anything
    try:
        return _read_stored(row)
    except StoreError as error:
        msg = f"track {row[0]!r}: {error}"
        raise StoreError(msg) from error


@reports_damage
def _read_stored(row: Any) -> StoredVectors:  # noqa: ANN401 - a row may have anything
    track_id, name, version, fingerprint, *columns = row
    patches, values = _read_values(*columns)
    return StoredVectors(
        track_id=TrackId(from_text(track_id)),
        feature_set=from_text(name),
        version=int(version),
        fingerprint=from_text(fingerprint),
        patches=patches,
        values=values,
    )


def _read_values(
    dtype: str, width: int, patches: str, vectors: bytes
) -> tuple[tuple[Patch, ...], FeatureArray]:
    """Read the columns of `_VALUES`."""
    found = patches_from_lists(json.loads(patches))
    return found, values_from_bytes(vectors, dtype=dtype, shape=(len(found), int(width)))
