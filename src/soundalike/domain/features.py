"""Feature sets, and the vectors of a track's patches in one of them."""

import hashlib
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from soundalike.domain.errors import SchemaMismatchError
from soundalike.domain.types import AudioHash, FloatArray, TrackId

FeatureArray = npt.NDArray[np.float16 | np.float32]
"""Values as a feature set has them: float16 or float32."""

_DTYPES = ("float16", "float32")
_STORABLE = tuple(map(np.dtype, _DTYPES))


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
    dtype : str
        Of its values: ``"float16"`` or ``"float32"``.
    """

    name: str
    version: int
    features: tuple[str, ...]
    groups: tuple[str, ...]
    dtype: str = "float32"

    def __post_init__(self) -> None:
        """Check that names are unique, each has a group, and values can be stored."""
        if self.dtype not in _DTYPES:
            msg = f"feature set {self.name!r}: values are {' or '.join(_DTYPES)}, not {self.dtype}"
            raise ValueError(msg)
        if len(self.features) != len(self.groups) or len(set(self.features)) != len(self.features):
            msg = f"feature set {self.name!r}: every feature needs one group and a unique name"
            raise ValueError(msg)

    @property
    def key(self) -> str:
        """Name and version in one word, such as ``"timbre-v1"``."""
        return f"{self.name}-v{self.version}"

    @property
    def fingerprint(self) -> str:
        """Hex digest over name, version, features, groups, and dtype if it is not float32."""
        dtype = () if self.dtype == "float32" else (self.dtype,)
        text = "\n".join((self.key, *self.features, *self.groups, *dtype))
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
            If name, version, features, groups or dtype differ.
        """
        if self.fingerprint != other.fingerprint:
            msg = (
                f"{whose} has feature set {other.key} ({len(other)} features), "
                f"not {self.key} ({len(self)}); run 'soundalike build' to learn again"
            )
            raise SchemaMismatchError(msg)


class PatchRole(StrEnum):
    """What a patch is for; the values are stored."""

    WHOLE = "whole"
    """All that was analysed; at most one of a track."""

    HALF = "half"
    """One of the two halves of the whole."""

    PART = "part"
    """One of several parts, which need not cover all nor be disjoint."""


@dataclass(frozen=True, slots=True)
class Patch:
    """A stretch of a track that one vector describes.

    Parameters
    ----------
    role : PatchRole
        What it is for.
    start_ms, length_ms : int
        Where it is, from the beginning of the track.
    """

    role: PatchRole
    start_ms: int
    length_ms: int

    def __post_init__(self) -> None:
        """Check that it is inside a track."""
        if self.start_ms < 0 or self.length_ms < 0:
            msg = f"a patch cannot start at {self.start_ms} ms and be {self.length_ms} ms long"
            raise ValueError(msg)


def whole_and_halves(start_ms: int, length_ms: int) -> tuple[Patch, Patch, Patch]:
    """Return the patches of an excerpt: the whole of it, and each of its halves.

    Parameters
    ----------
    start_ms, length_ms : int
        The excerpt's, from the beginning of the track.
    """
    half_ms = length_ms // 2
    return (
        Patch(PatchRole.WHOLE, start_ms, length_ms),
        Patch(PatchRole.HALF, start_ms, half_ms),
        Patch(PatchRole.HALF, start_ms + half_ms, length_ms - half_ms),
    )


def require_patches(patches: tuple[Patch, ...], values: FeatureArray) -> None:
    """Raise `ValueError` unless there is one row of values for each patch, and one whole at most.

    Parameters
    ----------
    patches : tuple of Patch
        Of one track; at least one.
    values : FeatureArray, shape (len(patches), d)
        Their vectors.
    """
    if values.ndim != 2 or len(values) != len(patches) or not patches:  # noqa: PLR2004 - rows and columns
        msg = f"{len(patches)} patches need as many rows of values, at least one, not {values.shape}"
        raise ValueError(msg)
    if values.dtype not in _STORABLE:
        msg = f"values of patches are {' or '.join(_DTYPES)}, not {values.dtype.name}"
        raise ValueError(msg)
    if sum(patch.role is PatchRole.WHOLE for patch in patches) > 1:
        msg = "a track has one whole at most in a feature set"
        raise ValueError(msg)


@dataclass(frozen=True, slots=True)
class FeatureVectors:
    """One track's vectors in a feature set, one for each of its patches.

    Parameters
    ----------
    schema : FeatureSchema
        What the columns mean.
    patches : tuple of Patch
        What the rows describe: n patches, one whole at most.
    values : FeatureArray, shape (n, len(schema))
        Of the set's dtype; read-only from now on.
    """

    schema: FeatureSchema
    patches: tuple[Patch, ...]
    values: FeatureArray

    def __post_init__(self) -> None:
        """Check shape and dtype, and make the values read-only."""
        shape, dtype = (len(self.patches), len(self.schema)), self.schema.dtype
        if self.values.shape != shape or self.values.dtype != dtype:
            found = f"{self.values.dtype.name} of {self.values.shape}"
            msg = f"{len(self.patches)} patches of {self.schema.key} are {dtype} of {shape}, not {found}"
            raise ValueError(msg)
        require_patches(self.patches, self.values)
        self.values.setflags(write=False)

    @property
    def summary(self) -> FloatArray:
        """One vector for the track, shape (d,): the whole's, else the mean of its parts; read-only."""
        whole = self._rows(PatchRole.WHOLE)
        # The sum of many numbers of float16 would overflow, and lose digits.
        summary: FloatArray = (
            whole[0] if len(whole) else self.parts.mean(axis=0, dtype=np.float64).astype(np.float32)
        )
        summary.setflags(write=False)
        return summary

    @property
    def parts(self) -> FloatArray:
        """The vectors of the parts, else of the halves, shape (m, d): how the track differs within itself.

        The whole is never among them, so m may be 0. Read-only.
        """
        parts = self._rows(PatchRole.PART)
        return parts if len(parts) else self._rows(PatchRole.HALF)

    def _rows(self, role: PatchRole) -> FloatArray:
        rows = self.values[[patch.role is role for patch in self.patches]].astype(np.float32, copy=False)
        rows.setflags(write=False)
        return rows


@dataclass(frozen=True, slots=True)
class TrackVectors:
    """The vectors of one track, as the store returns them."""

    track_id: TrackId
    audio_hash: AudioHash | None
    vectors: FeatureVectors
