"""A listener's taste as weighted tracks of a library index."""

from collections.abc import Iterable
from dataclasses import dataclass
from heapq import nlargest

import numpy as np

from soundalike.domain.recommendation.library_index import LibraryIndex
from soundalike.domain.taste import Taste
from soundalike.domain.types import FloatArray, IndexArray, TrackId

MAX_TRACKS_WEIGHED = 1_000
"""Of more positive, or negative, tracks than this those with the greatest weights are used."""

_LEAST_WEIGHT = 1e-3


@dataclass(frozen=True, slots=True)
class WeightedTracks:
    """Tracks and how much each counts.

    Parameters
    ----------
    track_ids : tuple of TrackId
        Sorted.
    rows : IndexArray, shape (k,)
        In the index.
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
        return [self.track_ids[number] for number in order]


@dataclass(frozen=True, slots=True)
class TasteProfile:
    """What a ranking uses of a listener's taste.

    Parameters
    ----------
    positive, negative : WeightedTracks
        Tracks the listener wants more, or less, of; only those that are in the artefact.
    disliked : tuple of TrackId
        Latest first; also those that are not in the artefact.
    played : tuple of TrackId
        Latest first.
    """

    positive: WeightedTracks
    negative: WeightedTracks
    disliked: tuple[TrackId, ...]
    played: tuple[TrackId, ...]


def profile_taste(taste: Taste, index: LibraryIndex) -> TasteProfile:
    """Weigh the tracks of a taste, faded to its own newest listen.

    The square root of each weight is used: ten plays of one track say less than plays of ten tracks.

    Parameters
    ----------
    taste : Taste
        Of the listener.
    index : LibraryIndex
        Of the library.
    """
    now_ms = taste.newest_ms or 0
    positive: list[tuple[float, TrackId]] = []
    negative: list[tuple[float, TrackId]] = []
    for track_id, known in taste.tracks.items():
        if track_id not in index.rows:
            continue
        weight = known.weight(now_ms)
        if weight > _LEAST_WEIGHT:
            positive.append((weight, track_id))
        elif weight < -_LEAST_WEIGHT:
            negative.append((-weight, track_id))
    disliked = [
        (-known.disliked_ms, track_id)
        for track_id, known in taste.tracks.items()
        if known.disliked_ms is not None
    ]
    played = [
        (-known.played_ms, track_id)
        for track_id, known in taste.tracks.items()
        if known.played_ms is not None
    ]
    return TasteProfile(
        positive=_weighted_tracks(positive, index),
        negative=_weighted_tracks(negative, index),
        disliked=tuple(track_id for _, track_id in sorted(disliked)),
        played=tuple(track_id for _, track_id in sorted(played)),
    )


def _weighted_tracks(weighed: Iterable[tuple[float, TrackId]], index: LibraryIndex) -> WeightedTracks:
    heaviest = sorted((track_id, weight) for weight, track_id in nlargest(MAX_TRACKS_WEIGHED, weighed))
    return WeightedTracks(
        tuple(track_id for track_id, _ in heaviest),
        np.array([index.rows[track_id] for track_id, _ in heaviest], dtype=np.int32),
        np.sqrt(np.array([weight for _, weight in heaviest], dtype=np.float32)),
    )
