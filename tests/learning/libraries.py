"""Libraries of vectors, for tests of what learns from them."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from making import make_schema
from soundalike.domain.similarity.recipe import Fitting, Ingredient, Recipe, Rotation, Scaling
from soundalike.domain.snapshot import LibraryTable, Snapshot, SnapshotRow, TrackParts
from soundalike.domain.types import FloatArray, TrackId
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
    first, second = (np.array(half, dtype=np.float32) for half in halves or (vectors, vectors))
    count, width = vectors.shape
    parts = np.stack([first, second], axis=1).reshape(2 * count, width)
    return LibraryTable(
        schemas=(make_schema(width),),
        track_ids=tuple(TrackId(f"t{number:04}") for number in range(count)),
        summaries=vectors,
        parts=(TrackParts(parts, np.full(count, 2)),),
        genres=tuple(genres or (None,) * count),
        artists=tuple(artists or (None,) * count),
    )


def tiny(**fitting: Any) -> Recipe:
    """The recipe of `make_schema`'s feature set alone."""
    return Recipe((Ingredient(feature_set="tiny", fitting=Fitting(**fitting)),))


def halves_of(table: LibraryTable) -> tuple[FloatArray, FloatArray]:
    """The first and the second halves, of a table where each track has both."""
    values = table.parts[0].values
    return values[0::2], values[1::2]


def make_music(count: int, *, width: int = 6, seed: int = 0) -> LibraryTable:
    """Correlated features of very different sizes, and halves that differ from the whole unevenly."""
    rng = np.random.default_rng(seed)
    sizes = np.logspace(-2, 3, width)
    middle = rng.normal(size=(count, 3)) @ rng.normal(size=(3, width)) + 0.3 * rng.normal(size=(count, width))
    stray = rng.normal(size=(count, width)) * np.linspace(0.5, 1.5, width)
    whole, first, second = ((middle + part) * sizes + 5 for part in (0 * stray, stray, -stray))
    return make_table(whole, halves=(first, second))


def make_mixed(count: int, *, seed: int = 0) -> LibraryTable:
    """`make_music`, and beside it a set "other" of eight features in up to five parts."""
    music, rng = make_music(count, seed=seed), np.random.default_rng(seed + 1)
    counts = rng.integers(0, 6, size=count)
    middle = rng.normal(size=(count, 8)) * np.linspace(1, 5, 8)
    values = np.repeat(middle, counts, axis=0) + rng.normal(size=(counts.sum(), 8))
    return replace(
        music,
        schemas=(*music.schemas, make_schema(8, name="other")),
        summaries=np.concatenate([music.summaries, middle.astype(np.float32)], axis=1),
        parts=(*music.parts, TrackParts(values.astype(np.float32), counts)),
    )


MIXED = Recipe(
    (
        Ingredient(feature_set="tiny", groups=("even",), weight=2.0),
        Ingredient(feature_set="other", weight=0.25, fitting=Fitting(rotation=Rotation.WITHIN, strength=1.0)),
        Ingredient(feature_set="tiny", groups=("odd",), fitting=Fitting(scaling=Scaling.MIN_MAX)),
    )
)
"""Of what `make_mixed` has."""


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
            summary=table.summaries[row],
            parts=tuple(each.of(np.array([row])).values for each in table.parts),
        )
        for row, (track_id, artist, genre) in enumerate(
            zip(table.track_ids, table.artists, table.genres, strict=True)
        )
    ]


def write_snapshot(table: LibraryTable, path: Path) -> Snapshot:
    return ParquetSnapshots().write(table.schemas, make_rows(table), str(path))


def labelled(count: int, genres: Sequence[str | None], artists: Sequence[str | None]) -> LibraryTable:
    """Random music with genres and artists in turn."""
    return make_table(
        np.random.default_rng(0).normal(size=(count, 3)),
        genres=(list(genres) * count)[:count],
        artists=(list(artists) * count)[:count],
    )
