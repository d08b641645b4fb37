"""Building a slate: which candidates come, in which order, by the rules."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from soundalike.domain.recommendation.rules import (
    ArtistCap,
    is_same_position,
    is_same_title,
    name_of,
)
from soundalike.domain.tracks import Track
from soundalike.domain.types import FloatArray

MAX_DELAYED = 100
"""So many tracks of a list may be delayed by the artist cap before it is exceeded."""


class Role(Enum):
    """Why a track is a candidate."""

    TASTE = auto()
    SEED = auto()
    EXPLORATION = auto()
    COLD_START = auto()
    REPEAT = auto()


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
    role : Role
        Why it is a candidate.
    taste : int
        Which of the listener's tastes it is for; 0 if none.
    """

    row: int
    track: Track
    score: float
    role: Role
    taste: int = 0


@dataclass(frozen=True, slots=True)
class RankedRows:
    """Rows of the index, best first.

    Parameters
    ----------
    role : Role
        Why they are candidates.
    share : float
        How much of a slate is for them, relative to others.
    scored : iterator of (int, float)
        Row and score.
    taste : int
        Which of the listener's tastes ranked them; 0 if none.
    """

    role: Role
    share: float
    scored: Iterator[tuple[int, float]]
    taste: int = 0


class Recordings:
    """Same recording: remembers what is in the slate, or must not come into it.

    Parameters
    ----------
    coordinates : FloatArray, shape (n, m)
        Of all tracks.
    thresholds : FloatArray, shape (n,)
        Up to this distance from each another track is the same recording.
    tracks : iterable of Track
        Recordings that must not come.
    """

    def __init__(
        self, coordinates: FloatArray, *, thresholds: FloatArray, tracks: Iterable[Track] = ()
    ) -> None:
        self._coordinates = coordinates
        self._thresholds = thresholds
        self._rows: list[int] = []
        self._tracks: dict[tuple[str | None, str | None], tuple[Track, ...]] = {}
        self._hashes: set[str] = set()
        for track in tracks:
            self.exclude(track)

    def has(self, candidate: Candidate) -> bool:
        """Whether a candidate is one of these recordings."""
        track = candidate.track
        if track.audio_hash in self._hashes:
            return True
        if any(is_same_title(track, other) for other in self._tracks.get(name_of(track), ())):
            return True
        return is_same_position(
            self._coordinates[candidate.row],
            self._coordinates[self._rows],
            threshold=float(self._thresholds[candidate.row]),
        )

    def add(self, candidate: Candidate) -> None:
        """Remember a candidate that is in the slate."""
        self.exclude(candidate.track)
        self._rows.append(candidate.row)

    def copy(self) -> "Recordings":
        """Return an independent copy."""
        other = Recordings(self._coordinates, thresholds=self._thresholds)
        other._rows = list(self._rows)
        other._hashes = set(self._hashes)
        other._tracks = dict(self._tracks)
        return other

    def exclude(self, track: Track) -> None:
        """Remember a track that must not come, by its audio and its name."""
        name = name_of(track)
        self._tracks[name] = (*self._tracks.get(name, ()), track)
        if track.audio_hash is not None:
            self._hashes.add(track.audio_hash)


class SlateBuilder:
    """Builds a slate place by place: each recording once, and no artist beyond the cap.

    Parameters
    ----------
    recordings : Recordings
        What must not come (again).
    cap : ArtistCap
        How many places each artist may have.
    """

    def __init__(self, recordings: Recordings, cap: ArtistCap) -> None:
        self._recordings = recordings
        self._cap = cap
        self.has_exceeded_cap = False

    def build(
        self,
        candidate_lists: Sequence[Iterator[Candidate]],
        turns: Iterator[int],
        exploration: Iterator[Candidate],
        slots: Iterator[bool],
    ) -> Iterator[Candidate]:
        """Yield the candidates of a slate: each list in its turn, exploration in its slots.

        A list that is used up gives its places to the others.

        Parameters
        ----------
        candidate_lists : sequence of iterator of Candidate
            One per taste, best first; read no further than needed.
        turns : iterator of int
            Whose turn it is.
        exploration : iterator of Candidate
            Candidates outside the listener's taste.
        slots : iterator of bool
            Whether the next place is for exploration.
        """
        queues = [_Queue(candidates) for candidates in candidate_lists]
        exploring = _Queue(exploration)
        while True:
            order = [exploring] if next(slots) else []
            first = next(turns, None)
            if first is not None:
                order += [queues[first], *(queue for queue in queues if queue is not queues[first])]
            chosen = self._first_admitted(order) or self._first_delayed([*order, exploring])
            if chosen is None:
                return
            self._recordings.add(chosen)
            self._cap.take(chosen.track.artist)
            yield chosen

    def _first_admitted(self, queues: Sequence["_Queue"]) -> Candidate | None:
        return next((found for queue in queues if (found := self._next_of(queue)) is not None), None)

    def _next_of(self, queue: "_Queue") -> Candidate | None:
        """Return the best whose artist is admitted; None once many are delayed or none is left."""
        for position, candidate in enumerate(queue.delayed):
            if self._cap.admits(candidate.track.artist):
                del queue.delayed[position]
                if not self._recordings.has(candidate):
                    return candidate
                return self._next_of(queue)
        while len(queue.delayed) < MAX_DELAYED:
            coming = next(queue.upcoming, None)
            if coming is None:
                return None
            if self._recordings.has(coming):
                continue
            if self._cap.admits(coming.track.artist):
                return coming
            queue.delayed.append(coming)
        return None

    def _first_delayed(self, queues: Sequence["_Queue"]) -> Candidate | None:
        """Return the first candidate beyond the artist cap, since no other is left."""
        for queue in queues:
            while queue.delayed:
                candidate = queue.delayed.popleft()
                if not self._recordings.has(candidate):
                    self.has_exceeded_cap = True
                    return candidate
        return None


class _Queue:
    """A candidate list: what is still to come, and what the artist cap delays."""

    def __init__(self, upcoming: Iterator[Candidate]) -> None:
        self.upcoming = upcoming
        self.delayed: deque[Candidate] = deque()


def without_duplicates(candidates: Iterable[Candidate], recordings: Recordings) -> Iterator[Candidate]:
    """Yield repeats in their order, each recording once.

    Parameters
    ----------
    candidates : iterable of Candidate
        In order.
    recordings : Recordings
        What must not come; candidates that come are added.
    """
    for candidate in candidates:
        if not recordings.has(candidate):
            recordings.add(candidate)
            yield candidate
