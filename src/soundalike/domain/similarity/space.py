"""Similarity spaces, neighbours and the artefact that contains both."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from soundalike.domain.features import FeatureSchema
from soundalike.domain.similarity.groups import GroupVectors, arrange_groups
from soundalike.domain.similarity.recipe import Recipe
from soundalike.domain.tracks import Track
from soundalike.domain.types import ArtefactVersion, FloatArray, IndexArray, TrackId

# How many rows are in float64 at a time.
_BLOCK_ROWS = 1 << 14


@dataclass(frozen=True, slots=True, kw_only=True)
class AffineMap:
    """A fitted ingredient: ``x -> clip((x - mean) / scale) @ weights + offset``, perhaps of unit length.

    Parameters
    ----------
    columns : array of int, shape (d,)
        Which features it reads, of those that stand side by side.
    mean, scale : FloatArray, shape (d,)
        A `scale` of 0 marks a constant feature, which maps to 0.
    clip : float or None
        Bound on the scaled values.
    weights : FloatArray, shape (d, m)
        Rotation and scaling.
    offset : FloatArray, shape (m,)
        Added.
    is_unit_length : bool
        Whether the result is divided by its Euclidean length.
    factor : float
        What the result is multiplied by: the weight of the ingredient.
    """

    columns: npt.NDArray[np.int64]
    mean: FloatArray
    scale: FloatArray
    clip: float | None
    weights: FloatArray
    offset: FloatArray
    is_unit_length: bool
    factor: float = 1.0

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        for array in (self.columns, self.mean, self.scale, self.weights, self.offset):
            array.setflags(write=False)

    @property
    def width(self) -> int:
        """How many coordinates it gives."""
        return int(self.weights.shape[1])

    def transform(self, vectors: FloatArray) -> npt.NDArray[np.float64]:
        """Map features side by side, shape (n, all), to points, shape (n, m)."""
        turned = self.scale_features(vectors) @ self.weights.astype(np.float64) + self.offset
        if self.is_unit_length:
            lengths = np.linalg.norm(turned, axis=1, keepdims=True)
            turned = np.divide(turned, lengths, out=np.zeros_like(turned), where=lengths > 0)
        return np.asarray(turned * self.factor)

    def scale_features(self, vectors: FloatArray) -> npt.NDArray[np.float64]:
        """Bring features side by side, shape (n, all), to a common scale, shape (n, d)."""
        is_constant = self.scale == 0
        divisor = np.where(is_constant, np.float32(1), self.scale)
        # In float64, so that a track gets the same coordinates alone as among others.
        scaled = (np.asarray(vectors[:, self.columns], dtype=np.float64) - self.mean) / divisor
        scaled[:, is_constant] = 0
        if self.clip is not None:
            np.clip(scaled, -self.clip, self.clip, out=scaled)
        return scaled


@dataclass(frozen=True, slots=True)
class SimilaritySpace:
    """Fitted ingredients, whose points stand side by side; distance between points is Euclidean.

    Parameters
    ----------
    maps : tuple of AffineMap
        One for each ingredient of the recipe.
    """

    maps: tuple[AffineMap, ...]

    @property
    def width(self) -> int:
        """How many coordinates a point has."""
        return sum(each.width for each in self.maps)

    def transform(self, vectors: FloatArray) -> FloatArray:
        """Map vectors into the space.

        Parameters
        ----------
        vectors : FloatArray, shape (n, d)
            Raw features of the recipe's feature sets, side by side.

        Returns
        -------
        FloatArray, shape (n, width)
            Coordinates, read-only.
        """
        placed = np.empty((len(vectors), self.width), dtype=np.float32)
        for rows in _blocks(len(vectors)):
            np.concatenate([each.transform(vectors[rows]) for each in self.maps], axis=1, out=placed[rows])
        placed.setflags(write=False)
        return placed

    def group_vectors(self, schemas: Sequence[FeatureSchema], vectors: FloatArray) -> GroupVectors:
        """Scale features as the space does, and put those of a family side by side.

        Parameters
        ----------
        schemas : sequence of FeatureSchema
            The recipe's feature sets, in its order.
        vectors : FloatArray, shape (n, d)
            Raw features, as for `transform`.
        """
        named = [(schema.name, group) for schema in schemas for group in schema.groups]
        groups, order = arrange_groups([named[column] for each in self.maps for column in each.columns])
        values = np.empty((len(vectors), len(order)), dtype=np.float32)
        for rows in _blocks(len(vectors)):
            scaled = np.concatenate([each.scale_features(vectors[rows]) for each in self.maps], axis=1)
            values[rows] = scaled[:, order]
        return GroupVectors(groups, values)


def _blocks(count: int) -> Iterator[slice]:
    for begin in range(0, count, _BLOCK_ROWS):
        yield slice(begin, begin + _BLOCK_ROWS)


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
    schemas : tuple of FeatureSchema
        The recipe's feature sets, whose vectors stand side by side.
    recipe : Recipe
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
    distance_spread : FloatArray or None, shape (n, 2)
        Mean and standard deviation of the distances from each track to others.
    library_change : str
        The last change of the library of which it may know (`LibrarySnapshots.latest_change`); empty if
        that is not known.
    """

    schemas: tuple[FeatureSchema, ...]
    recipe: Recipe
    space: SimilaritySpace
    track_ids: tuple[TrackId, ...]
    coordinates: FloatArray
    neighbours: Neighbours
    facts: Mapping[str, str] = field(default_factory=dict)
    groups: GroupVectors | None = None
    distance_spread: FloatArray | None = None
    library_change: str = ""

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
