"""Adding tracks to an artefact without fitting a space again."""

from collections.abc import Sequence

import numpy as np

from soundalike.domain.similarity.distances import row_distances
from soundalike.domain.similarity.exact import Indices, exact_neighbours
from soundalike.domain.similarity.groups import GroupVectors
from soundalike.domain.similarity.space import Artefact, ArtefactDraft, Neighbours
from soundalike.domain.types import FloatArray, IndexArray, TrackId

# A block of distances has at most this many float64 numbers (32 MB).
_BLOCK_ENTRIES = 1 << 22
# More than float64 loses in |a|² + |b|² - 2ab, and float32 in a distance.
_ROUNDING = 1e-12
_REACH_ROUNDING = 1e-6
_SAME_POINT = 1e-4


def extend(artefact: Artefact, track_ids: Sequence[TrackId], vectors: FloatArray) -> ArtefactDraft:
    """Add tracks in the existing space, and offer them to the others as neighbours.

    Every row comes out as if all neighbours had been found from scratch, without Java and in time
    proportional to the new tracks. (What LSH missed in old rows stays missing.)

    Parameters
    ----------
    artefact : Artefact
        Of n tracks.
    track_ids : sequence of TrackId
        Of p tracks that the artefact does not have.
    vectors : FloatArray, shape (p, d)
        Theirs, of the artefact's feature sets side by side.

    Returns
    -------
    ArtefactDraft
        The n old rows in their order, then the new ones.
    """
    old, k = artefact.neighbours.rows.shape
    added = artefact.space.transform(vectors)
    coordinates = np.concatenate([artefact.coordinates, added])
    of_old = _offer(artefact.neighbours, artefact.coordinates, added)
    of_new = exact_neighbours(coordinates, k, queries=np.arange(old, len(coordinates)))
    return ArtefactDraft(
        schemas=artefact.schemas,
        recipe=artefact.recipe,
        space=artefact.space,
        track_ids=(*artefact.track_ids, *track_ids),
        coordinates=coordinates,
        neighbours=Neighbours(
            np.concatenate([of_old.rows, of_new.rows]),
            np.concatenate([of_old.distances, of_new.distances]),
        ),
        facts={**artefact.facts, "placed": str(artefact.added_count + len(track_ids))},
        groups=_extended_groups(artefact, vectors),
    )


def changed_tracks(artefact: Artefact, track_ids: Sequence[TrackId], vectors: FloatArray) -> list[TrackId]:
    """Return the tracks of an artefact whose vectors no longer give the coordinates that it has.

    Parameters
    ----------
    artefact : Artefact
        Of n tracks.
    track_ids : sequence of TrackId
        p tracks that it has.
    vectors : FloatArray, shape (p, d)
        What they are now.
    """
    now = artefact.space.transform(vectors)
    was = artefact.coordinates[[artefact.rows[track_id] for track_id in track_ids]]
    has_moved = np.abs(now - was).max(axis=1, initial=0) > _SAME_POINT
    return [track_id for track_id, moved in zip(track_ids, has_moved, strict=True) if moved]


def _extended_groups(artefact: Artefact, vectors: FloatArray) -> GroupVectors | None:
    """Add new rows to the scaled features of an artefact, if it has any."""
    if artefact.groups is None:
        return None
    added = artefact.space.group_vectors(artefact.schemas, vectors)
    return GroupVectors(added.groups, np.concatenate([artefact.groups.values, added.values]))


def _offer(neighbours: Neighbours, coordinates: FloatArray, added: FloatArray) -> Neighbours:
    """Let new tracks, as the next rows, become neighbours of the old ones where they are nearer."""
    rows, distances = neighbours.rows.copy(), neighbours.distances.copy()
    size = max(1, _BLOCK_ENTRIES // max(1, len(added)))
    for begin in range(0, len(rows), size):
        block = slice(begin, begin + size)
        row, new = _within(coordinates[block], added, distances[block, -1])
        reach = row_distances(added[new], coordinates[block][row])
        _merge(rows[block], distances[block], (row, new + len(coordinates), reach))
    return Neighbours(rows, distances)


def _within(points: FloatArray, others: FloatArray, reach: FloatArray) -> tuple[Indices, Indices]:
    """Return the pairs (row, row) that may be nearer than each point's reach, and few others."""
    left, right = points.astype(np.float64), others.astype(np.float64)
    squares = (left**2).sum(axis=1)[:, None] + (right**2).sum(axis=1)
    away = squares - 2 * left @ right.T
    away -= _ROUNDING * squares
    row, other = np.nonzero(away <= (reach.astype(np.float64) ** 2 * (1 + _REACH_ROUNDING))[:, None])
    return row, other


def _merge(rows: IndexArray, distances: FloatArray, offers: tuple[Indices, Indices, FloatArray]) -> None:
    """Keep the nearest of the neighbours that rows have and are offered: (row, new neighbour, distance)."""
    k = rows.shape[1]
    changed, offered_to = np.unique(offers[0], return_inverse=True)
    owner = np.concatenate([np.repeat(np.arange(len(changed)), k), offered_to])
    number = np.concatenate([rows[changed].ravel(), offers[1]])
    reach = np.concatenate([distances[changed].ravel(), offers[2]])
    order = np.lexsort((number, reach, owner))
    starts = np.searchsorted(owner[order], np.arange(len(changed)))
    chosen = order[starts[:, None] + np.arange(k)]
    rows[changed], distances[changed] = number[chosen], reach[chosen]
