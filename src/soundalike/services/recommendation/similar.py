"""Similar tracks, a radio and the closest pairs, from the artefact in use."""

from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np

from soundalike.domain.errors import DamagedArtefactError, NoArtefactError
from soundalike.domain.ports.learning import ArtefactStore
from soundalike.domain.ports.library import LibraryStore
from soundalike.domain.recommendation.radio import RADIO_MEMORY, radio
from soundalike.domain.similarity.space import Artefact, Neighbour, Pair, Similar
from soundalike.domain.tracks import Track
from soundalike.domain.types import ArtefactVersion, FloatArray, TrackId
from soundalike.services.library.browse import DEFAULT_LIMIT, Library, check_limit
from soundalike.services.recommendation.lookup import coordinates_of, present_tracks

_BATCH = 200


class NeighbourFinder:
    """Finds the neighbours of a track; a new artefact is used from the next request on."""

    def __init__(self, store: LibraryStore, artefacts: ArtefactStore, library: Library) -> None:
        self._store = store
        self._artefacts = artefacts
        self._library = library

    def artefact_version(self) -> ArtefactVersion | None:
        """Return the version in use; None if none has been built, or none is intact."""
        try:
            return self._artefacts.current().version
        except (NoArtefactError, DamagedArtefactError):
            return None

    def similar(self, track_id: TrackId, *, limit: int = DEFAULT_LIMIT) -> Similar:
        """Return the tracks nearest to one, nearest first, vanished ones left out.

        Parameters
        ----------
        track_id : TrackId
            Any track of the library.
        limit : int
            1 to 100.

        Raises
        ------
        QueryError
            If `limit` is not 1 to 100.
        UnknownTrackError
            If no track has this id.
        NotAnalysedError
            If the track has no vector.
        NoArtefactError
            If nothing has been built.
        """
        check_limit(limit)
        track = self._library.track(track_id)
        artefact = self._artefacts.current()
        nearest = islice(self._nearest(track, artefact), limit)
        # LSH may have missed a near track, which then comes later.
        by_distance = tuple(sorted(nearest, key=lambda neighbour: neighbour.distance))
        return Similar(track, artefact.version, by_distance)

    def radio(self, seed: TrackId, *, recent: Sequence[TrackId] = (), limit: int = DEFAULT_LIMIT) -> Similar:
        """Return what a radio plays next.

        Parameters
        ----------
        seed : TrackId
            The track that the radio started from.
        recent : sequence of TrackId
            What it has played, the latest last; the latest 100 are not repeated.
        limit : int
            1 to 100.

        Raises
        ------
        QueryError, UnknownTrackError, NotAnalysedError, NoArtefactError
            As `similar`.
        """
        check_limit(limit)
        track = self._library.track(seed)
        artefact = self._artefacts.current()
        played = list(recent)[-RADIO_MEMORY:] or [seed]
        last = self._store.track(played[-1])
        order = radio(
            self._nearest(track, artefact),
            recent=frozenset(played),
            last_artist=last.artist if last else None,
        )
        return Similar(track, artefact.version, tuple(islice(order, limit)))

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
        artefact = self._artefacts.current()
        candidates = artefact.neighbours.closest_pairs()
        found: list[Pair] = []
        while len(found) < limit:
            batch = list(islice(candidates, _BATCH))
            if not batch:
                break
            ids = {artefact.track_ids[row] for first, second, _ in batch for row in (first, second)}
            tracks = present_tracks(self._store, ids)
            for first, second, distance in batch:
                one, other = (tracks.get(artefact.track_ids[row]) for row in (first, second))
                if one is not None and other is not None:
                    found.append(Pair(one, other, distance))
        return tuple(found[:limit])

    def _nearest(self, track: Track, artefact: Artefact) -> Iterator[Neighbour]:
        """Yield present tracks by distance: the artefact's own neighbours, then everything else."""
        point = coordinates_of(self._store, track, artefact)
        row = artefact.rows.get(track.id)
        seen: set[TrackId] = {track.id}
        # If the track's sound has changed since, the artefact's row is about another one.
        if row is not None and np.allclose(artefact.coordinates[row], point, atol=1e-4):
            rows, distances = artefact.neighbours.rows[row], artefact.neighbours.distances[row]
            is_found = rows >= 0
            for neighbour in self._with_tracks(artefact, rows[is_found], distances[is_found]):
                seen.add(neighbour.track.id)
                yield neighbour
            point = artefact.coordinates[row]
        # In float32, which is enough for the order of a whole library.
        away = np.linalg.norm(artefact.coordinates - point, axis=1)
        order = np.argsort(away, kind="stable")
        for neighbour in self._with_tracks(artefact, order, away[order]):
            if neighbour.track.id not in seen:
                yield neighbour

    def _with_tracks(
        self, artefact: Artefact, rows: Sequence[int] | np.ndarray, distances: FloatArray
    ) -> Iterator[Neighbour]:
        for start in range(0, len(rows), _BATCH):
            batch = [artefact.track_ids[row] for row in rows[start : start + _BATCH]]
            tracks = present_tracks(self._store, set(batch))
            for track_id, distance in zip(batch, distances[start : start + _BATCH], strict=True):
                if track_id in tracks:
                    yield Neighbour(tracks[track_id], float(distance))
