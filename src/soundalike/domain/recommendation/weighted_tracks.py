"""A listener's taste as it stands on the index."""

from collections.abc import Iterable
from dataclasses import dataclass
from heapq import nlargest

import numpy as np

from soundalike.domain.recommendation.library_index import LibraryIndex
from soundalike.domain.taste import Taste
from soundalike.domain.types import FloatArray, IndexArray, TrackId

MOST_READ = 1_000
"""Of more tracks than this that are wanted, or not wanted, those that weigh most are read."""

_LEAST_WEIGHT = 1e-3


@dataclass(frozen=True, slots=True)
class Lot:
    """Tracks and how much each counts.

    Parameters
    ----------
    track_ids : tuple of TrackId
        By id.
    rows : IndexArray, shape (k,)
        Where they are.
    weights : FloatArray, shape (k,)
        Above 0.
    """

    track_ids: tuple[TrackId, ...]
    rows: IndexArray
    weights: FloatArray

    def __len__(self) -> int:
        """Count the tracks."""
        return len(self.track_ids)

    def heaviest(self, count: int) -> list[TrackId]:
        """Return the tracks that count most."""
        order = np.argsort(-self.weights, kind="stable")[:count]
        return [self.track_ids[place] for place in order]


@dataclass(frozen=True, slots=True)
class Reading:
    """What of a taste bears on a ranking.

    Parameters
    ----------
    wanted, unwanted : Lot
        Tracks more of whose like is wanted, or less; those alone that are in the artefact.
    disliked : tuple of TrackId
        By id, also those that are not in the artefact.
    heard : tuple of TrackId
        Latest first.
    """

    wanted: Lot
    unwanted: Lot
    disliked: tuple[TrackId, ...]
    heard: tuple[TrackId, ...]


def read_taste(taste: Taste, index: LibraryIndex) -> Reading:
    """Read a taste, faded to its own newest listen.

    Weights count by their square root: ten plays of one track say less than plays of ten tracks.
    """
    now_ms = taste.newest_ms or 0
    wanted: list[tuple[float, TrackId]] = []
    unwanted: list[tuple[float, TrackId]] = []
    for track_id, known in taste.tracks.items():
        if track_id not in index.rows:
            continue
        weight = known.weight(now_ms)
        if weight > _LEAST_WEIGHT:
            wanted.append((weight, track_id))
        elif weight < -_LEAST_WEIGHT:
            unwanted.append((-weight, track_id))
    disliked = [track_id for track_id, known in taste.tracks.items() if known.disliked_ms is not None]
    heard = [
        (-known.heard_ms, track_id) for track_id, known in taste.tracks.items() if known.heard_ms is not None
    ]
    return Reading(
        wanted=_lot(wanted, index),
        unwanted=_lot(unwanted, index),
        disliked=tuple(sorted(disliked)),
        heard=tuple(track_id for _, track_id in sorted(heard)),
    )


def _lot(weighed: Iterable[tuple[float, TrackId]], index: LibraryIndex) -> Lot:
    kept = sorted((track_id, weight) for weight, track_id in nlargest(MOST_READ, weighed))
    return Lot(
        tuple(track_id for track_id, _ in kept),
        np.array([index.rows[track_id] for track_id, _ in kept], dtype=np.int32),
        np.sqrt(np.array([weight for _, weight in kept], dtype=np.float32)),
    )
