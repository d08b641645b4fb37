import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from learning.libraries import halves_of, make_mixed, make_music, make_rows, make_table, write_snapshot
from making import make_schema
from soundalike.domain.errors import ModelError, SchemaMismatchError
from soundalike.domain.snapshot import Snapshot, SnapshotRow
from soundalike.domain.types import TrackId
from soundalike.learning.snapshots import ROWS_PER_GROUP, ParquetSnapshots


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "music.parquet"


def test_what_is_written_is_read(path: Path) -> None:
    music = make_music(7)
    table = make_table(
        music.summaries,
        halves=halves_of(music),
        genres=["Rock", None] * 3 + ["Pop"],
        artists=[None, "A"] * 3 + ["B"],
    )
    snapshot = write_snapshot(table, path)
    assert snapshot == Snapshot(url=str(path), schemas=table.schemas, track_count=7)
    read = ParquetSnapshots().read(snapshot, has_parts=True)
    assert read.track_ids == table.track_ids
    assert (read.genres, read.artists) == (table.genres, table.artists)
    np.testing.assert_array_equal(read.summaries, table.summaries)
    np.testing.assert_array_equal(read.parts[0].values, table.parts[0].values)
    np.testing.assert_array_equal(read.parts[0].counts, table.parts[0].counts)


def test_sets_stand_side_by_side_each_with_its_parts(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = make_mixed(30)
    snapshot = write_snapshot(table, path)
    assert snapshot.width == 6 + 8
    assert ParquetSnapshots().read(snapshot).parts == ()
    monkeypatch.setattr("soundalike.learning.snapshots.ROWS_PER_GROUP", 7)
    blocks = list(ParquetSnapshots().blocks(snapshot))
    assert [len(block) for block in blocks] == [7, 7, 7, 7, 2]
    for number, parts in enumerate(table.parts):
        values = np.concatenate([block.parts[number].values for block in blocks])
        np.testing.assert_array_equal(values, parts.values)
        counts = np.concatenate([block.parts[number].counts for block in blocks])
        np.testing.assert_array_equal(counts, parts.counts)
    np.testing.assert_array_equal(np.concatenate([block.summaries for block in blocks]), table.summaries)


def test_an_empty_library_has_a_snapshot_too(path: Path) -> None:
    snapshot = write_snapshot(make_music(0), path)
    assert snapshot.track_count == 0
    assert ParquetSnapshots().read(snapshot).summaries.shape == (0, 6)


def test_other_programs_read_its_columns(path: Path) -> None:
    write_snapshot(make_music(2), path)
    names = "id title artist album genre year duration_ms root path features parts"
    table = pq.read_table(path)
    assert table.column_names == names.split()
    assert table.column("year").to_pylist() == [1999, 1999]


def test_text_that_utf8_cannot_encode_is_replaced(path: Path) -> None:
    (row,) = make_rows(make_music(1))
    ParquetSnapshots().write([make_schema(6)], [replace(row, title="caf\udce9 \0")], str(path))
    assert pq.read_table(path).column("title").to_pylist() == ["caf? \0"]


def test_rows_are_read_as_they_are_written(path: Path) -> None:
    """No more than one group of rows is ever held, so memory does not grow with the library."""
    (row,) = make_rows(make_music(1))
    taken = 0

    def rows() -> Iterator[SnapshotRow]:
        nonlocal taken
        for number in range(2 * ROWS_PER_GROUP + 1):
            taken += 1
            yield replace(row, track_id=TrackId(f"t{number:08}"))

    snapshot = ParquetSnapshots().write([make_schema(6)], rows(), str(path))
    assert snapshot.track_count == taken
    sizes = [pq.ParquetFile(path).metadata.row_group(i).num_rows for i in range(3)]
    assert sizes == [ROWS_PER_GROUP, ROWS_PER_GROUP, 1]


@pytest.mark.parametrize("ids", [["b", "a"], ["a", "a"], [""]])
def test_ids_must_be_sorted(path: Path, ids: list[str]) -> None:
    rows = [
        replace(row, track_id=TrackId(text))
        for row, text in zip(make_rows(make_music(len(ids))), ids, strict=True)
    ]
    with pytest.raises(ModelError, match="must be sorted"):
        ParquetSnapshots().write([make_schema(6)], rows, str(path))
    assert os.listdir(path.parent) == []  # noqa: PTH208 - names, hidden ones too


def test_a_vector_that_is_not_finite_is_refused_by_its_track(path: Path) -> None:
    rows = make_rows(make_music(2))
    rows[1] = replace(rows[1], parts=(np.full((2, 6), np.nan, dtype=np.float32),))
    with pytest.raises(ModelError, match="track t0001"):
        ParquetSnapshots().write([make_schema(6)], rows, str(path))


def test_a_failed_write_leaves_the_old_snapshot(path: Path) -> None:
    snapshot = write_snapshot(make_music(3), path)
    rows = make_rows(make_music(2))

    def failing() -> Iterator[SnapshotRow]:
        yield rows[0]
        msg = "the disk is gone"
        raise OSError(msg)

    with pytest.raises(ModelError, match="the disk is gone"):
        ParquetSnapshots().write([make_schema(6)], failing(), str(path))
    assert len(ParquetSnapshots().read(snapshot)) == 3
    assert [entry.name for entry in path.parent.iterdir()] == ["music.parquet"]


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="nowhere"):
        write_snapshot(make_music(1), tmp_path / "nowhere" / "x.parquet")


def test_other_features_than_expected_are_a_mismatch(path: Path) -> None:
    snapshot = write_snapshot(make_music(2), path)
    with pytest.raises(SchemaMismatchError):
        ParquetSnapshots().read(replace(snapshot, schemas=(make_schema(6, version=2),)))


def test_another_file_is_rejected_by_name(path: Path) -> None:
    asked = Snapshot(url=str(path), schemas=(make_schema(6),), track_count=2)
    with pytest.raises(ModelError, match=r"music\.parquet"):
        ParquetSnapshots().read(asked)
    path.write_bytes(b"not parquet at all")
    with pytest.raises(ModelError, match=r"music\.parquet"):
        ParquetSnapshots().read(asked)
    pq.write_table(pa.table({"id": ["a"]}), path)
    with pytest.raises(ModelError, match="not written by this version"):
        ParquetSnapshots().read(asked)


def test_vectors_of_uneven_length_are_refused(path: Path) -> None:
    snapshot = write_snapshot(make_music(2), path)
    table = pq.read_table(path)
    uneven = pa.array([[1.0] * 5, [1.0] * 7], type=table.schema.field("features").type)
    where = table.column_names.index("features")
    pq.write_table(table.set_column(where, table.schema.field("features"), uneven), path)
    with pytest.raises(ModelError, match="6 finite numbers each"):
        ParquetSnapshots().read(snapshot)
