"""Similar tracks and the closest pairs, from the artefact in use."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice

import numpy as np

from soundalike.domain.errors import DamagedArtefactError, ModelError, NoArtefactError
from soundalike.domain.ports.learning import ArtefactStore
from soundalike.domain.ports.library import LibraryStore
from soundalike.domain.similarity.candidates import ExactIndex
from soundalike.domain.similarity.space import Artefact, Neighbour, Pair, Similar
from soundalike.domain.tracks import Track
from soundalike.domain.types import ArtefactVersion, FloatArray, TrackId
from soundalike.services.library.browse import DEFAULT_LIMIT, Library, check_limit
from soundalike.services.recommendation.lookup import not_analysed, point_by_vectors, point_in

_BATCH = 200
_RETRIEVED = 400


class NeighbourFinder:
    """Finds the neighbours of a track; a new artefact is used from the next request on.

    Parameters
    ----------
    store : LibraryStore
        Has tracks and vectors.
    artefacts : ArtefactStore
        Those of the library's audio.
    library : Library
        Has the tracks.
    others : sequence of ArtefactStore
        Those of imported features, for tracks that the first do not hold.
    """

    def __init__(
        self,
        store: LibraryStore,
        artefacts: ArtefactStore,
        library: Library,
        *,
        others: Sequence[ArtefactStore] = (),
    ) -> None:
        self._store = store
        self._artefacts = artefacts
        self._others = tuple(others)
        self._library = library

    def artefact_version(self) -> ArtefactVersion | None:
        """Return the version in use; None if none has been built, or none is intact."""
        try:
            return self._artefacts.current().version
        except (NoArtefactError, DamagedArtefactError):
            return None

    def similar(
        self, track_id: TrackId, *, limit: int = DEFAULT_LIMIT, hides_duplicates: bool = False
    ) -> Similar:
        """Return the tracks nearest to one, nearest first, vanished ones left out.

        Parameters
        ----------
        track_id : TrackId
            Any track of the library.
        limit : int
            1 to 100.
        hides_duplicates : bool
            Of each recording only the nearest track, and of the track's own none.

        Raises
        ------
        QueryError
            If `limit` is not 1 to 100.
        UnknownTrackError
            If no track has this id.
        NotAnalysedError
            If the artefact does not contain the track, and it lacks a feature set.
        NoArtefactError
            If nothing has been built.
        """
        check_limit(limit)
        track = self._library.track(track_id)
        artefact, point = self._point_of(track)
        found = self._nearest(track, artefact, point)
        nearest = islice(_distinct(found, track) if hides_duplicates else found, limit)
        # LSH may have missed a near track, which then comes later.
        by_distance = tuple(sorted(nearest, key=lambda neighbour: neighbour.distance))
        return Similar(track, artefact.version, by_distance)

    def pairs(self, *, limit: int = DEFAULT_LIMIT) -> tuple[Pair, ...]:
        """Return the closest pairs of the library, each once, vanished tracks left out.

        Raises
        ------
        QueryError
            If `limit` is not 1 to 100.
        NoArtefactError
            If nothing has been built.
        """
        check_limit(limit)
        artefact = self._current()[0]
        candidates = artefact.neighbours.closest_pairs()
        found: list[Pair] = []
        while len(found) < limit:
            batch = list(islice(candidates, _BATCH))
            if not batch:
                break
            ids = {artefact.track_ids[row] for first, second, _ in batch for row in (first, second)}
            tracks = self._present(ids)
            for first, second, distance in batch:
                one, other = (tracks.get(artefact.track_ids[row]) for row in (first, second))
                if one is not None and other is not None:
                    found.append(Pair(one, other, distance))
        return tuple(found[:limit])

    def _current(self) -> list[Artefact]:
        """Return the artefacts in use: that of the audio, if there is one, and those of imported features.

        Raises
        ------
        NoArtefactError
            If nothing has been built.
        DamagedArtefactError
            If none is intact.
        """
        found: list[Artefact] = []
        errors: list[ModelError] = []
        for each in (self._artefacts, *self._others):
            try:
                found.append(each.current())
            except (NoArtefactError, DamagedArtefactError) as error:
                errors.append(error)
        if not found:
            raise errors[0]
        return found

    def _point_of(self, track: Track) -> tuple[Artefact, FloatArray]:
        """Return the first artefact that can place a track, and where it is in its space."""
        artefacts = self._current()
        for artefact in artefacts:
            found = point_by_vectors(self._store, track.id, artefact) or point_in(artefact, track.id)
            if found is not None:
                return artefact, found.coordinates
        artefact = self._artefacts.current() if track.has_audio else artefacts[0]
        raise not_analysed(track, artefact, is_silent=self._library.is_silent(track))

    def _nearest(self, track: Track, artefact: Artefact, point: FloatArray) -> Iterator[Neighbour]:
        """Yield present tracks by distance: the artefact's own neighbours, then everything else."""
        row = artefact.rows.get(track.id)
        seen = {track.id}
        # If the track's sound has changed since, the artefact's row is about another one.
        if row is not None and np.allclose(artefact.coordinates[row], point, atol=1e-4):
            rows, distances = artefact.neighbours.rows[row], artefact.neighbours.distances[row]
            is_found = rows >= 0
            for neighbour in self._with_tracks(artefact, rows[is_found], distances[is_found]):
                seen.add(neighbour.track.id)
                yield neighbour
            point = artefact.coordinates[row]
        yield from self._beyond(point, artefact, seen)

    def _beyond(self, point: FloatArray, artefact: Artefact, seen: set[TrackId]) -> Iterator[Neighbour]:
        """Yield the present tracks near a point that have not been seen, of ever more that are retrieved."""
        count, index = len(artefact.track_ids), ExactIndex(artefact.coordinates)
        is_asked = np.zeros(count, dtype=bool)
        k = _RETRIEVED
        while not is_asked.all():
            rows = index.nearest(point[np.newaxis], k)
            rows = rows[~is_asked[rows]]
            is_asked[rows] = True
            # In float32, which is enough for the order of a whole library.
            away = np.linalg.norm(artefact.coordinates[rows] - point, axis=1)
            order = np.argsort(away, kind="stable")
            for neighbour in self._with_tracks(artefact, rows[order], away[order]):
                if neighbour.track.id not in seen:
                    yield neighbour
            k = min(k * 8, count)

    def _with_tracks(
        self, artefact: Artefact, rows: Sequence[int] | np.ndarray, distances: FloatArray
    ) -> Iterator[Neighbour]:
        for start in range(0, len(rows), _BATCH):
            batch = [artefact.track_ids[row] for row in rows[start : start + _BATCH]]
            tracks = self._present(set(batch))
            for track_id, distance in zip(batch, distances[start : start + _BATCH], strict=True):
                if track_id in tracks:
                    yield Neighbour(tracks[track_id], float(distance))

    def _present(self, track_ids: Collection[TrackId]) -> dict[TrackId, Track]:
        found = self._store.tracks(track_ids)
        return {track_id: track for track_id, track in found.items() if not track.is_vanished}


def _distinct(neighbours: Iterable[Neighbour], track: Track) -> Iterator[Neighbour]:
    """Yield of each recording the first, and none of the track's own."""
    seen = {track.entry.recording} - {None}
    for neighbour in neighbours:
        recording = neighbour.track.entry.recording
        if recording not in seen:
            yield neighbour
        if recording is not None:
            seen.add(recording)
