"""Diversifying: which candidates come into a slate, in which order, by the rules."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from soundalike.domain.recommendation.attribution import Attribution
from soundalike.domain.recommendation.known_recordings import KnownRecordings
from soundalike.domain.recommendation.results import Role
from soundalike.domain.recommendation.rules import ArtistRules
from soundalike.domain.tracks import Track

MAX_DELAYED = 100
"""So many tracks of a list may be delayed by the artist cap before it is exceeded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A track that may be played.

    Parameters
    ----------
    row : int
        In the index.
    track : Track
        The track.
    score : float
        What it is ranked by.
    attribution : Attribution
        What its place is due to.
    """

    row: int
    track: Track
    score: float
    attribution: Attribution

    @property
    def role(self) -> Role:
        """Which list it comes from."""
        return self.attribution.role


@dataclass(frozen=True, slots=True)
class Candidates:
    """A list of candidates, best first.

    Parameters
    ----------
    candidates : sequence of Candidate
        Perhaps only the first of the list.
    is_whole : bool
        Whether these are all.
    """

    candidates: Sequence[Candidate] = ()
    is_whole: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateLists:
    """What a slate is made of.

    Parameters
    ----------
    tastes : sequence of Candidates
        One list for each taste.
    turns : iterator of int
        Whose turn it is.
    exploration : Candidates
        Candidates outside the listener's taste.
    slots : iterator of bool
        Whether the next place is for exploration.
    repeats : sequence of Candidate
        What comes again once nothing new is left.
    """

    tastes: Sequence[Candidates]
    turns: Iterator[int]
    exploration: Candidates
    slots: Iterator[bool]
    repeats: Sequence[Candidate] = ()


@dataclass(frozen=True, slots=True)
class Slate:
    """What is recommended.

    Parameters
    ----------
    candidates : list of Candidate
        In order.
    has_exceeded_cap : bool
        Whether an artist has more places than the cap allows, for lack of others.
    is_cut : bool
        Whether a list that is not whole ended too early: with more of it the slate may be another.
    """

    candidates: list[Candidate]
    has_exceeded_cap: bool
    is_cut: bool


def diversify(
    lists: CandidateLists,
    recordings: KnownRecordings,
    rules: ArtistRules,
    *,
    limit: int,
    is_last: bool = False,
) -> Slate:
    """Fill a slate place by place: each list in its turn, each recording once, artists by their rules.

    A list that is used up gives its places to the others; repeats come last.

    Parameters
    ----------
    lists : CandidateLists
        What it is made of.
    recordings : KnownRecordings
        What must not come (again).
    rules : ArtistRules
        How often each artist may come.
    limit : int
        How many places there are.
    is_last : bool
        Whether a slate is needed even if a list that is not whole ends.
    """
    places = _Places(lists, recordings, rules, is_last=is_last)
    chosen = list(islice(places, limit))
    if places.is_cut and not is_last:
        return Slate(chosen, places.has_exceeded_cap, is_cut=True)
    if len(chosen) < limit and lists.repeats:
        again = recordings.without_recent()
        for candidate in chosen:
            again.add(candidate.row, candidate.track)
        chosen += islice(_repeats(lists.repeats, again, rules), limit - len(chosen))
    return Slate(chosen, places.has_exceeded_cap, is_cut=places.is_cut)


class _Queue:
    """A candidate list: what is still to come, and what the rules delay."""

    def __init__(self, candidates: Candidates) -> None:
        self._upcoming = iter(candidates.candidates)
        self._is_whole = candidates.is_whole
        self.delayed: deque[Candidate] = deque()
        self.is_cut = False

    def next(self) -> Candidate | None:
        candidate = next(self._upcoming, None)
        if candidate is None and not self._is_whole:
            self.is_cut = True
        return candidate


class _Places:
    """Yields what comes into each place of a slate, but for repeats."""

    def __init__(
        self, lists: CandidateLists, recordings: KnownRecordings, rules: ArtistRules, *, is_last: bool
    ) -> None:
        self._queues = [_Queue(candidates) for candidates in lists.tastes]
        self._exploring = _Queue(lists.exploration)
        self._lists = lists
        self._recordings = recordings
        self._rules = rules
        self._is_last = is_last
        self.has_exceeded_cap = False

    @property
    def is_cut(self) -> bool:
        """Whether a list that is not whole has ended."""
        return any(queue.is_cut for queue in (*self._queues, self._exploring))

    def __iter__(self) -> Iterator[Candidate]:
        queues, exploring = self._queues, self._exploring
        while True:
            order = [exploring] if next(self._lists.slots) else []
            first = next(self._lists.turns, None)
            if first is not None:
                order += [queues[first], *(queue for queue in queues if queue is not queues[first])]
            chosen = self._chosen(order, [*order, exploring])
            if chosen is None or (self.is_cut and not self._is_last):
                return
            self._recordings.add(chosen.row, chosen.track)
            self._rules.take(chosen.track)
            yield chosen

    def _chosen(self, order: Sequence[_Queue], all_queues: Sequence[_Queue]) -> Candidate | None:
        for queue in order:
            chosen = self._admitted(queue)
            if chosen is not None:
                return chosen
        chosen = self._by_another(all_queues) if self._rules.are_apart else None
        if chosen is None:
            delayed = (self._delayed(queue) for queue in all_queues)
            chosen = next((candidate for candidate in delayed if candidate is not None), None)
        if chosen is not None and not (self._rules.are_apart and self._rules.is_below_cap(chosen.track)):
            self.has_exceeded_cap = True
        return chosen

    def _admitted(self, queue: _Queue) -> Candidate | None:
        """Return the best that the rules admit; None once many are delayed or none is left."""
        for candidate in list(queue.delayed):
            if self._rules.admits(candidate.track):
                queue.delayed.remove(candidate)
                if self._is_new(candidate):
                    return candidate
        while len(queue.delayed) < MAX_DELAYED:
            coming = queue.next()
            if coming is None:
                return None
            if not self._is_new(coming):
                continue
            if self._rules.admits(coming.track):
                return coming
            queue.delayed.append(coming)
        return None

    def _by_another(self, queues: Sequence[_Queue]) -> Candidate | None:
        """Return the first by another artist than the latest, beyond the cap if need be."""
        for queue in queues:
            for candidate in list(queue.delayed):
                if self._rules.is_other(candidate.track):
                    queue.delayed.remove(candidate)
                    if self._is_new(candidate):
                        return candidate
        for queue in queues:
            while (coming := queue.next()) is not None:
                if not self._is_new(coming):
                    continue
                if self._rules.is_other(coming.track):
                    return coming
                queue.delayed.append(coming)
        return None

    def _delayed(self, queue: _Queue) -> Candidate | None:
        """Return the first that was delayed, since no other is left."""
        while queue.delayed:
            candidate = queue.delayed.popleft()
            if self._is_new(candidate):
                return candidate
        return None

    def _is_new(self, candidate: Candidate) -> bool:
        return not self._recordings.has(candidate.row, candidate.track)


def _repeats(
    candidates: Iterable[Candidate], recordings: KnownRecordings, rules: ArtistRules
) -> Iterator[Candidate]:
    """Yield repeats in their order, each recording once, the latest artist only if no other is left."""
    left = list(candidates)
    while left:
        coming = next((one for one in left if rules.is_other(one.track)), left[0])
        left.remove(coming)
        if not recordings.has(coming.row, coming.track):
            recordings.add(coming.row, coming.track)
            rules.take(coming.track)
            yield coming
