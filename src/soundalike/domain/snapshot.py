"""A library as arrays, and its snapshot in Parquet: what training reads."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from soundalike.domain.features import FeatureSchema
from soundalike.domain.types import FloatArray, TrackId

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class TrackParts:
    """The parts of n tracks in one feature set, track after track.

    Parameters
    ----------
    values : FloatArray, shape (sum of counts, d)
        Read-only.
    counts : array of int, shape (n,)
        How many parts each track has; 0 is allowed.
    """

    values: FloatArray
    counts: Indices

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        self.values.setflags(write=False)
        self.counts.setflags(write=False)

    @property
    def starts(self) -> Indices:
        """The row of each track's first part."""
        return np.cumsum(self.counts) - self.counts

    def of(self, rows: Indices) -> "TrackParts":
        """Return the parts of some of the tracks."""
        counts = self.counts[rows]
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        return TrackParts(self.values[np.repeat(self.starts[rows], counts) + within], counts)

    def select(self, columns: Indices) -> "TrackParts":
        """Return some of the features."""
        return TrackParts(self.values[:, columns], self.counts)

    def with_count(self) -> Iterator[tuple[int, Indices]]:
        """Yield each number of parts above 1 that tracks have, and the rows of their first parts."""
        for count in np.unique(self.counts[self.counts > 1]):
            yield int(count), self.starts[self.counts == count]


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryTable:
    """Features and labels of the tracks that have every set of a recipe and have not vanished, by id.

    Parameters
    ----------
    schemas : tuple of FeatureSchema
        The feature sets.
    track_ids : tuple of TrackId
        Of n tracks.
    summaries : FloatArray, shape (n, d)
        One vector for each track and set, side by side; read-only.
    parts : tuple of TrackParts
        Of each set; empty if they were not read.
    genres, artists : tuple of (str or None)
        Labels, for measuring only; the similarity space never sees an artist.
    """

    schemas: tuple[FeatureSchema, ...]
    track_ids: tuple[TrackId, ...]
    summaries: FloatArray
    parts: tuple[TrackParts, ...] = ()
    genres: tuple[str | None, ...]
    artists: tuple[str | None, ...]

    def __post_init__(self) -> None:
        """Make the array read-only."""
        self.summaries.setflags(write=False)

    def __len__(self) -> int:
        """Count the tracks."""
        return len(self.track_ids)

    def of(self, rows: Indices) -> "LibraryTable":
        """Return some of the tracks, in another order perhaps."""
        return LibraryTable(
            schemas=self.schemas,
            track_ids=tuple(self.track_ids[row] for row in rows),
            summaries=self.summaries[rows],
            parts=tuple(each.of(rows) for each in self.parts),
            genres=tuple(self.genres[row] for row in rows),
            artists=tuple(self.artists[row] for row in rows),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotRow:
    """One line of the Parquet snapshot: a track and its vectors.

    ``path`` is for people and pandas; bytes that are not UTF-8 are replaced. ``summary`` has the sets side
    by side; ``parts`` has one array of shape (parts, d) for each set.
    """

    track_id: TrackId
    title: str
    artist: str | None
    album: str | None
    genre: str | None
    year: int | None
    duration_ms: int
    root: str
    path: str
    summary: FloatArray
    parts: tuple[FloatArray, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A Parquet file of tracks and vectors that engines read.

    Parameters
    ----------
    url : str
        A path, or another URL that the engine can read.
    schemas : tuple of FeatureSchema
        Of its vectors, side by side.
    track_count : int
        Number of rows.
    """

    url: str
    schemas: tuple[FeatureSchema, ...]
    track_count: int

    @property
    def width(self) -> int:
        """How many features stand side by side."""
        return sum(len(schema) for schema in self.schemas)
