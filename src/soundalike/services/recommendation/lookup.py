"""Where tracks are in a similarity space."""

from dataclasses import dataclass

import numpy as np

from soundalike.domain.errors import NotAnalysedError
from soundalike.domain.ports.library import LibraryStore
from soundalike.domain.similarity.space import Artefact
from soundalike.domain.tracks import Track
from soundalike.domain.types import FloatArray, TrackId


@dataclass(frozen=True, slots=True)
class TrackPoint:
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


def point_in(artefact: Artefact, track_id: TrackId) -> TrackPoint | None:
    """Return the point that an artefact has for a track; None if it does not contain the track.

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
    return TrackPoint(
        artefact.coordinates[row], None if artefact.groups is None else artefact.groups.values[row]
    )


def point_by_vectors(store: LibraryStore, track_id: TrackId, artefact: Artefact) -> TrackPoint | None:
    """Return the point of a track by its stored vectors; None if it lacks a feature set of the artefact.

    Parameters
    ----------
    store : LibraryStore
        Has the vectors.
    track_id : TrackId
        Any id; the artefact need not contain it.
    artefact : Artefact
        Has the space.
    """
    vectors = store.vectors_in(track_id, artefact.schemas)
    if vectors is None:
        return None
    raw = np.concatenate([each.summary for each in vectors])[np.newaxis]
    groups = None
    if artefact.groups is not None:
        groups = artefact.space.group_vectors(artefact.schemas, raw).values[0]
    return TrackPoint(artefact.space.transform(raw)[0], groups)


def not_analysed(track: Track, artefact: Artefact, *, is_silent: bool) -> NotAnalysedError:
    """Return the error that a track has no point.

    Parameters
    ----------
    track : Track
        Neither the artefact contains it, nor does it have all feature sets.
    artefact : Artefact
        Of these feature sets.
    is_silent : bool
        Whether its file has no sound.
    """
    if is_silent:
        msg = f"track {track.id!r} is silent, so nothing sounds like it"
        return NotAnalysedError(msg)
    sets = " and ".join(schema.key for schema in artefact.schemas)
    if not track.has_audio:
        msg = (
            f"track {track.id!r} has no audio here, and what was learned from {sets} does not hold it; "
            "if it has imported features, 'soundalike build' learns from them"
        )
        return NotAnalysedError(msg)
    msg = f"track {track.id!r} has not been analysed for {sets}; run 'soundalike extract' on its folder"
    return NotAnalysedError(msg)
