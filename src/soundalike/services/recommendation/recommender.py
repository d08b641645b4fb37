"""What to play next, and why: retrieved, scored, hydrated, diversified, explained.

A question is answered in these steps, in this order, in `Recommender.recommend`:

* **retrieve and score**: the candidates near the listener's tastes, or near a seed, and how much the
  listener wants each (`RankingCache`: once for a profile, artefact and seed; no store is read);
* **shortlist**: the first rows of each list that may be played, and what their places are due to;
* **hydrate**: one read of the store for all tracks that the shortlists and the rules name;
* **diversify**: the slate, place by place, by the rules. Where the shortlists end too early, because many
  tracks have vanished or are by one artist, wider ones are hydrated by one more read, the last;
* **explain**: reasons, as data.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from soundalike.domain.errors import ModelError, NoArtefactError
from soundalike.domain.ports.learning import ArtefactStore
from soundalike.domain.ports.library import LibraryStore
from soundalike.domain.profiles import Profile
from soundalike.domain.recommendation.library_index import LibraryIndex
from soundalike.domain.recommendation.question import Question
from soundalike.domain.recommendation.reasons import ReasonContext, describe, explain
from soundalike.domain.recommendation.results import Note, Recommendation, Recommendations, Role
from soundalike.domain.recommendation.seeded_random import SeededRandom
from soundalike.domain.recommendation.shortlists import Shortlisting
from soundalike.domain.recommendation.slate import CandidateLists, Slate, diversify
from soundalike.domain.types import TrackId, UserId
from soundalike.services.library.browse import Library
from soundalike.services.listeners.profiles import Profiles
from soundalike.services.recommendation.hydration import Hydrated, hydrate
from soundalike.services.recommendation.lookup import TrackPoint, not_analysed, point_by_vectors, point_in
from soundalike.services.recommendation.ranking_cache import RankingCache

_NARROW, _ONLY, _WIDE, _WIDEST = 5, 1_000, 200, 5_000
"""How many rows each list has beyond its probable places.

