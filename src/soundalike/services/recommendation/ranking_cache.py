"""What follows from a profile, an artefact and a seed alone: worked out once, asked often."""

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
from soundalike.domain.recommendation.slate import Ranked, Recordings, Role
from soundalike.domain.recommendation.weighted_tracks import TasteProfile, profile_taste
from soundalike.domain.taste import Taste
from soundalike.domain.tracks import Track
from soundalike.domain.types import FloatArray, ProfileVersion, TrackId
from soundalike.services.recommendation.lookup import place_of

_MOST_KEPT = 256
_ARTISTS_OF, _NAMED_LATELY, _NAMED_DISLIKED = 30, 40, 60
_SIMILARITY_SAMPLE = 128

_Key = tuple[ProfileVersion, TrackId | None, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class RankingContext:
    """How a library looks to one taste, perhaps from a seed.

    Parameters
    ----------
    scoring : Scoring
        With its candidate_lists worked out.
    seed : Track or None
        What is asked about.
    lately : tuple of TrackId
        What is not to be repeated, latest first.
    recordings : Recordings
        The latest of what was played, and what is disliked; to be copied before it is added to.
    caps : dict of str to int
        Artists that may have more places than others.
    artists_lately : tuple of str or None
        Of what was played last, the latest last.
    """

    scoring: Scoring
    seed: Track | None
    lately: tuple[TrackId, ...]
    recordings: Recordings
    caps: dict[str, int]
    artists_lately: tuple[str | None, ...]

    @property
    def index(self) -> LibraryIndex:
        """The artefact that is looked at."""
        return self.scoring.index

    @property
    def taste_profile(self) -> TasteProfile:
        """What of the taste bears on it."""
        return self.scoring.taste_profile

    def candidate_lists(self) -> Iterator[Ranked]:
        """Yield the whole library as each taste ranks it."""
        if self.scoring.is_cold_start:
            yield Ranked(Role.COLD_START, 1.0, cold_start_order(self.scoring))
            return
        role = Role.TASTE if self.seed is None else Role.SEED
        for taste, candidates in enumerate(self.scoring.candidate_lists):
            best = zip(candidates.rows.tolist(), candidates.scores.tolist(), strict=True)
            yield Ranked(role, candidates.share, chain(best, self.scoring.beyond(taste)), taste)


class RankingCache:
    """Keeps the latest; safe for several threads at once.

    Parameters
    ----------
    store, artefacts
        The ports it works through.
    """

    def __init__(self, store: LibraryStore, artefacts: ArtefactStore) -> None:
        self._store = store
        self._artefacts = artefacts
        self._index_lock, self._lock = threading.Lock(), threading.Lock()
        self._index: LibraryIndex | None = None
        self._similarity: tuple[LibraryIndex, FeatureSimilarity] | None = None
        self._kept: OrderedDict[_Key, RankingContext] = OrderedDict()

    def ranking_for(self, profile: Profile, seed: Track | None) -> RankingContext:
        """Return the ranking of a profile on the artefact in use.

        Raises
        ------
        NotAnalysedError
            If the seed has no vector.
        NoArtefactError
            If nothing has been built.
        """
        index = self.library_index()
        place = None if seed is None else place_of(self._store, seed, index.artefact)
        key = (profile.version, None if seed is None else seed.id, b"" if place is None else place.tobytes())
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None and kept.index is index:
                self._kept.move_to_end(key)
                return kept
        ranking = self._rank(profile.taste, index, seed=seed, place=place)
        with self._lock:
            self._kept[key] = ranking
            self._kept.move_to_end(key)
            if len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
        return ranking

    def similarity(self, index: LibraryIndex) -> FeatureSimilarity:
        """Return what tells in which features tracks of a library are alike."""
        kept = self._similarity
        if kept is not None and kept[0] is index:
            return kept[1]
        artefact = index.artefact
        ids = (artefact.track_ids[row] for row in sample_rows(len(index), _SIMILARITY_SAMPLE))
        vectors = [self._store.vectors_of(track_id, artefact.schema) for track_id in ids]
        whole = [each.whole for each in vectors if each is not None]
        table = np.array(whole, dtype=np.float32).reshape(-1, len(artefact.schema))
        similarity = FeatureSimilarity.fit(artefact.schema, artefact.space, table)
        self._similarity = (index, similarity)
        return similarity

    def library_index(self) -> LibraryIndex:
        """Return what ranking needs to know of the artefact in use, looked over once.

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
                    self._kept.clear()
            return self._index

    def _rank(
        self, taste: Taste, index: LibraryIndex, *, seed: Track | None, place: FloatArray | None
    ) -> RankingContext:
        taste_profile = profile_taste(taste, index)
        scoring = score_library(index, taste_profile, place)
        if not scoring.is_cold_start:
            _ = scoring.candidate_lists
        lately = recently_played(taste_profile)
        weights = dict(
            zip(taste_profile.positive.track_ids, taste_profile.positive.weights.tolist(), strict=True)
        )
        listened = taste_profile.positive.heaviest(_ARTISTS_OF)
        named = {*lately[:_NAMED_LATELY], *taste_profile.disliked[:_NAMED_DISLIKED]}
        tracks = self._store.tracks(named.union(listened))
        return RankingContext(
            scoring=scoring,
            seed=seed,
            lately=lately,
            recordings=Recordings(
                index.coordinates,
                thresholds=index.duplicate_thresholds,
                tracks=[tracks[track_id] for track_id in sorted(named) if track_id in tracks],
            ),
            artists_lately=tuple(
                tracks[track_id].artist
                for track_id in reversed(lately[: ARTIST_WINDOW - 1])
                if track_id in tracks
            ),
            caps=artist_caps((tracks[one].artist, weights[one]) for one in listened if one in tracks),
        )
