"""Shortlists: the best rows of each list that may answer a question, before any track is read."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice, repeat

import numpy as np

from soundalike.domain.recommendation.attribution import Attribution, attribute
from soundalike.domain.recommendation.cold_start import cold_start_order
from soundalike.domain.recommendation.exploration import explore
from soundalike.domain.recommendation.question import Question
from soundalike.domain.recommendation.results import Role
from soundalike.domain.recommendation.rules import (
    are_same_positions,
    exploration_slots,
    longest_ago,
    proportional_turns,
    recently_played,
)
from soundalike.domain.recommendation.scoring import Scoring
from soundalike.domain.recommendation.seeded_random import SeededRandom
from soundalike.domain.types import FloatArray, IndexArray, TrackId

_CHECKED = 256
"""So many rows at a time are compared with what must not come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortlist:
    """The first rows of a list that may come into a slate.

    Parameters
    ----------
    rows : IndexArray, shape (k,)
        In the index, best first.
    scores : FloatArray, shape (k,)
        What they are ranked by.
    attributions : list of Attribution
        What the place of each is due to.
    is_whole : bool
        Whether the list has no others.
    """

    rows: IndexArray
    scores: FloatArray
    attributions: list[Attribution]
    is_whole: bool


@dataclass(frozen=True, slots=True)
class Shortlists:
    """The lists that a slate is made of.

    Parameters
    ----------
    tastes : list of Shortlist
        One for each taste, or one for the seed, or for a cold start.
    exploration : Shortlist
        Drawn at random; a cold start explores anyway.
    repeats : Shortlist
        What was played recently, the longest ago first.
    """

    tastes: list[Shortlist]
    exploration: Shortlist
    repeats: Shortlist

    def __iter__(self) -> Iterator[Shortlist]:
        """Yield all of them."""
        yield from self.tastes
        yield self.exploration
        yield self.repeats


@dataclass(frozen=True)
class Shortlisting:
    """Makes shortlists for one question of one listener.

    Parameters
    ----------
    scoring : Scoring
        Of the library, for the listener.
    question : Question
        What is asked.
    random : SeededRandom
        Draws the exploration.
    """

    scoring: Scoring
    question: Question
    random: SeededRandom

    def shortlists(self, width: int, *, is_last: bool) -> Shortlists:
        """Return the first rows of each list; repeats only where new tracks may not suffice.

        Parameters
        ----------
        width : int
            How many rows each list has beyond the places that it probably gets.
        is_last : bool
            Whether a slate is made of these, even if they should not suffice.
        """
        tastes = self._tastes(width)
        has_repeats = is_last or all(each.is_whole for each in tastes)
        repeats = self._repeats() if has_repeats else self._open(iter(()), Role.REPEAT, 0)
        return Shortlists(tastes, self._exploration(width), repeats)

    def turns(self) -> Iterator[int]:
        """Yield whose turn it is."""
        if self.scoring.is_cold_start:
            return repeat(0)
        return proportional_turns(self.scoring.shares.tolist(), self.scoring.served)

    def slots(self) -> Iterator[bool]:
        """Yield for each place whether it is for exploration."""
        if not self._explores:
            return repeat(False)  # noqa: FBT003 - the item
        return exploration_slots(self.question.adventure, float(self.random.numbers("slots", 1)[0]))

    def _tastes(self, width: int) -> list[Shortlist]:
        scoring, limit = self.scoring, self.question.limit
        if scoring.is_cold_start:
            return [self._open(cold_start_order(scoring), Role.COLD_START, limit + width)]
        role = Role.TASTE if scoring.seed is None else Role.SEED
        total = sum(scoring.shares.tolist())
        found = []
        for taste, best in enumerate(scoring.candidate_lists):
            scored = chain(zip(best.rows.tolist(), best.scores.tolist(), strict=True), self._beyond(taste))
            found.append(self._open(scored, role, int(limit * best.share / total) + width, taste=taste))
        return found

    def _beyond(self, taste: int) -> Iterator[tuple[int, float]]:
        yield from self.scoring.beyond(taste, self._raw_scores)

    def _exploration(self, width: int) -> Shortlist:
        limit, adventure = self.question.limit, self.question.adventure
        if not self._explores:
            return self._open(iter(()), Role.EXPLORATION, 0)
        rows, scores = explore(self.scoring, self.random, places=math.ceil(limit * adventure))
        drawn = zip(rows.tolist(), scores.tolist(), strict=True)
        return self._open(drawn, Role.EXPLORATION, int(limit * adventure) + width)

    def _repeats(self) -> Shortlist:
        taste_profile = self.scoring.taste_profile
        order = longest_ago(taste_profile, negative=frozenset(taste_profile.negative.track_ids))
        rows = self.scoring.index.rows
        scored = iter([(rows[one], 0.0) for one in order if one in rows])
        return self._open(scored, Role.REPEAT, len(order))

    @property
    def _explores(self) -> bool:
        return bool(self.question.adventure) and not self.scoring.is_cold_start

    @cached_property
    def _raw_scores(self) -> FloatArray:
        return self.scoring.raw_scores()

    @cached_property
    def _never(self) -> frozenset[TrackId]:
        """What must not come at all."""
        seed = () if self.question.seed is None else (self.question.seed,)
        return self.question.left_out.union(self.scoring.taste_profile.disliked, seed)

    @cached_property
    def _not_yet(self) -> frozenset[TrackId]:
        """What must not come while anything new is left."""
        return self._never.union(recently_played(self.scoring.taste_profile))

    @cached_property
    def _never_points(self) -> FloatArray:
        return self._points(self._never)

    @cached_property
    def _not_yet_points(self) -> FloatArray:
        points = self._points(self._not_yet)
        seed = self.scoring.seed
        return points if seed is None else np.concatenate([points, seed[np.newaxis]])

    def _points(self, track_ids: frozenset[TrackId]) -> FloatArray:
        index = self.scoring.index
        points: FloatArray = index.coordinates[index.rows_of(sorted(track_ids))]
        return points

    def _open(
        self, scored: Iterator[tuple[int, float]], role: Role, count: int, *, taste: int = 0
    ) -> Shortlist:
        """Return the first rows that are neither closed nor the same recording as what is closed."""
        is_repeat = role is Role.REPEAT
        closed = self._never if is_repeat else self._not_yet
        points = self._never_points if is_repeat else self._not_yet_points
        index, ids = self.scoring.index, self.scoring.index.artefact.track_ids
        found: list[tuple[int, float]] = []
        while len(found) < count and (batch := list(islice(scored, min(count - len(found), _CHECKED)))):
            rows = np.array([row for row, _ in batch], dtype=np.int32)
            is_same = are_same_positions(
                index.coordinates[rows], points, thresholds=index.duplicate_thresholds[rows]
            )
            found += [
                one
                for one, shut in zip(batch, is_same, strict=True)
                if not shut and ids[one[0]] not in closed
            ]
        rows = np.array([row for row, _ in found], dtype=np.int32)
        return Shortlist(
            rows=rows,
            scores=np.array([score for _, score in found], dtype=np.float64),
            attributions=attribute(self.scoring, rows, role, taste=taste),
            is_whole=next(scored, None) is None,
        )
