"""The Parquet snapshot: one row per track, the same file for Spark, pandas and the local engine."""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from soundalike.domain.errors import ModelError
from soundalike.domain.features import FeatureSchema
from soundalike.domain.snapshot import LibraryTable, Snapshot, SnapshotRow, TrackParts
from soundalike.domain.types import FloatArray, TrackId
from soundalike.learning.artefacts.durable import written_atomically
from soundalike.learning.documents import schema_from

FEATURES, PARTS = VECTOR_COLUMNS = ("features", "parts")
"""Summaries of all sets side by side; and for each set its parts, one after another in one list."""

ROWS_PER_GROUP = 4096
_LABELS = ("id", "genre", "artist")
_SCHEMAS_KEY = b"soundalike.feature_schemas"
_VECTOR = pa.list_(pa.field("element", pa.float32(), nullable=False))
_COLUMNS = (
    pa.field("id", pa.string(), nullable=False),
    pa.field("title", pa.string(), nullable=False),
    pa.field("artist", pa.string()),
    pa.field("album", pa.string()),
    pa.field("genre", pa.string()),
    pa.field("year", pa.int32()),
    pa.field("duration_ms", pa.int64(), nullable=False),
    pa.field("root", pa.string(), nullable=False),
    pa.field("path", pa.string(), nullable=False),
    pa.field(FEATURES, _VECTOR, nullable=False),
    pa.field(PARTS, pa.list_(pa.field("element", _VECTOR, nullable=False)), nullable=False),
)


class ParquetSnapshots:
    """Writes and reads snapshots; their URL is a path."""

    def write(self, schemas: Sequence[FeatureSchema], rows: Iterable[SnapshotRow], url: str) -> Snapshot:
        """Write a snapshot to a temporary name and rename it, with a few thousand rows in memory at a time.

        Parameters
        ----------
        schemas : sequence of FeatureSchema
            Of the vectors, side by side.
        rows : iterable of SnapshotRow
            By id.
        url : str
            A path.

        Raises
        ------
        ModelError
            If the file cannot be written, the ids are not sorted, or a vector is not finite.
        """
        path = Path(url)
        snapshot = Snapshot(url=url, schemas=tuple(schemas), track_count=0)
        layout = pa.schema(_COLUMNS, metadata={_SCHEMAS_KEY: _dump_schemas(schemas)})
        count = 0
        try:
            with written_atomically(path) as temporary, pq.ParquetWriter(temporary, layout) as writer:
                last_id = ""
                for group in _groups(rows):
                    _check_group(group, snapshot, last_id)
                    last_id = group[-1].track_id
                    writer.write_batch(_record_batch(group, layout), row_group_size=ROWS_PER_GROUP)
                    count += len(group)
        except (OSError, pa.ArrowException) as error:
            msg = f"cannot write the snapshot {path}: {error}"
            raise ModelError(msg) from error
        return replace(snapshot, track_count=count)

    def read(self, snapshot: Snapshot, *, has_parts: bool = False) -> LibraryTable:
        """Read a whole snapshot.

        Parameters
        ----------
        snapshot : Snapshot
            To read.
        has_parts : bool
            Whether to read the parts too.

        Raises
        ------
        ModelError
            If it does not exist, or is not a snapshot.
        SchemaMismatchError
            If it has other features than `snapshot` says.
        """
        with _opened(snapshot) as file:
            return _table(snapshot, file.read(columns=_wanted(has_parts=has_parts)))

    def blocks(self, snapshot: Snapshot, *, has_parts: bool = True) -> Iterator[LibraryTable]:
        """Yield a whole snapshot, a few thousand tracks at a time.

        Parameters
        ----------
        snapshot : Snapshot
            To read.
        has_parts : bool
            Whether to read the parts too.

        Raises
        ------
        ModelError, SchemaMismatchError
            As `read`.
        """
        with _opened(snapshot) as file:
            for batch in file.iter_batches(ROWS_PER_GROUP, columns=_wanted(has_parts=has_parts)):
                yield _table(snapshot, pa.Table.from_batches([batch]))


def matrix(column: pa.Array, width: int) -> FloatArray:
    """Turn a column of lists, each `width` long, into an array of shape (rows, width).

    Parameters
    ----------
    column : pyarrow array of lists
        One for each row.
    width : int
        Length of each.
    """
    return np.asarray(column.flatten(), dtype=np.float32).reshape(-1, width)


def parts_of_set(column: pa.Array, number: int, width: int) -> TrackParts:
    """Return the parts of one feature set from the column `PARTS`.

    Parameters
    ----------
    column : pyarrow array of lists of lists
        One for each track.
    number : int
        Place of the set.
    width : int
        How many features it has.
    """
    of_set = pc.list_element(column, number)
    counts = np.asarray(of_set.value_lengths(), dtype=np.int64) // width
    return TrackParts(matrix(of_set, width), counts)


