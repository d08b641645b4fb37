"""Adding, moving and dropping tracks in an artefact without fitting a space again."""

from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt

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


def revise(
    artefact: Artefact,
    track_ids: Sequence[TrackId],
    vectors: FloatArray,
    *,
    dropped: Collection[TrackId] = (),
) -> ArtefactDraft:
    """Add, move and drop tracks in the existing space, and find the neighbours that this changes.

    Every row comes out as if all neighbours had been found from scratch. Only rows that had a neighbour
    which is gone or moved are searched again; to the others the new places are offered. (What LSH missed in
    these stays missing.)

    Parameters
    ----------
    artefact : Artefact
        Of n tracks.
    track_ids : sequence of TrackId
        Of p tracks. Those that the artefact has get another place, others are added.
    vectors : FloatArray, shape (p, d)
        Theirs, of the artefact's feature sets side by side.
    dropped : collection of TrackId
        Tracks that the artefact has, to leave out.

    Returns
    -------
    ArtefactDraft
        The old rows in their order, then the new ones.
    """
    places = artefact.space.transform(vectors)
    is_new = np.array([track_id not in artefact.rows for track_id in track_ids], dtype=bool)
    moved = np.array([artefact.rows[each] for each in track_ids if each in artefact.rows], dtype=np.int64)
    is_kept = np.ones(len(artefact.track_ids), dtype=bool)
    is_kept[[artefact.rows[track_id] for track_id in dropped]] = False
    # The row that each old row becomes; the last is for the -1 of lists that are not full.
    number = np.append(np.where(is_kept, np.cumsum(is_kept) - 1, -1), -1)
    rows = np.empty(len(track_ids), dtype=np.int64)
    rows[~is_new] = number[moved]
    rows[is_new] = is_kept.sum() + np.arange(is_new.sum())

    def revised(values: FloatArray, added: FloatArray) -> FloatArray:
        found = np.concatenate([values[is_kept], added[is_new]])
        found[rows] = added
        return found

    coordinates = revised(artefact.coordinates, places)
    # A list that is not full has no stale track where it is not.
    is_stale = np.append(~is_kept, [False])
    is_stale[moved] = True
    is_searched = np.zeros(len(coordinates), dtype=bool)
    is_searched[: is_kept.sum()] = np.any(is_stale[artefact.neighbours.rows[is_kept]], axis=1)
    is_searched[rows] = True
    groups = artefact.groups
    if groups is not None:
        added = artefact.space.group_vectors(artefact.schemas, vectors).values
        groups = GroupVectors(groups.groups, revised(groups.values, added))
    new_ids = [track_id for track_id, new in zip(track_ids, is_new.tolist(), strict=True) if new]
    old_ids = [each for each, kept in zip(artefact.track_ids, is_kept.tolist(), strict=True) if kept]
    return ArtefactDraft(
        schemas=artefact.schemas,
        recipe=artefact.recipe,
        space=artefact.space,
        track_ids=(*old_ids, *new_ids),
        coordinates=coordinates,
        neighbours=_neighbours(
            Neighbours(
                number[artefact.neighbours.rows[is_kept]].astype(np.int32),
                artefact.neighbours.distances[is_kept],
            ),
            coordinates,
            rows,
            is_searched,
        ),
        facts={**artefact.facts, "placed": str(artefact.added_count + len(track_ids) + len(dropped))},
        groups=groups,
    )


def _neighbours(
    before: Neighbours, coordinates: FloatArray, placed: Indices, is_searched: npt.NDArray[np.bool_]
) -> Neighbours:
    """Find the neighbours of some rows, and offer rows with a new place to all others.

    Parameters
    ----------
    before : Neighbours
        Of the rows that there were before.
    coordinates : FloatArray, shape (n, m)
        Of all rows.
    placed : array of int
        The rows with a new place.
    is_searched : array of bool, shape (n,)
        Which rows are searched.
    """
    k = before.rows.shape[1]
    rows = np.empty((len(coordinates), k), dtype=np.int32)
    distances = np.empty((len(coordinates), k), dtype=np.float32)
    kept = np.flatnonzero(~is_searched)
    offered = _offer(
        Neighbours(before.rows[kept], before.distances[kept]),
        coordinates[kept],
        (placed, coordinates[placed]),
    )
    rows[kept], distances[kept] = offered.rows, offered.distances
    searched = np.flatnonzero(is_searched)
    found = exact_neighbours(coordinates, k, queries=searched)
    rows[searched], distances[searched] = found.rows, found.distances
    return Neighbours(rows, distances)


def has_moved(artefact: Artefact, track_ids: Sequence[TrackId], vectors: FloatArray) -> npt.NDArray[np.bool_]:
    """Return of which tracks the vectors no longer give the coordinates that an artefact has.

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
    return np.asarray(np.abs(now - was).max(axis=1, initial=0) > _SAME_POINT)


def _offer(neighbours: Neighbours, coordinates: FloatArray, added: tuple[Indices, FloatArray]) -> Neighbours:
    """Let some rows, given with their places, become neighbours of others where they are nearer."""
    rows, distances = neighbours.rows.copy(), neighbours.distances.copy()
    numbers, places = added
    size = max(1, _BLOCK_ENTRIES // max(1, len(numbers)))
    for begin in range(0, len(rows), size):
        block = slice(begin, begin + size)
        row, new = _within(coordinates[block], places, distances[block, -1])
        reach = row_distances(places[new], coordinates[block][row])
        _merge(rows[block], distances[block], (row, numbers[new], reach))
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
