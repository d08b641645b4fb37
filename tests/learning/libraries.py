"""Libraries of vectors, for tests of what learns from them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from making import make_schema
from soundalike.domain.snapshot import LibraryTable, Snapshot, SnapshotRow
from soundalike.domain.types import TrackId
from soundalike.learning.snapshots import ParquetSnapshots


def make_table(
    whole: npt.ArrayLike,
    *,
    halves: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
    genres: Sequence[str | None] | None = None,
    artists: Sequence[str | None] | None = None,
) -> LibraryTable:
    """Tracks ``t0000``, ``t0001``, ...; the halves are copies of the whole by default."""
    vectors = np.array(whole, dtype=np.float32)
    first, second = halves or (vectors, vectors)
    count = len(vectors)
    return LibraryTable(
        schema=make_schema(vectors.shape[1]),
        track_ids=tuple(TrackId(f"t{number:04}") for number in range(count)),
        whole=vectors,
        first_half=np.array(first, dtype=np.float32),
        second_half=np.array(second, dtype=np.float32),
        genres=tuple(genres or (None,) * count),
        artists=tuple(artists or (None,) * count),
    )


def make_music(count: int, *, width: int = 6, seed: int = 0) -> LibraryTable:
    """Correlated features of very different sizes, and halves that differ from the whole unevenly."""
    rng = np.random.default_rng(seed)
    sizes = np.logspace(-2, 3, width)
    middle = rng.normal(size=(count, 3)) @ rng.normal(size=(3, width)) + 0.3 * rng.normal(size=(count, width))
    stray = rng.normal(size=(count, width)) * np.linspace(0.5, 1.5, width)
    whole, first, second = ((middle + part) * sizes + 5 for part in (0 * stray, stray, -stray))
    return make_table(whole, halves=(first, second))


def make_rows(table: LibraryTable) -> list[SnapshotRow]:
    return [
        SnapshotRow(
            track_id=track_id,
            title=f"Title {track_id}",
            artist=artist,
            album=None,
            genre=genre,
            year=1999,
            duration_ms=30_000,
            root="music",
            path=f"{track_id}.mp3",
            whole=whole,
            first_half=first,
            second_half=second,
        )
        for track_id, artist, genre, whole, first, second in zip(
            table.track_ids,
            table.artists,
            table.genres,
            table.whole,
            table.first_half,
            table.second_half,
            strict=True,
        )
    ]


def write_snapshot(table: LibraryTable, path: Path) -> Snapshot:
    return ParquetSnapshots().write(table.schema, make_rows(table), str(path))


def labelled(count: int, genres: Sequence[str | None], artists: Sequence[str | None]) -> LibraryTable:
    """Random music with genres and artists in turn."""
    return make_table(
        np.random.default_rng(0).normal(size=(count, 3)),
        genres=(list(genres) * count)[:count],
        artists=(list(artists) * count)[:count],
    )
