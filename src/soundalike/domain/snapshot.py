"""A library as arrays, and its snapshot in Parquet: what training reads."""

from dataclasses import dataclass

from soundalike.domain.features import FeatureSchema
from soundalike.domain.types import FloatArray, TrackId


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryTable:
    """Vectors and labels of every analysed track that has not vanished, ordered by id.

    Parameters
    ----------
    schema : FeatureSchema
        Of all vectors.
    track_ids : tuple of TrackId
        Of n tracks.
    whole, first_half, second_half : FloatArray, shape (n, len(schema))
        Read-only.
    genres, artists : tuple of (str or None)
        Labels, for measuring only; the similarity space never sees an artist.
    """

    schema: FeatureSchema
    track_ids: tuple[TrackId, ...]
    whole: FloatArray
    first_half: FloatArray
    second_half: FloatArray
    genres: tuple[str | None, ...]
    artists: tuple[str | None, ...]

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        for array in (self.whole, self.first_half, self.second_half):
            array.setflags(write=False)

    def __len__(self) -> int:
        """Count the tracks."""
        return len(self.track_ids)


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotRow:
    """One line of the Parquet snapshot: a track and its vectors.

    ``path`` is for people and pandas; bytes that are not UTF-8 are replaced.
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
    whole: FloatArray
    first_half: FloatArray
    second_half: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A Parquet file of tracks and vectors that engines read.

    Parameters
    ----------
    url : str
        A path, or another URL that the engine can read.
    schema : FeatureSchema
        Of its vectors.
    track_count : int
        Number of rows.
    """

    url: str
    schema: FeatureSchema
    track_count: int
