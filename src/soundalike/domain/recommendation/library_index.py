"""What a similarity space looks like as a whole, indexed once per artefact."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from soundalike.domain.recommendation.medoids import choose_medoids, sample_rows
from soundalike.domain.similarity.distances import pairwise_distances
from soundalike.domain.similarity.space import Artefact
from soundalike.domain.types import FloatArray, IndexArray, TrackId

DUPLICATE_SHARE = 0.25
"""Of the distance to a track's fifth neighbour: nearer than that lies the same recording, encoded anew.

Measured on 96 clips (`bench/same_recording.py`): encoded anew as FLAC, MP3 at a high rate, Vorbis of medium
quality or Opus, in mono, half as loud or cut by a second, 94 to 100 of 100 lie within it; no two different
clips are nearer than 1.7 times that. Of GTZAN's 986 distinct rows 27 have another within it, 30 within 1.4
times: its known repeats.
"""

NEAR_SHARE = 0.1
"""Two tracks are near where at most this share of random pairs is as near."""

DAMPING = 0.05
"""0 leaves hubs alone; at 1 a track that is a neighbour of twice as many counts for half.

By 0.1 recommendations on GTZAN are worse by 0.01 (R-precision), by 0.25 by 0.04.
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
    rows : mapping of TrackId to int
        Where each track is.
    lifted : FloatArray, shape (n, m + 2)
        Coordinates, their squared length and 1: what makes squared distances one product.
    spread : float
        Median distance of two random tracks; 1 where all are at the same place.
    near_distance : float
        Up to which distance two tracks are called near.
    duplicate_thresholds : FloatArray, shape (n,)
        Up to which distance another track is the same recording.
    nearest_rows : IndexArray, shape (n, 5 or fewer)
        Each row's nearest others, itself where there is none.
    damping : FloatArray, shape (n,)
        What closeness to each counts: 1, or less for hubs.
    medoids : IndexArray
        Rows that stand for the library, most first.
    mean : FloatArray, shape (m,)
        Mean of all coordinates.
    """

    artefact: Artefact
    rows: Mapping[TrackId, int]
    lifted: FloatArray
    spread: float
    near_distance: float
    duplicate_thresholds: FloatArray
    nearest_rows: IndexArray
    damping: FloatArray
    medoids: IndexArray
    mean: FloatArray

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
    """Look an artefact over; some 0.5 s at 100,000 tracks."""
    coordinates = artefact.coordinates
    spread, near = _typical_distances(coordinates)
    rows = artefact.neighbours.rows
    return LibraryIndex(
        artefact=artefact,
        rows={track_id: row for row, track_id in enumerate(artefact.track_ids)},
        lifted=_lift(coordinates),
        spread=spread or 1.0,
        near_distance=near,
        duplicate_thresholds=_duplicate_thresholds(artefact.neighbours.distances),
        nearest_rows=_nearest_rows(rows),
        damping=damp_hubs(count_hubness(rows)),
        medoids=choose_medoids(coordinates),
        mean=coordinates.mean(axis=0) if len(coordinates) else np.zeros(coordinates.shape[1], np.float32),
    )


def _lift(coordinates: FloatArray) -> FloatArray:
    lifted = np.empty((len(coordinates), coordinates.shape[1] + 2), dtype=np.float32)
    lifted[:, :-2] = coordinates
    np.einsum("ij,ij->i", coordinates, coordinates, out=lifted[:, -2])
    lifted[:, -1] = 1
    return lifted


def _typical_distances(coordinates: FloatArray) -> tuple[float, float]:
    """Return the median distance of two random tracks, and what few are apart."""
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
    """Tell how near the same recording is, by how near others are: some parts of a library are dense.

    With fewer than eight neighbours, the one in their middle stands for the fifth.
    """
    found = np.isfinite(distances).sum(axis=1)
    place = np.minimum(NEIGHBOURHOOD, (found + 2) // 2) - 1
    away = np.take_along_axis(distances, place[:, None], axis=1)[:, 0] if distances.shape[1] else place
    duplicate_thresholds: FloatArray = np.where(found > 0, DUPLICATE_SHARE * away, 0).astype(np.float32)
    return np.maximum(duplicate_thresholds, _LEAST_THRESHOLD)


def damp_hubs(hubness: FloatArray) -> FloatArray:
    """Return what closeness to a track counts, the less the more tracks have it among their nearest.

    Parameters
    ----------
    hubness : FloatArray, shape (n,)
        How often each is among the nearest of others, over the mean of that.
    """
    damped: FloatArray = np.maximum(hubness, 1) ** np.float32(-DAMPING)
    return damped


def count_hubness(neighbours: IndexArray) -> FloatArray:
    """Count how often each row is a neighbour of others, over the mean (1 where nobody has any).

    Parameters
    ----------
    neighbours : IndexArray, shape (n, k)
        -1 is none.
    """
    counts = np.bincount(neighbours[neighbours >= 0], minlength=len(neighbours)).astype(np.float32)
    mean = counts.mean() if len(counts) else 0.0
    return counts / mean if mean > 0 else np.ones(len(neighbours), dtype=np.float32)
