"""Making a slate: candidates that are present and allowed, built by the rules."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, repeat

import numpy as np

from soundalike.domain.ports.library import LibraryStore
from soundalike.domain.recommendation.exploration import explore
from soundalike.domain.recommendation.rules import (
    ArtistCap,
    are_same_positions,
    exploration_slots,
    longest_ago,
    proportional_turns,
)
from soundalike.domain.recommendation.seeded_random import SeededRandom
from soundalike.domain.recommendation.slate import (
    Candidate,
    RankedRows,
    Recordings,
    Role,
    SlateBuilder,
    without_duplicates,
)
from soundalike.domain.types import FloatArray, TrackId
from soundalike.services.recommendation.lookup import present_tracks
from soundalike.services.recommendation.ranking_cache import RankingContext

_FIRST_BATCH, _BATCH = 4, 100


@dataclass(frozen=True, slots=True)
class Slate:
    """What is recommended.

    Parameters
    ----------
    candidates : list of Candidate
        In order.
    has_exceeded_cap : bool
        Whether an artist has more places than the cap allows, for lack of others.
    """

    candidates: list[Candidate]
    has_exceeded_cap: bool


class SlateMaker:
    """Makes one slate.

    Parameters
    ----------
    store : LibraryStore
        Knows which tracks are present.
    ranking : RankingContext
        Of the listener.
    excluded : frozenset of TrackId
        Tracks that the request leaves out.
    """

    def __init__(self, store: LibraryStore, ranking: RankingContext, excluded: frozenset[TrackId]) -> None:
        self._store = store
        self._ranking = ranking
        seed = () if ranking.seed is None else (ranking.seed.id,)
        self._never = excluded.union(ranking.taste_profile.disliked, seed)

    def make(self, limit: int, *, adventure: float, random: SeededRandom) -> Slate:
        """Return up to `limit` candidates: new ones while there are some, then the oldest repeats.

        Parameters
        ----------
        limit : int
            How many.
        adventure : float
            Share of exploration, 0 to 1.
        random : SeededRandom
            Draws the exploration.
        """
        ranking = self._ranking
        closed = self._never.union(ranking.recent)
        points = self._points(closed)
        if ranking.scoring.seed is not None:
            points = np.concatenate([points, ranking.scoring.seed[np.newaxis]])
        ranked = list(ranking.ranked_rows())
        total = sum(each.share for each in ranked)
        candidate_lists = [
            self._candidates(each, closed, points, first=int(limit * each.share / total)) for each in ranked
        ]
        turns = proportional_turns([each.share for each in ranked], ranking.scoring.served)
        explored, slots = self._exploration(limit, adventure, random)
        exploration = self._candidates(explored, closed, points, first=int(limit * adventure))
        builder = self._builder()
        chosen = list(islice(builder.build(candidate_lists, turns, exploration, slots), limit))
        return Slate(chosen + self._repeats(chosen, limit - len(chosen)), builder.has_exceeded_cap)

    def _builder(self) -> SlateBuilder:
        ranking = self._ranking
        recordings = ranking.recordings.copy()
        if ranking.seed is not None:
            recordings.exclude(ranking.seed)
        return SlateBuilder(recordings, ArtistCap(ranking.caps, ranking.recent_artists))

    def _exploration(
        self, limit: int, adventure: float, random: SeededRandom
    ) -> tuple[RankedRows, Iterator[bool]]:
        """Return rows to explore, and which places are for them; a cold start explores anyway."""
        if self._ranking.scoring.is_cold_start or not adventure:
            return RankedRows(Role.EXPLORATION, adventure, iter(())), repeat(False)  # noqa: FBT003 - the item
        rows, scores = explore(self._ranking.scoring, random, places=math.ceil(limit * adventure))
        drawn = zip(rows.tolist(), scores.tolist(), strict=True)
        phase = float(random.numbers("slots", 1)[0])
        return RankedRows(Role.EXPLORATION, adventure, drawn), exploration_slots(adventure, phase)

    def _candidates(
        self, ranked: RankedRows, closed: frozenset[TrackId], points: FloatArray, *, first: int
    ) -> Iterator[Candidate]:
        """Yield the present tracks of some rows that are neither closed nor the same recording as those.

        Parameters
        ----------
        ranked : RankedRows
            Best first.
        closed : frozenset of TrackId
            What must not come.
        points : FloatArray, shape (k, m)
            Coordinates of what must not come.
        first : int
            How many are probably needed.
        """
        index = self._ranking.index
        ids = index.artefact.track_ids
        size = first + _FIRST_BATCH
        while batch := list(islice(ranked.scored, size)):
            rows = np.array([row for row, _ in batch], dtype=np.int32)
            thresholds = index.duplicate_thresholds[rows]
            is_closed = are_same_positions(index.coordinates[rows], points, thresholds=thresholds)
            wanted = {
                ids[row]
                for row, shut in zip(rows, is_closed, strict=True)
                if not shut and ids[row] not in closed
            }
            tracks = present_tracks(self._store, wanted)
            for row, score in batch:
                track = tracks.get(ids[row])
                if track is not None:
                    yield Candidate(row=row, track=track, score=score, role=ranked.role, taste=ranked.taste)
            size = _BATCH

    def _repeats(self, chosen: list[Candidate], count: int) -> list[Candidate]:
        """Return what was played longest ago, if nothing new is left."""
        index, taste_profile = self._ranking.index, self._ranking.taste_profile
        negative = frozenset(taste_profile.negative.track_ids)
        order = longest_ago(taste_profile, negative=negative) if count > 0 else ()
        scored = iter([(index.rows[one], 0.0) for one in order if one in index.rows])
        ranked = RankedRows(Role.REPEAT, 1.0, scored)
        found = self._candidates(ranked, self._never, self._points(self._never), first=count)
        recordings = Recordings(index.coordinates, thresholds=index.duplicate_thresholds)
        for candidate in chosen:
            recordings.add(candidate)
        return list(islice(without_duplicates(found, recordings), max(count, 0)))

    def _points(self, track_ids: frozenset[TrackId]) -> FloatArray:
        index = self._ranking.index
        points: FloatArray = index.coordinates[index.rows_of(sorted(track_ids))]
        return points
