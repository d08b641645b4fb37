"""Listens: what a listener did with a track, as it stands in the event log."""

from dataclasses import dataclass
from enum import StrEnum

from soundalike.domain.types import EventId, TrackId, UserId


class ListenKind(StrEnum):
    """What was done; `LESS` pushes away without excluding."""

    STARTED = "started"
    FINISHED = "finished"
    SKIPPED = "skipped"
    LIKED = "liked"
    UNLIKED = "unliked"
    DISLIKED = "disliked"
    UNDISLIKED = "undisliked"
    LESS = "less"


PLAYS = frozenset({ListenKind.STARTED, ListenKind.FINISHED, ListenKind.SKIPPED})
"""The kinds by which a track was heard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listen:
    """One event of one listener.

    Parameters
    ----------
    id : EventId
        Given by the client; the first content that arrives under it counts.
    user_id : UserId
        Whose it is.
    track_id : TrackId
        What was heard or judged.
    kind : ListenKind
        What was done.
    position_ms : int or None
        Where in the track, where that applies.
    at_ms : int
        When, in ms since 1970, UTC, by the client's clock.
    """

    id: EventId
    user_id: UserId
    track_id: TrackId
    kind: ListenKind
    position_ms: int | None
    at_ms: int

    @property
    def order(self) -> tuple[int, EventId]:
        """Where it stands among the listens of its user."""
        return self.at_ms, self.id


@dataclass(frozen=True, slots=True)
class Erasure:
    """A user's wish to be forgotten: no listen of theirs at or before `at_ms` is ever folded again."""

    user_id: UserId
    at_ms: int


@dataclass(frozen=True, slots=True)
class ErasureRecord:
    """An erasure where it stands in a log; a total one hides all that stands before it, however dated."""

    erasure: Erasure
    is_total: bool


LogEntry = Listen | Erasure
"""What is exported and imported."""
LogRecord = Listen | ErasureRecord
"""What stands in a log."""
