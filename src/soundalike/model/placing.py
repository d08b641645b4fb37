"""Adding a few tracks to an artefact without fitting anew."""

from collections.abc import Sequence

import numpy as np

from soundalike.domain.similarity import Artefact, ArtefactDraft, Neighbours
from soundalike.domain.types import FloatArray, TrackId
from soundalike.model.exact import distances_between, exact_neighbours


class ArtefactPlacer:
    """Places new tracks by exact distances."""

    def extend(self, artefact: Artefact, track_ids: Sequence[TrackId], vectors: FloatArray) -> ArtefactDraft:
        """Place new tracks in the existing space, and offer them to the others as neighbours.

        Every row comes out as if all neighbours had been found anew, without Java and in time
        proportional to the new tracks alone. (Rows that LSH found keep what it missed.)

        Parameters
        ----------
        track_ids : sequence of TrackId
            Of p tracks that the artefact does not hold.
        vectors : FloatArray, shape (p, d)
            Theirs, of the artefact's feature set.

        Returns
        -------
        ArtefactDraft
            The old rows in their order, then the new ones.
        """
        old, k = artefact.neighbours.rows.shape
        placed = artefact.space.place(vectors)
        coordinates = np.concatenate([artefact.coordinates, placed])
        of_old = _offer(artefact.neighbours, artefact.coordinates, placed)
        of_new = exact_neighbours(coordinates, k, queries=np.arange(old, len(coordinates)))
        placed_before = artefact.facts.get("placed", "0")
        return ArtefactDraft(
            schema=artefact.schema,
            recipe=artefact.recipe,
            space=artefact.space,
            track_ids=(*artefact.track_ids, *track_ids),
            coordinates=coordinates,
            neighbours=Neighbours(
                np.concatenate([of_old.rows, of_new.rows]),
                np.concatenate([of_old.distances, of_new.distances]),
            ),
            facts={**artefact.facts, "placed": str(_count(placed_before) + len(track_ids))},
        )


def _count(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() else 0


def _offer(neighbours: Neighbours, coordinates: FloatArray, placed: FloatArray) -> Neighbours:
    """Let each new track, as the next row, take its place among the neighbours of the old ones."""
    rows, distances = neighbours.rows.copy(), neighbours.distances.copy()
    for number, point in enumerate(placed, start=len(coordinates)):
        reach = distances_between(coordinates, point)
        # A tie goes to the lower row number, which the new one never is.
        (is_nearer,) = np.nonzero(reach < distances[:, -1])
        position = (distances[is_nearer] <= reach[is_nearer, None]).sum(axis=1)
        column = np.arange(rows.shape[1])
        for array, value in ((rows, np.int32(number)), (distances, reach[is_nearer, None])):
            shifted = np.roll(array[is_nearer], 1, axis=1)
            kept = np.where(column < position[:, None], array[is_nearer], shifted)
            array[is_nearer] = np.where(column == position[:, None], value, kept)
    return Neighbours(rows, distances)
