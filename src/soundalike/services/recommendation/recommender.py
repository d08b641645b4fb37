"""What to play next, and why: a listener's profile on the artefact in use."""

import math
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from datetime import datetime
from itertools import islice, repeat

import numpy as np

from soundalike.domain.errors import ModelError, NoArtefactError, QueryError
from soundalike.domain.ports.learning import ArtefactStore
from soundalike.domain.ports.library import LibraryStore
from soundalike.domain.profiles import Profile
from soundalike.domain.recommendation.attribution import Attribution, attribute
from soundalike.domain.recommendation.explanations import NOTHING_THERE, ExplanationContext, describe, explain
from soundalike.domain.recommendation.exploration import explore
from soundalike.domain.recommendation.results import Recommendation, Recommendations
from soundalike.domain.recommendation.rules import (
    ArtistCap,
    SeededRandom,
    are_same_positions,
    exploration_slots,
    longest_ago,
    proportional_turns,
)
from soundalike.domain.recommendation.slate import (
    Candidate,
    Ranked,
    Recordings,
    Role,
    SlateBuilder,
    without_duplicates,
)
from soundalike.domain.types import FloatArray, TrackId, UserId
from soundalike.services.library.browse import DEFAULT_LIMIT, Library, check_limit
from soundalike.services.listeners.profiles import Profiles
from soundalike.services.recommendation.lookup import present_tracks
from soundalike.services.recommendation.ranking_cache import RankingCache, RankingContext

DEFAULT_ADVENTURE = 0.2

_FIRST_BATCH, _BATCH = 4, 100


