"""Tracks as they are now, and where they lie in a similarity space."""

from collections.abc import Collection

import numpy as np

from soundalike.domain.errors import NotAnalysedError
from soundalike.domain.ports.library import LibraryStore
from soundalike.domain.similarity.space import Artefact
from soundalike.domain.tracks import Track
from soundalike.domain.types import FloatArray, TrackId


def present_tracks(store: LibraryStore, track_ids: Collection[TrackId]) -> dict[TrackId, Track]:
    """Return those of the tracks that are there."""
    found = store.tracks(track_ids)
    return {track_id: track for track_id, track in found.items() if not track.is_vanished}


def place_of(store: LibraryStore, track: Track, artefact: Artefact) -> FloatArray:
    """Return where a track's vector lies in the space of an artefact that need not hold it, shape (m,).

    Raises
    ------
    NotAnalysedError
        If the track has no vector.
    """
    vectors = store.vectors_of(track.id, artefact.schema)
    if vectors is None:
        msg = f"track {track.id!r} has not been analysed; run 'soundalike extract' on its folder"
        raise NotAnalysedError(msg)
    placed: FloatArray = artefact.space.transform(vectors.whole[np.newaxis])[0]
    return placed
