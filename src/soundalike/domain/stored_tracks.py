"""A track with all that a store has of it, on its way into another store."""

from dataclasses import dataclass

from soundalike.domain.features import FeatureVectors
from soundalike.domain.tracks import Track
from soundalike.domain.types import FloatArray


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
    whole, first_half, second_half : FloatArray
        One-dimensional float32, of one length, read-only.
    """

    feature_set: str
    version: int
    fingerprint: str
    whole: FloatArray
    first_half: FloatArray
    second_half: FloatArray

    @classmethod
    def of(cls, vectors: FeatureVectors) -> "StoredVectors":
        """Return the vectors of a set that this program knows."""
        schema = vectors.schema
        return cls(
            feature_set=schema.name,
            version=schema.version,
            fingerprint=schema.fingerprint,
            whole=vectors.whole,
            first_half=vectors.first_half,
            second_half=vectors.second_half,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTrack:
    """A track and all its vectors, by (`feature_set`, `version`)."""

    track: Track
    vectors: tuple[StoredVectors, ...]
