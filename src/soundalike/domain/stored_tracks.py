"""A track with all that a store has of it, on its way into another store."""

from dataclasses import dataclass

from soundalike.domain.features import FeatureArray, FeatureVectors, Patch, require_patches
from soundalike.domain.tracks import Track


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredVectors:
    """Vectors of one feature set as they are stored, also of a set that this program does not know.

    Parameters
    ----------
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
    def of(cls, vectors: FeatureVectors) -> "StoredVectors":
        """Return the vectors of a set that this program knows."""
        schema = vectors.schema
        return cls(
            feature_set=schema.name,
            version=schema.version,
            fingerprint=schema.fingerprint,
            patches=vectors.patches,
            values=vectors.values,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTrack:
    """A track and all its vectors, by (`feature_set`, `version`)."""

    track: Track
    vectors: tuple[StoredVectors, ...]
