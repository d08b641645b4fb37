"""Tracks as they are now, and their coordinates in a similarity space."""

from collections.abc import Collection

import numpy as np

from soundalike.domain.errors import NotAnalysedError
from soundalike.domain.ports.library import LibraryStore
from soundalike.domain.similarity.space import Artefact
from soundalike.domain.tracks import Track
from soundalike.domain.types import FloatArray, TrackId


def present_tracks(store: LibraryStore, track_ids: Collection[TrackId]) -> dict[TrackId, Track]:
    """Return those of the tracks that are in the library and have not vanished.

    Parameters
    ----------
    store : LibraryStore
        Has the tracks.
    track_ids : collection of TrackId
        Any number of ids.
    """
    found = store.tracks(track_ids)
    return {track_id: track for track_id, track in found.items() if not track.is_vanished}


def coordinates_of(store: LibraryStore, track: Track, artefact: Artefact) -> FloatArray:
    """Return a track's coordinates in the space of an artefact, which need not contain it, shape (m,).

    Parameters
    ----------
    store : LibraryStore
        Has the track's vectors.
    track : Track
        Any track of the library.
    artefact : Artefact
        Has the space.

    Raises
    ------
    NotAnalysedError
        If the track has no vector.
    """
    vectors = store.vectors_of(track.id, artefact.schema)
    if vectors is None:
        msg = f"track {track.id!r} has not been analysed; run 'soundalike extract' on its folder"
        raise NotAnalysedError(msg)
    coordinates: FloatArray = artefact.space.transform(vectors.summary[np.newaxis])[0]
    return coordinates
