"""Similarity spaces, neighbours and the artefact that contains both."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from soundalike.domain.features import FeatureSchema
from soundalike.domain.similarity.groups import GroupVectors
from soundalike.domain.tracks import Track
from soundalike.domain.types import ArtefactVersion, FloatArray, IndexArray, TrackId


class Scaling(StrEnum):
    """How each feature is brought to a common scale."""

    MIN_MAX = "min-max"
    STANDARD = "standard"


class Rotation(StrEnum):
    """How the scaled features are combined.

    ``WHITEN`` divides each principal axis by its standard deviation to the power of `strength`;
    ``WITHIN`` does so by the spread *between the two halves of the same track*, which is noise for
    similarity: label-free linear discriminant analysis with each track as its own class.
    """

    NONE = "none"
    WHITEN = "whiten"
    WITHIN = "within"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceRecipe:
    """How to fit a similarity space; what `tune` chooses and `build` follows.

    Parameters
    ----------
    scaling : Scaling
        Min-max over the library, or mean 0 and variance 1 (n - 1).
    clip : float or None
        Scaled values are limited to [-clip, clip]; None leaves them.
    rotation : Rotation
        How the scaled features are combined.
    strength : float
        0 leaves the axes as they are, 1 whitens fully.
    is_unit_length : bool
        Scale every vector to length 1, so that Euclidean distance orders like cosine.
    """

    scaling: Scaling = Scaling.STANDARD
    clip: float | None = None
    rotation: Rotation = Rotation.NONE
    strength: float = 0.0
    is_unit_length: bool = False

    @property
    def title(self) -> str:
        """Return a short name for tables, such as ``"standard, clip 3, within 0.5, cosine"``."""
        parts = [str(self.scaling)]
        if self.clip is not None:
            parts.append(f"clip {self.clip:g}")
        if self.rotation is not Rotation.NONE:
            parts.append(f"{self.rotation} {self.strength:g}")
        parts.append("cosine" if self.is_unit_length else "Euclid")
        return ", ".join(parts)


DEFAULT_RECIPE = SpaceRecipe(clip=3.0, rotation=Rotation.WITHIN, strength=0.5, is_unit_length=True)
"""Used if nothing has been tuned: what tuning chooses for most libraries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilaritySpace:
    """One affine map, ``x -> clip((x - mean) / scale) @ weights + offset``, and perhaps unit length.

    Parameters
    ----------
    mean, scale : FloatArray, shape (d,)
        A `scale` of 0 marks a constant feature, which maps to 0.
    clip : float or None
        Bound on the scaled values.
    weights : FloatArray, shape (d, m)
        Rotation and scaling.
    offset : FloatArray, shape (m,)
        Added last.
    is_unit_length : bool
        Whether the result is divided by its Euclidean length.
    """

    mean: FloatArray
    scale: FloatArray
    clip: float | None
    weights: FloatArray
    offset: FloatArray
    is_unit_length: bool

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        for array in (self.mean, self.scale, self.weights, self.offset):
            array.setflags(write=False)

    def transform(self, vectors: FloatArray) -> FloatArray:
        """Map vectors into the space.

        Parameters
        ----------
        vectors : FloatArray, shape (n, d)
            Raw features.

        Returns
        -------
        FloatArray, shape (n, m)
            Coordinates, read-only; distance between them is Euclidean.
        """
        turned = self.scale_features(vectors) @ self.weights.astype(np.float64) + self.offset
        if self.is_unit_length:
            lengths = np.linalg.norm(turned, axis=1, keepdims=True)
            turned = np.divide(turned, lengths, out=np.zeros_like(turned), where=lengths > 0)
        placed: FloatArray = turned.astype(np.float32)
        placed.setflags(write=False)
        return placed

    def scale_features(self, vectors: FloatArray) -> npt.NDArray[np.float64]:
        """Bring raw features, shape (n, d), to a common scale, as the first step of `transform`."""
        is_constant = self.scale == 0
        divisor = np.where(is_constant, np.float32(1), self.scale)
        # In float64, so that a track gets the same coordinates alone as among others.
        scaled = (np.asarray(vectors, dtype=np.float64) - self.mean) / divisor
        scaled[:, is_constant] = 0
        if self.clip is not None:
            np.clip(scaled, -self.clip, self.clip, out=scaled)
        return scaled


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Each track's nearest tracks, nearest first.

    Parameters
    ----------
    rows : IndexArray, shape (n, k)
        Row numbers; a row with fewer than k neighbours is padded with -1.
    distances : FloatArray, shape (n, k)
        Euclidean; infinite if the row number is -1.
    """

    rows: IndexArray
    distances: FloatArray

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        self.rows.setflags(write=False)
        self.distances.setflags(write=False)

    def closest_pairs(self) -> Iterator[tuple[int, int, float]]:
        """Yield (row, row, distance) of the tracks and their neighbours, closest first, each pair once."""
        seen: set[tuple[int, int]] = set()
        for flat in np.argsort(self.distances, axis=None, kind="stable"):
            row, column = divmod(int(flat), self.rows.shape[1])
            other = int(self.rows[row, column])
            pair = (min(row, other), max(row, other))
            if other < 0 or pair in seen:
                continue
            seen.add(pair)
            yield *pair, float(self.distances[row, column])


@dataclass(frozen=True, slots=True, kw_only=True)
class LshParameters:
    """Parameters of bucketed random projection LSH; `bucket_length` is in units of the space."""

    bucket_length: float
    tables: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtefactDraft:
    """What training gives to serving; arrays may be memory-mapped, and all are read-only.

    Parameters
    ----------
    schema : FeatureSchema
        Of the vectors it was fitted on.
    recipe : SpaceRecipe
        What `space` was fitted by.
    space : SimilaritySpace
        The fitted map.
    track_ids : tuple of TrackId
        One per row.
    coordinates : FloatArray, shape (n, m)
        Each track in the space.
    neighbours : Neighbours
        Of shape (n, k).
    facts : mapping of str to str
        What `doctor` shows: engine, method, how many tracks were added.
    groups : GroupVectors or None
        Scaled features by family, of n tracks: what reasons compare.
    """

    schema: FeatureSchema
    recipe: SpaceRecipe
    space: SimilaritySpace
    track_ids: tuple[TrackId, ...]
    coordinates: FloatArray
    neighbours: Neighbours
    facts: Mapping[str, str] = field(default_factory=dict)
    groups: GroupVectors | None = None

    @property
    def added_count(self) -> int:
        """How many of its tracks were added after the space was fitted."""
        text = self.facts.get("placed", "")
        return int(text) if text.isascii() and text.isdecimal() else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Artefact(ArtefactDraft):
    """A published draft.

    Parameters
    ----------
    version : ArtefactVersion
        The name of its folder.

    Attributes
    ----------
    rows : mapping of TrackId to int
        The row of each track.
    """

    version: ArtefactVersion
    rows: Mapping[TrackId, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Assign each track its row."""
        rows = {track_id: row for row, track_id in enumerate(self.track_ids)}
        object.__setattr__(self, "rows", rows)


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A track and how far it is from another, Euclidean in the similarity space."""

    track: Track
    distance: float


@dataclass(frozen=True, slots=True)
class Similar:
    """The tracks that sound like one track, nearest first."""

    track: Track
    artefact: ArtefactVersion
    neighbours: tuple[Neighbour, ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two tracks and their distance."""

    first: Track
    second: Track
    distance: float
