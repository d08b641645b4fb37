"""Feature sets and vectors: ordered, named, grouped and versioned features."""

import hashlib
from dataclasses import dataclass

import numpy as np

from soundalike.domain.errors import SchemaMismatchError
from soundalike.domain.types import AudioHash, FloatArray, TrackId


@dataclass(frozen=True, slots=True)
class FeatureSchema:
    """Identity of a feature set; stored with every vector and artefact.

    Parameters
    ----------
    name : str
        Name of the set, such as ``"timbre"``.
    version : int
        Must be raised whenever the same signal would give other numbers.
    features : tuple of str
        Names in the order of the vector's entries, such as ``"mfcc_1_mean"``.
    groups : tuple of str
        Group of each feature (``"mfcc"``, ``"centroid"``, ...), one for each of `features`.
    """

    name: str
    version: int
    features: tuple[str, ...]
    groups: tuple[str, ...]

    def __post_init__(self) -> None:
        """Check that names are unique and each has a group."""
        if len(self.features) != len(self.groups) or len(set(self.features)) != len(self.features):
            msg = f"feature set {self.name!r}: every feature needs one group and a unique name"
            raise ValueError(msg)

    @property
    def key(self) -> str:
        """Name and version in one word, such as ``"timbre-v1"``."""
        return f"{self.name}-v{self.version}"

    @property
    def fingerprint(self) -> str:
        """Hex digest over name, version, features and groups."""
        text = "\n".join((self.key, *self.features, *self.groups))
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()

    def __len__(self) -> int:
        """Count the features."""
        return len(self.features)

    def require(self, other: "FeatureSchema", *, whose: str) -> None:
        """Raise unless `other` is the same feature set.

        Parameters
        ----------
        other : FeatureSchema
            What was found.
        whose : str
            What has it, such as ``"the artefact"``.

        Raises
        ------
        SchemaMismatchError
            If name, version, features or groups differ.
        """
        if self.fingerprint != other.fingerprint:
            msg = (
                f"{whose} has feature set {other.key} ({len(other)} features), "
                f"not {self.key} ({len(self)}); run 'soundalike build' to learn again"
            )
            raise SchemaMismatchError(msg)


@dataclass(frozen=True, slots=True)
class FeatureVectors:
    """One track's vectors: the whole excerpt, and each of its halves.

    Parameters
    ----------
    schema : FeatureSchema
        What the entries mean.
    whole, first_half, second_half : FloatArray, shape (len(schema),)
        Read-only float32.
    """

    schema: FeatureSchema
    whole: FloatArray
    first_half: FloatArray
    second_half: FloatArray

    def __post_init__(self) -> None:
        """Check shapes and make the arrays read-only."""
        for part in (self.whole, self.first_half, self.second_half):
            if part.shape != (len(self.schema),) or part.dtype != np.float32:
                expected = f"float32 of shape ({len(self.schema)},)"
                msg = f"a vector of {self.schema.key} is {expected}, not {part.dtype.name} of {part.shape}"
                raise ValueError(msg)
            part.setflags(write=False)


@dataclass(frozen=True, slots=True)
class TrackVectors:
    """The vectors of one track, as the store returns them."""

    track_id: TrackId
    audio_hash: AudioHash
    vectors: FeatureVectors