@contextmanager
def _opened(snapshot: Snapshot) -> Iterator[pq.ParquetFile]:
    """Open a snapshot that has the features that it should have."""
    path = Path(snapshot.url)
    try:
        with pq.ParquetFile(path) as file:
            found = _load_schemas(file.schema_arrow.metadata or {})
            for wanted, schema in zip(snapshot.schemas, found, strict=True):
                wanted.require(schema, whose=f"the snapshot {path}")
            yield file
    except (OSError, pa.ArrowException, ValueError, KeyError, TypeError) as error:
        msg = f"cannot read the snapshot {path}: {error}; run 'soundalike build' to write it again"
        raise ModelError(msg) from error


def _wanted(*, has_parts: bool) -> list[str]:
    return [*_LABELS, FEATURES, *([PARTS] if has_parts else [])]


def _table(snapshot: Snapshot, table: pa.Table) -> LibraryTable:
    parts: tuple[TrackParts, ...] = ()
    if PARTS in table.column_names:
        column = table.column(PARTS).combine_chunks()
        parts = tuple(
            parts_of_set(column, number, len(schema)) for number, schema in enumerate(snapshot.schemas)
        )
    return LibraryTable(
        schemas=snapshot.schemas,
        track_ids=tuple(TrackId(text) for text in table.column("id").to_pylist()),
        summaries=_checked_matrix(table.column(FEATURES), snapshot.width),
        parts=parts,
        genres=tuple(table.column("genre").to_pylist()),
        artists=tuple(table.column("artist").to_pylist()),
    )


def _groups(rows: Iterable[SnapshotRow]) -> Iterator[list[SnapshotRow]]:
    remaining = iter(rows)
    while group := list(islice(remaining, ROWS_PER_GROUP)):
        yield group


def _check_group(group: list[SnapshotRow], snapshot: Snapshot, last_id: str) -> None:
    for before, after in pairwise((last_id, *(row.track_id for row in group))):
        if before >= after:
            msg = f"a snapshot's ids must be sorted, but {after!r} comes after {before!r}"
            raise ModelError(msg)
    widths = [len(schema) for schema in snapshot.schemas]
    for row in group:
        is_shaped = row.summary.shape == (snapshot.width,) and [each.shape[1] for each in row.parts] == widths
        if not is_shaped or not all(np.isfinite(each).all() for each in (row.summary, *row.parts)):
            sets = " and ".join(schema.key for schema in snapshot.schemas)
            msg = f"track {row.track_id} has no finite vectors of {sets}; run 'soundalike extract'"
            raise ModelError(msg)


def _record_batch(group: list[SnapshotRow], layout: pa.Schema) -> pa.RecordBatch:
    columns: dict[str, list[Any]] = {
        "id": [row.track_id for row in group],
        "title": [_storable(row.title) for row in group],
        "artist": [_storable(row.artist) for row in group],
        "album": [_storable(row.album) for row in group],
        "genre": [_storable(row.genre) for row in group],
        "year": [row.year for row in group],
        "duration_ms": [row.duration_ms for row in group],
        "root": [_storable(row.root) for row in group],
        "path": [_storable(row.path) for row in group],
        FEATURES: [row.summary for row in group],
        PARTS: [[each.ravel() for each in row.parts] for row in group],
    }
    arrays = [pa.array(columns[field.name], type=field.type) for field in layout]
    return pa.RecordBatch.from_arrays(arrays, schema=layout)


def _storable(text: str | None) -> str | None:
    """Replace lone surrogates, which UTF-8 cannot encode."""
    return None if text is None else text.encode("utf-8", "replace").decode("utf-8")


def _checked_matrix(column: pa.ChunkedArray, width: int) -> FloatArray:
    lists = column.combine_chunks()
    values = np.asarray(lists.flatten(), dtype=np.float32)
    lengths = np.asarray(lists.value_lengths().fill_null(0))
    if (lengths != width).any() or not np.isfinite(values).all():
        msg = f"its vectors are not {width} finite numbers each"
        raise ValueError(msg)
    return values.reshape(len(lengths), width)


def _dump_schemas(schemas: Sequence[FeatureSchema]) -> bytes:
    return json.dumps([asdict(schema) for schema in schemas]).encode()


def _load_schemas(metadata: dict[bytes, bytes]) -> list[FeatureSchema]:
    if _SCHEMAS_KEY not in metadata:
        msg = "it was not written by this version of soundalike"
        raise ValueError(msg)
    return [schema_from(document) for document in json.loads(metadata[_SCHEMAS_KEY])]
