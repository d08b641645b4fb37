"""Rankings that depend on a profile, an artefact and a seed alone: computed once, used for many requests."""

import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

import numpy as np

from soundalike.domain.ports.learning import ArtefactStore
from soundalike.domain.ports.library import LibraryStore
from soundalike.domain.profiles import Profile
from soundalike.domain.recommendation.cold_start import cold_start_order
from soundalike.domain.recommendation.feature_similarity import FeatureSimilarity
from soundalike.domain.recommendation.library_index import LibraryIndex, index_library
from soundalike.domain.recommendation.medoids import sample_rows
from soundalike.domain.recommendation.rules import ARTIST_WINDOW, artist_caps, recently_played
from soundalike.domain.recommendation.scoring import Scoring, score_library
from soundalike.domain.recommendation.slate import RankedRows, Recordings, Role
from soundalike.domain.recommendation.weighted_tracks import TasteProfile, profile_taste
from soundalike.domain.taste import Taste
from soundalike.domain.tracks import Track
from soundalike.domain.types import FloatArray, ProfileVersion, TrackId
from soundalike.services.recommendation.lookup import coordinates_of

_MAX_RANKINGS = 256
_ARTISTS_OF, _NAMED_RECENT, _NAMED_DISLIKED = 30, 40, 60
_SIMILARITY_SAMPLE = 128

_Key = tuple[ProfileVersion, TrackId | None, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class RankingContext:
    """A library as ranked by one taste, perhaps from a seed, and what the rules need to know.

    Parameters
    ----------
    scoring : Scoring
        With its candidate lists computed.
    seed : Track or None
        The track to rank by, if any.
    recent : tuple of TrackId
        What must not be repeated, latest first.
    recordings : Recordings
        Of the latest plays and of disliked tracks; copied before use.
    caps : dict of str to int
        Artists that may have more places than others.
    recent_artists : tuple of str or None
        Of the latest plays, the latest last.
    """

    scoring: Scoring
    seed: Track | None
    recent: tuple[TrackId, ...]
    recordings: Recordings
    caps: dict[str, int]
    recent_artists: tuple[str | None, ...]

    @property
    def index(self) -> LibraryIndex:
        """The index of the library."""
        return self.scoring.index

    @property
    def taste_profile(self) -> TasteProfile:
        """The listener's taste."""
        return self.scoring.taste_profile

    def ranked_rows(self) -> Iterator[RankedRows]:
        """Yield the whole library as each taste ranks it."""
        if self.scoring.is_cold_start:
            yield RankedRows(Role.COLD_START, 1.0, cold_start_order(self.scoring))
            return
        role = Role.TASTE if self.seed is None else Role.SEED
        for taste, candidates in enumerate(self.scoring.candidate_lists):
            best = zip(candidates.rows.tolist(), candidates.scores.tolist(), strict=True)
            yield RankedRows(role, candidates.share, chain(best, self.scoring.beyond(taste)), taste)


class RankingCache:
    """Caches the latest rankings; safe for several threads at once.

    Parameters
    ----------
    store, artefacts
        The ports it uses.
    """

    def __init__(self, store: LibraryStore, artefacts: ArtefactStore) -> None:
        self._store = store
        self._artefacts = artefacts
        self._index_lock, self._lock = threading.Lock(), threading.Lock()
        self._index: LibraryIndex | None = None
        self._similarity: tuple[LibraryIndex, FeatureSimilarity] | None = None
        self._rankings: OrderedDict[_Key, RankingContext] = OrderedDict()

    def ranking_for(self, profile: Profile, seed: Track | None) -> RankingContext:
        """Return the ranking of the artefact in use for a profile.

        Parameters
        ----------
        profile : Profile
            Of the listener.
        seed : Track or None
            The track to rank by, if any.

        Raises
        ------
        NotAnalysedError
            If the seed has no vector.
        NoArtefactError
            If nothing has been built.
        """
        index = self.library_index()
        point = None if seed is None else coordinates_of(self._store, seed, index.artefact)
        key = (profile.version, None if seed is None else seed.id, b"" if point is None else point.tobytes())
        with self._lock:
            cached = self._rankings.get(key)
            if cached is not None and cached.index is index:
                self._rankings.move_to_end(key)
                return cached
        ranking = self._rank(profile.taste, index, seed=seed, point=point)
        with self._lock:
            self._rankings[key] = ranking
            self._rankings.move_to_end(key)
            if len(self._rankings) > _MAX_RANKINGS:
                self._rankings.popitem(last=False)
        return ranking

    def feature_similarity(self, index: LibraryIndex) -> FeatureSimilarity:
        """Return what finds the features in which tracks of an indexed library are similar."""
        cached = self._similarity
        if cached is not None and cached[0] is index:
            return cached[1]
        artefact = index.artefact
        ids = (artefact.track_ids[row] for row in sample_rows(len(index), _SIMILARITY_SAMPLE))
        found = [self._store.vectors_of(track_id, artefact.schema) for track_id in ids]
        summaries = [each.summary for each in found if each is not None]
        vectors = np.array(summaries, dtype=np.float32).reshape(-1, len(artefact.schema))
        similarity = FeatureSimilarity.fit(artefact.schema, artefact.space, vectors)
        self._similarity = (index, similarity)
        return similarity

    def library_index(self) -> LibraryIndex:
        """Return the index of the artefact in use, computed once.

        Raises
        ------
        NoArtefactError
            If nothing has been built.
        """
        artefact = self._artefacts.current()
        with self._index_lock:
            if self._index is None or self._index.artefact is not artefact:
                self._index = index_library(artefact)
                with self._lock:
                    self._rankings.clear()
            return self._index

    def _rank(
        self, taste: Taste, index: LibraryIndex, *, seed: Track | None, point: FloatArray | None
    ) -> RankingContext:
        taste_profile = profile_taste(taste, index)
        scoring = score_library(index, taste_profile, point)
        if not scoring.is_cold_start:
            _ = scoring.candidate_lists
        recent = recently_played(taste_profile)
        positive = taste_profile.positive
        weights = dict(zip(positive.track_ids, positive.weights.tolist(), strict=True))
        heaviest = positive.heaviest(_ARTISTS_OF)
        named = {*recent[:_NAMED_RECENT], *taste_profile.disliked[:_NAMED_DISLIKED]}
        tracks = self._store.tracks(named.union(heaviest))
        return RankingContext(
            scoring=scoring,
            seed=seed,
            recent=recent,
            recordings=Recordings(
                index.coordinates,
                thresholds=index.duplicate_thresholds,
                tracks=[tracks[track_id] for track_id in sorted(named) if track_id in tracks],
            ),
            recent_artists=tuple(
                tracks[track_id].artist
                for track_id in reversed(recent[: ARTIST_WINDOW - 1])
                if track_id in tracks
            ),
            caps=artist_caps((tracks[one].artist, weights[one]) for one in heaviest if one in tracks),
        )