class Recommender:
    """Recommends; safe for several threads at once.

    Parameters
    ----------
    store, artefacts
        The ports it works through.
    library : Library
        Knows seeds.
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
        """Look the artefact in use over, if there is one, so that who asks first need not wait."""
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
            Who listens.
        limit : int
            1 to 100.
        seed : TrackId or None
            What it should sound like, before what the profile says.
        exclude : collection of TrackId
            Left out, with the same recordings.
        adventure : float
            Share of something else, 0 to 1.

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
            return Recommendations(
                artefact=None, profile_version=profile.version, recommendations=(), note=NOTHING_THERE
            )
        left_out = frozenset(exclude)
        version = ranking.index.artefact.version
        random = SeededRandom(profile.version, version, seed, sorted(left_out), limit, share)
        slate = _Slate(self._store, ranking, left_out)
        served = slate.serve(limit, adventure=share, random=random)
        if not served and not self._library.count():
            return Recommendations(
                artefact=None, profile_version=profile.version, recommendations=(), note=NOTHING_THERE
            )
        attributions = attribute(ranking.scoring, served)
        context = self._explanation_context(profile, ranking, attributions)
        return Recommendations(
            artefact=version,
            profile_version=profile.version,
            recommendations=tuple(_recommendation(one, context) for one in attributions),
            note=slate.note(served, limit),
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
        """Tell in what each track sounds like the seed."""
        schema = ranking.index.artefact.schema
        of_seed = self._store.vectors_of(seed, schema)
        similarity = self._rankings.similarity(ranking.index)
        found = {}
        for track_id in (one.candidate.track.id for one in attributions if one.candidate.role is Role.SEED):
            vectors = self._store.vectors_of(track_id, schema)
            if vectors is not None and of_seed is not None:
                found[track_id] = similarity.similar_groups(vectors.whole, of_seed.whole)
        return found


class _Slate:
    """One list in the making."""

    def __init__(self, store: LibraryStore, ranking: RankingContext, left_out: frozenset[TrackId]) -> None:
        self._store = store
        self._ranking = ranking
        self._left_out = left_out
        self._disliked = frozenset(ranking.taste_profile.disliked)
        recordings = ranking.recordings.copy()
        if ranking.seed is not None:
            recordings.bar(ranking.seed)
        self._builder = SlateBuilder(recordings, ArtistCap(ranking.caps, ranking.artists_lately))

    def serve(self, limit: int, *, adventure: float, random: SeededRandom) -> list[Candidate]:
        """Return what is played: what is new as long as there is some, then what was played longest ago."""
        ranking, index = self._ranking, self._ranking.index
        seed = () if ranking.seed is None else (ranking.seed.id,)
        closed = self._left_out.union(self._disliked, ranking.lately, seed)
        points = index.coordinates[index.rows_of(sorted(closed))]
        if ranking.scoring.seed is not None:
            points = np.concatenate([points, ranking.scoring.seed[np.newaxis]])
        candidate_lists = list(ranking.candidate_lists())
        total = sum(candidates.share for candidates in candidate_lists)
        candidates = [
            self._candidates(candidates, closed, points, first=int(limit * candidates.share / total))
            for candidates in candidate_lists
        ]
        turns = proportional_turns(
            [candidates.share for candidates in candidate_lists], ranking.scoring.served
        )
        elsewhere, slots = self._exploration(limit, adventure, random)
        exploration = self._candidates(elsewhere, closed, points, first=int(limit * adventure))
        served = list(islice(self._builder.build(candidates, turns, exploration, slots), limit))
        return served + self._repeats(served, limit - len(served))

    def note(self, served: list[Candidate], limit: int) -> str | None:
        """Say what a listener should know of the list."""
        return describe(
            served,
            limit=limit,
            left_out=len(self._left_out),
            disliked=len(self._disliked),
            has_exceeded_cap=self._builder.has_exceeded_cap,
            has_seed=self._ranking.seed is not None,
        )

    def _exploration(
        self, limit: int, adventure: float, random: SeededRandom
    ) -> tuple[Ranked, Iterator[bool]]:
        """Return what else there is, and which places are for it; a cold start explores anyway."""
        if self._ranking.scoring.is_cold_start or not adventure:
            return Ranked(Role.EXPLORATION, adventure, iter(())), repeat(False)  # noqa: FBT003 - what it yields
        rows, scores = explore(self._ranking.scoring, random, places=math.ceil(limit * adventure))
        drawn = zip(rows.tolist(), scores.tolist(), strict=True)
        phase = float(random.numbers("slots", 1)[0])
        return Ranked(Role.EXPLORATION, adventure, drawn), exploration_slots(adventure, phase)

    def _candidates(
        self, ranked: Ranked, closed: frozenset[TrackId], points: FloatArray, *, first: int
    ) -> Iterator[Candidate]:
        """Yield what is there of some rows, without what is closed or the same recording as that."""
        index = self._ranking.index
        ids = index.artefact.track_ids
        size = first + _FIRST_BATCH
        while batch := list(islice(ranked.places, size)):
            rows = np.array([row for row, _ in batch], dtype=np.int32)
            is_closed = are_same_positions(
                index.coordinates[rows], points, thresholds=index.duplicate_thresholds[rows]
            )
            is_open = [not shut and ids[row] not in closed for shut, row in zip(is_closed, rows, strict=True)]
            tracks = present_tracks(
                self._store, {ids[row] for row, shown in zip(rows, is_open, strict=True) if shown}
            )
            for row, score in batch:
                track = tracks.get(ids[row])
                if track is not None:
                    yield Candidate(row=row, track=track, score=score, role=ranked.role, taste=ranked.taste)
            size = _BATCH

    def _repeats(self, served: list[Candidate], count: int) -> list[Candidate]:
        """Return what was played longest ago, where nothing new is left."""
        ranking, index = self._ranking, self._ranking.index
        seed = () if ranking.seed is None else (ranking.seed.id,)
        closed = self._left_out.union(self._disliked, seed)
        negative = frozenset(ranking.taste_profile.negative.track_ids)
        order = longest_ago(ranking.taste_profile, negative=negative) if count > 0 else ()
        places = [(index.rows[one], 0.0) for one in order if one in index.rows]
        shut = index.coordinates[index.rows_of(sorted(closed))]
        found = self._candidates(Ranked(Role.REPEAT, 1.0, iter(places)), closed, shut, first=count)
        recordings = Recordings(index.coordinates, thresholds=index.duplicate_thresholds)
        for candidate in served:
            recordings.add(candidate)
        return list(islice(without_duplicates(found, recordings), max(count, 0)))


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
        msg = f"adventure is 0 to 1, not {adventure}"
        raise QueryError(msg)
    return float(adventure)
