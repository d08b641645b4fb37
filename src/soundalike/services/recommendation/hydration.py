"""Hydrating: the tracks that a question names, read at once, and what the rules make of them."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from soundalike.domain.catalogue import first_artist
from soundalike.domain.ports.library import LibraryStore
from soundalike.domain.recommendation.known_recordings import KnownRecordings
from soundalike.domain.recommendation.question import Question
from soundalike.domain.recommendation.rules import (
    ARTIST_WINDOW,
    ArtistRules,
    artist_caps,
    recently_played,
)
from soundalike.domain.recommendation.scoring import Scoring
from soundalike.domain.recommendation.shortlists import Shortlist, Shortlisting, Shortlists
from soundalike.domain.recommendation.slate import Candidate, Candidates
from soundalike.domain.tracks import Track
from soundalike.domain.types import ArtistId, TrackId

_ARTISTS_OF, _NAMED_DISLIKED = 30, 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Hydrated:
    """The tracks that a question of one listener names, as they are now.

    Parameters
    ----------
    scoring : Scoring
        Of the library, for the listener.
    question : Question
        What is asked.
    shortlists : Shortlists
        What a slate is made of.
    is_strict : bool
        See `Recommender`.
    tracks : mapping of TrackId to Track
        Those that the library has, vanished ones too.
    """

    scoring: Scoring
    question: Question
    shortlists: Shortlists
    is_strict: bool
    tracks: Mapping[TrackId, Track]

    @property
    def has_present(self) -> bool:
        """Whether any of the tracks may be played."""
        return any(map(self._may_play, self.tracks.values()))

    def usable_share(self) -> float:
        """Return the share of shortlisted tracks that are of use, above 0.

        Those are the recordings that may be played, but of the artist who has most of them only one.
        """
        playable = {
            one.row: one.track for each in self.shortlists for one in self.candidates(each).candidates
        }
        recordings = self.recordings()
        by_artist: Counter[ArtistId | None] = Counter()
        for row, track in playable.items():
            if not recordings.has(row, track):
                recordings.add(row, track)
                by_artist[first_artist(track)] += 1
        count = by_artist.total()
        del by_artist[None]
        repeated = max(by_artist.values(), default=1) - 1
        return max(count - repeated, 1) / max(len(self._shortlisted()), 1)

    @property
    def has_mostly_vanished(self) -> bool:
        """Whether more than half of the shortlisted tracks have vanished."""
        found = [self.tracks.get(one) for one in self._shortlisted()]
        return 2 * sum(track is None or track.is_vanished for track in found) > len(found)

    def candidates(self, shortlist: Shortlist) -> Candidates:
        """Return the tracks of a shortlist that may be played."""
        ids = self.scoring.index.artefact.track_ids
        found = []
        for row, score, attribution in zip(
            shortlist.rows.tolist(), shortlist.scores.tolist(), shortlist.attributions, strict=True
        ):
            track = self.tracks.get(ids[row])
            if track is not None and self._may_play(track):
                found.append(Candidate(row=row, track=track, score=score, attribution=attribution))
        return Candidates(found, shortlist.is_whole)

    def recordings(self) -> KnownRecordings:
        """Return the recordings that must not come."""
        index, question = self.scoring.index, self.question
        never, recent = set(_disliked(self.scoring)), set(recently_played(self.scoring.taste_profile))
        if question.seed is not None:
            never.add(question.seed)
        if self.is_strict:
            never |= question.left_out
        else:
            never, recent = set(), never | recent
        return KnownRecordings(
            index.coordinates,
            thresholds=index.duplicate_thresholds,
            never=self._known(never),
            recent=self._known(recent),
            by_key=self.is_strict,
        )

    def artist_rules(self) -> ArtistRules:
        """Return how often each artist may come, after what was played before."""
        positive = self.scoring.taste_profile.positive
        weights = dict(zip(positive.track_ids, positive.weights.tolist(), strict=True))
        heaviest = positive.heaviest(_ARTISTS_OF)
        caps = artist_caps((self.tracks[one], weights[one]) for one in heaviest if one in self.tracks)
        recent = self.question.recent
        latest = [one for one in recently_played(self.scoring.taste_profile) if one not in recent]
        played = [*reversed(latest[: ARTIST_WINDOW - 1]), *recent]
        if self.is_strict and not played and self.question.seed:
            played = [self.question.seed]
        artists = [first_artist(self.tracks[one]) for one in played if one in self.tracks]
        return ArtistRules(caps, artists, are_apart=self.is_strict)

    def _known(self, track_ids: Iterable[TrackId]) -> list[Track]:
        return [self.tracks[one] for one in track_ids if one in self.tracks]

    def _shortlisted(self) -> set[TrackId]:
        ids = self.scoring.index.artefact.track_ids
        return {ids[row] for shortlist in self.shortlists for row in shortlist.rows.tolist()}

    def _may_play(self, track: Track) -> bool:
        return track.is_playable if self.question.is_playable_only else not track.is_vanished


def hydrate(
    store: LibraryStore, shortlists: Shortlists, shortlisting: Shortlisting, *, is_strict: bool
) -> Hydrated:
    """Read all tracks that shortlists, rules and reasons name, in one call of the store.

    Parameters
    ----------
    store : LibraryStore
        Has the tracks.
    shortlists : Shortlists
        What a slate is made of.
    shortlisting : Shortlisting
        What made them.
    is_strict : bool
        See `Hydrated`.
    """
    scoring, question = shortlisting.scoring, shortlisting.question
    ids = scoring.index.artefact.track_ids
    named = {
        *recently_played(scoring.taste_profile),
        *_disliked(scoring),
        *scoring.taste_profile.positive.heaviest(_ARTISTS_OF),
        *question.left_out,
    }
    if question.seed is not None:
        named.add(question.seed)
    for shortlist in shortlists:
        named.update(ids[row] for row in shortlist.rows.tolist())
        named.update(one for each in shortlist.attributions for one in each.positive[:1])
    return Hydrated(
        scoring=scoring,
        question=question,
        shortlists=shortlists,
        is_strict=is_strict,
        tracks=store.tracks(named),
    )


def _disliked(scoring: Scoring) -> tuple[TrackId, ...]:
    """Return of the disliked tracks those that count by name too: the latest."""
    return scoring.taste_profile.disliked[:_NAMED_DISLIKED]
