"""The Parquet snapshot: one row per track, the same file for Spark, pandas and the local engine."""

import json
from collections.abc import Iterable, Iterator
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from soundalike.domain.errors import ModelError
from soundalike.domain.features import FeatureSchema
from soundalike.domain.snapshot import LibraryTable, Snapshot, SnapshotRow
from soundalike.domain.types import FloatArray, TrackId
from soundalike.learning.artefacts.durable import written_atomically

FEATURES, FIRST_HALF, SECOND_HALF = VECTOR_COLUMNS = ("features", "first_half", "second_half")
ROWS_PER_GROUP = 4096
_SCHEMA_KEY = b"soundalike.feature_schema"
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
    *(pa.field(name, _VECTOR, nullable=False) for name in VECTOR_COLUMNS),
)


class ParquetSnapshots:
    """Writes and reads snapshots; their URL is a path."""

    def write(self, schema: FeatureSchema, rows: Iterable[SnapshotRow], url: str) -> Snapshot:
        """Write a snapshot to a temporary name and rename it, with a few thousand rows in memory at a time.

        Parameters
        ----------
        schema : FeatureSchema
            Of all vectors.
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
        layout = pa.schema(_COLUMNS, metadata={_SCHEMA_KEY: _dump_schema(schema)})
        count = 0
        try:
            with written_atomically(path) as temporary, pq.ParquetWriter(temporary, layout) as writer:
                last_id = ""
                for group in _groups(rows):
                    _check_group(group, schema, last_id)
                    last_id = group[-1].track_id
                    writer.write_batch(_record_batch(group, layout), row_group_size=ROWS_PER_GROUP)
                    count += len(group)
        except (OSError, pa.ArrowException) as error:
            msg = f"cannot write the snapshot {path}: {error}"
            raise ModelError(msg) from error
        return Snapshot(url=url, schema=schema, track_count=count)

    def read(self, snapshot: Snapshot) -> LibraryTable:
        """Read a whole snapshot.

        Raises
        ------
        ModelError
            If it does not exist, or is not a snapshot.
        SchemaMismatchError
            If it has other features than `snapshot` says.
        """
        path = Path(snapshot.url)
        try:
            with pq.ParquetFile(path) as file:
                found_schema = _load_schema(file.schema_arrow.metadata or {})
                snapshot.schema.require(found_schema, whose=f"the snapshot {path}")
                table = file.read(columns=["id", "genre", "artist", *VECTOR_COLUMNS])
            whole, first_half, second_half = (
                _matrix(table.column(name), len(found_schema)) for name in VECTOR_COLUMNS
            )
        except (OSError, pa.ArrowException, ValueError, KeyError, TypeError) as error:
            msg = f"cannot read the snapshot {path}: {error}; run 'soundalike build' to write it again"
            raise ModelError(msg) from error
        return LibraryTable(
            schema=found_schema,
            track_ids=tuple(TrackId(text) for text in table.column("id").to_pylist()),
            whole=whole,
            first_half=first_half,
            second_half=second_half,
            genres=tuple(table.column("genre").to_pylist()),
            artists=tuple(table.column("artist").to_pylist()),
        )


def _groups(rows: Iterable[SnapshotRow]) -> Iterator[list[SnapshotRow]]:
    remaining = iter(rows)
    while group := list(islice(remaining, ROWS_PER_GROUP)):
        yield group


def _check_group(group: list[SnapshotRow], schema: FeatureSchema, last_id: str) -> None:
    for before, after in pairwise((last_id, *(row.track_id for row in group))):
        if before >= after:
            msg = f"a snapshot's ids must be sorted, but {after!r} comes after {before!r}"
            raise ModelError(msg)
    for row in group:
        for vector in (row.whole, row.first_half, row.second_half):
            if vector.shape != (len(schema),) or not np.isfinite(vector).all():
                msg = f"track {row.track_id} has no finite vector of {schema.key}; run 'soundalike extract'"
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
        FEATURES: [row.whole for row in group],
        FIRST_HALF: [row.first_half for row in group],
        SECOND_HALF: [row.second_half for row in group],
    }
    arrays = [pa.array(columns[field.name], type=field.type) for field in layout]
    return pa.RecordBatch.from_arrays(arrays, schema=layout)


def _storable(text: str | None) -> str | None:
    """Replace lone surrogates, which UTF-8 cannot encode."""
    return None if text is None else text.encode("utf-8", "replace").decode("utf-8")


def _matrix(column: pa.ChunkedArray, width: int) -> FloatArray:
    lists = column.combine_chunks()
    values = np.asarray(lists.flatten(), dtype=np.float32)
    lengths = np.asarray(lists.value_lengths().fill_null(0))
    if (lengths != width).any() or not np.isfinite(values).all():
        msg = f"its vectors are not {width} finite numbers each"
        raise ValueError(msg)
    return values.reshape(len(lengths), width)


def _dump_schema(schema: FeatureSchema) -> bytes:
    document = {
        "name": schema.name,
        "version": schema.version,
        "features": schema.features,
        "groups": schema.groups,
    }
    return json.dumps(document).encode()


def _load_schema(metadata: dict[bytes, bytes]) -> FeatureSchema:
    if _SCHEMA_KEY not in metadata:
        msg = "it was not written by soundalike"
        raise ValueError(msg)
    document = json.loads(metadata[_SCHEMA_KEY])
    return FeatureSchema(
        name=document["name"],
        version=document["version"],
        features=tuple(document["features"]),
        groups=tuple(document["groups"]),
    )
