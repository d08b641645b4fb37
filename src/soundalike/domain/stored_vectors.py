"""Vectors as a store has them, also of feature sets that this program does not know."""

from dataclasses import dataclass

from soundalike.domain.features import FeatureArray, FeatureVectors, Patch, require_patches
from soundalike.domain.types import TrackId


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredVectors:
    """The vectors of one track in one feature set.

    Parameters
    ----------
    track_id : TrackId
        Whose they are.
    feature_set : str
        Name of the set.
    version : int
        Of the set.
    fingerprint : str
        Of the set's features (`FeatureSchema.fingerprint`).
    patches : tuple of Patch
        What the rows describe.
    values : FeatureArray, shape (len(patches), d)
        One row for each patch; read-only from now on.
    """

    track_id: TrackId
    feature_set: str
    version: int
    fingerprint: str
    patches: tuple[Patch, ...]
    values: FeatureArray

    def __post_init__(self) -> None:
        """Check the shape, and make the values read-only."""
        require_patches(self.patches, self.values)
        self.values.setflags(write=False)

    @classmethod
    def of(cls, track_id: TrackId, vectors: FeatureVectors) -> "StoredVectors":
        """Return the vectors of a track in a set that this program knows."""
        schema = vectors.schema
        return cls(
            track_id=track_id,
            feature_set=schema.name,
            version=schema.version,
            fingerprint=schema.fingerprint,
            patches=vectors.patches,
            values=vectors.values,
        )

    @property
    def key(self) -> str:
        """Name and version of the set in one word, as `FeatureSchema.key`."""
        return f"{self.feature_set}-v{self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSet:
    """What a store has of one feature set.

    Parameters
    ----------
    key : str
        Name and version, as `FeatureSchema.key`.
    track_count : int
        How many tracks have vectors of it, vanished ones too.
    size_bytes : int
        Size of all its values.
    """

    key: str
    track_count: int
    size_bytes: int
