"""What to play next, and why: a listener's profile applied to the artefact in use."""

from collections.abc import Callable, Collection
from contextlib import suppress
from datetime import datetime

from soundalike.domain.errors import ModelError, NoArtefactError, QueryError
from soundalike.domain.ports.learning import ArtefactStore
from soundalike.domain.ports.library import LibraryStore
from soundalike.domain.profiles import Profile
from soundalike.domain.recommendation.attribution import Attribution, attribute
from soundalike.domain.recommendation.explanations import (
    EMPTY_LIBRARY,
    ExplanationContext,
    describe,
    explain,
)
from soundalike.domain.recommendation.results import Recommendation, Recommendations
from soundalike.domain.recommendation.seeded_random import SeededRandom
from soundalike.domain.recommendation.slate import Role
from soundalike.domain.types import TrackId, UserId
from soundalike.services.library.browse import DEFAULT_LIMIT, Library, check_limit
from soundalike.services.listeners.profiles import Profiles
from soundalike.services.recommendation.ranking_cache import RankingCache, RankingContext
from soundalike.services.recommendation.slates import SlateMaker

DEFAULT_ADVENTURE = 0.2


class Recommender:
    """Recommends; safe for several threads at once.

    Parameters
    ----------
    store, artefacts
        The ports it uses.
    library : Library
        Has the seeds.
    profiles : Profiles
        Of the listeners.
    clock : callable
        Returns the time, with the zone in which days begin; it changes nothing but the words.
    """

    def __init__(
        self,
        store: LibraryStore,
        artefacts: ArtefactStore,
        library: Library,
        profiles: Profiles,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._library = library
        self._profiles = profiles
        self._clock = clock
        self._rankings = RankingCache(store, artefacts)

    def prepare(self) -> None:
        """Index the artefact in use, if there is one, so that the first request need not wait."""
        with suppress(ModelError):
            self._rankings.library_index()

    def recommend(
        self,
        user_id: UserId,
        *,
        limit: int = DEFAULT_LIMIT,
        seed: TrackId | None = None,
        exclude: Collection[TrackId] = (),
        adventure: float = DEFAULT_ADVENTURE,
    ) -> Recommendations:
        """Return what to play next; the same for the same profile, artefact and parameters.

        Parameters
        ----------
        user_id : UserId
            The listener.
        limit : int
            1 to 100.
        seed : TrackId or None
            The track to rank by, if any, before what the profile says.
        exclude : collection of TrackId
            Left out, with other copies of the same recordings.
        adventure : float
            Share of exploration, 0 to 1.

        Raises
        ------
        QueryError
            If `limit` or `adventure` is out of range.
        UnknownTrackError
            If no track has the id of the seed.
        NotAnalysedError
            If the seed has no vector.
        NoArtefactError
            If nothing has been built although there are tracks.
        """
        check_limit(limit)
        share = _check_adventure(adventure)
        profile = self._profiles.of(user_id)
        seed_track = None if seed is None else self._library.track(seed)
        try:
            ranking = self._rankings.ranking_for(profile, seed_track)
        except NoArtefactError:
            if self._library.count():
                raise
            return _nothing(profile)
        excluded = frozenset(exclude)
        version = ranking.index.artefact.version
        random = SeededRandom(profile.version, version, seed, sorted(excluded), limit, share)
        slate = SlateMaker(self._store, ranking, excluded).make(limit, adventure=share, random=random)
        if not slate.candidates and not self._library.count():
            return _nothing(profile)
        attributions = attribute(ranking.scoring, slate.candidates)
        context = self._explanation_context(profile, ranking, attributions)
        return Recommendations(
            artefact=version,
            profile_version=profile.version,
            recommendations=tuple(_recommendation(one, context) for one in attributions),
            note=describe(
                slate.candidates,
                limit=limit,
                left_out=len(excluded),
                disliked=len(ranking.taste_profile.disliked),
                has_exceeded_cap=slate.has_exceeded_cap,
                has_seed=seed is not None,
            ),
        )

    def _explanation_context(
        self, profile: Profile, ranking: RankingContext, attributions: list[Attribution]
    ) -> ExplanationContext:
        named = {one.positive[0] for one in attributions if one.positive}
        titles = {track_id: track.title for track_id, track in self._store.tracks(named).items()}
        seed = ranking.seed
        if seed is None:
            return ExplanationContext(taste=profile.taste, now=self._clock(), titles=titles)
        return ExplanationContext(
            taste=profile.taste,
            now=self._clock(),
            titles=titles,
            seed=seed.id,
            seed_title=seed.title,
            similar_features=self._similar_features(seed.id, ranking, attributions),
        )

    def _similar_features(
        self, seed: TrackId, ranking: RankingContext, attributions: list[Attribution]
    ) -> dict[TrackId, tuple[str, ...]]:
        """Return in which features each track is similar to the seed."""
        schema = ranking.index.artefact.schema
        of_seed = self._store.vectors_of(seed, schema)
        similarity = self._rankings.feature_similarity(ranking.index)
        found = {}
        for track_id in (one.candidate.track.id for one in attributions if one.candidate.role is Role.SEED):
            vectors = self._store.vectors_of(track_id, schema)
            if vectors is not None and of_seed is not None:
                found[track_id] = similarity.similar_groups(vectors.summary, of_seed.summary)
        return found


def _nothing(profile: Profile) -> Recommendations:
    return Recommendations(
        artefact=None, profile_version=profile.version, recommendations=(), note=EMPTY_LIBRARY
    )


def _recommendation(attribution: Attribution, context: ExplanationContext) -> Recommendation:
    candidate = attribution.candidate
    return Recommendation(
        track=candidate.track,
        distance=attribution.distance,
        score=candidate.score,
        reason=explain(attribution, context),
    )


def _check_adventure(adventure: float) -> float:
    if not 0 <= adventure <= 1:
        msg = f"adventure must be from 0 to 1, not {adventure}"
        raise QueryError(msg)
    return float(adventure)
