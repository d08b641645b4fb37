"""Where tracks are in a similarity space."""

from dataclasses import dataclass

import numpy as np

from soundalike.domain.errors import NotAnalysedError
from soundalike.domain.ports.library import LibraryStore
from soundalike.domain.similarity.space import Artefact
from soundalike.domain.types import FloatArray, TrackId
from soundalike.services.library.browse import Library


@dataclass(frozen=True, slots=True)
class Place:
    """Where a track is in the space of an artefact.

    Parameters
    ----------
    coordinates : FloatArray, shape (m,)
        In the space.
    features : FloatArray or None, shape (c,)
        Scaled features, as a row of `GroupVectors`; None if the artefact has none.
    """

    coordinates: FloatArray
    features: FloatArray | None


def place_in(artefact: Artefact, track_id: TrackId) -> Place | None:
    """Return the place that an artefact has for a track; None if it does not contain the track.

    Parameters
    ----------
    artefact : Artefact
        Of a library.
    track_id : TrackId
        Any id.
    """
    row = artefact.rows.get(track_id)
    if row is None:
        return None
    return Place(artefact.coordinates[row], None if artefact.groups is None else artefact.groups.values[row])


def place_by_vector(store: LibraryStore, library: Library, track_id: TrackId, artefact: Artefact) -> Place:
    """Return the place of a track by its stored vector, also where an artefact does not contain it.

    Parameters
    ----------
    store : LibraryStore
        Has the vector.
    library : Library
        Has the track.
    track_id : TrackId
        Of the track.
    artefact : Artefact
        Has the space.

    Raises
    ------
    UnknownTrackError
        If there is no such track.
    NotAnalysedError
        If the track lacks a feature set of the artefact.
    """
    vectors = store.vectors_in(track_id, artefact.schemas)
    if vectors is None:
        known = library.track(track_id)
        msg = f"track {known.id!r} has not been analysed; run 'soundalike extract' on its folder"
        raise NotAnalysedError(msg)
    raw = np.concatenate([each.summary for each in vectors])[np.newaxis]
    groups = None
    if artefact.groups is not None:
        groups = artefact.space.group_vectors(artefact.schemas, raw).values[0]
    return Place(artefact.space.transform(raw)[0], groups)