At the first read; if that is the only one; at the second, if all rows are of use, and at most.
"""


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
    is_strict : bool
        Whether an artist never comes twice in a row while another can be had, and no recording is
        repeated, also by the catalogue's key or by the name of what a question leaves out. Without these
        two rules, the same artefact and profile give the answers of the version before them.
    """

    def __init__(
        self,
        store: LibraryStore,
        artefacts: ArtefactStore,
        library: Library,
        profiles: Profiles,
        *,
        clock: Callable[[], datetime],
        is_strict: bool = True,
    ) -> None:
        self._store = store
        self._library = library
        self._profiles = profiles
        self._clock = clock
        self._is_strict = is_strict
        self._rankings = RankingCache(artefacts)

    def prepare(self) -> None:
        """Index the artefact in use, if there is one, so that the first request need not wait."""
        with suppress(ModelError):
            self._rankings.library_index()

    def recommend(self, user_id: UserId, question: Question | None = None) -> Recommendations:
        """Return what to play next; the same for the same profile, artefact and question.

        Parameters
        ----------
        user_id : UserId
            The listener.
        question : Question, optional
            What is asked; 20 tracks by default.

        Raises
        ------
        UnknownTrackError
            If no track has the id of the seed.
        NotAnalysedError
            If the seed has no vector.
        NoArtefactError
            If nothing has been built although there are tracks.
        """
        question = question or Question()
        profile = self._profiles.of(user_id)
        try:
            index = self._rankings.library_index()
        except NoArtefactError:
            if question.seed is not None:
                self._library.track(question.seed)
            if self._library.has_audio():
                raise
            return self._nothing(profile, Note.NO_AUDIO if self._library.count() else Note.EMPTY_LIBRARY)
        seed_point = None if question.seed is None else self._point_of(question.seed, index)
        scoring = self._rankings.scored(
            profile, index, None if seed_point is None else seed_point.coordinates
        )
        random = _random(profile, index, question)
        # Two reads have been made by now, or three for a seed that the artefact lacks: of four.
        is_last = question.seed is not None and question.seed not in index.rows
        hydrated, slate = self._slate(Shortlisting(scoring, question, random), is_last=is_last)
        is_nothing = not (slate.candidates or slate.is_cut or hydrated.has_present)
        if is_nothing and not self._library.count():
            return self._nothing(profile)
        return Recommendations(
            artefact=index.artefact.version,
            profile_version=profile.version,
            recommendations=self._explained(slate, hydrated, profile, seed_point),
            notes=describe(
                slate,
                question,
                disliked=len(scoring.taste_profile.disliked),
                has_mostly_vanished=hydrated.has_mostly_vanished,
            ),
            asked_at=self._clock(),
        )

    def _point_of(self, seed: TrackId, index: LibraryIndex) -> TrackPoint:
        """Return where a seed is: as the artefact has it, or else by its stored vector."""
        artefact = index.artefact
        seed_point = point_in(artefact, seed) or point_by_vectors(self._store, seed, artefact)
        if seed_point is None:
            track = self._library.track(seed)
            raise not_analysed(track, artefact, is_silent=self._library.is_silent(track))
        return seed_point

    def _slate(self, shortlisting: Shortlisting, *, is_last: bool) -> tuple[Hydrated, Slate]:
        """Return a slate, and the tracks that it was made from.

        Parameters
        ----------
        shortlisting : Shortlisting
            Makes narrow shortlists, and wide ones if those do not suffice.
        is_last : bool
            Whether the store may be read only once: then the shortlists are wide at once.
        """
        is_last = is_last or len(shortlisting.scoring.index) <= _WIDE
        width = _ONLY if is_last else _NARROW
        while True:
            shortlists = shortlisting.shortlists(width, is_last=is_last)
            hydrated = hydrate(self._store, shortlists, shortlisting, is_strict=self._is_strict)
            lists = CandidateLists(
                tastes=[hydrated.candidates(each) for each in shortlists.tastes],
                turns=shortlisting.turns(),
                exploration=hydrated.candidates(shortlists.exploration),
                slots=shortlisting.slots(),
                repeats=hydrated.candidates(shortlists.repeats).candidates,
            )
            rules = hydrated.artist_rules()
            limit = shortlisting.question.limit
            slate = diversify(lists, hydrated.recordings(), rules, limit=limit, is_last=is_last)
            if is_last or not slate.is_cut:
                return hydrated, slate
            width, is_last = min(round(_WIDE / hydrated.usable_share()), _WIDEST), True

    def _explained(
        self, slate: Slate, hydrated: Hydrated, profile: Profile, seed_point: TrackPoint | None
    ) -> tuple[Recommendation, ...]:
        tracks, seed = hydrated.tracks, hydrated.question.seed
        context = ReasonContext(
            taste=profile.taste,
            titles={track_id: track.title for track_id, track in tracks.items()},
            seed=None if seed is None else tracks.get(seed) or self._library.track(seed),
            similar_features=_similar_features(slate, hydrated.scoring.index, seed_point),
        )
        return tuple(
            Recommendation(
                track=one.track,
                distance=one.attribution.distance,
                score=one.score,
                reason=explain(one.track.id, one.attribution, context),
            )
            for one in slate.candidates
        )

    def _nothing(self, profile: Profile, note: Note = Note.EMPTY_LIBRARY) -> Recommendations:
        return Recommendations(
            artefact=None,
            profile_version=profile.version,
            recommendations=(),
            notes=(note,),
            asked_at=self._clock(),
        )


def _similar_features(
    slate: Slate, index: LibraryIndex, seed_point: TrackPoint | None
) -> dict[TrackId, tuple[str, ...]]:
    """Return in which features each track is similar to the seed."""
    groups, similarity = index.artefact.groups, index.similarity
    if seed_point is None or seed_point.features is None or groups is None or similarity is None:
        return {}
    return {
        one.track.id: similarity.similar_groups(groups.values[one.row], seed_point.features)
        for one in slate.candidates
        if one.role is Role.SEED
    }


def _random(profile: Profile, index: LibraryIndex, question: Question) -> SeededRandom:
    """Return random numbers that are the same for the same question."""
    return SeededRandom(
        profile.version,
        index.artefact.version,
        question.seed,
        sorted(question.left_out),
        question.limit,
        float(question.adventure),
    )
