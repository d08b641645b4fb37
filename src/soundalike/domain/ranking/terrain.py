"""What a similarity space looks like as a whole, surveyed once per artefact."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from soundalike.domain.ranking.medoids import choose_medoids, distances_between, sample_rows
from soundalike.domain.similarity import Artefact
from soundalike.domain.types import FloatArray, IndexArray, TrackId

HAIR = 0.15
"""Of what two random tracks are apart: within it lies the same recording, encoded anew.

Measured on 96 clips: FLAC, and MP3 at a high rate, lie within 0.06 of the original, Vorbis mostly within
0.17, and no two different clips within 0.29. Of GTZAN's 986 distinct clips 28 have another within 0.15,
and no more within 0.2: its known repeats.
"""

NEAR_SHARE = 0.1
"""Two tracks are near where at most this share of random pairs is as near."""

SMOOTHED_OVER = 5

_SAMPLE = 512
_LEAST_HAIR = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Terrain:
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
    near : float
        Up to which distance two tracks are called near.
    hair : float
        Up to which distance two tracks are the same recording.
    around : IndexArray, shape (n, 5 or fewer)
        Each row's nearest others, itself where there is none.
    hubness : FloatArray, shape (n,)
        How often a track is among the nearest of others, over the mean of that.
    medoids : IndexArray
        Rows that stand for the library, most first.
    middle : FloatArray, shape (m,)
        Mean of all coordinates.
    """

    artefact: Artefact
    rows: Mapping[TrackId, int]
    lifted: FloatArray
    spread: float
    near: float
    hair: float
    around: IndexArray
    hubness: FloatArray
    medoids: IndexArray
    middle: FloatArray

    @property
    def coordinates(self) -> FloatArray:
        """Each track in the space, shape (n, m)."""
        return self.artefact.coordinates

    def __len__(self) -> int:
        """Count the tracks."""
        return len(self.artefact.track_ids)

    def rows_of(self, track_ids: Iterable[TrackId]) -> IndexArray:
        """Return the rows of those of the tracks that are in the artefact."""
        return np.array([self.rows[one] for one in track_ids if one in self.rows], dtype=np.int32)


def survey(artefact: Artefact) -> Terrain:
    """Look an artefact over; some 0.5 s at 100,000 tracks."""
    coordinates = artefact.coordinates
    spread, near = _typical_distances(coordinates)
    rows = artefact.neighbours.rows
    return Terrain(
        artefact=artefact,
        rows={track_id: row for row, track_id in enumerate(artefact.track_ids)},
        lifted=_lift(coordinates),
        spread=spread or 1.0,
        near=near,
        hair=max(HAIR * spread, _LEAST_HAIR),
        around=_around(rows),
        hubness=_hubness(rows),
        medoids=choose_medoids(coordinates),
        middle=coordinates.mean(axis=0) if len(coordinates) else np.zeros(coordinates.shape[1], np.float32),
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
    pairs = distances_between(sample, sample)[np.triu_indices(len(sample), 1)]
    return float(np.median(pairs)), float(np.quantile(pairs, NEAR_SHARE))


def _around(neighbours: IndexArray) -> IndexArray:
    nearest = neighbours[:, :SMOOTHED_OVER]
    own = np.arange(len(nearest), dtype=np.int32)[:, None]
    return np.where(nearest >= 0, nearest, own)


def _hubness(neighbours: IndexArray) -> FloatArray:
    """Count how often each row is a neighbour of others, over the mean (1 where nobody has any)."""
    counts = np.bincount(neighbours[neighbours >= 0], minlength=len(neighbours)).astype(np.float32)
    mean = counts.mean() if len(counts) else 0.0
    return counts / mean if mean > 0 else np.ones(len(neighbours), dtype=np.float32)
