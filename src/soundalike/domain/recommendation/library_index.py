"""What ranking needs to know of a similarity space, computed once per artefact."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from soundalike.domain.recommendation.feature_similarity import FeatureSimilarity
from soundalike.domain.recommendation.medoids import choose_medoids, sample_rows
from soundalike.domain.similarity.candidates import CandidateIndex, ExactIndex
from soundalike.domain.similarity.distances import pairwise_distances
from soundalike.domain.similarity.space import Artefact
from soundalike.domain.types import FloatArray, IndexArray, TrackId

DUPLICATE_SHARE = 0.25
"""A track nearer than this share of the distance to the fifth neighbour is the same recording.

Measured on 96 clips (`bench/same_recording.py`): of clips encoded again as FLAC, MP3 at a high rate,
Vorbis of medium quality or Opus, in mono, half as loud or cut by a second, 94 to 100 % are within it;
no two different clips are nearer than 1.7 times that. Of GTZAN's 986 distinct rows 27 have another
within it, 30 within 1.4 times: its known repeats.
"""

NEAR_SHARE = 0.1
"""Two tracks are near if at most this share of random pairs is as near."""

DAMPING = 0.05
"""0 leaves hubs alone; at 1 a track that is a neighbour of twice as many counts half.

At 0.1 recommendations on GTZAN are worse by 0.01 (R-precision), at 0.25 by 0.04.
"""

NEIGHBOURHOOD = 5

_SAMPLE = 512
_LEAST_THRESHOLD = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryIndex:
    """An artefact and what ranking needs to know of it.

    Parameters
    ----------
    artefact : Artefact
        Of n tracks.
    lifted : FloatArray, shape (n, m + 2)
        Coordinates, their squared length and 1: with these, squared distances are one product.
    spread : float
        Median distance of two random tracks; 1 if all are at the same point.
    near_distance : float
        Tracks up to this distance are called near.
    duplicate_thresholds : FloatArray, shape (n,)
        Another track up to this distance is the same recording.
    nearest_rows : IndexArray, shape (n, 5 or fewer)
        Each track's nearest others, itself where there is none.
    damping : FloatArray, shape (n,)
        Factor on the closeness to each: 1, or less for hubs.
    medoids : IndexArray
        Rows that represent the library, the one that represents most first.
    mean : FloatArray, shape (m,)
        Of all coordinates.
    candidates : CandidateIndex
        Retrieves the tracks near some points.
    similarity : FeatureSimilarity or None
        Finds in which features tracks are similar; None if the artefact has no group vectors.
    """

    artefact: Artefact
    lifted: FloatArray
    spread: float
    near_distance: float
    duplicate_thresholds: FloatArray
    nearest_rows: IndexArray
    damping: FloatArray
    medoids: IndexArray
    mean: FloatArray
    candidates: CandidateIndex
    similarity: FeatureSimilarity | None

    @property
    def rows(self) -> Mapping[TrackId, int]:
        """The row of each track."""
        return self.artefact.rows

    @property
    def coordinates(self) -> FloatArray:
        """Each track in the space, shape (n, m)."""
        return self.lifted[:, :-2]

    def __len__(self) -> int:
        """Count the tracks."""
        return len(self.artefact.track_ids)

    def rows_of(self, track_ids: Iterable[TrackId]) -> IndexArray:
        """Return the rows of those of the tracks that are in the artefact."""
        return np.array([self.rows[one] for one in track_ids if one in self.rows], dtype=np.int32)


def index_library(artefact: Artefact) -> LibraryIndex:
    """Index an artefact; takes some 0.5 s for 100,000 tracks."""
    coordinates = artefact.coordinates
    spread, near_distance = _typical_distances(coordinates)
    neighbours = artefact.neighbours
    return LibraryIndex(
        artefact=artefact,
        lifted=_lift(coordinates),
        spread=spread or 1.0,
        near_distance=near_distance,
        duplicate_thresholds=_duplicate_thresholds(neighbours.distances),
        nearest_rows=_nearest_rows(neighbours.rows),
        damping=damp_hubs(count_hubness(neighbours.rows)),
        medoids=choose_medoids(coordinates),
        mean=coordinates.mean(axis=0) if len(coordinates) else np.zeros(coordinates.shape[1], np.float32),
        candidates=ExactIndex(coordinates),
        similarity=None if artefact.groups is None else FeatureSimilarity.fit(artefact.groups),
    )


def damp_hubs(hubness: FloatArray) -> FloatArray:
    """Return a factor on the closeness to each track: the more tracks have it as a neighbour, the less.

    Parameters
    ----------
    hubness : FloatArray, shape (n,)
        How often each is among the nearest of others, divided by the mean.
    """
    damped: FloatArray = np.maximum(hubness, 1) ** np.float32(-DAMPING)
    return damped


def count_hubness(neighbours: IndexArray) -> FloatArray:
    """Count how often each row is a neighbour of others, divided by the mean (1 if there are none).

    Parameters
    ----------
    neighbours : IndexArray, shape (n, k)
        -1 is none.
    """
    counts = np.bincount(neighbours[neighbours >= 0], minlength=len(neighbours)).astype(np.float32)
    mean = counts.mean() if len(counts) else 0.0
    return counts / mean if mean > 0 else np.ones(len(neighbours), dtype=np.float32)


def _lift(coordinates: FloatArray) -> FloatArray:
    lifted = np.empty((len(coordinates), coordinates.shape[1] + 2), dtype=np.float32)
    lifted[:, :-2] = coordinates
    np.einsum("ij,ij->i", coordinates, coordinates, out=lifted[:, -2])
    lifted[:, -1] = 1
    return lifted


def _typical_distances(coordinates: FloatArray) -> tuple[float, float]:
    """Return the median distance of two random tracks, and the one that `NEAR_SHARE` do not exceed."""
    sample = coordinates[sample_rows(len(coordinates), _SAMPLE)]
    if len(sample) < 2:  # noqa: PLR2004 - a distance takes two
        return 0.0, 0.0
    pairs = pairwise_distances(sample, sample)[np.triu_indices(len(sample), 1)]
    return float(np.median(pairs)), float(np.quantile(pairs, NEAR_SHARE))


def _nearest_rows(neighbours: IndexArray) -> IndexArray:
    nearest = neighbours[:, :NEIGHBOURHOOD]
    own = np.arange(len(nearest), dtype=np.int32)[:, None]
    return np.where(nearest >= 0, nearest, own)


def _duplicate_thresholds(distances: FloatArray) -> FloatArray:
    """Scale the thresholds by how near the neighbours are, since some parts of a library are dense.

    With fewer than eight neighbours, the median one is used instead of the fifth.
    """
    found = np.isfinite(distances).sum(axis=1)
    column = np.minimum(NEIGHBOURHOOD, (found + 2) // 2) - 1
    away = np.take_along_axis(distances, column[:, None], axis=1)[:, 0] if distances.shape[1] else column
    thresholds: FloatArray = np.where(found > 0, DUPLICATE_SHARE * away, 0).astype(np.float32)
    return np.maximum(thresholds, _LEAST_THRESHOLD)
